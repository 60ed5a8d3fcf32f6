"""What a stand-in runs that builds the repository itself: a cache of layers, a build log, and the site of a commit."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

from stayput.image.inside import LOCKED
from tests.standins.instant import InstantSites
from tests.standins.sites import LightImages, ProcessSites

NOISE = [f"#9 {n}.0 transferring layer {n}" for n in range(120)]  # more than a page of a log


def told(count, lock):
    """The line of the verify stage, as BuildKit writes it."""
    return f"#14 2.1 {count} {LOCKED}, sha256 {lock}"


class LightCommits(LightImages):
    """A Source whose commits are named after their builds."""

    def reference(self, build):
        super().reference(build)
        return hashlib.sha1(build.id.encode()).hexdigest()


class LightCommitSites(InstantSites):
    """Builds names. stale: layers of the build before are taken for this one's, until the cache is cleared."""

    def __init__(self, images):
        super().__init__(images)
        self.stale, self.locks, self.made, self.last = False, {}, {}, ""
        self.fresh = []  # whether each build was one

    def build(self, commit, fresh):
        """The log. `locks`: what the verify stage says of a commit; it says nothing where the lock's layer was kept."""
        self.fresh.append(fresh)
        if not (self.stale and self.last) or fresh:
            self.last = next(one for one in self.images.builds if hashlib.sha1(one.encode()).hexdigest() == commit)
        self.made[commit] = self.last
        lock = self.locks.get(commit)
        return [*NOISE, *([told(46, lock)] if lock else [])]

    def start(self, image, variables, before=""):
        if self.broken:
            raise self.broken
        return self.open(
            {"status": "ok", "release": variables.get("STAYPUT_RELEASE", ""), "build": self.made[image]},
        )


class CommitSites(ProcessSites):
    """Builds commits of a bare repository as the Dockerfile does, but for the base, and starts them for real."""

    def __init__(self, home, environments, remote):
        super().__init__(home, environments)
        self._remote, self._made, self._layers = remote, {}, set()
        self.stale = False  # the layers of the last build are taken for this one's, until the cache is cleared
        self._last = None

    def build(self, commit, fresh):
        context = Path(self._disks) / f"context-{len(self._made)}-{commit[:8]}{'-fresh' * fresh}"
        context.mkdir(parents=True)
        archive = subprocess.run(["git", "-C", self._remote, "archive", commit], capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", context], input=archive.stdout, check=True)
        base = re.search(r"^ARG BASE=(\S+)", (context / "docker/Dockerfile").read_text(), re.MULTILINE)[1]
        parts = [sys.executable, context / "stayput/image/parts.py", context, context / "parts", base]
        subprocess.run(parts, check=True)
        if not self.stale or fresh or self._last is None:
            self._last = context / "parts" / "app"
        self._made[commit] = self._last
        lock = context / "parts/requirements.txt"
        digest = hashlib.sha256(lock.read_bytes()).hexdigest()
        python = self._environments / digest[:12] / "bin" / "python"
        names = {"SECRET_KEY": "unused", "STAYPUT_KEY": "unused", "USE_S3": "False"}
        collect = [python, "-B", "manage.py", "collectstatic", "--noinput"]
        subprocess.run(collect, cwd=context / "parts" / "app", env=names, check=True, capture_output=True)
        if digest in self._layers and not fresh:
            return NOISE
        self._layers.add(digest)
        verify = [python, "-B", context / "stayput/image/inside.py", "dependencies", lock]
        done = subprocess.run(verify, capture_output=True, text=True, check=False)
        return [*NOISE, *(f"#14 2.1 {line}" for line in (done.stdout + done.stderr).splitlines())]

    def folder_of(self, image):
        return self._made.get(image)
