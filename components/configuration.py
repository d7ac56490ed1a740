"""Reading a stack's configuration by the schema that Pulumi.yaml declares.

Pulumi's engine applies the schema itself; evaluation without the engine (tests, the embedded AWS) does not,
and either lets pass what nobody declared. Reading the declarations here keeps every default in one place.
"""

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml

PROJECT = "regional-analytics"
"""Name of the Pulumi project, so namespace of its keys."""

PROJECT_DIRECTORY = Path(__file__).resolve().parent.parent


class SettingsError(pulumi.RunError):
    """The stack's settings cannot be deployed; one line per problem, each naming the stack's key.

    Pulumi shows a `RunError` without a stack trace.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        super().__init__(
            "\n".join(["the stack's settings are refused:", *(f"  {line}" for line in problems)])
        )


def read(config: Mapping[str, str], project_directory: Path = PROJECT_DIRECTORY) -> dict[str, Any]:
    """Return the value of every declared key, without namespace: as set, else as the schema's default.

    Args:
        config: What the stack sets, by full key (`regional-analytics:timeout`), as Pulumi hands it over:
            text, and JSON where the type is an array. Keys of other namespaces are left alone.
        project_directory: Where Pulumi.yaml lies.

    Raises:
        SettingsError: Keys that are not declared or missing, and values that are not of the declared type.
    """
    schema = _schema(project_directory)
    problems = [_undeclared(key, schema) for key in config if _is_own(key) and key not in schema]
    values: dict[str, Any] = {}
    for key, declaration in schema.items():
        if key not in config:
            if "default" not in declaration:
                problems.append(f"{key}: must be set ({declaration['description']})")
            values[_without_namespace(key)] = declaration.get("default")
            continue
        try:
            values[_without_namespace(key)] = _PARSERS[declaration["type"]](config[key])
        except ValueError as error:
            problems.append(f"{key}: {error}, got {config[key]!r}")
    if problems:
        raise SettingsError(problems)
    return values


def stack_configs(project_directory: Path = PROJECT_DIRECTORY) -> dict[str, Mapping[str, Any]]:
    """Return what every stack file of the project comes to, by stack name: what it sets, else the defaults.

    Raises:
        SettingsError: A stack file that cannot be read as a mapping.
    """
    schema = _schema(project_directory)
    defaults = {key: declared["default"] for key, declared in schema.items() if "default" in declared}
    configs = {}
    for path in sorted(project_directory.glob("Pulumi.*.yaml")):
        try:
            config = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("config") or {}
            configs[path.name.removeprefix("Pulumi.").removesuffix(".yaml")] = {**defaults, **config}
        except (yaml.YAMLError, AttributeError, TypeError) as error:
            reason = " ".join(str(error).split())
            raise SettingsError(
                [f"{path.name}: must be YAML with a mapping `config`, got {reason}"]
            ) from error
    return configs


def key_of(field_name: str) -> str:
    """Return the key, without namespace, that sets the field: memorySize for memory_size."""
    head, *tail = field_name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _schema(project_directory: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load((project_directory / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]


def _is_own(key: str) -> bool:
    return key.startswith(f"{PROJECT}:")


def _without_namespace(key: str) -> str:
    return key.removeprefix(f"{PROJECT}:")


def _undeclared(key: str, schema: Mapping[str, Any]) -> str:
    similar = difflib.get_close_matches(key, schema, n=1)
    hint = f"did you mean {similar[0]}?" if similar else f"known keys: {', '.join(sorted(schema))}"
    return f"{key}: no such setting; {hint}"


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("must be a whole number") from None


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
