"""`invoke doctor`: everything outside the checkout that a deploy needs, looked at side by side. Reads only."""

import itertools
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from stayput import processes, tokens
from stayput.engine import Cloud
from stayput.errors import StayputError
from stayput.project import PROVIDERS, Project
from stayput.proof import Check
from stayput.report import Report
from stayput.workspace import Workspace

SECONDS = 4.0  # in which every probe has to answer
PROBE_SECONDS = 3.0
KEY_DAYS = 90  # AWS's control IAM.3
UNUSED_DAYS = 45  # IAM.22, and within it IAM.8
FREE_BYTES = 2 * 2**30  # an image, an environment and five builds
SKEW_SECONDS = 60.0  # S3 refuses signatures from 900 s on
OLDEST_DOCKER = (23,)  # the first whose builds are BuildKit's
OLDEST_PULUMI = (3, 205)
AWS_API = "https://sts.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a probe found. ok None: not there, and not needed for this target and stack."""

    name: str
    ok: bool | None
    detail: str
    remedy: str = ""


Probe = Callable[[], Iterator[Finding]]


def doctor(workspace: Workspace, report: Report) -> None:
    """Show what a deploy to this target needs and whether it is there."""
    findings = side_by_side(probes(workspace), SECONDS)
    well = all(finding.ok is not False for finding in findings)
    report.document |= {"ok": well, "target": workspace.target.name, "stack": workspace.stack.name}
    report.document["findings"] = [asdict(finding) for finding in findings]
    for finding in findings:
        if finding.ok is None:
            report.say(f"- {finding.name}: {finding.detail}")
        else:
            remedy = "" if finding.ok else f". Next: {finding.remedy}"
            report.check(Check(name=finding.name, ok=finding.ok, detail=finding.detail + remedy))


def probes(workspace: Workspace) -> Mapping[str, Probe]:
    target, stack = workspace.target.name, workspace.stack
    cloud = _quietly(workspace.cloud)
    address = cloud.endpoint_url if cloud and cloud.endpoint_url else AWS_API
    return {
        "python": lambda: iter((python(sys.version_info[:3]),)),
        "docker": lambda: docker(needed=target != "process"),
        "engine": lambda: iter((engine(shutil.which("pulumi"), needed=stack.name != "local"),)),
        "disk": lambda: iter((disk(shutil.disk_usage(stack.root).free),)),
        "port": lambda: port(workspace),
        "provider": lambda: provider(target, workspace.project),
        "target": lambda: itertools.chain(target_settings(workspace), names(workspace)),
        "clock": lambda: iter((clock_at(address, needed=workspace.project.storage == "s3" and cloud is not None),)),
        "credentials": lambda: credentials(workspace, cloud),
        "key age": lambda: key_ages(cloud),
    }


def side_by_side(probes: Mapping[str, Probe], seconds: float) -> list[Finding]:
    """What all probes found, in their order; one that is not done in time says so and is not waited for."""
    found: dict[str, list[Finding]] = {}

    def ask(name: str, probe: Probe) -> None:
        try:
            found[name] = list(probe())
        except StayputError as problem:
            detail = f"{problem.where}: {problem.what}"
            found[name] = [Finding(name=name, ok=False, detail=detail, remedy=problem.next_step)]
        except Exception as problem:  # a probe that breaks must not take the others' findings with it
            found[name] = [
                Finding(name=name, ok=False, detail=f"{type(problem).__name__}: {problem}", remedy="mend that")
            ]

    threads = [threading.Thread(target=ask, args=one, daemon=True) for one in probes.items()]
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"no answer within {seconds:g} s"
    slow = {name: [Finding(name=name, ok=False, detail=late, remedy="see whether it hangs")] for name in probes}
    return [finding for name in probes for finding in found.get(name, slow[name])]


def python(version: Sequence[int]) -> Finding:
    text = ".".join(map(str, version))
    return Finding(name="python", ok=tuple(version) >= (3, 11), detail=text, remedy="install Python 3.11 or newer")


def docker(*, needed: bool) -> Iterator[Finding]:
    """The versions of the Docker engine and of BuildKit's command."""
    absent = False if needed else None
    if not shutil.which("docker"):
        remedy = "install Docker: https://docs.docker.com/get-docker/"
        yield Finding(name="docker", ok=absent, detail="is not installed", remedy=remedy)
        return
    engine = _said("docker", "version", "--format", "{{.Server.Version}}")
    ok = _numbers(engine) >= OLDEST_DOCKER if engine else absent
    detail = f"engine {engine}" if engine else "is installed, but its engine does not answer"
    yield Finding(name="docker", ok=ok, detail=detail, remedy="start Docker, 23 or newer")
    buildx = _said("docker", "buildx", "version")
    detail = f"buildx {'.'.join(map(str, _numbers(buildx)))}" if buildx else "docker buildx is not there"
    yield Finding(name="buildkit", ok=bool(buildx) or absent, detail=detail, remedy="install the docker-buildx plugin")


