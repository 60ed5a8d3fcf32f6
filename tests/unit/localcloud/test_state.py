"""The embedded engine's memory."""

import pytest

from stayput.engine import state
from stayput.engine.state import Entry, State
from stayput.errors import StayputError
from stayput.processes import Daemon

KNOWN = State(
    cloud=Daemon(pid=1, started=2.5, port=3),
    region="eu-central-1",
    resources=(Entry(urn="urn:pulumi:s::p::t::media", type="t", id="a", inputs={"b": 1}, outputs={"c": [True]}),),
    outputs={"bucket": "a"},
)


def test_what_was_saved_is_loaded_again(tmp_path):
    state.save(tmp_path, KNOWN)
    assert state.load(tmp_path) == KNOWN


def test_there_is_none_where_none_was_saved(tmp_path):
    assert state.load(tmp_path / "nowhere") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_damaged_one_is_told_in_one_line(tmp_path, content):
    state.path(tmp_path).write_bytes(content)
    with pytest.raises(StayputError, match=r"infra\.json: is damaged\. Next: start afresh"):
        state.load(tmp_path)


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path):
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(StayputError, match=r"infra\.json: cannot be written: "):
        state.save(tmp_path / "home", KNOWN)
