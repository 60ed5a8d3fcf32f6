"""Releases as processes of this machine: each a copy of its build in a new folder with a disk of its own.

home/builds/BUILD/        source and static files, made once, never written again: what an image is elsewhere
home/releases/RELEASE/    the copy that runs, thrown away with all that was written to it
home/db.sqlite3           the rows: they live outside the releases, as a PaaS's database does

.stayput/environments/LOCK/ is a cache that stacks share: the Python environment of one requirements file, exactly the
lock and none of the tool's packages.
"""

import fcntl
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from string import Template
from urllib.parse import quote

import msgspec

from stayput import processes
from stayput.domains import Domain
from stayput.errors import StayputError
from stayput.front import FrontDoor, Upstream
from stayput.kept import recall
from stayput.project import Project
from stayput.redact import learn_named
from stayput.release import Build, Release, deployed, measure_process_build
from stayput.secrets import Secret, fingerprint, plain, write_private
from stayput.stack import Stack
from stayput.targets import Observed, health

KEPT_BUILDS = 5
START_SECONDS = 60.0
REFUSING_SECONDS = 3.0
# What a process of a PaaS finds in its environment besides its variables: nothing of the developer's shell.
INHERITED = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT")


class ProcessTarget:
    name = "process"
    runs_images = False

    def __init__(self, project: Project, stack: Stack, fingerprint_key: Secret) -> None:
        self._project, self._root, self._key = project, stack.root, fingerprint_key
        self._home, self._environments = stack.home / "process", stack.home.parent / "environments"
        self._database = f"sqlite:///{quote(str(self._home / 'db.sqlite3'))}"  # where a release brings no other
        self._front = FrontDoor(self._home, project.targets.process.port)

    def hosts(self) -> tuple[str, ...]:
        return ("127.0.0.1", "localhost")

    def origins(self) -> tuple[str, ...]:
        return (self._front.url, self._front.url.replace("127.0.0.1", "localhost"))

    def domains(self) -> Sequence[Domain]:
        return ()

    def polls(self) -> Iterable[object]:
        return range(1)

    def measure(self) -> Build:
        return measure_process_build(self._root, self._project.site)

    def observe(self) -> Observed:
        url = self._front.url
        upstream = self._front.upstream()
        if upstream is None:
            return Observed(url=url, said="nothing is running")
        status, reported = health.ask(url)
        said = "" if status == HTTPStatus.OK else f"/healthz answers {status or 'nothing'}"
        return Observed(
            url=url,
            release=str(reported.get("release") or upstream.release),
            build=str(reported.get("build", "")),
            healthy=not said,
            fingerprints={
                name: fingerprint(self._key, value)
                for name, value in self._variables(upstream.release).items()
                if value != self._database
            },
            database_known=True,
            said=said,
        )

    def has(self, build: Build) -> bool:
        return _baked(self._home / "builds" / build.id) is not None

    def publish(self, build: Build) -> None:
        python = self._environment(build.parts["dependencies"])
        folder = self._home / "builds" / build.id
        making = folder.with_name(f"{build.id}.part")
        shutil.rmtree(making, ignore_errors=True)
        for file in deployed(self._root, self._project.site):
            place = making / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file.path, place)
            place.chmod(0o755 if file.executable else 0o644)
        if self.measure().id != build.id:
            shutil.rmtree(making)
            raise StayputError(f"build {build.id}", "the source changed while it was copied", "run the deploy again")
        env = self._clean_env(making) | {"SECRET_KEY": "unused", "STAYPUT_KEY": "unused", "USE_S3": "False"}
        collect = [python, self._project.site.manage, "collectstatic", "--noinput"]
        self._run(collect, cwd=making, env=env, what="collectstatic", unless="Unknown command: 'collectstatic'")
        (making / "stayput-build.json").write_text(json.dumps({"build": build.id, "parts": dict(build.parts)}))
        shutil.rmtree(folder, ignore_errors=True)
        making.rename(folder)
        self._prune(keep=build.id)

    def inject(self, release: Release) -> None:
        folder = self._folder(release.id)
        daemon = processes.load(self._record(release.id))
        if daemon is not None:  # left by a deploy that was cut off
            processes.stop(daemon)
        shutil.rmtree(folder, ignore_errors=True)
        build = self._home / "builds" / release.build.id
        if not build.is_dir():
            raise StayputError(
                f"build {release.build.id}", "is not there any more", "deploy a newer one: invoke deploy"
            )
        shutil.copytree(build, folder)
        values = {name: plain(value) for name, value in release.variables.items()}
        variables = {"DATABASE_URL": self._database} | values
        write_private(self._home / "variables" / f"{release.id}.json", json.dumps(variables).encode())

    def migrate(self, release: Release) -> str:
        env = self._clean_env(self._folder(release.id)) | self._variables(release.id)
        command = [self._python(release.build), self._project.site.manage, "migrate", "--noinput"]
        with (self._home / "migrate.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # held by the migration itself, which outlives a command that is killed
            said = self._run(command, cwd=self._folder(release.id), env=env, what="migrate", holding=(lock.fileno(),))
        return said[-1].strip() if said else ""

    def start(self, release: Release) -> None:
        folder, port = self._folder(release.id), processes.free_port()
        bind = {"PORT": str(port), "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}"}
        env = self._clean_env(folder) | self._variables(release.id) | bind
        python = self._python(release.build)
        command = [Template(word).safe_substitute(env) for word in shlex.split(self._project.site.start)]  # $PORT
        processes.start(
            [str(python.parent / command[0]), *command[1:]],
            record=self._record(release.id),
            log=self._log(release.id),
            port=port,
            ready=self._healthy_as(release, f"http://127.0.0.1:{port}"),
            name=f"release {release.id}",
            env=env,
            cwd=folder,
            timeout=START_SECONDS,
        )

    def address(self, release: Release) -> str:
        daemon = processes.load(self._record(release.id))
        if daemon is None or not daemon.alive:
            raise StayputError(f"release {release.id}", "is not running", "deploy it: invoke deploy")
        return daemon.url

    def promote(self, release: Release) -> None:
        before = self._front.upstream()
        daemon = processes.load(self._record(release.id))
        if daemon is None:
            raise StayputError(f"release {release.id}", "was never started", "deploy it: invoke deploy")
        old = before.ports if before and before.release != release.id else ()
        self._front.switch(Upstream(release=release.id, ports=(daemon.port,)), drain=old)

    def retire(self, release: Release) -> None:
        for record in self._home.glob("running/*.json"):
            if record.stem != release.id:
                self._throw_away(record.stem)

    def recorded(self, release: Release) -> None:
        """Nothing is noted on the way."""

    def withdraw(self, release: Release) -> None:
        upstream = self._front.upstream()
        if upstream is None or upstream.release != release.id:
            self._throw_away(release.id)

    def manage(self, *arguments: str) -> tuple[str, ...]:
        upstream = self._front.upstream()
        if upstream is None:
            raise StayputError(f"target {self.name}", "nothing is running", "deploy it: invoke deploy")
        folder = self._folder(upstream.release)
        baked = _baked(folder)
        if baked is None:
            raise StayputError(str(folder), "is damaged", "deploy it anew: invoke destroy, then invoke deploy")
        done = subprocess.run(
            [self._environment(baked.parts["dependencies"]), self._project.site.manage, *arguments],
            cwd=folder,
            env=self._clean_env(folder) | self._variables(upstream.release),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return tuple(done.stdout.splitlines())

    def logs(self, *, follow: bool = False) -> Iterator[str]:
        """With follow: of each release that gets the traffic, one after the other."""
        while (upstream := self._front.upstream()) is not None:
            yield from self._lines(upstream.release, follow=follow)
            if not follow:
                return

    def _lines(self, release: str, *, follow: bool) -> Iterator[str]:
        """Whole lines, with follow until another release has the traffic; half of one could show half a secret."""
        with self._log(release).open(encoding="utf-8", errors="replace") as log:
            line = ""
            while True:
                upstream = self._front.upstream() if follow else None
                for text in log:
                    line += text
                    if line.endswith("\n"):
                        yield line[:-1]
                        line = ""
                if upstream is None or upstream.release != release:
                    return
                time.sleep(0.3)

    def destroy(self) -> None:
        self._front.stop()
        for record in self._home.glob("running/*.json"):
            self._throw_away(record.stem)
        shutil.rmtree(self._home, ignore_errors=True)

    def _folder(self, release: str) -> Path:
        return self._home / "releases" / release

    def _record(self, release: str) -> Path:
        return self._home / "running" / f"{release}.json"

    def _throw_away(self, release: str) -> None:
        """Stop a release and throw its disk away, as a PaaS does."""
        daemon = processes.load(self._record(release))
        if daemon is not None:
            processes.stop(daemon, grace=30)
        shutil.rmtree(self._folder(release), ignore_errors=True)
        (self._home / "variables" / f"{release}.json").unlink(missing_ok=True)
        self._record(release).unlink(missing_ok=True)

    def _variables(self, release: str) -> dict[str, str]:
        known = recall(self._home / "variables" / f"{release}.json", dict[str, str]) or {}
        for name, value in known.items():
            learn_named(name, value)
        return known

    def _environment(self, lock: str) -> Path:
        """The python of an environment that holds exactly the site's lock; made by uv on first use."""
        folder = self._environments / lock[:12]
        python = folder / "bin" / "python"
        if (folder / "complete").exists():
            return python
        uv = Path(sys.executable).parent / "uv"
        env = {**os.environ, "VIRTUAL_ENV": str(folder)}
        self._run(
            [uv, "venv", "--quiet", "--clear", "--relocatable", "--python", sys.executable, folder],
            cwd=self._root,
            env=env,
            what="uv venv",
        )
        sync = [
            uv,
            "pip",
            "sync",
            "--quiet",
            "--require-hashes",
            "--python",
            python,
            self._root / self._project.site.requirements,
        ]
        self._run(sync, cwd=self._root, env=env, what=self._project.site.requirements)
        (folder / "complete").touch()
        return python

    def _python(self, build: Build) -> Path:
        return self._environment(build.parts["dependencies"])

    def _clean_env(self, folder: Path) -> dict[str, str]:
        scratch = folder / "tmp"
        scratch.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return kept | {"PATH": os.defpath, "HOME": str(folder), "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"}

    def _run(
        self,
        command: list[str | Path],
        *,
        cwd: Path,
        env: Mapping[str, str],
        what: str,
        holding: Collection[int] = (),
        unless: str = "",
    ) -> list[str]:
        """Run to the end and return the lines said. Raises StayputError with the telling one of them.

        holding: open files that stay open as long as the command runs. unless: what it may fail with.
        """
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(env),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=holding,
        )
        if done.returncode and not (unless and unless in done.stdout):
            said, next_step = processes.telling(done.stdout.splitlines())
            raise StayputError(what, said, next_step or "mend that and run it again")
        return [line for line in done.stdout.splitlines() if line.strip()]

    def _healthy_as(self, release: Release, url: str) -> Callable[[], bool]:
        """Whether the release answers /healthz under its own name; one that keeps saying no is not waited for."""
        refusals: list[float] = []

        def ready() -> bool:
            status, reported = health.ask(url)
            if (
                status == HTTPStatus.OK
                and reported.get("release") == release.id
                and reported.get("build") == release.build.id
            ):
                return True
            if status:
                refusals.append(time.monotonic())
                if refusals[-1] - refusals[0] > REFUSING_SECONDS:
                    log = self._log(release.id)
                    why = health.failing(reported) or processes.last_words(log)
                    raise StayputError(f"release {release.id}", f"/healthz answers {status}: {why}", f"read {log}")
            return False

        return ready

    def _log(self, release: str) -> Path:
        return self._home / "logs" / f"{release}.log"

    def _prune(self, keep: str) -> None:
        builds = sorted((self._home / "builds").iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in builds[KEPT_BUILDS:]:
            if folder.name != keep:
                shutil.rmtree(folder, ignore_errors=True)


class Baked(msgspec.Struct, frozen=True, kw_only=True):
    """What a build says of itself."""

    build: str
    parts: dict[str, str]


def _baked(folder: Path) -> Baked | None:
    return recall(folder / "stayput-build.json", Baked)
