"""Pulumi's Python runtime without Pulumi's engine: a program's registrations come to a function of ours."""

import asyncio
import logging
import runpy
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc, set_all_config
from pulumi.runtime.mocks import MockCallArgs, MockEngine, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import Settings, configure
from pulumi.runtime.stack import run_in_stack

from stayput.errors import StayputError
from stayput.localcloud.shapes import whole

Register = Callable[[str, str, Mapping[str, Any]], tuple[str, dict[str, Any]]]  # urn, type, inputs → id, outputs


def run_program(root: Path, project: str, stack: str, config: Mapping[str, str], register: Register) -> dict[str, Any]:
    """Run infra/__main__.py of that checkout and return its stack outputs, secrets in clear.

    Raises what `register` or the program raised.
    """
    monitor = _Monitor(register, project, stack)

    async def run() -> None:
        # One failure is raised, and those that follow from it are not printed.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        configure(
            Settings(
                project=project,
                stack=stack,
                monitor=monitor,
                engine=MockEngine(_silent()),
                dry_run=False,
                root_directory=str(root),
            )
        )
        set_all_config(dict(config))
        await run_in_stack(lambda: execute(root))

    asyncio.run(run())  # what it configures is of its own context: the next run finds nothing of this one
    return monitor.outputs


def execute(root: Path) -> None:
    """Run the program of that checkout, in whatever Pulumi runtime this process is set up for."""
    runpy.run_path(str(root / "infra" / "__main__.py"), run_name="__main__")


def _silent() -> logging.Logger:
    logger = logging.Logger("pulumi")
    logger.addHandler(logging.NullHandler())
    return logger


class _NoMocks(Mocks):
    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise StayputError(
            "infra/", f"asks for {args.token}, which this machine's cloud does not know", "do without it"
        )

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise StayputError("infra/", f"reads {args.typ} {args.name}", "this machine's cloud holds only what it makes")


class _Monitor(MockMonitor):
    """Answers as the engine's resource monitor would. Registrations come from many threads and are taken in turn."""

    def __init__(self, register: Register, project: str, stack: str) -> None:
        super().__init__(_NoMocks())
        self._of = f"urn:pulumi:{stack}::{project}::"
        self.outputs: dict[str, Any] = {}
        self._register = register
        self._turn = threading.Lock()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        # The mocks' own names stack and project as the answering thread knows them, which may be not at all.
        return self._of + super().make_urn(parent, type_, name).split("::", 2)[2]

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type.startswith("pulumi:providers:"):
            return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=request.object)
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)
        inputs = _plain(request.object)
        with self._turn:
            id, outputs = self._register(urn, request.type, inputs)
        answer = Struct()
        answer.update(outputs)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=id, object=answer)

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> Empty:
        if "::pulumi:pulumi:Stack::" in request.urn:
            self.outputs = _plain(request.outputs)
        return Empty()


def _plain(properties: Struct) -> dict[str, Any]:
    return whole(rpc.deserialize_properties_unwrap_secrets(properties)[0])
