"""The table of resources as a Pulumi provider: what the engine asks over gRPC, answered for this machine's cloud."""

import importlib.metadata
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from stayput.localcloud.iam import AccessKey
from stayput.localcloud.names import named
from stayput.localcloud.policies import is_public
from stayput.localcloud.resource import CANCELLED, Failure, Properties, Refused, Resource
from stayput.localcloud.s3 import Policy, PublicAccessBlock
from stayput.localcloud.table import connect, table
from stayput.localcloud.wire import has_unknown, plain, struct

TAKEN = {"BucketAlreadyExists", "BucketAlreadyOwnedByYou", "EntityAlreadyExists"}  # what is there belongs to another
STAND_IN = "this provider is the stand-in of this machine's cloud and makes nothing in a real account"


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """Serves the resource table to Pulumi's engine, where the official plugin would serve AWS.

    It keeps the table, and which access blocks are wanted: ids, inputs and outputs are the engine's. What is cancelled
    finishes the call it is in, so that the engine learns what was made, and refuses the next. An engine whose settings
    of a provider changed has an old and a new one for a while, each with a connection of its own, and cancels the old
    one: never both.
    """

    def __init__(self, url: str, region: str) -> None:
        self._table = table(connect(url, region))
        self._cancelled = set[str]()  # connections
        self._closed = dict[str, bool]()  # buckets whose wanted access block keeps public policies out

    # What it is

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ProviderHandshakeResponse:
        self._cancelled.discard(context.peer())
        self._closed.clear()
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi_aws"))

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Empty:
        return Empty()

    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:
        self._cancelled.add(context.peer())
        return Empty()

    # Its settings

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        news = plain(request.news)
        if "endpoints" not in news:  # a stack of a real account
            failure = provider_pb2.CheckFailure(reason=f"{STAND_IN}; unset PULUMI_DEBUG_PROVIDERS")
            return provider_pb2.CheckResponse(failures=[failure])
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        olds, news = plain(request.old_inputs), plain(request.news)
        changed = sorted(name for name in {*olds, *news} - {"version"} if olds.get(name) != news.get(name))
        kind = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=kind, diffs=changed)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    # Its resources

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        type, name = _type_and_name(request.urn)
        resource = self._table.get(type)
        if resource is None:
            failure = provider_pb2.CheckFailure(reason=f"this machine's cloud cannot make a {type}")
            return provider_pb2.CheckResponse(failures=[failure])
        inputs = named(name, resource.named_by, plain(request.news), plain(request.olds))
        known = not has_unknown(inputs)
        failures = resource.check(inputs) if known else Resource.check(resource, inputs)
        if known and not failures:
            failures = self._judge_openness(resource, inputs)
        return provider_pb2.CheckResponse(
            inputs=struct(inputs),
            failures=[provider_pb2.CheckFailure(property=one.property, reason=one.reason) for one in failures],
        )

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        difference = self._resource(request.urn).diff(plain(request.old_inputs), plain(request.news))
        if not difference.changed:
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
        kinds = provider_pb2.PropertyDiff
        detailed = {
            name: kinds(kind=kinds.UPDATE_REPLACE if name in difference.replaces else kinds.UPDATE, inputDiff=True)
            for name in difference.changed
        }
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME,
            diffs=difference.changed,
            replaces=difference.replaces,
            detailedDiff=detailed,
            hasDetailedDiff=True,
        )

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        inputs, resource = plain(request.properties), self._resource(request.urn)
        if request.preview:
            return provider_pb2.CreateResponse(properties=struct(inputs))
        self._go_on(context)
        try:
            id, outputs = resource.create(inputs)
        except (ClientError, BotoCoreError, Refused) as error:
            made = None if _code(error) in TAKEN else _what_is_there(resource, inputs)
            _fail(context, error, made, inputs)
        return provider_pb2.CreateResponse(id=id, properties=struct(outputs))

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        resource, outputs, inputs = self._resource(request.urn), plain(request.properties), plain(request.inputs)
        if isinstance(resource, AccessKey) and not outputs:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a key cannot be taken over: its secret is shown only once")
        now = _attempt(context, lambda: resource.read(request.id, outputs))
        if now is None:
            return provider_pb2.ReadResponse()  # without an id: it is gone
        real = {name: now[name] for name in resource.shape if name in now} if not inputs else dict(inputs)
        for name in resource.shape:
            if inputs and now.get(name) != outputs.get(name):
                real[name] = now.get(name)
        real = {name: value for name, value in real.items() if value is not None}
        return provider_pb2.ReadResponse(id=request.id, properties=struct(now), inputs=struct(real))

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        resource, olds, news = self._resource(request.urn), plain(request.olds), plain(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=struct({**olds, **news}))
        self._go_on(context)
        try:
            outputs = resource.update(request.id, olds, news)
        except (ClientError, BotoCoreError, Refused) as error:
            _fail(context, error, _read(resource, request.id, olds), news)
        return provider_pb2.UpdateResponse(properties=struct(outputs))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        self._go_on(context)
        resource, outputs = self._resource(request.urn), plain(request.properties)
        _attempt(context, lambda: resource.delete(request.id, outputs))
        return Empty()

    def _judge_openness(self, resource: Resource, inputs: Properties) -> list[Failure]:
        """What S3 would say when the policy comes after the access block, reported before either is there."""
        if isinstance(resource, PublicAccessBlock):
            self._closed[inputs["bucket"]] = bool(inputs.get("blockPublicPolicy"))
        elif isinstance(resource, Policy) and self._closed.get(inputs["bucket"]) and is_public(inputs["policy"]):
            return [Failure("policy", f"is public, and the access block of {inputs['bucket']} keeps such policies out")]
        return []

    def _resource(self, urn: str) -> Resource:
        return self._table[_type_and_name(urn)[0]]

    def _go_on(self, context: grpc.ServicerContext) -> None:
        if context.peer() in self._cancelled:
            context.abort(grpc.StatusCode.CANCELLED, CANCELLED)


