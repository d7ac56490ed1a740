"""A stack's configuration: the schema in Pulumi.yaml, the values from Pulumi, and the stack files.

Pulumi's engine applies the defaults of the schema, but accepts undeclared keys. Tests and the embedded AWS
run without the engine. Reading the schema here keeps the defaults in one place, and refuses undeclared keys.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pulumi
import yaml
from pulumi.runtime import config as runtime_config

PROJECT = "regional-analytics"
"""The Pulumi project's name, which is the namespace of its keys."""

PROJECT_DIRECTORY = Path(__file__).resolve().parent.parent

SECRET = "[secret]"  # noqa: S105 - not a secret
"""What messages show instead of a secret value."""


class SettingsError(pulumi.RunError):
    """Invalid settings; the message has a line for each problem, which names the key.

    Pulumi prints a `RunError` without a stack trace.

    Attributes:
        problems: The lines.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["invalid settings:", *(f"  {line}" for line in self.problems)]))


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The values that a stack sets.

    Attributes:
        values: Decrypted value of each full key (`regional-analytics:timeout`); arrays are JSON.
        secrets: Keys whose values are secret.
    """

    values: Mapping[str, str]
    secrets: frozenset[str] = frozenset()

    @classmethod
    def of_this_stack(cls) -> Self:
        """Return the configuration of the current stack."""
        values = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
        from_environment = runtime_config.get_config_secret_keys_env()
        secrets = {key for key in values if runtime_config.is_config_secret(key) or key in from_environment}
        return cls(values=values, secrets=frozenset(secrets))

    def shown(self, key: str) -> str:
        """Return the key's value for a message."""
        if key not in self.values:
            return "nothing"
        return SECRET if key in self.secrets else repr(self.values[key])


def read(configuration: Configuration, project_directory: Path = PROJECT_DIRECTORY) -> dict[str, Any]:
    """Return the value or default of every declared key, by its name without namespace.

    Keys of other namespaces are ignored, unless the namespace looks like a misspelling of the schema's.

    Args:
        configuration: The values that the stack sets.
        project_directory: The folder of Pulumi.yaml.

    Raises:
        SettingsError: A key is undeclared or missing, or a value does not have the declared type.
    """
    schema = declarations(project_directory)
    problems = [*_unknown_keys(configuration.values, schema)]
    values: dict[str, Any] = {}
    for key, declaration in schema.items():
        _, _, name = key.partition(":")
        if key in configuration.values:
            try:
                values[name] = _PARSERS[declaration["type"]](configuration.values[key])
            except ValueError as error:
                problems.append(f"{key}: {error}, got {configuration.shown(key)}")
        elif "default" in declaration:
            values[name] = declaration["default"]
        else:
            problems.append(f"{key}: must be set ({declaration['description']})")
    if problems:
        raise SettingsError(problems)
    return values


def _unknown_keys(keys: Iterable[str], schema: Iterable[str]) -> Iterator[str]:
    (own,) = {key.partition(":")[0] for key in schema}
    names = [key.removeprefix(f"{own}:") for key in schema]
    for key in keys:
        namespace, _, name = key.partition(":")
        if namespace == own:
            if name not in names:
                yield f"{key}: {no_such(name, names, namespace=f'{own}:')}"
        elif difflib.get_close_matches(namespace, [own], cutoff=0.9):
            yield f"{key}: no such namespace; did you mean {own}:{name}?"


def defaults(project_directory: Path = PROJECT_DIRECTORY) -> dict[str, Any]:
    """Return the default of every key that has one, by its name without namespace."""
    return {
        key.removeprefix(f"{PROJECT}:"): declaration["default"]
        for key, declaration in declarations(project_directory).items()
        if "default" in declaration
    }


