"""The uploader's keys as the stack's settings say them."""

import stat
from pathlib import Path

import pytest
import yaml

from stayput import keys
from stayput.errors import WrongUse
from stayput.keys import Keys
from stayput.rotate import seconds
from stayput.stack import Stack
from tests.unit.infra.program import run

SETTINGS = """\
# The stack of our site.
config:
  aws:region: eu-central-1 # where our visitors are
  stayput:origins:
    - https://photos.example.org
encryptionsalt: v1:abc
"""


@pytest.fixture
def stack(tmp_path):
    made = Stack(tmp_path)
    made.settings.write_text(SETTINGS)
    return made


def rotation(generation=1):
    states = [Keys(generation=generation)]
    while len(states) == 1 or states[-1].previous:
        states.append(states[-1].further())
    return states


def test_a_rotation_is_a_new_key_then_the_old_one_disabled_then_deleted():
    assert rotation() == [
        Keys(generation=1),
        Keys(generation=2, previous="active"),
        Keys(generation=2, previous="inactive"),
        Keys(generation=2),
    ]


@pytest.mark.parametrize("said", rotation())
def test_what_is_written_is_read_and_every_other_line_stays(stack, said):
    keys.write(stack, said)
    assert keys.read(stack) == said
    ours = [line for line in stack.settings.read_text().splitlines() if "key" not in line.lower()]
    assert ours == SETTINGS.splitlines()


def test_a_whole_rotation_changes_one_line(stack):
    for said in rotation():
        keys.write(stack, said)
    before = SETTINGS.replace("config:\n", "config:\n  stayput:keyGeneration: 2\n")
    assert stack.settings.read_text() == before


def test_the_settings_keep_their_permissions_and_nothing_is_left_beside_them(stack):
    stack.settings.chmod(0o640)
    keys.write(stack, Keys(generation=7))
    assert stat.S_IMODE(stack.settings.stat().st_mode) == 0o640
    assert list(stack.root.iterdir()) == [stack.settings]


def test_settings_as_pulumi_writes_them_are_read_and_replaced(stack):
    stack.settings.write_text('config:\n    "stayput:keyGeneration": "3"\n    stayput:previousKey: active\n')
    assert keys.read(stack) == Keys(generation=3, previous="active")
    keys.write(stack, Keys(generation=3))
    assert stack.settings.read_text() == "config:\n    stayput:keyGeneration: 3\n"


def test_settings_without_other_config_get_their_lines(stack):
    stack.settings.write_text("config:\n")
    keys.write(stack, Keys(generation=2))
    assert yaml.safe_load(stack.settings.read_text()) == {"config": {"stayput:keyGeneration": 2}}


@pytest.mark.parametrize("text", ["config: {aws:region: eu-west-3}\n", "a: |\n  config:\n", "[", "---\n- config\n"])
def test_a_file_that_a_program_cannot_edit_is_left_alone_and_the_lines_are_told(stack, text):
    stack.settings.write_text(text)
    with pytest.raises(WrongUse, match=r"Next: write stayput:keyGeneration: 2, stayput:previousKey: active$"):
        keys.write(stack, Keys(generation=2, previous="active"))
    assert stack.settings.read_text() == text


@pytest.mark.parametrize("said", rotation(4))
def test_the_program_makes_exactly_the_keys_that_are_said(said):
    previous = {"previousKey": said.previous} if said.previous else {}
    made = run(keyGeneration=said.generation, **previous)
    statuses = [one.inputs["status"] for one in made.all("AccessKey")]
    assert sorted(statuses) == sorted(["Active", *([said.previous.capitalize()] if said.previous else [])])
    assert len(statuses) <= 2


def test_a_key_is_named_by_its_generation_so_that_a_new_one_never_replaces_the_old():
    made = run(keyGeneration=2, previousKey="active")
    assert {one.name for one in made.all("AccessKey")} == {"uploader-1", "uploader-2"}
    assert made.outputs["access_key_id"] == "uploader-2-1a2b3c4"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_settings_that_windows_saved_are_read_and_written(tmp_path, encoding):
    stack = Stack(tmp_path)
    stack.settings.write_bytes(SETTINGS.replace("\n", "\r\n").encode(encoding))
    keys.write(stack, Keys(generation=2, previous="active"))
    assert keys.read(stack) == Keys(generation=2, previous="active")


@pytest.mark.parametrize("text", ["abc", "-5", "1.5", "", "1e9", "9" * 99, "\u0663"])
def test_a_grace_that_is_no_number_of_seconds_is_refused(text):
    assert seconds("3600") == 3600
    with pytest.raises(WrongUse, match="is no number of seconds"):
        seconds(text)


@pytest.mark.parametrize("name", ["../x", "a/b", "", "a\0b", "-x", "a b", "x" * 101])
def test_what_is_no_name_of_a_stack_is_refused(name):
    with pytest.raises(WrongUse, match="is not the name of a stack"):
        Stack(Path(), name)
