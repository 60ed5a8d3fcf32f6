"""This machine's cloud as a process: it outlives its starter, is found again, and says so when it died."""

import os
import subprocess
import sys

import pytest

from stayput.errors import StayputError
from stayput.localcloud import server
from stayput.processes import answers
from tests.integration.clouds import ROOT


@pytest.fixture
def home(tmp_path):
    yield tmp_path
    server.stop(tmp_path)


def test_there_is_none_before_it_is_started(home):
    assert server.observe(home) is None


def test_it_outlives_the_command_that_started_it_and_is_found_again(home):
    code = f"from pathlib import Path; from stayput.localcloud import server; server.start(Path({str(home)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    found = server.observe(home)
    assert found.alive
    assert answers(found.port)
    assert server.start(home) == found


def test_it_listens_on_this_machine_alone(home):
    started = server.start(home)
    assert {one.laddr.ip for one in started.process().net_connections() if one.status == "LISTEN"} == {"127.0.0.1"}


def test_one_that_died_is_seen_and_started_anew(home):
    first = server.start(home)
    first.process().kill()
    os.waitpid(first.pid, 0)
    assert not server.observe(home).alive
    assert server.start(home) != first


def test_stopping_it_leaves_nothing_and_twice_is_no_error(home):
    started = server.start(home)
    server.stop(home)
    server.stop(home)
    assert not started.alive
    assert list(home.iterdir()) == []


def test_one_that_cannot_start_is_one_line(home, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(StayputError, match="this machine's cloud: ended at once: it said nothing"):
        server.start(home)