def declarations(project_directory: Path = PROJECT_DIRECTORY) -> dict[str, dict[str, Any]]:
    """Return the schema of Pulumi.yaml: type, default and description of each full key."""
    return yaml.safe_load((project_directory / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]


def stack_configurations(project_directory: Path = PROJECT_DIRECTORY) -> dict[str, Configuration]:
    """Return the configuration in each stack file, by stack name.

    Encrypted values cannot be read here. Their keys are in `secrets` and not in `values`.

    Raises:
        SettingsError: A stack file is not a mapping in YAML. JSON cannot represent a value of it. A key has a
            list and takes one value, or has one value and takes a list.
    """
    schema = declarations(project_directory)
    return {
        path.name.removeprefix("Pulumi.").removesuffix(".yaml"): _stack_configuration(path, schema)
        for path in sorted(project_directory.glob("Pulumi.*.yaml"))
    }


class _Loader(yaml.SafeLoader):
    """A loader whose booleans are true and false, as Pulumi's. PyYAML also reads yes, no, on and off."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML declares it
        first: [(tag, text) for tag, text in resolvers if first in "tTfF" or tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _stack_configuration(path: Path, schema: Mapping[str, Mapping[str, Any]]) -> Configuration:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader) or {}  # noqa: S506 - a SafeLoader
        entries = (document.get("config") or {}).items()
    except (yaml.YAMLError, AttributeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise SettingsError([f"{path.name}: must be YAML with a mapping `config`, got {reason}"]) from error
    values, secrets, problems = {}, set[str](), []
    for entry, value in entries:
        key = str(entry) if ":" in str(entry) else f"{PROJECT}:{entry}"  # as Pulumi reads it
        if _is_encrypted(value):
            secrets.add(key)
            continue
        is_list = schema.get(key, {}).get("type") == "array"
        if key in schema and isinstance(value, list | dict) is not is_list:
            right = "a list" if is_list else "one value"
            problems.append(f"{path.name}: {key}: must be {right}, got {value!r}")
            continue
        try:
            values[key] = encoded("" if value is None else value)  # as Pulumi does
        except (TypeError, ValueError):
            # Pulumi refuses .inf and .nan, and adds a time to a date.
            problems.append(
                f"{path.name}: {key}: must be text, a number, true, false, or a list or mapping of these"
                f" (put a date in quotes), got {value}"
            )
    if problems:
        raise SettingsError(problems)
    return Configuration(values=values, secrets=frozenset(secrets))


def encoded(value: Any) -> str:  # noqa: ANN401 - YAML
    """Return a value in the format of Pulumi's runtime.

    Raises:
        TypeError, ValueError: JSON cannot represent the value.
    """
    return value if isinstance(value, str) else json.dumps(value, allow_nan=False)


def key_of(field_name: str) -> str:
    """Return the key of a field, without namespace: memorySize for memory_size."""
    head, *tail = field_name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def no_such(name: str, known: Iterable[str], *, namespace: str = "") -> str:
    """Return the error for an unknown setting, with the name that was probably meant.

    Args:
        name: The unknown name.
        known: The names of all settings.
        namespace: What precedes a name in a key.
    """
    similar = difflib.get_close_matches(name, known := sorted(known), n=1)
    hint = f"did you mean {namespace}{similar[0]}?" if similar else f"the settings are {', '.join(known)}"
    return f"no such setting; {hint}"


def _is_encrypted(value: Any) -> bool:  # noqa: ANN401 - YAML
    """Tell whether `pulumi config set --secret` wrote the value or a part of it."""
    if isinstance(value, Mapping):
        return "secure" in value or any(map(_is_encrypted, value.values()))
    return isinstance(value, list) and any(map(_is_encrypted, value))


def _integer(text: str) -> int:
    if not re.fullmatch("[+-]?[0-9]{1,18}", text):  # `int` would accept spaces and underscores too
        raise ValueError("must be a whole number")
    return int(text)


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text == "true"


def _array(text: str) -> list[str]:
    try:
        items = json.loads(text)
    except json.JSONDecodeError:
        items = None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError("must be a list of strings")
    return items


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "integer": _integer,
    "boolean": _boolean,
    "array": _array,
}
