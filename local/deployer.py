"""Evaluate the unchanged program as Pulumi's engine does, and create each resource that it registers.

Pulumi's mock monitor replaces the engine. Each registered resource is created through AWS's API with the
provider that the program chose, and its real attributes are returned to the program.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import json
import logging
import random
import runpy
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime.stack import Stack as RootStack

from components import settings
from components.configuration import Configuration
from local.errors import LocalError
from local.resources import FUNCTIONS, TYPES, lifecycle
from local.resources.target import Target
from local.stacks import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.server import Server
    from local.stacks import Stack

PROVIDER = "pulumi:providers:aws"
STASH = "pulumi:index:Stash"

Mutate = Callable[[str, str, dict[str, Any]], dict[str, Any] | None]
"""Changes a resource's inputs, given its type and name, before it is created; None skips the resource."""


def run_main() -> None:
    """Evaluate `__main__.py`."""
    runpy.run_path(str(PROJECT / "__main__.py"), run_name="__main__")


def deploy(
    server: Server, stack: Stack, mutate: Mutate | None = None, program: Callable[[], None] = run_main
) -> dict[str, Any]:
    """Evaluate the program with the stack's configuration, create its resources, and return its outputs.

    Args:
        server: The server to deploy to.
        stack: The stack.
        mutate: Changes resources before they are created, for experiments.
        program: Declares the resources and exports the outputs.

    Raises:
        LocalError: AWS or the program refuses something, or the embedded AWS does not support a resource type
            or a provider's function. Other errors of the program are raised unchanged.
    """
    return contextvars.copy_context().run(_deploy, server, stack, mutate, program)


def check_settings(stack: Stack) -> None:
    """Check a stack's settings as the program does.

    Raises:
        LocalError: The program would refuse them.
    """
    try:
        settings.of_stack(stack.name, Configuration(values=stack.config))
    except pulumi.RunError as error:
        raise _refusal(stack, error) from error


def _refusal(stack: Stack, error: pulumi.RunError) -> LocalError:
    """Return the program's error in one line."""
    summary, *problems = [line.strip() for line in str(error).splitlines()]
    return LocalError(f"stack {stack.name}: {summary} {'; '.join(problems)}".rstrip())


def _deploy(
    server: Server, stack: Stack, mutate: Mutate | None, declare: Callable[[], None]
) -> dict[str, Any]:
    engine = _Engine(server, stack, mutate)
    outputs: dict[str, Any] = {}
    logger = logging.getLogger(f"stack {stack.name}")
    pulumi.runtime.set_mocks(engine, project=stack.project, stack=stack.name, preview=False, logger=logger)
    pulumi.runtime.set_all_config(dict(stack.config))

    @pulumi.runtime.test
    def program() -> pulumi.Output[None]:
        root = pulumi.runtime.get_root_resource()
        if not isinstance(root, RootStack):
            raise TypeError(f"the root resource must be Pulumi's stack, got {root!r}")
        root.outputs = {}
        # The caller gets all errors. asyncio would also log one when an interrupt ends Pulumi's event loop.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        declare()
        return pulumi.Output.all(**root.outputs).apply(outputs.update)

    if str(PROJECT) not in sys.path:
        sys.path.insert(0, str(PROJECT))
    with contextlib.chdir(PROJECT):
        try:
            program()
        except pulumi.RunError as error:  # for example, the program refuses a setting
            raise _refusal(stack, error) from error
        except Exception:
            if engine.failure is None:
                raise
            # The raised error has the tracebacks of all that awaited it; only its cause matters.
            raise LocalError(str(engine.failure)) from engine.failure.__cause__
    return outputs


class _Engine(pulumi.runtime.Mocks):
    """Creates resources for Pulumi's mock monitor."""

    def __init__(self, server: Server, stack: Stack, mutate: Mutate | None) -> None:
        self.failure: LocalError | None = None
        self._server = server
        self._stack = stack
        self._mutate = mutate
        self._providers: dict[str, Target] = {}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Answer a call of a provider's function."""
        if args.token not in FUNCTIONS:
            self.failure = LocalError(
                f"stack {self._stack.name}: the embedded AWS supports the functions"
                f" {', '.join(sorted(FUNCTIONS))}, got {args.token}"
            )
            raise self.failure
        return FUNCTIONS[args.token](self._provider(args.provider)), []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Create the resource, and return its id and outputs."""
        try:
            return self._create(args)
        except Exception as error:
            if self.failure is None:
                self.failure = LocalError(f"stack {self._stack.name}: {args.typ} {args.name}: {error}")
                self.failure.__cause__ = error
            raise

    def _create(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if not args.custom:  # a component, which is no resource of AWS
            return args.name, args.inputs
        if args.typ == PROVIDER:
            self._providers[args.name] = self._target(args.inputs)
            return args.name, args.inputs
        if args.typ == STASH:  # a resource of Pulumi, which keeps its first value
            return args.name, {**args.inputs, "output": args.inputs["input"]}
        if args.typ not in TYPES:
            raise LocalError(
                "the embedded AWS does not support this type of resource; add it to local/resources"
            )
        inputs = _whole_numbers(args.inputs)
        if self._mutate:
            inputs = self._mutate(args.typ, args.name, inputs)
        if inputs is None:
            return args.name, args.inputs
        kind = TYPES[args.typ]
        if refused := lifecycle.problems(kind, inputs):
            raise LocalError("; ".join(refused))
        target = self._provider(args.provider)
        if (
            inputs.get("region", target.region) != target.region
        ):  # the resource overrides the region (provider v7)
            target = self._target({"region": inputs["region"]})
        created = lifecycle.create(
            kind, target, lifecycle.with_name(kind, args.name, inputs, random.SystemRandom())
        )
        return created.identifier, {**inputs, **created.values}

    def _provider(self, reference: str | None) -> Target:
        """Return the provider that the program chose, or the default provider of the configuration."""
        return self._providers[reference.rpartition("::")[2]] if reference else self._default_provider

    @functools.cached_property
    def _default_provider(self) -> Target:
        tags = self._stack.config.get("aws:defaultTags")
        return self._target({"region": self._stack.region, "defaultTags": tags})

    def _target(self, inputs: Mapping[str, Any]) -> Target:
        default_tags = inputs.get("defaultTags") or {}
        if isinstance(default_tags, str):
            default_tags = json.loads(default_tags)
        return Target(
            client=self._server.client, region=inputs["region"], default_tags=default_tags.get("tags", {})
        )


def _whole_numbers(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Convert whole floats to integers: Pulumi passes every number as a float."""
    match value:
        case dict():
            return {key: _whole_numbers(item) for key, item in value.items()}
        case list():
            return [_whole_numbers(item) for item in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
