"""How one type of resource is declared: the calls of AWS that create, read, change and delete it.

A template is text in which `$name` stands for an input or output, `$id` for the resource's id, and `$region`,
`$account` and `$partition` for where it is. Text that is one such name alone gives the value as it is.
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
"""For `ResourceType.unset`: AWS keeps the value of an input that is no longer given."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call of AWS's API. It takes those inputs that the operation has members for.

    Attributes:
        operation: boto3's name of the operation.
        parameters: What it is given besides: templates by the dotted path of the member.
        takes: The inputs that it takes; None for all that it can take.
        renames: Names of members that differ from the inputs', instead of the type's.
        switch: An input that makes the call when it is true, and is no parameter of it.
        otherwise: The call that is made instead when a change leaves none of the inputs given.
        prepare: Changes the parameters at last, where no declaration can say how.
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
    """A call that gives values of a resource.

    Attributes:
        operation: boto3's name of the operation.
        parameters: Templates by the dotted path of the member.
        at: A JMESPath template: what of the answer has the values. If it gives nothing, the resource is gone.
        renames: Names of the answer's members that differ from Pulumi's, instead of the type's.
        optional: Whether the resource exists without what is read, so that its absence says nothing.
    """

    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    at: str = "@"
    renames: Renames | None = None
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Tagging:
    """How the tags of a resource are kept.

    Attributes:
        tag: Sets tags; takes the input `tags`.
        untag: Removes tags; takes the input `tagKeys`. None where `tag` replaces all tags.
        read: Gives them: `at` leads to a map or a list of keys and values.
    """

    tag: Call
    untag: Call | None
    read: Read


Step = Call | Callable[["Target", Values], Any]
"""A call, or what no call alone can do."""


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """A type of resource.

    Attributes:
        pulumi_type: Pulumi's name of the type.
        service: boto3's name of the service.
        create: Creates the resource.
        identifier: A template of the id; or, after a dot, where the answer to the creation has it (JMESPath).
        parts: A template that the id is like, for what it tells of the resource; None if `identifier` is one.
        reads: What gives its values.
        changes: Calls for what the creation does not take, and for every later change.
        deletes: Deletes the resource, step by step.
        tagging: How its tags are kept; None for a type without.
        renames: Names of AWS's members that differ from Pulumi's.
        outputs: Templates of the outputs that AWS does not give under the same name.
        defaults: What the provider gives AWS for inputs that are not given.
        name: The input that is the resource's physical name: one that is not given is made up, and a
            replacement of a resource whose name is given deletes it first.
        replaced_by: Inputs whose change makes another resource.
        unset: What AWS is told when an input is no longer given; KEPT if nothing.
        provider_only: Inputs that the provider uses and AWS is not told.
        ordered: Inputs that are lists whose order counts.
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
        KeyError: A name that the values do not have.
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
    """Give the values by which a template makes a text; in it, `$_` stands for what does not matter.

    Raises:
        ValueError: The template cannot make the text.
    """
    pattern = re.sub(r"\\\$(\w+)", r"(?P<\1>.+?)", re.escape(template)).replace("(?P<_>.+?)", ".+")
    match = re.fullmatch(pattern, text)
    if match is None:
        raise ValueError(f"an id must look like {template}, got {text!r}")
    return match.groupdict()
