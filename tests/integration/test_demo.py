"""The demo as a newcomer runs it: in a checkout where nothing ran before."""

import contextlib
import io
import json

import httpx
import psutil

from stayput.demo import demo
from stayput.deploy import deploy, smoke_test
from stayput.report import reporting
from tests.integration.checkouts import Checkout


def run(checkout: Checkout, *, keep: bool):
    out, code = io.StringIO(), 0
    with contextlib.redirect_stdout(out):
        try:
            with reporting(True) as report:
                demo(checkout.root, report, keep=keep)
        except SystemExit as ended:
            code = ended.code
    return code, json.loads(out.getvalue())


def processes_of(checkout):
    return [one.pid for one in psutil.process_iter() if str(checkout.root) in " ".join(_words(one))]


def _words(process):
    with contextlib.suppress(psutil.Error):
        return [*process.cmdline(), process.cwd() or ""]
    return []


def test_a_photo_is_lost_with_the_disk_and_kept_by_the_bucket_and_nothing_stays_behind(checkout):
    code, told = run(checkout, keep=False)
    assert (code, told["ok"]) == (0, True)
    assert told["local_disk"] == {"survived": False}
    assert told["s3"]["survived"] is True
    assert told["s3"]["sha256_before"] == told["s3"]["sha256_after"]
    assert 0 < told["s3"]["main_bytes"] <= 204_800
    assert 0 < told["s3"]["thumbnail_bytes"] <= 10_240
    assert told["failed_requests"] == 0
    assert len(set(told["releases"])) == 2
    assert processes_of(checkout) == []


def test_a_kept_demo_can_be_worked_with_and_shown_again(checkout):
    assert run(checkout, keep=True)[0] == 0
    pictures = httpx.get(f"{checkout.url}/api/images/").json()["results"]
    assert [httpx.get(picture["url"]).status_code for picture in pictures] == [200]
    assert checkout.run(smoke_test, storage="s3")[0] == 0
    code, again = checkout.run(deploy, storage="s3")
    assert (code, again["changed"]) == (0, False)
    assert run(checkout, keep=True)[0] == 0  # takes the earlier one away by itself


def test_a_stack_that_somebody_deployed_is_left_alone(checkout):
    _, mine = checkout.run(deploy)
    code, told = run(checkout, keep=False)
    assert code == 2
    assert mine["release"] in told["error"]["what"]
    assert httpx.get(f"{checkout.url}/healthz").json()["release"] == mine["release"]
