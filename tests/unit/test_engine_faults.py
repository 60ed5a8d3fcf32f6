"""What Pulumi's engine tells of a failure, as one line. Told here as the real engine told it."""

import pytest

from stayput.engine.faults import explained

DENIED = (
    "User uploader",
    "1 error occurred:\n\t* An error occurred (AccessDenied) when calling the GetUser operation: not now\n\n\n",
)
NOT_BEGUN = ("GroupPolicy uploader", "the command was cancelled\n")
ENDED = ("", "update failed\n")


@pytest.mark.parametrize("errors", [(DENIED, NOT_BEGUN, ENDED), (NOT_BEGUN, DENIED, ENDED)])
def test_the_cause_is_told_and_not_what_was_cancelled_because_of_it(errors):
    assert str(explained("stack local", errors, "", "passphrase")) == (
        "User uploader: An error occurred (AccessDenied) when calling the GetUser operation: not now. "
        "Next: mend that, then run it again: it goes on where it was"
    )


@pytest.mark.parametrize("errors", [(("", "update canceled\n"),), (NOT_BEGUN, ("", "update canceled\n"))])
def test_a_cancelled_command_asks_for_nothing_but_to_be_run_again(errors):
    assert str(explained("stack local", errors, "", "passphrase")) == (
        "stack local: the command was cancelled. Next: run it again: it goes on where it was"
    )


def test_what_ended_the_engine_is_told_and_not_that_it_ended():
    ended = ("", "Resource monitor has terminated, shutting down\n")
    full = ("", "failed to save snapshot: no space left on device\n")
    assert "no space left on device" in str(explained("stack local", (ended, full), "", "passphrase"))
    assert "no space left on device" in str(explained("stack local", (ended,), f"{ended[1]}error: {full[1]}", ""))
    assert "the engine ended without a word" in str(explained("stack local", (ended,), ended[1], ""))
