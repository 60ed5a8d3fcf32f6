"""Two processes that build the same at once."""

import multiprocessing
import os
import tempfile

import pytest

from stayput.errors import StayputError
from stayput.image.turns import turn


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def build(line, folder):
    tempfile.tempdir = folder
    line.send("begun")
    with turn("gallery-1") as now:
        line.send(now.made)
        now.leave(b"the image")


def second():
    apart = multiprocessing.get_context("spawn")  # a fork would hold the lock, too
    ours, theirs = apart.Pipe()
    process = apart.Process(target=build, args=(theirs, tempfile.gettempdir()))
    process.start()
    assert ours.recv() == "begun"
    return ours, process


def test_the_second_waits_and_is_given_what_the_first_made():
    with turn("gallery-1") as now:
        line, process = second()
        assert not line.poll(0.5)
        now.leave(b"made by the first")
    assert line.recv() == b"made by the first"
    process.join()


def test_a_first_that_fails_leaves_the_second_to_build_it():
    with pytest.raises(ValueError, match="no space"), turn("gallery-1"):
        line, process = second()
        assert not line.poll(0.5)
        raise ValueError("no space")
    assert line.recv() == b""
    process.join()


def test_what_was_made_earlier_is_not_taken_for_what_is_made_now():
    with turn("gallery-1") as now:
        now.leave(b"an old one")
    with turn("gallery-1") as now:
        assert now.made == b""


def test_a_folder_that_leads_elsewhere_is_refused(folder, tmp_path_factory):
    (folder / f"stayput-builds-{os.getuid()}").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(StayputError, match="belongs to another user"), turn("gallery-1"):
        pass
