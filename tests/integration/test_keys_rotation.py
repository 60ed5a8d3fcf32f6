"""A new access key for a live site: real releases behind the real front, the key of each request judged."""

import subprocess
import sys
import threading
import time

import httpx
import psutil
import pytest
from msgspec import structs

from stayput import keys, processes
from stayput.deploy import deploy, plan, smoke_test
from stayput.django import tokens
from stayput.engine.choice import engine_for
from stayput.engine.embedded import EmbeddedEngine
from stayput.keys import Keys
from stayput.ledger import Destroyed
from stayput.localcloud.table import connect
from stayput.rotate import rotate_keys
from tests.integration.checkouts import ROOT
from tests.integration.keys_judge import JudgedCheckout, KeysJudge
from tests.unit.site import pictures

CUT_OFF = """
import sys
from pathlib import Path
from stayput.report import Report
from stayput.rotate import rotate_keys
from stayput.workspace import open_workspace
from tests.integration.keys_judge import judged
workspace = open_workspace(Path(sys.argv[1]), "process", "local", ["storage=s3"])
rotate_keys(judged(workspace, sys.argv[2]), Report(True))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory, environments):
    made = JudgedCheckout(tmp_path_factory.mktemp("rotation") / "checkout", environments)
    made.judge = KeysJudge()
    made.deploy_first(deploy, EmbeddedEngine)
    yield made
    made.clean_up()
    made.judge.stop()


@pytest.fixture
def site(served):
    """A live site with one key."""
    served.judge.forget()
    return served


class Uploads:
    """Somebody who uploads all the time, and what was wrong with the answers."""

    def __init__(self, site):
        self.taken, self.faults = [], []
        self._url, self._key = site.url, site.workspace().secrets.stayput_key.value
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *problem):
        self._done.set()
        self._thread.join()

    def _go_on(self):
        content = pictures.encoded(pictures.photo((160, 120)))  # a small one: this is about keys
        while not self._done.wait(0.55):  # the site takes 120 a minute
            try:
                headers = {"Authorization": f"Bearer {tokens.sign(self._key, purpose='upload')}"}
                files = {"image": ("photo.jpg", content, "image/jpeg")}
                answer = httpx.post(f"{self._url}/api/images/", files=files, headers=headers, timeout=60)
                (self.taken if answer.status_code == 201 else self.faults).append(answer.text)
            except httpx.HTTPError as problem:
                self.faults.append(repr(problem))


def steps(document):
    return [step["name"] for step in document["steps"]]


def wait_until(true, seconds=240):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came to be"


def generation(site):
    return keys.read(site.workspace().stack)


def live_key(site, release):
    record = processes.load(site.root / f".stayput/local/process/running/{release}.json")
    return record.process().environ()["AWS_ACCESS_KEY_ID"]


def test_the_new_key_is_proven_before_the_old_one_goes_and_a_client_that_uploads_all_the_time_sees_no_error(site):
    (old,), before = site.judge.keys(), generation(site)
    with Uploads(site) as uploads:
        code, document = site.run(rotate_keys, grace=1)
    assert (code, document["ok"], document["proof"]["ok"]) == (0, True, True), document
    ((new, status),) = site.judge.keys().items()
    assert (status, new != old) == ("Active", True)
    assert uploads.faults == []
    assert len(uploads.taken) > 3
    assert site.judge.refused == []
    assert site.judge.most_keys == 2
    assert {old, new} == set(site.judge.wrote)
    assert (live_key(site, document["release"]), document["access_key_id"]) == (new, new)
    assert generation(site) == Keys(generation=before.generation + 1)

    release = ["inject", "start", "prove", "promote", "record", "prove"]
    disabled, deleted = ["rekey", "provision", "prove"], ["rekey", "provision", "prove"]
    assert steps(document) == ["rekey", "provision", *release, "wait", *disabled, *deleted]
    assert [step["reason"] for step in document["steps"] if step["name"] == "rekey"] == [
        "a new key beside the one in use",
        "the new key is proven, and nothing may need the old one",
        "the site is proven without the old one",
    ]
    assert site.run(plan)[1]["steps"] == []
    assert site.run(smoke_test)[1]["ok"]


def test_a_site_that_is_not_well_without_the_old_key_gets_it_back(site):
    (old,) = site.judge.keys()
    site.judge.admits_while = lambda keys: "Inactive" not in keys.values()
    code, document = site.run(rotate_keys)
    assert (code, document["ok"]) == (1, False)
    assert site.judge.keys()[old] == "Active"
    assert len(site.judge.keys()) == 2
    time.sleep(10)  # the site's Retry-After: each of its workers leaves a storage that failed alone for so long
    wait_until(lambda: site.run(smoke_test)[1]["ok"])

    site.judge.admits_while = lambda keys: True
    assert site.run(rotate_keys)[0] == 0
    assert list(site.judge.keys().values()) == ["Active"]
    assert site.judge.keys().get(old) is None


def test_the_old_key_works_on_while_a_release_elsewhere_has_it(site):
    workspace = site.workspace()
    elsewhere = structs.replace(workspace.ledger.live("process")[-1], target="elsewhere")
    workspace.ledger.append(elsewhere)
    code, document = site.run(rotate_keys)
    assert (code, document["error"]["where"]) == (1, "target elsewhere")
    assert document["error"]["next"] == "give it the new one: invoke rotate-keys --target elsewhere"
    assert list(site.judge.keys().values()) == ["Active", "Active"]

    workspace.ledger.append(Destroyed(target="elsewhere"))
    assert site.run(rotate_keys)[0] == 0
    assert list(site.judge.keys().values()) == ["Active"]


MOMENTS = (
    '"a new key beside the one in use"',
    '"step":"provision"',
    '"step":"inject"',
    '"step":"start"',
    '"step":"promote"',
    '"step":"record"',
    '"the new key is proven, and nothing may need the old one"',
    '"step":"provision"',
    '"the site is proven without the old one"',
    '"step":"provision"',
)


def test_killed_at_every_step_it_goes_on_and_no_upload_fails(site):
    (old,) = site.judge.keys()
    with Uploads(site) as uploads:
        for moment in MOMENTS:
            kill_at(site, moment)
        code, document = site.run(rotate_keys)
    assert (code, document["ok"]) == (0, True), document
    ((new, status),) = site.judge.keys().items()
    assert (status, new != old) == ("Active", True)
    assert live_key(site, document["release"]) == new
    assert uploads.faults == []
    assert site.judge.refused == []
    assert site.judge.most_keys == 2
    assert generation(site).previous is None


@pytest.mark.needs("engine")
def test_with_pulumi_s_engine_killed_right_after_each_change_of_a_key_it_goes_on_and_no_upload_fails(
    tmp_path, environments
):
    site = JudgedCheckout(tmp_path / "checkout", environments)
    site.judge = KeysJudge()
    try:
        site.deploy_first(deploy, engine_for)
        assert site.workspace().cloud().engine.startswith("pulumi")
        (old,) = site.judge.keys()
        with Uploads(site) as uploads:
            for came_to_be in (
                lambda keys: len(keys) == 2,
                lambda keys: keys.get(old) == "Inactive",
                lambda keys: old not in keys,
            ):
                kill_once(site, lambda: came_to_be(site.judge.keys()))  # noqa: B023
            code, document = site.run(rotate_keys)
        assert (code, document["ok"]) == (0, True), document
        ((new, status),) = site.judge.keys().items()
        assert (status, new != old) == ("Active", True)
        assert (uploads.faults, site.judge.refused, site.judge.most_keys) == ([], [], 2)
        assert len(uploads.taken) > 3
    finally:
        site.clean_up()
        site.judge.stop()


def kill_at(site, moment):
    """Begin or continue a rotation, and kill it when its ledger says the moment has come."""
    ledger = site.root / ".stayput/local/ledger.jsonl"
    before = len(ledger.read_text())
    kill_once(site, lambda: moment in ledger.read_text()[before:])


def kill_once(site, the_moment_came):
    """Begin or continue a rotation in a process of its own, and kill it and its engine in the midst of it."""
    command = [sys.executable, "-c", CUT_OFF, str(site.root), site.judge.url]
    cut_off = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 90
    while not the_moment_came():
        assert time.monotonic() < deadline, "the moment never came"
        assert cut_off.poll() is None, "it ended before the moment came"
        time.sleep(0.002)
    process = psutil.Process(cut_off.pid)
    for one in [process, *process.children(recursive=True)]:  # a release that it started lives on
        if one == process or "pulumi" in one.name():
            one.kill()
    cut_off.wait()


def test_a_key_that_somebody_made_is_told_by_a_plan_and_taken_away_by_a_deploy(site):
    (key,) = site.judge.keys()
    iam = connect(site.judge.cloud_url, "eu-central-1").iam
    second = iam.create_access_key(UserName=site.workspace().cloud().outputs.uploader_name)["AccessKey"]["AccessKeyId"]
    _, document = site.run(plan)
    (step,) = document["steps"]
    assert step["name"] == "provision"
    assert f"has a key {second} (active) that the stack did not make" in step["reason"]
    code, document = site.run(deploy)
    assert (code, steps(document)) == (0, ["provision"])
    assert list(site.judge.keys()) == [key]


def test_the_judge_refuses_a_key_that_was_disabled(site):
    """Guards the proof itself: with the key of the live release disabled, the site cannot take a picture.

    The last one: its site leaves the storage alone for a while after this.
    """
    (key,) = site.judge.keys()
    user = site.workspace().cloud().outputs.uploader_name
    iam = connect(site.judge.cloud_url, "eu-central-1").iam
    iam.update_access_key(UserName=user, AccessKeyId=key, Status="Inactive")
    with Uploads(site) as uploads:
        time.sleep(2)
    iam.update_access_key(UserName=user, AccessKeyId=key, Status="Active")
    assert uploads.faults
    assert uploads.taken == []
    assert {one.split()[0] for one in site.judge.refused} == {key}


def test_without_a_bucket_or_a_live_release_there_is_nothing_to_rotate(checkout):
    code, document = checkout.run(rotate_keys)
    assert (code, document["error"]["what"]) == (2, "keeps uploads on the disk: there is no key")
    code, document = checkout.run(rotate_keys, storage="s3")
    assert (code, document["error"]["what"]) == (2, "has no bucket: never provisioned")
