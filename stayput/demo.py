"""The problem and the cure, shown with one photo: lost with the disk of a release, then kept by a bucket."""

import hashlib
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from stayput import loopback, photo, secrets
from stayput.apply import Executor, apply
from stayput.deploy import deploy, destroy, travel
from stayput.django import tokens
from stayput.engine import Cloud
from stayput.errors import StayputError, WrongUse
from stayput.ledger import Keepsake
from stayput.proof.upload import shows
from stayput.prove import find_keepsake
from stayput.redact import redact
from stayput.report import Report
from stayput.steps import Record, Step, Verify
from stayput.workspace import Workspace, open_workspace


def demo(root: Path, report: Report, *, keep: bool) -> None:
    """Deploy twice to a disk that is thrown away, twice with a bucket, and ask the same question after each."""
    started = time.monotonic()
    on_disk = _workspace(root, "local", "1")
    secrets.keep(on_disk.stack.secrets, on_disk.secrets)  # the workspaces that follow are of the same stack
    next_on_disk, in_bucket, next_in_bucket = (
        replace(other, engine=on_disk.engine)  # one, so that what `up` found is not asked for again
        for other in (_workspace(root, "local", "2"), _workspace(root, "s3", "1"), _workspace(root, "s3"))
    )
    mark = on_disk.stack.home / "demo"
    _make_room(on_disk, mark, report)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    visitors = Visitors(on_disk)
    try:
        with ThreadPoolExecutor(1) as beside:
            provisioned = beside.submit(_provision, in_bucket)
            report.say("\nThe problem: uploads on the disk of a release (a bucket for the cure is made meanwhile)\n")
            deploy(on_disk, report)
            visitors.start()
            lost, _ = _upload(on_disk)
            travel(next_on_disk, report, _without_proof(apply(next_on_disk, report)))
            disk = find_keepsake(on_disk.target.observe().url, lost)
            report.check(disk)
            _delete(on_disk, lost)

            report.say("\nThe cure: uploads in a bucket\n")
            with report.step("provision", "never provisioned", "provision the stack: made meanwhile, now waited for"):
                for line in provisioned.result():
                    report.say(f"    {line}")
        deploy(in_bucket, report)
        first = report.document["release"]
        kept, answer = _upload(in_bucket)
        deploy(next_in_bucket, report)
        bucket = find_keepsake(on_disk.target.observe().url, kept)
        report.check(bucket)
        failed, engine = visitors.stop(), in_bucket.engine.observe().engine
        after = _fetch(in_bucket, kept)
    finally:
        visitors.stop()
        if not keep:
            _clean_up(next_in_bucket, mark, report)
    release, url = report.document["release"], report.document["url"]
    report.document = {
        "ok": bucket.ok and not disk.ok and failed == 0,
        "engine": engine,
        "local_disk": {"survived": disk.ok},
        "s3": {
            "survived": bucket.ok,
            "sha256_before": kept.sha256,
            "sha256_after": hashlib.sha256(after).hexdigest() if after else "",
            "main_bytes": answer["bytes"],
            "thumbnail_bytes": answer["thumbnail_bytes"],
        },
        "failed_requests": failed,
        "releases": [first, release],
        "seconds": round(time.monotonic() - started, 1),
    }
    _tell(report, answer["sent"], visitors.asked, url if keep else "")
    if not report.document["ok"]:
        raise StayputError("demo", "did not show what it should", "read the lines above; report it with them")


def _workspace(root: Path, storage: str, deploy_number: str = "") -> Workspace:
    """The process target of the local stack; the number makes one tree into two releases."""
    numbered = [f"variables.DEMO_DEPLOY={deploy_number}"] if deploy_number else []
    return open_workspace(root, "process", "local", [f"storage={storage}", *numbered])


def _make_room(workspace: Workspace, mark: Path, report: Report) -> None:
    """Take away an earlier demo; leave a deploy of your own alone."""
    if mark.exists():
        report.say("Taking away the earlier demo.")
        _clean_up(workspace, mark, report)
    elif release := workspace.target.observe().release:
        where = f"the stack {workspace.stack.name}"
        raise WrongUse(where, f"is in use: release {release} is live", "look at it, or take it away: ./invoke destroy")


def _clean_up(workspace: Workspace, mark: Path, report: Report) -> None:
    destroy(workspace, report)
    mark.unlink(missing_ok=True)


def _provision(workspace: Workspace) -> list[str]:
    """What is said on the way to a stack that is as the program says."""
    said: list[str] = []
    workspace.engine.up(said.append)
    return said


