"""Values in the format in which Pulumi's engine sends them to a provider and receives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from google.protobuf import struct_pb2
from pulumi_policy.deserialize import SPECIAL_ARCHIVE_SIG, SPECIAL_SIG_KEY
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from local.resources.hints import UNKNOWN, Unknown


class Archive(pulumi.FileArchive):
    """An archive, equal to another of the same content.

    Attributes:
        digest: SHA-256 of the content: all that Pulumi's state keeps of an archive.
        path: The file; empty for an archive of the state.
    """

    def __init__(self, digest: str, path: str) -> None:
        super().__init__(path)
        self.digest = digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Archive) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def read(message: struct_pb2.Struct) -> dict[str, Any]:
    """Return the values of a message, without those that are null."""
    return {name: value for name, field in message.fields.items() if (value := _read(field)) is not None}


def _read(field: struct_pb2.Value) -> Any:
    match field.WhichOneof("kind"):
        case "struct_value":
            values = read(field.struct_value)
            if values.get(SPECIAL_SIG_KEY) == SPECIAL_ARCHIVE_SIG:
                return Archive(values["hash"], values.get("path", ""))
            if SPECIAL_SIG_KEY in values:
                raise ValueError(f"the provider supports no values like {values}")
            return values
        case "list_value":
            return [_read(item) for item in field.list_value.values]
        case "string_value":
            return UNKNOWN if field.string_value == UNKNOWN_STRING_VALUE else field.string_value
        case "number_value":
            number = field.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return field.bool_value
    return None


def written(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return values as a message."""
    return struct_pb2.Struct(fields={name: _written(value) for name, value in values.items()})


def _written(value: Any) -> struct_pb2.Value:
    match value:
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case Unknown():
            return struct_pb2.Value(string_value=UNKNOWN_STRING_VALUE)
        case Archive():
            archive = {SPECIAL_SIG_KEY: SPECIAL_ARCHIVE_SIG, "hash": value.digest, "path": value.path}
            return struct_pb2.Value(struct_value=written(archive))
        case Mapping():
            return struct_pb2.Value(struct_value=written(value))
        case list() | tuple():
            items = [_written(item) for item in value]
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))
    raise TypeError(f"a value must be a JSON value or an archive, got {value!r}")
