"""Runs infra/__main__.py on Pulumi's mocks and tells what it registered."""

import asyncio
import contextvars
import json
import os
import runpy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import rpc, set_all_config
from pulumi.runtime.mocks import MockMonitor, Mocks, set_mocks
from pulumi.runtime.settings import get_root_resource
from pulumi.runtime.stack import run_pulumi_func

MAIN = Path(__file__).parents[3] / "infra" / "__main__.py"
LOOPBACK = "http://127.0.0.1:5999"


@dataclass(frozen=True)
class Registered:
    type: str
    name: str
    inputs: dict[str, Any]
    after: frozenset[str]  # types of the resources that it waits for
    provider: str


@dataclass
class Program:
    resources: list[Registered] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)

    def all(self, type: str) -> list[Registered]:
        return [one for one in self.resources if one.type.endswith(f":{type}")]

    def one(self, type: str) -> Registered:
        (found,) = self.all(type)
        return found

    def statements(self, type: str) -> list[dict[str, Any]]:
        return json.loads(self.one(type).inputs["policy"])["Statement"]


class _Made(Mocks):
    def call(self, args):
        return {}, None

    def new_resource(self, args):
        name = args.inputs.get("bucket") or args.inputs.get("name") or f"{args.name}-1a2b3c4"
        made = {"arn": f"arn:aws:s3:::{name}", "bucketRegionalDomainName": f"{name}.s3.eu-west-3.amazonaws.com"}
        if args.typ == "aws:iam/accessKey:AccessKey":
            made = {"secret": "hunter2"}
        return name, {"bucket": name, "name": name, **args.inputs, **made}


class _Recorder(MockMonitor):
    def __init__(self, program: Program) -> None:
        super().__init__(_Made())
        self.program = program

    def RegisterResource(self, request):
        if request.custom:
            inputs = rpc.deserialize_properties_unwrap_secrets(request.object)[0]
            after = frozenset(urn.split("::")[2].split("$")[-1].split(":")[-1] for urn in request.dependencies)
            self.program.resources.append(Registered(request.type, request.name, inputs, after, request.provider))
        return super().RegisterResource(request)


def run(config: dict[str, str] | None = None, *, main: Path = MAIN, **settings: Any) -> Program:
    """The program under stayput's `settings` (Python values). config: further keys, in full. main: another program."""
    program = Program()
    texts = {
        f"stayput:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()
    }

    async def work() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        set_mocks(_Made(), project="gallery", stack="test", monitor=_Recorder(program))
        set_all_config({"aws:region": "eu-west-3", **(config or {}), **texts})
        await run_pulumi_func(lambda: runpy.run_path(str(main), run_name="__main__") and None)
        for name, value in get_root_resource().outputs.items():
            output = pulumi.Output.from_input(value)
            program.outputs[name] = await output.future()
            if await output.is_secret():
                program.secrets.add(name)

    try:
        contextvars.Context().run(asyncio.run, work())
    except BaseException as error:
        error.program = program  # what was registered before it failed
        raise
    return program


def run_on_this_machine(endpoint: str = LOOPBACK, **settings: Any) -> Program:
    before = os.environ.get("STAYPUT_CLOUD_URL")
    os.environ["STAYPUT_CLOUD_URL"] = endpoint
    try:
        return run(cloud="this-machine", **settings)
    finally:
        del os.environ["STAYPUT_CLOUD_URL"]
        if before is not None:
            os.environ["STAYPUT_CLOUD_URL"] = before
