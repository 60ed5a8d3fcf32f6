"""What fails or is cancelled half-way leaves a true state, and the next `up` goes on from there."""

import signal

import grpc
import psutil
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from stayput.engine import cli
from stayput.engine.automation import PulumiEngine
from stayput.errors import StayputError
from stayput.localcloud import server
from stayput.localcloud.provider import serve
from stayput.localcloud.table import connect
from stayput.localcloud.wire import struct
from tests.integration.clouds import buckets, copy_program, key_ids
from tests.integration.relay import Relayed, iam_error

REGION = "eu-central-1"
OF_ITS_OWN = [("grpc.use_local_subchannel_pool", 1)]  # a connection, as each of the engine's providers has


def pulumi(stack):
    return PulumiEngine(stack, cli.find())


@pytest.fixture
def stack(tmp_path):
    yield (made := copy_program(tmp_path))
    server.stop(made.home)


class DeniedOnce(Relayed):
    """Its first look at each new user is denied, when the user is made already."""

    left = True

    def refuse(self, method, path, body):
        if self.left and body.startswith(b"Action=GetUser"):
            self.left = False
            return 403, iam_error("AccessDenied", "not now")
        return None


def users(stack):
    return connect(server.observe(stack.home).url, REGION).iam.list_users()["Users"]


def is_whole(stack, cloud):
    assert buckets(cloud) == [cloud.outputs.bucket]
    assert [one["UserName"] for one in users(stack)] == [cloud.outputs.uploader_name]
    assert key_ids(cloud) == [cloud.outputs.access_key_id]
    assert pulumi(stack).observe().reason == ""


@pytest.mark.needs("engine")
def test_what_was_made_before_a_later_call_failed_is_known_and_kept(stack):
    engine = DeniedOnce(stack, cli.find())
    with pytest.raises(StayputError) as failed:
        engine.up(print)
    engine.stop()
    assert str(failed.value).startswith("User uploader: ")
    assert "AccessDenied" in failed.value.what
    assert failed.value.next_step
    assert "\n" not in str(failed.value)
    (made,) = users(stack)
    said = []
    cloud = pulumi(stack).up(said.append)
    assert [one["UserId"] for one in users(stack)] == [made["UserId"]]
    assert not [line for line in said if line.startswith(("created User ", "took away"))]
    is_whole(stack, cloud)


@pytest.mark.needs("engine")
def test_an_up_that_is_cancelled_is_one_line_and_the_next_goes_on(stack):
    def cancel(line):
        if line.startswith("created User "):
            for child in psutil.Process().children(recursive=True):
                if child.name() == "pulumi":
                    child.send_signal(signal.SIGINT)

    with pytest.raises(StayputError) as failed:
        pulumi(stack).up(cancel)
    assert str(failed.value) == ("stack local: the command was cancelled. Next: run it again: it goes on where it was")
    (made,) = users(stack)
    cloud = pulumi(stack).up(print)
    assert [one["UserId"] for one in users(stack)] == [made["UserId"]]
    is_whole(stack, cloud)


def test_a_cancelled_connection_begins_nothing_until_it_is_greeted_anew_and_another_goes_on(tmp_path):
    cloud = server.start(tmp_path)
    stand_in, port = serve(0, cloud.url, REGION)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            provider = provider_pb2_grpc.ResourceProviderStub(channel)
            wanted = provider_pb2.CreateRequest(
                urn="urn:pulumi:local::stayput::aws:iam/user:User::uploader", properties=struct({"name": "ada"})
            )
            provider.Cancel(Empty())
            with pytest.raises(grpc.RpcError) as refused:
                provider.Create(wanted)
            assert refused.value.code() is grpc.StatusCode.CANCELLED
            assert connect(cloud.url, REGION).iam.list_users()["Users"] == []
            with grpc.insecure_channel(f"127.0.0.1:{port}", OF_ITS_OWN) as other:
                elsewhere = provider_pb2_grpc.ResourceProviderStub(other)
                named = provider_pb2.CreateRequest(urn=wanted.urn, properties=struct({"name": "grace"}))
                assert elsewhere.Create(named).id == "grace"
            provider.Handshake(provider_pb2.ProviderHandshakeRequest())
            assert provider.Create(wanted).id == "ada"
    finally:
        stand_in.stop(grace=None).wait()
        server.stop(tmp_path)
