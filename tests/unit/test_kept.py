"""What is said where a file of .stayput is damaged: it is made again where it can be, one line where it cannot."""

import pytest

from stayput import processes, secrets
from stayput.errors import NeedsAPerson
from stayput.kept import recall
from stayput.project import Project, Site
from stayput.release import name_build
from stayput.secrets import Secret
from stayput.stack import Stack
from stayput.targets.process import ProcessTarget

DAMAGED = [b"", b"[1", b"null", b"[]", b"3", b'{"pid": "x"}', b'{"a": "\xff"}', b"\xff\xfe{\0}\0", b"\0" * 64]
PROJECT = Project(name="gallery", site=Site(sources=("app",), requirements="lock.txt", start="serve"))


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_that_can_be_made_again_counts_as_not_there(tmp_path, content):
    file = tmp_path / "kept.json"
    file.write_bytes(content)
    assert recall(file, dict[str, int]) is None
    assert processes.load(file) is None
    target = ProcessTarget(PROJECT, Stack(tmp_path), Secret("key"))
    build = name_build({"source": "1", "dependencies": "2"})
    folder = Stack(tmp_path).home / "process" / "builds" / build.id
    folder.mkdir(parents=True)
    (folder / "stayput-build.json").write_bytes(content)
    assert not target.has(build)


@pytest.mark.parametrize("content", [*DAMAGED, b'{"secret_key": ""}', b'{"secret_key": "a"}'])
def test_damaged_secrets_are_said_in_one_line_and_never_drawn_anew(tmp_path, content):
    file = tmp_path / "secrets.json"
    file.write_bytes(content)
    with pytest.raises(NeedsAPerson, match="cannot be read"):
        secrets.load_or_draw(file)
    assert file.read_bytes() == content