def serve(port: int, url: str, region: str) -> tuple[grpc.Server, int]:
    """The stand-in on 127.0.0.1, in threads of this process. port 0: one that is free. Returns the port it has."""
    logging.getLogger("grpc").setLevel(logging.CRITICAL)  # what it aborts is reported by the engine
    size = ("grpc.max_receive_message_length", 400 * 1024 * 1024)
    server = grpc.server(ThreadPoolExecutor(8), options=[size])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(StandIn(url, region), server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, bound


def _type_and_name(urn: str) -> tuple[str, str]:
    _, _, types, name = urn.split("::", 3)
    return types.rsplit("$", 1)[-1], name


def _attempt(context: grpc.ServicerContext, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (ClientError, BotoCoreError, Refused) as error:
        _fail(context, error)


def _read(resource: Resource, id: str, outputs: Properties) -> tuple[str, Mapping[str, Any]] | None:
    try:
        now = resource.read(id, outputs)
    except (ClientError, BotoCoreError):
        return None
    return (id, now) if now is not None else None


def _what_is_there(resource: Resource, inputs: Properties) -> tuple[str, Mapping[str, Any]] | None:
    """What a creation that failed half-way left behind; of a key there is no way to say which it is."""
    if isinstance(resource, AccessKey):
        return None
    try:
        left = resource.leftovers(inputs)
    except (ClientError, BotoCoreError):
        return None
    return _read(resource, left[0], inputs) if len(left) == 1 else None


def _fail(
    context: grpc.ServicerContext,
    error: Exception,
    made: tuple[str, Mapping[str, Any]] | None = None,
    inputs: Properties | None = None,
) -> NoReturn:
    """End the call with the error in one line; with what was made all the same, so that the state stays true."""
    said = " ".join(str(error).split())
    if isinstance(error, HTTPClientError | ConnectionError):
        said = "this machine's cloud stopped answering"
    if made:
        partial = provider_pb2.ErrorResourceInitFailed(
            id=made[0], properties=struct(made[1]), reasons=[said], inputs=struct(inputs or {})
        )
        detail = AnyMessage()
        detail.Pack(partial)
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=said, details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, said)
    raise AssertionError  # abort raises


def _code(error: Exception) -> str:
    return error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
