import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayput.errors import WrongUse
from stayput.secrets import plain
from stayput.variables_file import parse, read

URL = "postgresql://owner:s3cr3t@db.example.com/gallery"
LINE = f"DATABASE_URL={URL}\n".encode()


def told(tmp_path, content):
    (tmp_path / "theirs").write_bytes(content)
    return {name: plain(value) for name, value in read(tmp_path, "theirs").items()}


@pytest.mark.parametrize(
    "content",
    [
        LINE,
        codecs.BOM_UTF8 + LINE,
        codecs.BOM_UTF16_LE + LINE.decode().encode("utf-16-le"),
        codecs.BOM_UTF16_BE + LINE.decode().encode("utf-16-be"),
        b"export " + LINE,
        b"# mine\r\n\r\n  " + LINE.replace(b"\n", b"\r\n"),
        f"DATABASE_URL = '{URL}'".encode(),
        f'DATABASE_URL="{URL}"  # the big one'.encode(),
        f"DATABASE_URL\u00a0={URL}".encode(),
    ],
)
def test_a_variable_is_read_as_editors_and_people_write_it(tmp_path, content):
    assert told(tmp_path, content) == {"DATABASE_URL": URL}


def test_a_value_may_go_over_several_lines_and_is_not_filled_in(tmp_path):
    content = b"key='-----BEGIN\nabc=\n-----END'\nHOME_URL=https://${HOST}/#a\n"
    assert told(tmp_path, content) == {"key": "-----BEGIN\nabc=\n-----END", "HOME_URL": "https://${HOST}/#a"}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"A=1\n\nset " + LINE, 3),
        (b"A=1\n\r\n$env:" + LINE, 3),
        (b"A=1\r\nDATABASE-" + LINE, 2),
        (b"\xe2\x80\x8b" + LINE, 1),
        (b"'DATABASE URL'=" + URL.encode(), 1),
        (b"Database_Url=" + URL.encode(), 1),
        (b"A=1\nDATABASE_URL: " + URL.encode(), 2),
        (b"A=1\nDATABASE_URL\n", 2),
        (b"DATABASE_URL=\n", 1),
        (b'DATABASE_URL="' + URL.encode() + b"\n", 1),
        (b'A="1\n' + LINE + b'B="2"', 1),
        (b'A="1\n' + LINE + b'B=2"', 1),
        (b"A=1\n" + LINE + b"\n" + LINE, 4),
        (b"A=1\n" + LINE + b"s3cr3t\0=1", 3),
        (b"A=1\n" + b"DATABASE_URL=s3cr3t\xe9", 2),
        (LINE.decode().encode("utf-16-le"), 1),
        (b"=" + URL.encode(), 1),
    ],
)
def test_what_is_no_variable_is_refused_by_its_line_and_shown_nowhere(tmp_path, content, line):
    with pytest.raises(WrongUse, match=rf"^theirs(, |: )line {line}\b") as refused:
        told(tmp_path, content)
    assert "s3cr3t" not in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"# nothing yet\n", codecs.BOM_UTF8])
def test_a_file_without_a_variable_is_refused(tmp_path, content):
    with pytest.raises(WrongUse, match="holds no variable"):
        told(tmp_path, content)


def test_a_file_that_cannot_be_read_is_said(tmp_path):
    with pytest.raises(WrongUse, match="gone is not there"):
        read(tmp_path, "gone")
    with pytest.raises(WrongUse, match="cannot be read: Is a directory"):
        read(tmp_path, ".")


@given(st.text())
def test_any_text_is_read_or_refused_in_one_line(text):
    try:
        parse("theirs", text)
    except WrongUse as refused:
        assert len(str(refused).splitlines()) == 1