def engine(pulumi: str | None, *, needed: bool) -> Finding:
    remedy = "install Pulumi: https://www.pulumi.com/docs/install/, or invoke engine.install"
    if pulumi is None:
        detail = "there is no Pulumi" if needed else "no Pulumi on PATH; this machine's cloud needs none"
        return Finding(name="engine", ok=False if needed else None, detail=detail, remedy=remedy)
    version = _said(pulumi, "version")
    ok = _numbers(version) >= OLDEST_PULUMI
    return Finding(name="engine", ok=ok, detail=f"Pulumi {version or 'does not start'}", remedy=remedy)


def disk(free: int) -> Finding:
    detail = f"{free / 2**30:.1f} GB free, {FREE_BYTES / 2**30:.0f} GB needed"
    return Finding(
        name="disk", ok=free >= FREE_BYTES, detail=detail, remedy="make room: docker system prune, old builds"
    )


def port(workspace: Workspace) -> Iterator[Finding]:
    """Whether the front's port is free, or the front's own."""
    name, targets = workspace.target.name, workspace.project.targets
    section = getattr(targets, name, None)
    number = getattr(section, "port", 0)
    if not number:
        return
    front = processes.load(workspace.stack.home / name / "front.json")
    if not processes.answers(number):
        yield Finding(name="port", ok=True, detail=f"{number} is free")
    elif front is not None and front.alive and front.port == number:
        yield Finding(name="port", ok=True, detail=f"{number} is this target's front")
    else:
        remedy = f"end it, or choose another: --set targets.{name}.port={number + 1}"
        yield Finding(name="port", ok=False, detail=f"{number} is taken by another program", remedy=remedy)


def provider(target: str, project: Project) -> Iterator[Finding]:
    """Which token there is for the provider and from where, and whether it answers."""
    if target not in PROVIDERS:
        return
    from stayput.targets.providers import api_url, file_of, token_of

    file = file_of(target)
    token = token_of(file, project)
    yield Finding(name="token", ok=True, detail="; ".join(tokens.described(token, file.TOKENS)))
    address = api_url(target)
    try:
        answer = httpx.get(address, timeout=PROBE_SECONDS)
    except httpx.HTTPError as problem:
        remedy = f"look at the network and the proxy, and at {target.upper()}_API_URL"
        yield Finding(
            name="provider", ok=False, detail=f"{address}: {problem or type(problem).__name__}", remedy=remedy
        )
        return
    yield Finding(
        name="provider", ok=answer.status_code < 500, detail=f"{address} answers", remedy="wait: it has trouble"
    )
    yield clock(answer.headers.get("date", ""), datetime.now(UTC), of=f"{target}'s")


def target_settings(workspace: Workspace) -> Iterator[Finding]:
    """What a deploy would refuse of the target, and what it would set there, by the same reads."""
    _ = workspace.database, workspace.theirs
    observed = workspace.target.observe()
    if not workspace.target.runs_images:  # a tree that nothing can be built of; an image's parts take longer to look at
        workspace.target.measure()
    for one in observed.deviations:
        if one.refused:
            there = f"{one.setting} is {one.there or 'not set'}"
            yield Finding(name="target", ok=False, detail=there, remedy=one.remedy)
        else:
            yield Finding(name="target", ok=None, detail=f"{one}; a deploy sets it" if one.wanted else str(one))
    if not any(one.refused for one in observed.deviations):
        yield Finding(name="target", ok=True, detail=f"{observed.url}: nothing there keeps a deploy back")


def names(workspace: Workspace) -> Iterator[Finding]:
    """The names that a proof does not visit, and those whose pages the bucket does not answer."""
    for line in workspace.unvisited():
        yield Finding(name="domains", ok=None, detail=line)
    if line := workspace.missing_origins():
        yield Finding(name="origins", ok=None, detail=line)


