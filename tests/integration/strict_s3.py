"""An S3 that really checks what it is sent: versitygw, with signatures, POST policies, CORS rules and bucket policies.

A test that takes the fixture `strict_s3` is marked `@pytest.mark.needs("strict-s3")`.
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.parts import program

REGION = "eu-central-1"


@dataclass(frozen=True)
class StrictS3:
    """endpoint: its address. access_key_id, secret_access_key: of its root, who may do everything."""

    endpoint: str
    access_key_id: str = "strict-root"
    secret_access_key: str = "strict-root-secret"

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def make_bucket(self, name: str) -> str:
        self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name


@pytest.fixture(scope="session")
def strict_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictS3]:
    """Runs for the whole session: let each test make a bucket of its own."""
    folder = tmp_path_factory.mktemp("strict-s3")
    (folder / "data").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    s3 = StrictS3(f"http://127.0.0.1:{port}")
    keys = {"ROOT_ACCESS_KEY": s3.access_key_id, "ROOT_SECRET_KEY": s3.secret_access_key}
    command = [str(program("versitygw")), "--port", f"127.0.0.1:{port}", "--region", REGION, "posix"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, str(folder / "data")], env=os.environ | keys, stdout=log, stderr=log, cwd=folder
        )
    try:
        while not answers(port):
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.02)
        yield s3
    finally:
        server.terminate()
        server.wait(10)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
