"""An image, opened: run without network, asked from outside. Nothing in it is believed without a look."""

import contextlib
import json
import re
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from docker.errors import DockerException, ImageNotFound
from docker.models.containers import Container

from docker import DockerClient
from stayput.errors import StayputError
from stayput.image import UNTOLD, Attestation, Image
from stayput.image.containers import execute, exit_code, last_words
from stayput.image.inputs import INSIDE
from stayput.image.layers import secrets_in_layers
from stayput.processes import telling
from stayput.project import Site
from stayput.proof import Check
from stayput.redact import redact

PYTHON = "/venv/bin/python"
PORT = 8000
RELEASE = "attested"
AS_THE_SITE = ("distributions", "dependencies", "native libraries", "modules", "check --deploy")
AS_ROOT = ("tools",)  # who may look everywhere
GRACE = 10  # seconds between SIGTERM and being gone
STARTING = 30  # seconds until the start command must answer
SECRET_ENDINGS = ("_KEY", "_TOKEN", "PASSWORD", "_SECRET")
PUBLIC = ("GPG_KEY",)  # the official Python image names the key its sources were signed with
# Enough for a site to start, and good for nothing else.
VARIABLES: Mapping[str, str] = {
    "SECRET_KEY": "only-for-the-attestation-and-good-for-nothing-else-0123456789",
    "STAYPUT_KEY": "only-for-the-attestation",
    "USE_S3": "False",
    "ALLOWED_HOSTS": "attestation.invalid",
    "CSRF_TRUSTED_ORIGINS": "https://attestation.invalid",
    "DATABASE_URL": "sqlite:////tmp/attestation.sqlite3",
    "STAYPUT_RELEASE": RELEASE,
    "PORT": str(PORT),
}
# A database that is named by other variables is not here, which is no fault of the image.
AWAY = re.compile(r"OperationalError.*(connect|translate host|resolve)")
NONE: Mapping[str, str] = {}
# Asked inside the container, which has no network: prints the status and the body of /healthz.
ASK = """
import sys, time, urllib.error, urllib.request
until = time.monotonic() + float(sys.argv[2])
said = "0 nothing answers"
while time.monotonic() < until:
    try:
        answer = urllib.request.urlopen(sys.argv[1], timeout=5)
    except urllib.error.HTTPError as refused:
        answer = refused
    except OSError:
        time.sleep(0.05)
        continue
    said = f"{answer.status} {answer.read().decode()}"
    if answer.status == 200:
        break
    time.sleep(0.2)
print(said)
"""
CONFINED: dict[str, Any] = {
    "read_only": True,
    "tmpfs": {"/tmp": "mode=1777"},
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
}


def attest(
    client: DockerClient, image: Image, site: Site, clean: Path, variables: Mapping[str, str] = NONE
) -> Attestation:
    """Everything that is looked for in an image. clean: where layers are remembered that hold no secret.

    variables: the plain ones of stayput.toml, which the site is started with.
    Raises StayputError when the image is not there or cannot be run at all.
    """
    try:
        found = client.images.get(image.digest)
    except ImageNotFound:
        raise StayputError(f"image {image.reference}", "is not in the engine", "build it: invoke build") from None
    config = cast("dict[str, Any]", found.attrs["Config"])
    try:
        with ThreadPoolExecutor(4) as at_once:
            given = {**VARIABLES, **variables}
            started = at_once.submit(lambda: tuple(_start(client, image, site, given)))
            looked = at_once.submit(lambda: tuple(_inside(client, image, AS_THE_SITE, given)))
            left = at_once.submit(lambda: tuple(_inside(client, image, AS_ROOT, given, user="0")))
            searched = at_once.submit(lambda: _found("secrets", [*secrets_in_layers(client, image.digest, clean)]))
            inside = (*looked.result(), searched.result(), *left.result(), *started.result())
            platform = f"{found.attrs['Os']}/{found.attrs['Architecture']}"
            fits = _check(
                "platform", image.platform.startswith(platform), f"is for {platform}", f", not {image.platform}"
            )
            checks = (*_configuration(config, image), fits, *inside)
    except DockerException as problem:
        what = f"cannot be run: {str(problem).splitlines()[-1]}"
        raise StayputError(f"image {image.reference}", what, "docker run says more") from None
    return Attestation(
        image=image.reference,
        digest=image.digest,
        config=image.config,
        platform=platform,
        build=image.build if _label(config) == UNTOLD else _label(config),
        checks=checks,
    )


def _configuration(config: Mapping[str, Any], image: Image) -> Iterator[Check]:
    label = _label(config)
    yield _check(
        "build", label in (image.build, UNTOLD), f"its label says {label or 'nothing'}", f", not {image.build}"
    )
    user = str(config.get("User") or "root").partition(":")[0]
    yield _check("not root", user not in ("root", "0"), f"runs as {user}")
    entrypoint: list[str] = config.get("Entrypoint") or []
    shell = not entrypoint or entrypoint[0] in ("/bin/sh", "sh", "/bin/bash")
    yield _check("entrypoint", not shell, " ".join(entrypoint) or "none", " is a shell, which swallows SIGTERM")
    environment: list[str] = config.get("Env") or []
    named = [entry.partition("=")[0] for entry in environment]
    secret = [name for name in named if name.endswith(SECRET_ENDINGS) and name not in PUBLIC]
    yield _check("variables", not secret, ", ".join(secret) or "none is baked in", " baked in: secrets come at start")


