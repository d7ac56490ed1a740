"""Reading of a contract's YAML file, which must follow the Open Data Contract Standard."""

import functools
import importlib.resources
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import open_data_contract_standard
import yaml
from jsonschema.protocols import Validator
from open_data_contract_standard.model import CustomProperty, OpenDataContractStandard

API_VERSION = "v3.1.0"

FILE_BYTES_MAX = 512_000
"""The limit of a table's parameter, such as the values of an enum (AWS Glue API reference, "TableInput")."""

NESTING_MAX = 6
"""The most objects and arrays in one another. With each, checking the schema takes three times as long."""


class Document:
    """A contract's file, and the problems found in it.

    Attributes:
        problems: One line per problem, with the file, field, value and remedy.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problems: list[str] = []

    def load(self) -> OpenDataContractStandard | None:
        """Return the contract in the standard's model, or None if it does not follow the standard."""
        try:
            text = self._path.read_bytes()
            if len(text) > FILE_BYTES_MAX:
                self.refuse("", f"must have up to {FILE_BYTES_MAX:,} bytes, got {len(text):,}")
                return None
            content = yaml.load(text.decode(), _Loader)  # noqa: S506 - a SafeLoader
            # The properties of the dataset are the first level.
            is_too_deep = _levels(content) > 1 + NESTING_MAX
        except RecursionError:
            content, is_too_deep = None, True
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            self.refuse("", f"must be YAML in UTF-8, got {' '.join(str(error).split())}")
            return None
        if is_too_deep:
            self.refuse("", f"must have up to {NESTING_MAX} objects and arrays in one another, got more")
            return None
        if not isinstance(content, dict):
            self.refuse("", f"must be a mapping of keys to values, got {type(content).__name__}")
            return None
        for error in _schema().iter_errors(content):
            self.refuse(
                _place(error.absolute_path),
                f"must follow the Open Data Contract Standard {API_VERSION}: {error.message}",
            )
        return None if self.problems else OpenDataContractStandard.model_validate(content)

    def refuse(self, place: str, problem: str) -> None:
        """Add a problem."""
        parts = (f"{self._path.parent.name}/{self._path.name}", place, problem)
        self.problems.append(": ".join(filter(None, parts)))

    def custom(
        self, place: str, properties: Iterable[CustomProperty] | None, known: Mapping[str, type]
    ) -> dict[str, Any]:
        """Return custom properties by name. Refuse unknown, repeated and wrongly typed properties."""
        values: dict[str, Any] = {}
        for index, item in enumerate(properties or ()):
            where = f"{place}.customProperties[{index}]"
            name = item.property or ""
            if name not in known:
                self.refuse(where, f"must be one of {', '.join(known)}, got {name!r}")
            elif name in values:
                self.refuse(where, f"must be there once, got a second {name!r}")
            else:
                values |= self.typed(where, {name: item.value}, known)
        return values

    def typed(self, place: str, content: Mapping[str, Any], known: Mapping[str, type]) -> dict[str, Any]:
        """Return the entries with known names and values of the right type. Refuse the others."""
        values: dict[str, Any] = {}
        for name, value in content.items():
            if name not in known:
                self.refuse(place, f"must be one of {', '.join(known)}, got {name!r}")
            elif type(value) is not known[name]:
                self.refuse(f"{place}.{name}", f"must be {_TYPE_NAMES[known[name]]}, got {value!r}")
            else:
                values[name] = value
        return values


class _Loader(yaml.SafeLoader):
    """A loader that refuses duplicate keys. PyYAML would keep the last value without an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping, whose keys must be unique."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} twice", node.value[index][0].start_mark
                )
        return super().construct_mapping(node, deep=deep)


_TYPE_NAMES = {
    str: "text", int: "an integer", bool: "true or false", list: "a list", dict: "a mapping",
}  # fmt: skip


@functools.cache
def _schema() -> Validator:
    schema = importlib.resources.files(open_data_contract_standard) / "schema.json"
    return jsonschema.Draft201909Validator(json.loads(schema.read_text(encoding="utf-8")))


def _levels(content: object) -> int:
    """Return how many lists of properties and types of items are in one another."""
    if isinstance(content, list):
        return max(map(_levels, content), default=0)
    if isinstance(content, dict):
        levels = ((key in ("properties", "items")) + _levels(value) for key, value in content.items())
        return max(levels, default=0)
    return 0


def _place(path: Iterable[str | int]) -> str:
    return "".join(_parts(path)).removeprefix(".")


def _parts(path: Iterable[str | int]) -> Iterator[str]:
    for part in path:
        yield f"[{part}]" if isinstance(part, int) else f".{part}"
