"""A stack's resources as a CloudFormation template, which cfn-lint checks against AWS's published schemas.

The schemas are those that cfn-lint ships. A property that they do not know is an error here, so no misspelled
name can hide a property from the linter.
"""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.program.evaluation import Evaluation, Resource
from tests.security.cloudformation_kinds import KINDS, LEFT_OUT, Kind

PROJECT = Path(__file__).resolve().parents[2]


class UnknownPropertyError(Exception):
    """CloudFormation has no such property: the table must rename it, or leave it out with a reason."""


def template(evaluation: Evaluation) -> dict[str, Any]:
    """Write what the program registered for a stack as a template.

    Raises:
        UnknownPropertyError: A property that the schema of its type does not have.
        KeyError: A type that is neither in `KINDS` nor in `LEFT_OUT`.
    """
    resources = [one for one in evaluation.custom if _token(one) not in LEFT_OUT]
    owners = [one for one in resources if not _kind(one).belongs_to]
    referred = dict(_identifiers(owners))
    written = {}
    for owner in owners:
        references = {text: reference for text, (other, reference) in referred.items() if other is not owner}
        properties: dict[str, Any] = {**_kind(owner).always}
        for part in (owner, *_parts(resources, owner)):
            _Writer(_kind(part), references).add(part, properties)
        written[_logical_id(owner)] = {"Type": _kind(owner).type, "Properties": properties}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": written}


def _parts(resources: Iterable[Resource], owner: Resource) -> Iterator[Resource]:
    for resource in resources:
        kind = _kind(resource)
        if (
            kind.belongs_to
            and kind.type == _kind(owner).type
            and resource.inputs[kind.belongs_to] == owner.id
        ):
            yield resource


def _identifiers(owners: list[Resource]) -> Iterator[tuple[str, tuple[Resource, dict[str, Any]]]]:
    """Give how the template refers to what a resource's id and ARN stand for.

    What belongs to a bucket or a topic has its id too: the first one owns it, so it comes last.
    """
    for owner in reversed(owners):
        name = _logical_id(owner)
        yield str(owner.id), (owner, {"Ref": name})
        if arn := owner.state.get("arn"):
            has_arn = Schema.of_type(_kind(owner).type).find("Arn")
            yield arn, (owner, {"Fn::GetAtt": [name, "Arn"]} if has_arn else {"Ref": name})


@dataclass(frozen=True)
class Schema:
    """One part of a type's schema, references resolved."""

    whole: Mapping[str, Any]
    part: Mapping[str, Any]

    @classmethod
    @functools.cache
    def of_type(cls, type_: str) -> Self:
        """Read the schema of a CloudFormation type."""
        (folder,) = PROJECT.glob(".venv-scan/lib/python*/site-packages/cfnlint/data/schemas")
        # The types of this project are the same in each of its regions.
        names = json.loads((folder / "providers" / "us-east-1.json").read_text())
        whole = json.loads((folder / "resources" / f"{names[type_]}.json").read_text())
        return cls(whole, whole)

    def find(self, name: str) -> tuple[str, Self] | None:
        """Find a property by its name, in whatever case its letters are."""
        for known, part in self.part.get("properties", {}).items():
            if known.lower() == name.lower():
                return known, self._resolved(part)
        return None

    @property
    def items(self) -> Self:
        """What the list holds."""
        return self._resolved(self.part["items"])

    @property
    def is_list(self) -> bool:
        return self.part.get("type") == "array"

    @property
    def is_free(self) -> bool:
        """Whether the keys of the object are data, not names of properties."""
        return "properties" not in self.part

    @property
    def is_document(self) -> bool:
        """Whether it is a JSON document, which Pulumi holds as text."""
        return {"object", "string"} <= set(self.part.get("type", ()))

    def _resolved(self, part: Mapping[str, Any]) -> Self:
        while True:
            if "$ref" in part:
                part = self.whole["definitions"][part["$ref"].rpartition("/")[2]]
            elif "oneOf" in part:
                part = part["oneOf"][0]
            else:
                return type(self)(self.whole, part)


@dataclass(frozen=True)
class _Writer:
    """Writes properties of one kind of resource."""

    kind: Kind
    references: Mapping[str, dict[str, Any]]

    def add(self, resource: Resource, properties: dict[str, Any]) -> None:
        """Add a resource's properties to those of the template's resource that it is, or is a part of."""
        schema = Schema.of_type(self.kind.type)
        if self.kind.at:
            name, schema = self._find(schema, self.kind.at)
            if schema.is_list:
                properties.setdefault(name, []).append(inner := {})
                schema = schema.items
            else:
                inner = properties.setdefault(name, {})
            properties = inner
        own = {name: value for name, value in resource.inputs.items() if name != self.kind.belongs_to}
        self._add_all(own, "", schema, properties)

    def _add_all(
        self, values: Mapping[str, Any], above: str, schema: Schema, properties: dict[str, Any]
    ) -> None:
        for name, value in values.items():
            path = f"{above}{name}"
            if path in self.kind.left_out or value is None:
                continue
            target = self.kind.renamed.get(path, name)
            if target:
                self._add(target.split("."), value, path, schema, properties)
            else:
                self._add_all(value, f"{path}.", schema, properties)

    def _add(
        self, target: list[str], value: object, path: str, schema: Schema, properties: dict[str, Any]
    ) -> None:
        name, inner = self._find(schema, target[0])
        if len(target) > 1:
            self._add(target[1:], value, path, inner, properties.setdefault(name, {}))
            return
        made = self.kind.made[path](value) if path in self.kind.made else None
        written = made or self._written(value, path, inner)
        if isinstance(written, dict) and isinstance(properties.get(name), dict):
            properties[name] |= written
        else:
            properties[name] = written

    def _written(self, value: object, path: str, schema: Schema) -> Any:
        if schema.is_list:
            pair = next((key for key in ("Key", "Name") if schema.items.find(key)), "")
            if isinstance(value, Mapping) and schema.items.find("Value") and pair:
                return [{pair: key, "Value": self._reference(part)} for key, part in value.items()]
            values = value if isinstance(value, list) else [value]
            return [self._written(part, path, schema.items) for part in values]
        if isinstance(value, Mapping) and not schema.is_free:
            written: dict[str, Any] = {}
            self._add_all(value, f"{path}.", schema, written)
            return written
        if isinstance(value, str) and schema.is_document:
            return json.loads(value)
        return self._reference(value)

    def _reference(self, value: object) -> object:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return self.references.get(value, value) if isinstance(value, str) else value

    def _find(self, schema: Schema, name: str) -> tuple[str, Schema]:
        found = schema.find(name)
        if found is None:
            known = ", ".join(sorted(schema.part.get("properties", {})))
            raise UnknownPropertyError(f"{self.kind.type}: no property {name!r} among {known}")
        return found


def _token(resource: Resource) -> str:
    return resource.type.removeprefix("aws:")


def _kind(resource: Resource) -> Kind:
    return KINDS[_token(resource)]


def _logical_id(resource: Resource) -> str:
    """Give the name in the template: letters and digits only."""
    return "".join(part.capitalize() for part in resource.name.split("-"))
