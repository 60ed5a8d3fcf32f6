"""The commit that a platform builds, with git itself."""

import subprocess

import pytest

from stayput.errors import WrongUse
from stayput.targets.repository import refuse_turned


def git(folder, *words):
    named = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *named, "-C", str(folder), *words], check=True, capture_output=True)


def test_line_ends_that_differ_from_the_commit_are_refused_unless_every_checkout_has_them(tmp_path):
    there, here = tmp_path / "there", tmp_path / "here"
    git(tmp_path, "init", "-q", "there")
    (there / "again").write_bytes(b"#!/bin/sh\necho\n")
    git(there, "add", "-A")
    git(there, "commit", "-qm", "first")
    clone = ["git", "clone", "-q", "-c", "core.autocrlf=true", str(there), str(here)]
    subprocess.run(clone, check=True, capture_output=True)
    with pytest.raises(WrongUse, match="again has the line ends of Windows here, and LF in the commit"):
        refuse_turned(here, {"again"})
    refuse_turned(here, {"another"})
    git(here, "config", "core.autocrlf", "input")
    git(here, "rm", "-rq", "--cached", ".")
    git(here, "reset", "-q", "--hard")
    refuse_turned(here, {"again"})

    (there / ".gitattributes").write_text("again text eol=crlf\n")
    git(there, "add", "-A")
    git(there, "commit", "-qm", "second")
    subprocess.run([*clone[:-1], str(tmp_path / "third")], check=True, capture_output=True)
    assert b"\r\n" in (tmp_path / "third" / "again").read_bytes()
    refuse_turned(tmp_path / "third", {"again"})
