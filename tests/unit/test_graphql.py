"""What an error in a GraphQL answer means: to be tried again, to be waited for, or a no."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayput.targets.graphql import meaning


def of(message, **extensions):
    return meaning(200, {"errors": [{"message": message, "extensions": extensions}], "data": None})[0]


@pytest.mark.parametrize(
    "message",
    [
        "Problem processing request",
        "Internal server error",
        "INTERNAL_SERVER_ERROR",
        "Request timed out",
        "upstream connect error: timeout",
        "Service temporarily unavailable",
        "connection reset by peer",
        "something that nobody has heard of",
    ],
)
def test_trouble_that_may_pass_is_an_error_of_the_server(message):
    assert of(message) >= 500


@pytest.mark.parametrize("message", ["Rate limit exceeded", "Too many requests", "You are being rate limited"])
def test_a_limit_is_a_429(message):
    assert of(message) == 429


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("Not Authorized", 403),
        ("Unauthorized", 403),
        ("Deployment not found", 404),
        ('Variable "$input" got invalid value at "input.healthcheckTimeout"', 400),
        ("Field required", 400),
    ],
)
def test_a_refusal_is_a_no_whatever_code_the_server_gives_it(message, status):
    assert of(message) == of(message, code="INTERNAL_SERVER_ERROR") == status


def test_a_code_that_says_more_than_the_words_is_believed():
    assert of("no", code="FORBIDDEN") == 403
    assert of("slow down", code="RATE_LIMITED") == 429


def test_the_status_of_http_counts_where_it_is_an_error_itself():
    assert meaning(401, {"errors": [{"message": "Problem processing request"}]}) == (401, "Problem processing request")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda of: st.lists(of) | st.dictionaries(st.sampled_from(["errors", "data", "message", "extensions", "code"]), of),
)


@given(ANY, ANY)
def test_no_answer_is_too_strange(body, errors):
    assert isinstance(meaning(200, body)[0], int)
    assert isinstance(meaning(200, {"errors": errors})[1], str)
