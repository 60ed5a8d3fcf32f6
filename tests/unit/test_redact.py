"""What the redactor hides, in whatever form it is written, and what it leaves readable."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayput.ledger import Failed, Ledger, Withdrawn
from stayput.redact import forget_all, learn_named, redact, redact_document, redact_lines
from stayput.report import Report
from stayput.secrets import Secret, secret_of

MARK = 'p4"ss/wörd+&<x>\\1'
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSj\n-----END PRIVATE KEY-----\n"
WRITTEN = {
    "as it is": MARK,
    "in an address": quote(MARK, safe=""),
    "in a path": quote(MARK),
    "in a form": quote_plus(MARK),
    "in JSON": json.dumps(MARK),
    "in JSON as UTF-8": json.dumps(MARK, ensure_ascii=False),
    "in JSON in JSON": json.dumps(json.dumps({"a": MARK})),
    "in Python": repr(MARK),
    "in HTML": html.escape(MARK),
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_secret_is_hidden_in_every_form_that_logs_and_errors_have_it_in(text):
    Secret(MARK)
    said = redact(f"before {text} after")
    assert (said.startswith("before "), said.endswith(" after"), "****" in said) == (True, True, True)
    for form in WRITTEN.values():
        assert form.strip('"') not in said


@given(st.text(min_size=8, max_size=40), st.binary(max_size=5), st.binary(max_size=5), st.booleans())
def test_a_secret_is_hidden_in_base64_wherever_it_begins(secret, before, after, urlsafe):
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    content = secret.encode("utf-8", "surrogateescape") if secret.isascii() else secret.encode("utf-8", "ignore")
    if secret.strip() != secret or len(content) < 8 or content.decode("utf-8", "ignore") != secret:
        return
    forget_all()
    Secret(secret)
    said = redact(f"Basic {encode(before + content + after).decode()}")
    assert encode(content).decode().rstrip("=")[4:-4] not in said.replace("****", "\n")


def test_the_password_of_an_address_is_hidden_by_itself_as_written_and_decoded():
    Secret("postgresql://gallery:pa%2Fss%23word@db.example.com/app?sslpassword=second-one")
    said = redact("user=gallery password is pa/ss#word, or pa%2Fss%23word, and second-one")
    assert said == "user=gallery password is ****, or ****, and ****"


def test_a_password_that_is_a_word_is_hidden_as_a_word():
    Secret("postgresql://postgres:postgres@db/postgres")
    assert redact('postgresql: FATAL role "postgres"') == 'postgresql: FATAL role "****"'


def test_each_line_of_a_key_over_several_lines_is_hidden():
    Secret(KEY)
    assert redact(f"key: {KEY!r}").count("MIIE") == 0
    assert list(redact_lines(["at MIIEvQIBADANBgkqhkiG9w0B", "AQEFAASCBKcwggSj"])) == ["at ****", "****"]


def test_an_unknown_private_key_is_hidden_line_by_line():
    lines = ["start", *KEY.splitlines(), "end"]
    said = list(redact_lines(lines))
    assert (said[0], said[-1]) == ("start", "end")
    assert not {"MIIEvQIBADANBgkqhkiG9w0B", "AQEFAASCBKcwggSj"} & set(said)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("postgresql://me:s3cr3t@db:5432/x", "postgresql://****@db:5432/x"),
        ("postgresql://me:s3/cr@3t@db:5432/x", "postgresql://****@db:5432/x"),
        ("Authorization: Bearer abc.def-1=", "Authorization: Bearer ****"),
        ("Authorization: Basic dTpw", "Authorization: Basic ****"),
        ("host=db password=x1 dbname=y", "host=db password=**** dbname=y"),
        (
            "GET /a?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=00ff HTTP/1.1",
            "GET /a?X-Amz-Credential=****&X-Amz-Signature=**** HTTP/1.1",
        ),
        ("http://127.0.0.1:8000/a@b", "http://127.0.0.1:8000/a@b"),
        (
            "release a1b2c3 is live at https://gallery.example.com",
            "release a1b2c3 is live at https://gallery.example.com",
        ),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_nothing_else(line, wanted):
    assert redact(line) == wanted


def test_a_longer_secret_goes_before_one_that_it_holds():
    Secret("hunter2"), Secret("hunter2-hunter2"), Secret("is")
    assert redact("key is hunter2-hunter2!") == "key is ****!"


def test_plain_values_stay_readable_and_a_plain_variable_with_a_password_does_not():
    secret_of("AWS_S3_REGION_NAME", "eu-central-1"), secret_of("RAILWAY_SERVICE_NAME", "gallery-web")
    learn_named("SITE_TITLE", "Our pictures")
    learn_named("SMTP_PASSWORD", "correct-horse")
    learn_named("CACHE_URL", "redis://:battery-staple@cache/0")
    said = redact("eu-central-1 gallery-web Our pictures correct-horse battery-staple")
    assert said == "eu-central-1 gallery-web Our pictures **** ****"


def test_what_would_steer_a_terminal_is_taken_out():
    assert redact("a\x1b[31mb\x1b]0;title\x07c\rd\x9b2Je\u202ef\tg\nh") == "abcd2Jef\tg\nh"


def test_a_secret_with_escapes_inside_is_hidden_too():
    Secret("marked-secret-1")
    assert redact("marked-\x1b[1msecret\x1b[0m-1") == "****"


def test_a_document_is_redacted_but_for_the_names_of_stayputs_own():
    Secret("docker"), Secret("marked-secret-1")
    said = redact_document(
        {"target": "docker", "error": {"what": "marked-secret-1 of docker"}, "steps": [{"seconds": 1.5}]}
    )
    assert said == {"target": "docker", "error": {"what": "**** of ****"}, "steps": [{"seconds": 1.5}]}


def test_the_ledger_keeps_no_secret(tmp_path):
    Secret("marked-secret-1")
    ledger = Ledger(tmp_path)
    ledger.append(Failed(step="start", error="it said marked-secret-1"))
    ledger.append(Withdrawn(target="docker", release="r1", why="marked-secret-1"))
    assert "marked" not in ledger.path.read_text()
    assert len(ledger.records()) == 2


def test_no_line_of_a_report_shows_a_secret(capsys):
    Secret("marked-secret-1")
    report = Report(as_json=True)
    report.say("[red]marked-secret-1 :warning:")
    report.planned("start", "marked-secret-1", "start marked-secret-1")
    report.table("marked", ("a",), [("marked-secret-1",)])
    report.close()
    out, err = capsys.readouterr()
    assert "marked-secret-1" not in out + err
    assert "[red]**** :warning:" in err
