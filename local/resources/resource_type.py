"""The declaration of a resource type: the calls of AWS that create, read, update and delete a resource.

A template is text with placeholders. `$name` is an input or an output, and `$id` is the resource's id.
`$region`, `$account` and `$partition` are its location. A template of one name gives the value with its type.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.resources.shapes import Renames
    from local.resources.target import Target

Values = Mapping[str, Any]
"""A resource's inputs and outputs, by Pulumi's names, with `id`, `region`, `account` and `partition`."""

KEPT = object()
"""For `ResourceType.unset`: AWS keeps the value of a removed input."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call of AWS's API. It takes the inputs for which the operation has members.

    Attributes:
        operation: boto3's name of the operation.
        parameters: Further parameters: templates by the dotted path of the member.
        takes: The inputs that it takes; None for all that have a member.
        renames: Names of members that differ from the inputs' names; replaces the type's renames.
        switch: An input that is no parameter; the call is made if it is true.
        otherwise: The call that is made instead if a change removes all of the inputs.
        prepare: Changes the parameters before the call, for what cannot be declared.
    """

    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    takes: frozenset[str] | None = None
    renames: Renames | None = None
    switch: str | None = None
    otherwise: Call | None = None
    prepare: Callable[[Target, Values, dict[str, Any]], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Read:
    """A call that returns values of a resource.

    Attributes:
        operation: boto3's name of the operation.
        parameters: Templates by the dotted path of the member.
        at: A JMESPath template of the part with the values. If it finds nothing, the resource does not exist.
        renames: Names of members that differ from Pulumi's names; replaces the type's renames.
        optional: Whether the resource can exist although nothing is found.
    """

    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    at: str = "@"
    renames: Renames | None = None
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Tagging:
    """The calls for the tags of a resource.

    Attributes:
        tag: Sets tags; takes the input `tags`.
        untag: Removes tags; takes the input `tagKeys`. None where `tag` replaces all tags.
        read: Returns tags: `at` leads to a map or a list of keys and values.
    """

    tag: Call
    untag: Call | None
    read: Read


Step = Call | Callable[["Target", Values], Any]
"""A call, or a function for what one call cannot do."""


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """The declaration of a resource type.

    Attributes:
        pulumi_type: Pulumi's name of the type.
        service: boto3's name of the service.
        create: Creates the resource.
        identifier: A template of the id; or, after a dot, its JMESPath in the answer of the creation.
        parts: A template from which values are parsed out of the id; None if `identifier` is a template.
        reads: Calls that return its values.
        changes: Calls for the inputs that the creation does not take, and for updates.
        deletes: Steps that delete the resource.
        tagging: Calls for its tags; None for a type without tags.
        renames: Names of AWS's members that differ from Pulumi's.
        outputs: Templates of outputs that AWS does not return under the same name.
        defaults: The provider's values for missing inputs.
        name: The input with the physical name. It is generated if it is missing. If it is given, the resource
            is deleted before its replacement is created.
        replaced_by: Inputs whose change requires a replacement.
        unset: Values that are sent to AWS for removed inputs; KEPT to send none.
        provider_only: Inputs that the provider uses and does not send to AWS.
        ordered: Inputs that are lists whose order matters.
    """

    pulumi_type: str
    service: str
    create: Step
    identifier: str
    reads: tuple[Read, ...]
    parts: str | None = None
    changes: tuple[Call, ...] = ()
    deletes: tuple[Step, ...] = ()
    tagging: Tagging | None = None
    renames: Renames = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    replaced_by: frozenset[str] = frozenset()
    unset: Mapping[str, Any] = field(default_factory=dict)
    provider_only: frozenset[str] = frozenset()
    ordered: frozenset[str] = frozenset()


def fill(template: Any, values: Values) -> Any:  # noqa: ANN401 - templates are nested as parameters are
    """Fill in a template, or every template in a list or mapping.

    Raises:
        KeyError: The values lack a name.
    """
    if isinstance(template, list):
        return [fill(item, values) for item in template]
    if isinstance(template, Mapping):
        return {key: fill(item, values) for key, item in template.items()}
    if not isinstance(template, str):
        return template
    if re.fullmatch(r"\$\w+", template):
        return values[template[1:]]
    return string.Template(template).substitute(values)


def parse(template: str, text: str) -> dict[str, str]:
    """Parse a text by a template, and return the values of its names; `$_` matches any text.

    Raises:
        ValueError: The text does not match the template.
    """
    pattern = re.sub(r"\\\$(\w+)", r"(?P<\1>.+?)", re.escape(template)).replace("(?P<_>.+?)", ".+")
    match = re.fullmatch(pattern, text)
    if match is None:
        raise ValueError(f"an id must look like {template}, got {text!r}")
    return match.groupdict()
