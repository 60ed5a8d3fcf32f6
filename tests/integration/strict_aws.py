"""versitygw with its IAM service: policies of users and buckets, judged for every kind of request by strangers' code.

What is put there is what the program in infra/ registers. Two things are played otherwise: the IAM service knows no
groups, so the group's policy is the user's own; and its root stands above bucket policies, so tests act as users.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from stayput.localcloud.s3 import Cors
from stayput.localcloud.shapes import to_aws, whole
from tests.integration.strict_s3 import REGION, answers
from tests.parts import program
from tests.unit.infra.program import Program, run_on_this_machine

ROOT_KEY, ROOT_SECRET = "strict-root", "strict-root-secret"


@dataclass(frozen=True)
class Identity:
    name: str
    key: str
    secret: str


@dataclass(frozen=True)
class StrictAws:
    s3_url: str
    iam_url: str

    def s3(self, who: Identity | None = None, **changed: Any) -> Any:
        key, secret = (who.key, who.secret) if who else (ROOT_KEY, ROOT_SECRET)
        keys = {"aws_access_key_id": key, "aws_secret_access_key": secret}
        config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        return boto3.client("s3", endpoint_url=self.s3_url, region_name=REGION, config=config, **keys | changed)

    def iam(self, who: Identity | None = None) -> Any:
        key, secret = (who.key, who.secret) if who else (ROOT_KEY, ROOT_SECRET)
        keys = {"aws_access_key_id": key, "aws_secret_access_key": secret}
        return boto3.client("iam", endpoint_url=self.iam_url, region_name="us-east-1", **keys)

    def user(self, policy: dict[str, Any] | None = None) -> Identity:
        name = f"user-{uuid4().hex[:8]}"
        self.iam().create_user(UserName=name)
        key = self.iam().create_access_key(UserName=name)["AccessKey"]
        who = Identity(name, key["AccessKeyId"], key["SecretAccessKey"])
        if policy:
            self.allow(who, policy)
        return who

    def allow(self, who: Identity, policy: dict[str, Any]) -> None:
        self.iam().put_user_policy(UserName=who.name, PolicyName="own", PolicyDocument=json.dumps(policy))

    def provision(self, **settings: Any) -> "Provisioned":
        """A fresh bucket with the very policy and CORS rules that infra/ makes, and its uploader."""
        name = f"media-{uuid4().hex[:8]}"
        made = run_on_this_machine(bucket=name, **settings)
        root = self.s3()
        root.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        for cors in made.all("BucketCorsConfiguration"):
            rules = to_aws(Cors.shape, {"corsRules": whole(cors.inputs["corsRules"])})
            root.put_bucket_cors(Bucket=name, CORSConfiguration=rules)
        for policy in made.all("BucketPolicy"):
            root.put_bucket_policy(Bucket=name, Policy=policy.inputs["policy"])
        granted = json.loads(made.one("GroupPolicy").inputs["policy"])
        return Provisioned(self, made, name, granted, self.user(granted))


@dataclass(frozen=True)
class Provisioned:
    aws: StrictAws
    program: Program
    bucket: str
    granted: dict[str, Any]  # the policy of the uploader's group
    uploader: Identity

    @property
    def url(self) -> str:
        return f"{self.aws.s3_url}/{self.bucket}"

    def put(self, *keys: str) -> None:
        for key in keys:
            self.aws.s3().put_object(Bucket=self.bucket, Key=key, Body=b"there")


@pytest.fixture(scope="session")
def strict_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictAws]:
    folder = tmp_path_factory.mktemp("strict-aws")
    for name in ("data", "iam"):
        (folder / name).mkdir()
    iam_port, s3_port = free_ports(2)
    private = str(folder / "iam.sock")
    iam = ["iam", "--dir", str(folder / "iam"), "--private-ports", private]
    s3 = ["--iam-standalone-endpoint", private, "--iam-cache-disable", "posix", str(folder / "data")]
    servers = []
    try:
        for port, command in ((iam_port, iam), (s3_port, s3)):
            servers.append(start(port, command, folder))
        yield StrictAws(f"http://127.0.0.1:{s3_port}", f"http://127.0.0.1:{iam_port}")
    finally:
        for server in reversed(servers):
            server.terminate()
            server.wait(10)


def start(port: int, command: list[str], folder: Any) -> subprocess.Popen[bytes]:
    keys = {"ROOT_ACCESS_KEY": ROOT_KEY, "ROOT_SECRET_KEY": ROOT_SECRET}
    common = [str(program("versitygw")), "--port", f"127.0.0.1:{port}", "--region", REGION]
    with (folder / f"{port}.log").open("wb") as log:
        server = subprocess.Popen([*common, *command], env=os.environ | keys, stdout=log, stderr=log, cwd=folder)
    while not answers(port):
        assert server.poll() is None, (folder / f"{port}.log").read_text()
        time.sleep(0.02)
    return server


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
