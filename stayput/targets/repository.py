"""Commits for a provider that builds the repository itself, as the Dockerfile says."""

import re
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from stayput.errors import StayputError, WrongUse
from stayput.image.inputs import measure_repository
from stayput.image.inside import LOCKED
from stayput.image.parts import RECIPE
from stayput.kept import recall
from stayput.project import Project
from stayput.redact import redact
from stayput.release import Build, site_files
from stayput.secrets import write_private
from stayput.targets import Deviation

ANEW = "have it built without what is kept there: invoke deploy --fresh"


class Repository:
    """A Source whose references are commits. What is not committed and pushed is not measured."""

    def __init__(self, root: Path, project: Project, home: Path) -> None:
        """home: of the stack; it keeps which commit a build was of."""
        self._root, self._project, self._file = root, project, home / "commits.json"
        self._here: dict[str, str] = {}  # build → commit of this tree

    def measure(self) -> Build:
        commit, site = pushed_commit(self._root), self._project.site
        refuse_turned(self._root, {*(name for name, _ in site_files(self._root, site)), *RECIPE, site.requirements})
        build = measure_repository(self._root, self._project)
        self._here = {build.id: commit}
        return build

    def has(self, build: Build) -> bool:
        return build.id in self._known()

    def publish(self, build: Build) -> None:
        """Nothing is built here: only the commit is written down."""
        if self.measure().id != build.id:
            raise StayputError(f"build {build.id}", "is not of this tree", "check its commit out, then deploy")
        write_private(self._file, msgspec.json.encode({**self._known(), **self._here}))

    def deviations(self) -> Sequence[Deviation]:
        return ()

    def reference(self, build: Build) -> str:
        if commit := {**self._known(), **self._here}.get(build.id):
            return commit
        raise StayputError(f"build {build.id}", "was never released from here", "check its commit out, then deploy")

    def _known(self) -> dict[str, str]:
        return recall(self._file, dict[str, str]) or {}


def pushed_commit(root: Path) -> str:
    """The commit that this work tree is, in 40 hex digits. Raises WrongUse where no remote has it, as far as known."""
    try:
        commit, changed = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain")
        remotes = _git(root, "branch", "--remotes", "--contains", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        raise WrongUse(str(root), "has no commit that a platform could build", "commit and push it") from None
    if changed:
        name = changed.splitlines()[0].split(maxsplit=1)[1]
        raise WrongUse("the work tree", f"{name} is not committed", "commit and push it: the platform builds a commit")
    if not remotes:
        raise WrongUse(f"commit {commit[:10]}", "is on no branch of a remote", "push it: git push")
    return commit


def refuse_turned(root: Path, names: Collection[str]) -> None:
    """Raises WrongUse for a file of those whose line ends are CRLF here alone: the platform would build another.

    Only .gitattributes turns line ends on every machine alike. Source: git help ls-files, --eol.
    """
    for line in filter(None, _git(root, "ls-files", "--eol", "-z").split("\0")):
        said, _, name = line.partition("\t")
        committed, here, *attributes = said.split()
        everywhere = any(one.endswith("eol=crlf") for one in attributes)
        if name in names and here in ("w/crlf", "w/mixed") and here[2:] != committed[2:] and not everywhere:
            what = f"{name} has the line ends of Windows here, and LF in the commit that the platform builds"
            next_step = "git config core.autocrlf input, git rm -rq --cached . and git reset --hard"
            raise WrongUse("the work tree", what, next_step)


def is_commit(reference: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{40}", reference) is not None


def installed(where: str, lines: Sequence[str], build: Build, *, fresh: bool) -> str:
    """What these lines of a build's log, those of its verify stage, say of the lock, for people.

    A layer that was kept says nothing, so only a fresh build has to. Raises StayputError for another lock.
    """
    if found := [line for line in lines if line.rstrip().endswith(build.parts["dependencies"])]:
        return re.sub(rf".*?(\d+ {LOCKED}).*", r"its build log: \1", found[0].strip())
    if lines:
        raise StayputError(where, f"its build log says {redact(lines[0]).strip()[-150:]}: that is another lock", ANEW)
    if fresh:
        raise StayputError(where, "its build log does not say what was installed", "read it there")
    return "its build log does not say what was installed: that layer was kept from an earlier build"


def _git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
