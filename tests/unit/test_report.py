import errno
import json
import shutil

import pytest

from stayput.errors import DifferencesFound, NeedsAPerson, StayputError, WrongUse
from stayput.report import reporting


@pytest.mark.parametrize(("kind", "code"), [(StayputError, 1), (WrongUse, 2), (NeedsAPerson, 3), (DifferencesFound, 4)])
def test_each_kind_of_error_has_its_exit_code(kind, code):
    with pytest.raises(SystemExit) as ended, reporting(False):
        raise kind("where", "what", "next")
    assert ended.value.code == code


def test_an_error_is_one_line_for_people_and_fields_for_programs(capsys):
    with pytest.raises(SystemExit), reporting(True):
        raise StayputError("render, service srv-9", "image 9f2c is not in the registry", "push it: invoke build")
    said = capsys.readouterr()
    assert said.err == "render, service srv-9: image 9f2c is not in the registry. Next: push it: invoke build\n"
    error = {
        "where": "render, service srv-9",
        "what": "image 9f2c is not in the registry",
        "next": "push it: invoke build",
    }
    assert json.loads(said.out) == {"ok": False, "error": error}


def test_a_command_that_ends_well_writes_one_document_and_no_exit_code(capsys):
    with reporting(True) as report:
        report.say("for people")
        report.document["changed"] = False
    said = capsys.readouterr()
    assert json.loads(said.out) == {"ok": True, "changed": False}
    assert said.err == "for people\n"


@pytest.mark.parametrize(
    "problem",
    [
        OSError(errno.ENOSPC, "No space left on device", "/disk/file"),
        shutil.Error([("/disk/file", "/there", "[Errno 28] No space left on device: '/there'")]),
    ],
)
def test_a_full_disk_is_said_in_one_line(problem, capsys):
    with pytest.raises(SystemExit) as ended, reporting(False):
        raise problem
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("/disk/file: no space left on the disk. Next: make room")


def test_a_question_that_nobody_can_answer_names_the_option_that_answers_it():
    with pytest.raises(SystemExit) as ended, reporting(True) as report:
        report.confirm("Everything is removed.", False)
    assert ended.value.code == 2
