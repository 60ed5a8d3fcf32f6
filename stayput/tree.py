"""The files of a checkout that are deployed: each is found, or refused by its name, and none is left out silently.

Links are followed within the checkout; submodules and repositories within the repository give their own files.
"""

import os
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath, PurePosixPath

from stayput.errors import WrongUse
from stayput.text import printable

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1"
SMALL = 1024  # bytes; no pointer of Git LFS has more
NEVER = {"__pycache__", ".stayput"}  # caches, and what a stack keeps for itself
SUBMODULE, LINK = "160000", "120000"  # git's modes


@dataclass(frozen=True)
class File:
    name: str  # its path in the release
    path: Path
    executable: bool = False

    def content(self) -> bytes:
        """Raises WrongUse for a file that cannot be read, and for a script that no Linux can run."""
        try:
            content = self.path.read_bytes()
        except OSError as problem:
            raise _refused(self.name, f"cannot be read: {problem.strerror}", "allow it, or take it out") from None
        if content.startswith(b"#!") and not self.name.endswith(".py") and content.partition(b"\n")[0].endswith(b"\r"):
            what = "is a script with the line ends of Windows, which Linux cannot run"
            raise _refused(self.name, what, "save it with LF; in .gitattributes: * text=auto eol=lf")
        return content


@dataclass(frozen=True)
class Entry:
    """What a folder holds, as git says it. tag: "S" is left out by a sparse checkout. mode: empty: not tracked."""

    name: str
    tag: str = "?"
    mode: str = ""


class Tree:
    def __init__(self, root: Path) -> None:
        self._root, self._home = root, root.resolve()

    def files(self, sources: Sequence[str]) -> Iterator[File]:
        """What git tracks, or would, below those; without git, all files but hidden ones and caches. Sorted by name."""
        found = {file.name: file for source in sources for file in self._source(source)}
        yield from (found[name] for name in sorted(found))

    def _source(self, name: str) -> Iterator[File]:
        if not os.path.lexists(self._root / name):
            raise WrongUse(
                "stayput.toml, site.sources", f"{name} is not there", "name files and folders of the checkout"
            )
        yield from self._below(str(PurePosixPath(name)), ())

    def _below(self, name: str, above: tuple[Path, ...]) -> Iterator[File]:
        """The files of a file or folder that something names. above: the folders that led here."""
        real = self._real(name)
        if real in above:
            raise _refused(name, "is a link to a folder that it lies in", "take the link out")
        if not real.is_dir() and not real.is_file():
            raise _refused(name, "is neither a file nor a folder", "take it out of the site")
        folder = real if real.is_dir() else real.parent
        entries = self._entries(folder, "" if real.is_dir() else real.name)
        if not entries and (not real.is_dir() or any(one.is_file() for one in real.rglob("*"))):
            what = "is ignored by git" if _has_git(folder) else "is hidden, and left out where there is no git"
            raise _refused(name, what, "have git track it, or take it out of the site")
        for entry in entries:
            if real.is_dir():
                yield from self._entry(str(PurePosixPath(name, entry.name)), entry, (*above, real))
            else:
                yield self._file(name, real, entry)

    def _entry(self, name: str, entry: Entry, above: tuple[Path, ...]) -> Iterator[File]:
        path = self._root / name
        if NEVER & {*PurePosixPath(name).parts}:
            return
        if path.is_symlink():
            yield from self._below(name, above)
        elif entry.mode == SUBMODULE and not (path / ".git").exists():
            what, next_step = "is a submodule that is not checked out", "git submodule update --init --recursive"
            raise _refused(name, what, next_step)
        elif path.is_dir() or (path.exists() and not path.is_file()):  # a repository of its own, or no file at all
            yield from self._below(name, above)
        elif path.exists():
            yield self._file(name, path, entry)
        elif entry.tag == "S":
            raise _refused(name, "is left out by a sparse checkout", "git sparse-checkout disable")
        else:
            next_step = f"bring it back: git restore; or take it out: git rm {printable(name)}"
            raise _refused(name, "is tracked by git and not on the disk", next_step)

    def _file(self, name: str, path: Path, entry: Entry) -> File:
        if not _is_utf8(name):
            raise _refused(name, "has a name that is not UTF-8", "give it another name")
        status = path.stat()
        if entry.mode == LINK and not (self._root / name).is_symlink() and path == self._root / name:
            what = "is a link in git and a file here"
            raise _refused(name, what, "git config core.symlinks true, then git restore it")
        if status.st_size < SMALL and File(name, path).content().startswith(LFS_POINTER):
            raise _refused(name, "is the pointer of a file in Git LFS, not the file", "git lfs pull")
        on_disk = bool(status.st_mode & stat.S_IXUSR)
        return File(name, path, on_disk if self._has_modes else entry.mode == "100755")

    def _real(self, name: str) -> Path:
        """Where a name leads. Raises WrongUse unless that is in the checkout."""
        try:
            real = (self._root / name).resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: links in a circle, before Python 3.13
            raise _refused(name, "is a link that leads nowhere", "mend the link, or take it out") from None
        if not real.is_relative_to(self._home):
            raise _refused(name, "is a link to a place outside of the checkout", "have a copy in the checkout")
        return real

    def _entries(self, folder: Path, only: str) -> list[Entry]:
        """What is deployed of a folder, all folders within it too. only: one file of it; empty: all."""
        words = ["-z", "-t", "--stage", "--cached", "--others", "--exclude-standard", "--", *([only] if only else [])]
        try:
            listed = _git(folder, "ls-files", *words)
        except (OSError, subprocess.CalledProcessError) as problem:
            if isinstance(problem, subprocess.CalledProcessError) and _has_git(folder):
                said = (problem.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"])[0]
                raise WrongUse("git", printable(said), "mend that: only git knows what it ignores") from None
            if _is_hidden(folder.relative_to(self._home)):
                return []
            found = [only] if only else _walked(folder)
            return [Entry(name) for name in found if not _is_hidden(PurePosixPath(name))]
        return [_parse(line) for line in listed.split("\0") if line]

    @cached_property
    def _has_modes(self) -> bool:
        """Whether the disk keeps executable bits; on one of Windows' own, git alone knows them."""
        try:
            return _git(self._root, "config", "--type=bool", "--default=true", "core.fileMode").strip() == "true"
        except (OSError, subprocess.CalledProcessError):
            return True


def _walked(folder: Path) -> Iterator[str]:
    """Files, and links to whatever, below a folder."""
    for path, folders, names in os.walk(folder):
        links = [name for name in folders if Path(path, name).is_symlink()]
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(path, name).relative_to(folder).as_posix() for name in (*names, *links))


def _is_hidden(path: PurePath) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _parse(line: str) -> Entry:
    r""" "H 100644 SHA 0\tNAME" of what is tracked, "? NAME" of what would be."""
    tag, _, rest = line.partition(" ")
    if tag == "?":
        return Entry(rest.rstrip("/"))
    said, _, name = rest.partition("\t")
    return Entry(name, tag, said.split(" ")[0])


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "--literal-pathspecs", "-C", str(folder), *words], capture_output=True, check=True)
    return os.fsdecode(done.stdout)


def _has_git(folder: Path) -> bool:
    return any((place / ".git").exists() for place in (folder, *folder.parents))


def _is_utf8(name: str) -> bool:
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _refused(name: str, what: str, next_step: str) -> WrongUse:
    return WrongUse(printable(name), what, next_step)
