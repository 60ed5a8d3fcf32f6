"""Releases as containers, each of an image that was opened and found right, by its digest, behind the front.

A container gets a read-only root, a /tmp of its own, no capabilities, no new privileges, and limits on memory and
processes. The rows live in a volume, unless the file of their variables names a DATABASE_URL. What serves is what the
front says; what may serve is what Images attested.
"""

import hashlib
import json
import shlex
import socket
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, cast
from urllib.parse import urlsplit

from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container

from stayput import processes
from stayput.domains import Domain
from stayput.errors import StayputError
from stayput.front import FrontDoor, Upstream
from stayput.image import Image
from stayput.image.attest import CONFINED
from stayput.image.builder import Images, connect
from stayput.image.containers import execute, last_words
from stayput.project import Project
from stayput.release import Build, Release
from stayput.secrets import plain
from stayput.stack import Stack
from stayput.targets import Observed
from stayput.targets.health import ask, failing

PORT = 8000  # inside a container
START_SECONDS = 60.0
REFUSING_SECONDS = 5.0
MIGRATE_SECONDS = 600
STOP_SECONDS = 35  # the site's own workers get 30 to finish
LOOPBACK = ("127.0.0.1", "localhost")


class DockerTarget:
    name = "docker"
    runs_images = True

    def __init__(self, project: Project, stack: Stack, images: Images) -> None:
        self._project, self._settings, self._images = project, project.targets.docker, images
        self._home, self._root = stack.home / "docker", stack.root
        self._engine = connect()
        self._scope = f"{project.name}-{hashlib.sha256(str(stack.home.resolve()).encode()).hexdigest()[:8]}"
        self._front = FrontDoor(self._home, self._settings.port)

    def hosts(self) -> tuple[str, ...]:
        return LOOPBACK

    def origins(self) -> tuple[str, ...]:
        return (self._front.url, self._front.url.replace("127.0.0.1", "localhost"))

    def domains(self) -> Sequence[Domain]:
        return ()

    def polls(self) -> Iterable[object]:
        return range(1)

    def measure(self) -> Build:
        return self._images.measure()

    def observe(self) -> Observed:
        url, upstream = self._front.url, self._front.upstream()
        if upstream is None:
            return Observed(url=url, said="nothing is running")
        status, reported = ask(url)
        containers = self._containers(upstream.release)
        labels = containers[0].labels if containers else {}
        return Observed(
            url=url,
            release=str(reported.get("release") or upstream.release),
            build=str(reported.get("build", "")),
            image=labels.get("stayput.image", ""),
            healthy=status == HTTPStatus.OK,
            fingerprints=json.loads(labels.get("stayput.fingerprints", "{}")),
            database_known=True,
            said="" if status == HTTPStatus.OK else f"/healthz answers {status or 'nothing'}",
        )

    def has(self, build: Build) -> bool:
        try:
            self._images.attested(build.id)
        except StayputError:
            return False
        return True

    def publish(self, build: Build) -> None:
        self._images.attested(build.id)
        if self._settings.registry:
            self._images.push(build.id)

    def inject(self, release: Release) -> None:
        """Create the release's containers, not yet started: their variables are in them and in no other place."""
        for left in self._containers(release.id):
            left.remove(force=True)
        image = self._images.attested(release.build.id)
        for _ in range(self._settings.instances):
            port = processes.free_port()
            self._create(
                release,
                image,
                command=shlex.split(self._project.site.start),
                labels={
                    "stayput.scope": self._scope,
                    "stayput.release": release.id,
                    "stayput.port": str(port),
                    "stayput.image": image.reference,
                    "stayput.fingerprints": json.dumps(dict(release.fingerprints)),
                },
                ports={f"{PORT}/tcp": ("127.0.0.1", port)},
                restart_policy={"Name": "unless-stopped"},
            )

    def migrate(self, release: Release) -> str:
        if not self._project.site.manage:
            return "no database"
        for left in self._migrating():  # by a command that was killed: two at once would break each other
            left.wait(timeout=MIGRATE_SECONDS)
            left.remove(force=True)
        command = ["python", self._project.site.manage, "migrate", "--noinput"]
        image = self._images.attested(release.build.id)
        container = self._create(release, image, command=command, labels={"stayput.migrating": self._scope})
        try:
            container.start()
            code, said = container.wait(timeout=MIGRATE_SECONDS)["StatusCode"], last_words(container)
        finally:
            container.remove(force=True)
        if code:
            raise StayputError("migrate", said, "mend that and run it again")
        return said

    def start(self, release: Release) -> None:
        containers = self._containers(release.id)
        if not containers:
            raise StayputError(f"release {release.id}", "has no container", "deploy it: invoke deploy")
        for container in containers:
            try:
                container.start()
            except APIError as problem:
                raise StayputError(f"release {release.id}", str(problem.explanation), "mend that") from None
        for container in containers:
            self._wait_until_healthy(container, release)

    def address(self, release: Release) -> str:
        ports = [_port(container) for container in self._containers(release.id) if container.status == "running"]
        if not ports:
            raise StayputError(f"release {release.id}", "is not running", "deploy it: invoke deploy")
        return f"http://127.0.0.1:{ports[0]}"

    def promote(self, release: Release) -> None:
        before = self._front.upstream()
        old = before.ports if before and before.release != release.id else ()
        ports = tuple(_port(container) for container in self._containers(release.id))
        self._front.switch(Upstream(release=release.id, ports=ports), drain=old)

    def retire(self, release: Release) -> None:
        self._remove(container for container in self._containers() if container.labels["stayput.release"] != release.id)

    def recorded(self, release: Release) -> None:
        """Nothing is noted on the way."""

    def withdraw(self, release: Release) -> None:
        upstream = self._front.upstream()
        if upstream is None or upstream.release != release.id:
            self._remove(self._containers(release.id))

    def manage(self, *arguments: str) -> tuple[str, ...]:
        upstream = self._front.upstream()
        serving = [one for one in self._containers(upstream.release) if one.status == "running"] if upstream else []
        if not serving:
            raise StayputError(f"target {self.name}", "nothing is running", "deploy it: invoke deploy")
        return tuple(execute(serving[0], ["python", self._project.site.manage, *arguments])[1].splitlines())

    def logs(self, *, follow: bool = False) -> Iterator[str]:
        """With follow: of each release that gets the traffic, one after the other."""
        shown = ""
        while (upstream := self._front.upstream()) and upstream.release != shown:
            shown = upstream.release
            yield from self._lines(self._containers(shown), follow=follow)
            if not follow:
                return

    def _lines(self, containers: Sequence[Container], *, follow: bool) -> Iterator[str]:
        lines: SimpleQueue[str | None] = SimpleQueue()

        def read(container: Container) -> None:
            line = b""  # Docker gives a long one in pieces; half of one could show half a secret
            for chunk in cast("Iterator[bytes]", container.logs(stream=True, follow=follow)):
                line += chunk
                if line.endswith(b"\n"):
                    lines.put(line.decode(errors="replace").rstrip("\n"))
                    line = b""
            lines.put(None)

        for container in containers:
            Thread(target=read, args=(container,), daemon=True).start()
        reading = len(containers)
        while reading:
            line = lines.get()
            if line is None:
                reading -= 1
            else:
                yield line

    def destroy(self) -> None:
        self._front.stop()
        self._remove([*self._containers(), *self._migrating()])
        for volume in self._engine.volumes.list(filters={"label": f"stayput.scope={self._scope}"}):
            volume.remove(force=True)
        if relay := processes.load(self._home / "relay.json"):
            processes.stop(relay)
            (self._home / "relay.json").unlink()

    def _containers(self, release: str = "") -> list[Container]:
        labels = [f"stayput.scope={self._scope}"] + ([f"stayput.release={release}"] if release else [])
        return self._engine.containers.list(all=True, filters={"label": labels}, ignore_removed=True)

    def _migrating(self) -> list[Container]:
        label = f"stayput.migrating={self._scope}"
        return self._engine.containers.list(all=True, filters={"label": label}, ignore_removed=True)

    def _create(self, release: Release, image: Image, **options: Any) -> Container:
        volume = f"{self._scope}-data"
        self._engine.volumes.create(volume, labels={"stayput.scope": self._scope})
        try:
            return self._engine.containers.create(
                image.digest,
                environment=self._variables(release),
                extra_hosts=dict.fromkeys(("localhost", "host.docker.internal"), "host-gateway"),
                volumes={volume: {"bind": "/data", "mode": "rw"}},
                mem_limit=self._settings.memory,
                pids_limit=self._settings.pids,
                **CONFINED,
                **options,
            )
        except DockerException as problem:
            what = str(getattr(problem, "explanation", "") or problem)
            raise StayputError(f"release {release.id}", what, "mend that and deploy again") from None

    def _variables(self, release: Release) -> dict[str, str]:
        theirs = {"DATABASE_URL": "sqlite:////data/db.sqlite3", "MEDIA_ROOT": "/tmp/media"}
        ours = {name: plain(value) for name, value in release.variables.items()}
        if endpoint := ours.get("AWS_S3_ENDPOINT_URL"):
            ours["AWS_S3_ENDPOINT_URL"] = self._reachable(endpoint)
        return {**theirs, **ours, "PORT": str(PORT)}

    def _reachable(self, endpoint: str) -> str:
        """An address of this machine that the container and the readers of its pages can both use: localhost.

        In the container it is its own loopback first, where nothing listens on that port, then the host's gateway.
        """
        parts = urlsplit(endpoint)
        if parts.hostname not in LOOPBACK or parts.port is None:
            return endpoint
        self._have_relay(parts.port)
        return parts._replace(netloc=f"localhost:{parts.port}").geturl()

    def _have_relay(self, port: int) -> None:
        gateway = str(self._engine.networks.get("bridge").attrs["IPAM"]["Config"][0].get("Gateway", ""))
        record = self._home / "relay.json"
        daemon = processes.load(record)
        if daemon and daemon.alive and daemon.port == port:
            return
        if daemon:
            processes.stop(daemon)
        if not _is_of_this_machine(gateway):  # Docker Desktop: the gateway leads to 127.0.0.1 itself
            return
        processes.start(
            [sys.executable, "-m", "stayput.targets.relay", gateway, str(port)],
            record=record,
            log=self._home / "relay.log",
            port=port,
            ready=lambda: _answers(gateway, port),
            name="the relay from containers",
            cwd=Path(__file__).parents[2],
        )

    def _wait_until_healthy(self, container: Container, release: Release) -> None:
        url, begun, refused = f"http://127.0.0.1:{_port(container)}", time.monotonic(), 0.0
        where, reported = f"release {release.id}", {}
        while time.monotonic() - begun < START_SECONDS:
            status, reported = ask(url)
            if status == HTTPStatus.OK and (reported.get("release"), reported.get("build")) == (
                release.id,
                release.build.id,
            ):
                return
            container.reload()
            if container.status != "running" or container.attrs["RestartCount"]:
                raise StayputError(where, f"ended at once: {last_words(container)}", "mend that and deploy again")
            if status:
                refused = refused or time.monotonic()
                if time.monotonic() - refused > REFUSING_SECONDS:
                    why = failing(reported) or last_words(container)
                    raise StayputError(where, f"/healthz answers {status}: {why}", "mend that and deploy again")
            time.sleep(0.05)
        raise StayputError(where, f"was not ready within {START_SECONDS:.0f} s: {last_words(container)}", "mend that")

    def _remove(self, containers: Iterable[Container]) -> None:
        stopping = list(containers)
        threads = [Thread(target=_stop, args=(container,)) for container in stopping]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _stop(container: Container) -> None:
    """SIGTERM, and gone; what is gone already is no fault."""
    try:
        container.stop(timeout=STOP_SECONDS)
        container.remove(force=True, v=False)
    except NotFound:
        return


def _port(container: Container) -> int:
    return int(container.labels["stayput.port"])


def _is_of_this_machine(address: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
