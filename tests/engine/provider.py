# ruff: noqa: N802 - the methods have the names of the protocol
"""Pulumi's AWS provider in Python, with the calls by which `make local` creates resources.

`local/resources` defines when a resource is replaced, or deleted first, as the real provider does it.
"""

from __future__ import annotations

import json
import random
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from local.resources import FUNCTIONS, TYPES, hints, lifecycle
from local.resources.lifecycle import Resource
from local.resources.target import Target
from tests.engine import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.resources.resource_type import ResourceType

REFUSALS = (BotoCoreError, ClientError, LookupError, ValueError)
"""The errors of a resource, as opposed to those of this provider."""


class ReportRefusals(grpc.ServerInterceptor):
    """Reports the errors of AWS, and of invalid values, to the engine.

    `notify` is called with "before" or "after", a method's name and its request.
    """

    def __init__(self, notify: Callable[[str, str, Any], None]) -> None:
        self._notify = notify

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        if handler is None:
            return None

        def answer(request: Any, context: Any) -> Any:
            method = handler_call_details.method.rpartition("/")[2]
            self._notify("before", method, request)
            try:
                answered = handler.unary_unary(request, context)
            except lifecycle.PartlyCreatedError as error:
                context.abort_with_status(_partly_created(error))
            except REFUSALS as error:
                context.abort(grpc.StatusCode.UNKNOWN, str(error))
            else:
                self._notify("after", method, request)
                return answered

        return grpc.unary_unary_rpc_method_handler(
            answer, handler.request_deserializer, handler.response_serializer
        )


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider of a program.

    Args:
        client: Returns boto3's client of a service in a region.
    """

    def __init__(self, client: Callable[[str, str], Any]) -> None:
        self._client = client
        self._configured: Target | None = None

    @property
    def _target(self) -> Target:
        if self._configured is None:
            raise LookupError("the provider is not configured: its region is not known yet")
        return self._configured

    # --- the provider itself ----------------------------------------------------------------------------

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=version("pulumi-aws"))

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        olds, news = wire.read(request.olds), wire.read(request.news)
        changed = [name for name in olds.keys() | news.keys() if olds.get(name) != news.get(name)]
        return provider_pb2.DiffResponse(
            changes=_some(changed), diffs=changed, replaces=[name for name in changed if name == "region"]
        )

    def Configure(self, request: Any, context: Any) -> Any:
        args = wire.read(request.args)
        default_tags = args.get("defaultTags") or {}
        if isinstance(default_tags, str):
            default_tags = json.loads(default_tags)
        if isinstance(args.get("region"), str):
            self._configured = Target(
                client=self._client, region=args["region"], default_tags=default_tags.get("tags", {})
            )
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        if request.tok not in FUNCTIONS:
            raise LookupError(f"local/resources does not know the function {request.tok}")
        response = provider_pb2.InvokeResponse()
        answer = wire.written(FUNCTIONS[request.tok](self._target))
        getattr(response, "return").CopyFrom(answer)  # The name is a keyword of Python.
        return response

    # --- resources --------------------------------------------------------------------------------------

    def Check(self, request: Any, context: Any) -> Any:
        kind, news, olds = _type(request.urn), wire.read(request.news), wire.read(request.olds)
        news.pop("__defaults", None)
        problems = lifecycle.problems(kind, news)
        name = request.urn.rpartition("::")[2]
        if kind.name and kind.name in olds.get("__defaults", ()) and news.get(kind.name) is None:
            news |= {kind.name: olds[kind.name], "__defaults": [kind.name]}
        else:
            news = lifecycle.with_name(kind, name, news, random.Random(request.randomSeed))
        return provider_pb2.CheckResponse(
            inputs=wire.written(news),
            failures=[provider_pb2.CheckFailure(reason=problem) for problem in problems],
        )

    def Diff(self, request: Any, context: Any) -> Any:
        values, olds = wire.read(request.olds), wire.read(request.old_inputs)
        changes = lifecycle.changes(_type(request.urn), self._target, values, olds, wire.read(request.news))
        return provider_pb2.DiffResponse(
            changes=_some(changes.names),
            diffs=sorted(changes.names),
            replaces=sorted(changes.replaced_by),
            deleteBeforeReplace=changes.deletes_first,
        )

    def Create(self, request: Any, context: Any) -> Any:
        kind, inputs = _type(request.urn), wire.read(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=_not_known_yet(kind, inputs))
        created = lifecycle.create(kind, self._target, inputs)
        return provider_pb2.CreateResponse(id=created.identifier, properties=_state(inputs, created))

    def Read(self, request: Any, context: Any) -> Any:
        kind = _type(request.urn)
        known, olds = wire.read(request.properties), wire.read(request.inputs)
        found = lifecycle.read(kind, self._target, request.id, known or None)
        if found is None:
            return provider_pb2.ReadResponse()
        changed = lifecycle.changes(kind, self._target, found.values, olds, olds).names if olds else ()
        names = changed or hints.arguments(kind.pulumi_type).required | {kind.name}
        there = {name: found.values[name] for name in names if name in found.values}
        return provider_pb2.ReadResponse(
            id=found.identifier,
            properties=_state(olds, found),
            inputs=wire.written({"__defaults": [], **olds, **({} if olds and not changed else there)}),
        )

    def Update(self, request: Any, context: Any) -> Any:
        kind, values = _type(request.urn), wire.read(request.olds)
        olds, news = wire.read(request.old_inputs), wire.read(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=wire.written({**values, **news}))
        resource = Resource(identifier=request.id, values=values)
        updated = lifecycle.update(kind, self._target, resource, olds, news)
        return provider_pb2.UpdateResponse(properties=_state(news, updated))

    def Delete(self, request: Any, context: Any) -> Any:
        resource = Resource(identifier=request.id, values=wire.read(request.properties))
        lifecycle.delete(_type(request.urn), self._target, resource)
        return empty_pb2.Empty()


def _type(urn: str) -> ResourceType:
    """Return the type of a resource, as the last but one part of its URN names it."""
    pulumi_type = urn.split("::")[2].rpartition("$")[2]
    if pulumi_type not in TYPES:
        raise LookupError(f"local/resources does not know the type {pulumi_type}")
    return TYPES[pulumi_type]


def _some(changed: Any) -> Any:
    kinds = provider_pb2.DiffResponse
    return kinds.DIFF_SOME if changed else kinds.DIFF_NONE


def _state(inputs: Mapping[str, Any], resource: Resource) -> Any:
    """Return the state of a resource: the values that AWS returns, and the inputs that it does not return."""
    return wire.written({**inputs, **resource.values, "id": resource.identifier})


def _not_known_yet(kind: ResourceType, inputs: Mapping[str, Any]) -> Any:
    """Return the outputs of a resource in a preview of its creation: all but the inputs are unknown."""
    outputs = hints.outputs(kind.pulumi_type).members
    return wire.written({**dict.fromkeys(outputs, hints.UNKNOWN), **inputs})


def _partly_created(error: lifecycle.PartlyCreatedError) -> Any:
    """Return the error that a resource exists: the engine keeps it, and completes it in the next update."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.resource.identifier, properties=_state({}, error.resource), reasons=[str(error)]
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(detail)
    return _Status(
        grpc.StatusCode.UNKNOWN, str(error), (("grpc-status-details-bin", status.SerializeToString()),)
    )


class _Status(grpc.Status):
    def __init__(self, code: grpc.StatusCode, details: str, trailing_metadata: Any) -> None:
        self.code, self.details, self.trailing_metadata = code, details, trailing_metadata
