"""What of a log is shown: no secret, and only from the moment that was asked for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayput.errors import WrongUse
from stayput.logs import moment, shown

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LOG = [
    '{"time": "2026-05-01T11:00:00.000Z", "event": "old"}',
    "of the old one",
    '{"time": "2026-05-01T11:50:00.000Z", "event": "new"}',
    "Traceback of the new one",
]


def test_since_keeps_what_is_newer_and_what_belongs_to_it():
    assert list(shown(LOG, NOW - timedelta(minutes=30))) == LOG[2:]
    assert list(shown(LOG)) == LOG


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("10m", NOW - timedelta(minutes=10)),
        ("2h", NOW - timedelta(hours=2)),
        ("1d", NOW - timedelta(days=1)),
        ("2026-05-01T11:00", datetime(2026, 5, 1, 11, tzinfo=UTC)),
        ("2026-05-01T13:00+02:00", datetime(2026, 5, 1, 11, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_span_before_now_or_a_time(text, wanted):
    assert moment(text, NOW) == wanted


def test_what_is_no_time_is_wrong_use():
    with pytest.raises(WrongUse, match="is no time"):
        moment("yesterday", NOW)


@given(st.text(max_size=30) | st.from_regex(r"\d{1,30}[smhd]", fullmatch=True))
def test_no_since_gives_a_traceback(text):
    try:
        assert moment(text, datetime.now(UTC)).tzinfo
    except WrongUse as refused:
        assert refused.next_step
