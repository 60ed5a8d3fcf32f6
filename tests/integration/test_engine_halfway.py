"""What fails or is cancelled half-way leaves a true state, and the next `up` goes on from there."""

import http.client
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

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

REGION = "eu-central-1"
OF_ITS_OWN = [("grpc.use_local_subchannel_pool", 1)]  # a connection, as each of the engine's providers has
PASSED = ("content-type", "etag", "location")
DENIED = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not now</Message></Error></ErrorResponse>"


def pulumi(stack):
    return PulumiEngine(stack, cli.find())


@pytest.fixture
def stack(tmp_path):
    yield (made := copy_program(tmp_path))
    server.stop(made.home)


def relay(to, refused):
    """A server before the cloud at `to`, which denies the first request whose body begins with `refused`."""
    left = [refused]

    class Relay(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if left and body.startswith(left[0]):
                left.clear()
                return self.answer(403, [("Content-Type", "text/xml")], DENIED)
            connection = http.client.HTTPConnection(urlsplit(to).netloc)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() in PASSED]
            return self.answer(answer.status, headers, answer.read())

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on

        def answer(self, status, headers, body):
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Relay)


class Relayed(PulumiEngine):
    """Its first look at each new user is denied, when the user is made already."""

    def _start_cloud(self, config, say):
        self.relay = relay(super()._start_cloud(config, say), b"Action=GetUser")
        threading.Thread(target=self.relay.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.relay.server_port}"


def users(stack):
    return connect(server.observe(stack.home).url, REGION).iam.list_users()["Users"]


def is_whole(stack, cloud):
    assert buckets(cloud) == [cloud.outputs.bucket]
    assert [one["UserName"] for one in users(stack)] == [cloud.outputs.uploader_name]
    assert key_ids(cloud) == [cloud.outputs.access_key_id]
    assert pulumi(stack).observe().reason == ""


@pytest.mark.needs("engine")
def test_what_was_made_before_a_later_call_failed_is_known_and_kept(stack):
    engine = Relayed(stack, cli.find())
    with pytest.raises(StayputError) as failed:
        engine.up(print)
    engine.relay.shutdown()
    engine.relay.server_close()
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