def clock_at(address: str, *, needed: bool) -> Finding:
    """This machine's clock against the Date of whom it signs requests for."""
    if not needed:
        return Finding(name="clock", ok=None, detail="nothing is signed for this target and stack")
    try:
        date = httpx.head(address, timeout=PROBE_SECONDS, trust_env=not address.startswith("http:")).headers.get(
            "date", ""
        )
    except httpx.HTTPError as problem:
        remedy = "look at the network and the proxy; this machine's cloud is started by invoke deploy"
        return Finding(name="clock", ok=False, detail=f"{address}: {type(problem).__name__}", remedy=remedy)
    return clock(date, datetime.now(UTC))


def clock(date: str, now: datetime, of: str = "") -> Finding:
    """`date`: an HTTP Date header. of: whose it is, where it is not the storage's."""
    name = f"clock, against {of}" if of else "clock"
    try:
        skew = abs((parsedate_to_datetime(date) - now).total_seconds())
    except (TypeError, ValueError):
        return Finding(name=name, ok=None, detail="the server does not say its time")
    remedy = "set the clock: signatures made at a wrong time are refused"
    return Finding(name=name, ok=skew <= SKEW_SECONDS, detail=f"{skew:.0f} s from the server's", remedy=remedy)


def credentials(workspace: Workspace, cloud: Cloud | None) -> Iterator[Finding]:
    """What the account's credentials and the uploader's key may do, tried with the least that shows it."""
    if cloud is None:
        yield Finding(name="credentials", ok=None, detail="uploads stay on the disk: none are needed")
        return
    if not cloud.endpoint_url and workspace.stack.name != "local":
        yield _account()
    if cloud.outputs is None:
        yield Finding(name="uploader", ok=None, detail="the stack is not provisioned yet")
        return
    from stayput.engine.keys import wait_until_usable

    try:
        wait_until_usable(cloud.outputs, cloud.endpoint_url, timeout=0)
    except StayputError as problem:
        yield Finding(name="uploader", ok=False, detail=problem.what, remedy=problem.next_step)
    else:
        yield Finding(name="uploader", ok=True, detail=f"{cloud.outputs.access_key_id} can write, read and delete")


def _account() -> Finding:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    hurried = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 1})
    remedy = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, of someone who may provision"
    try:
        who: Any = boto3.client("sts", config=hurried).get_caller_identity()  # pyright: ignore[reportUnknownMemberType]
        boto3.client("iam", config=hurried).list_users(MaxItems=1)  # pyright: ignore[reportUnknownMemberType]
        boto3.client("s3", config=hurried).list_buckets()  # pyright: ignore[reportUnknownMemberType]
    except (BotoCoreError, ClientError) as problem:
        return Finding(name="credentials", ok=False, detail=str(problem), remedy=remedy)
    return Finding(name="credentials", ok=True, detail=f"{who['Arn']} sees users and buckets")


def key_ages(cloud: Cloud | None) -> Iterator[Finding]:
    """How old the uploader's keys are, and when they were last used."""
    if cloud is None or cloud.outputs is None:
        return
    import boto3

    from stayput.localcloud.table import connect

    region, user = cloud.outputs.region, cloud.outputs.uploader_name
    iam: Any = connect(cloud.endpoint_url, region).iam if cloud.endpoint_url else boto3.client("iam")  # pyright: ignore[reportUnknownMemberType]
    for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
        now, id, made = datetime.now(UTC), key["AccessKeyId"], key["CreateDate"]
        yield key_age(id, made, now)
        used = iam.get_access_key_last_used(AccessKeyId=id)["AccessKeyLastUsed"].get("LastUsedDate")
        yield key_use(id, made, used, now)


def key_age(key: str, made: datetime, now: datetime) -> Finding:
    days = (now - made).days
    detail = f"{key} is {days} days old"
    return Finding(name="key age", ok=days <= KEY_DAYS, detail=detail, remedy="make a new one: invoke rotate-keys")


def key_use(key: str, made: datetime, used: datetime | None, now: datetime) -> Finding:
    """used: None for a key that was never used."""
    days = (now - (used or made)).days
    detail = f"{key} was last used {days} days ago" if used else f"{key} was never used in its {days} days"
    remedy = "if nothing needs it any more, take it away with its stack: invoke destroy"
    return Finding(name="key use", ok=days <= UNUSED_DAYS, detail=detail, remedy=remedy)


def _quietly(observe: Callable[[], Cloud | None]) -> Cloud | None:
    try:
        return observe()
    except StayputError:
        return None  # its own command says it better


def _said(*command: str) -> str:
    """The first line a program writes, or an empty text when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PROBE_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return ""
    return (done.stdout.strip().splitlines() or [""])[0]


def _numbers(version: str) -> tuple[int, ...]:
    found = re.search(r"\d+(\.\d+)+", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