def _label(config: Mapping[str, Any]) -> str:
    labels: dict[str, str] = config.get("Labels") or {}
    return labels.get("stayput.build", "")


def _inside(
    client: DockerClient, image: Image, checks: tuple[str, ...], variables: Mapping[str, str], **options: Any
) -> Iterator[Check]:
    """The checks of inside.py, run by the tool's own copy of it: the image cannot answer for itself."""
    command = ["-I", "-B", "-c", INSIDE.read_text(), "report", *checks]
    container = client.containers.create(
        image.digest,
        command,
        entrypoint=[PYTHON],
        environment={**variables, "STAYPUT_LOCK": image.lock},
        network_mode="none",
        working_dir="/app",
        **CONFINED,
        **options,
    )
    try:
        container.start()
        ended = container.wait(timeout=120)
        said = container.logs(stdout=True, stderr=False).decode()
        if ended["StatusCode"]:
            yield Check(name="opened", ok=False, detail=last_words(container))
            return
    finally:
        container.remove(force=True)
    for name, problems in json.loads(said.splitlines()[-1])["problems"].items():
        yield _found(name, problems)


def _found(name: str, problems: Sequence[str]) -> Check:
    detail = "; ".join(problems[:3]) + (f"; and {len(problems) - 3} more" if len(problems) > 3 else "")
    return Check(name=name, ok=not problems, detail=detail or "as it should be")


def _start(client: DockerClient, image: Image, site: Site, variables: Mapping[str, str]) -> Iterator[Check]:
    """The exact start command: up, healthy under this build, and gone in time after SIGTERM."""
    command = shlex.split(site.start)
    container = client.containers.create(
        image.digest, command, environment=dict(variables), network_mode="none", mem_limit="1g", **CONFINED
    )
    try:
        container.start()
        begun = time.monotonic()
        if site.manage:
            # A command that ended at once leaves nothing to run this in: asked for below.
            with contextlib.suppress(DockerException):
                code, said = execute(container, [PYTHON, site.manage, "migrate", "--noinput"])
                line = telling(said.splitlines())[0]
                if code and said and not AWAY.search(line):
                    yield Check(name="migrate", ok=False, detail=line)
        healthy, said = _healthz(container)
        _settle(container, asked=bool(said))
        if container.status != "running":
            detail = f"{site.start} ended with {exit_code(container)}: {last_words(container)}"
            yield Check(name="start", ok=False, detail=detail)
            return
        detail = f"up after {time.monotonic() - begun:.1f} s" if healthy else unhealthy(said)
        yield Check(name="start", ok=healthy, detail=detail)
        if healthy:
            yield from _says_who_it_is(said, image.build)
        yield _stops(container)
    finally:
        container.remove(force=True)


def unhealthy(said: str) -> str:
    """In one line what /healthz said, status and body."""
    if said.startswith("404 "):
        return "/healthz answers 404: a Django site has stayput.django.health.HealthMiddleware first in MIDDLEWARE"
    return f"/healthz answers {' '.join(redact(said).split())[:200]}"


def _settle(container: Container, asked: bool) -> None:
    """Learn its state. What asked inside may have ended with the command before the engine noticed the end."""
    until = time.monotonic() + (0 if asked else GRACE)
    container.reload()
    while container.status == "running" and time.monotonic() < until:
        time.sleep(0.1)
        container.reload()


def _healthz(container: Container) -> tuple[bool, str]:
    address = f"http://127.0.0.1:{PORT}/healthz"
    with contextlib.suppress(DockerException):
        _, said = execute(container, [PYTHON, "-I", "-c", ASK, address, str(STARTING)])
        return said.startswith("200 "), said.strip()
    return False, "the container was gone"


def _says_who_it_is(said: str, build: str) -> Iterator[Check]:
    try:
        body = json.loads(said.partition(" ")[2])
        reported = str(body.get("build")), str(body.get("release"))
    except (ValueError, AttributeError):
        yield Check(name="health", ok=False, detail="/healthz does not answer with a JSON object")
        return
    right = reported == (build, RELEASE)
    yield _check("health", right, f"answers with build {reported[0]} and release {reported[1]}", f", not {build}")


def _stops(container: Container) -> Check:
    begun = time.monotonic()
    container.stop(timeout=GRACE)
    seconds = time.monotonic() - begun
    code = exit_code(container)
    clean = code in (0, 143) and seconds < GRACE
    return _check("stop", clean, f"gone {seconds:.1f} s after SIGTERM, with {code}", ": it had to be killed")


def _check(name: str, ok: bool, found: str, otherwise: str = "") -> Check:
    return Check(name=name, ok=ok, detail=found if ok else found + otherwise)
