"""Upload tokens: who may make one, and for how long it is good."""

import subprocess
import sys
import time

import pytest

from stayput.django.tokens import BadToken, sign, verify

KEY = "a key of a test"


@pytest.mark.parametrize("purpose", ["upload", "smoke-test", "keepsake"])
def test_a_fresh_token_says_what_it_is_for(purpose):
    assert verify(KEY, sign(KEY, purpose=purpose)) == purpose


def test_a_token_is_good_for_ten_minutes_and_no_longer():
    assert verify(KEY, sign(KEY, purpose="upload", issued_at=time.time() - 590)) == "upload"
    with pytest.raises(BadToken, match="has expired"):
        verify(KEY, sign(KEY, purpose="upload", issued_at=time.time() - 602))


def test_a_token_from_the_future_is_refused_but_a_clock_may_be_a_little_ahead():
    assert verify(KEY, sign(KEY, purpose="upload", issued_at=time.time() + 30)) == "upload"
    with pytest.raises(BadToken, match="clock of its signer is ahead"):
        verify(KEY, sign(KEY, purpose="upload", issued_at=time.time() + 3600))


@pytest.mark.parametrize(
    "token", ["", "x", "a:b", "upload:1:2", "upload::", ":::", "üplöad:ü:ü", "upload:" + "9" * 5000]
)
def test_what_was_never_signed_is_refused(token: str):
    with pytest.raises(BadToken, match="not signed by this site"):
        verify(KEY, token)


def test_another_key_opens_nothing():
    with pytest.raises(BadToken, match="not signed by this site"):
        verify(KEY, sign("another key", purpose="upload"))


def test_a_token_cannot_be_changed_to_another_purpose():
    said, _ = sign("another key", purpose="upload").split(":")
    _, signature = sign(KEY, purpose="keepsake").split(":")
    with pytest.raises(BadToken, match="not signed by this site"):
        verify(KEY, f"{said}:{signature}")


def test_a_purpose_that_the_site_does_not_know_is_refused():
    with pytest.raises(BadToken, match="something this site does not know"):
        verify(KEY, sign(KEY, purpose="everything"))  # type: ignore[arg-type]


def test_an_empty_key_never_falls_back_to_another():
    with pytest.raises(ValueError, match="STAYPUT_KEY is empty"):
        sign("", purpose="upload")


def test_a_token_is_signed_without_any_settings():
    code = "from stayput.django.tokens import sign; print(sign('k', purpose='upload'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={}, check=True)
    assert verify("k", done.stdout.strip()) == "upload"