def _without_proof(execute: Executor) -> Executor:
    """How others deploy: what answers its health check gets the traffic."""

    def unproven(steps: Iterable[Step]) -> Cloud | None:
        return execute(step for step in steps if not isinstance(step, Verify | Record))

    return unproven


def _token(workspace: Workspace, purpose: tokens.Purpose) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.sign(workspace.secrets.stayput_key.value, purpose=purpose)}"}


def _upload(workspace: Workspace) -> tuple[Keepsake, dict[str, Any]]:
    """Send a photo as a visitor would. Returns what to look for later, and the site's answer with the bytes `sent`."""
    sent = photo.unique()
    files = {"image": ("photo.jpg", sent.content, "image/jpeg")}
    url = workspace.target.observe().url
    answer = loopback.client().post(f"{url}/api/images/", files=files, headers=_token(workspace, "upload"), timeout=60)
    if answer.status_code != HTTPStatus.CREATED:
        raise StayputError(
            url, f"did not take the photo: {answer.status_code} {redact(answer.text)[:200]}", "see ./invoke logs"
        )
    body = answer.json()
    content = loopback.client().get(body["url"], timeout=30).raise_for_status().content
    if not shows(content, sent):  # and what is not ours is not deleted later
        raise StayputError(url, f"answered with picture {body['id']}, which is of another photo", "see ./invoke logs")
    return Keepsake(id=body["id"], sha256=hashlib.sha256(content).hexdigest()), {**body, "sent": len(sent.content)}


def _fetch(workspace: Workspace, picture: Keepsake) -> bytes:
    url = workspace.target.observe().url
    with suppress(httpx.HTTPError, KeyError, ValueError):
        address = loopback.client().get(f"{url}/api/images/{picture.id}/", timeout=30).json()["url"]
        return loopback.client().get(address, timeout=30).raise_for_status().content
    return b""


def _delete(workspace: Workspace, picture: Keepsake) -> None:
    url = f"{workspace.target.observe().url}/api/images/{picture.id}/"
    loopback.client().delete(url, headers=_token(workspace, "upload"), timeout=30)


class Visitors:
    """People who use the site all the while: they look at it, upload and delete, and count what fails."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._url = workspace, workspace.target.observe().url
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._look, daemon=True),
            threading.Thread(target=self._send, daemon=True),
        ]
        self.asked, self.failed = 0, 0

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> int:
        """The number of requests that failed."""
        self._done.set()
        for thread in self._threads:
            if thread.ident:
                thread.join()
        return self.failed

    def _look(self) -> None:
        while not self._done.wait(0.2):
            self._ask("GET", "/api/images/", 200)

    def _send(self) -> None:
        small, seen = photo.small(), set[str]()
        while not self._done.wait(1.0):
            token = _token(self._workspace, "smoke-test")
            picture = self._ask("POST", "/api/images/", 201, headers=token, files={"image": ("a.png", small)})
            if picture is None:
                continue
            id = picture.json()["id"]
            if id in seen:  # not the picture that was sent just now
                self.failed += 1
                continue
            seen.add(id)
            self._ask("DELETE", f"/api/images/{id}/", 204, headers=token)

    def _ask(self, method: str, path: str, wanted: int, **more: Any) -> httpx.Response | None:
        self.asked += 1
        with suppress(httpx.HTTPError):
            answer = loopback.client().request(method, f"{self._url}{path}", timeout=60, **more)
            if answer.status_code == wanted:
                return answer
        self.failed += 1
        return None


def _tell(report: Report, sent: int, asked: int, url: str) -> None:
    found, words = report.document, {True: "still there", False: "gone"}
    steps = [(step["name"], step["reason"], f"{step['seconds']:.1f} s") for step in report.steps]
    report.table("What was done", ("step", "why", "time"), steps)
    rows = [
        ("photo", f"{sent:,} bytes, with GPS", ""),
        ("main picture", f"{found['s3']['main_bytes']:,} bytes", ""),
        ("thumbnail", f"{found['s3']['thumbnail_bytes']:,} bytes", ""),
        ("on the disk, after a redeploy", words[found["local_disk"]["survived"]], ""),
        (
            "in the bucket, after a redeploy",
            words[found["s3"]["survived"]],
            f"sha256 {found['s3']['sha256_after'][:16]}…",
        ),
        ("requests during all switches", f"{asked}, {found['failed_requests']} failed", ""),
        ("time", f"{found['seconds']:.0f} s", ""),
    ]
    report.table("What was found", ("", "", ""), rows)
    report.say(
        f"\nOpen {url} — ./invoke destroy takes it all away."
        if url
        else "\nAll of it was taken away again; --keep leaves it."
    )
