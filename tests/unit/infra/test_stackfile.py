"""A stack's file becomes the config that `pulumi up` would hand to the program."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayput.engine import stackfile
from stayput.errors import WrongUse
from stayput.stack import Stack


@pytest.fixture
def stack(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text("name: gallery\n")
    return Stack(tmp_path, "test")


def test_values_become_text_as_pulumi_hands_them_over(stack):
    stack.settings.write_text(
        "encryptionsalt: v1:abc\n"
        "config:\n"
        "  aws:region: eu-west-3\n"
        "  stayput:allowPlainHttp: true\n"
        "  stayput:origins:\n    - https://a.example\n"
        "  mode: private\n"
        "  gallery:rows: 12\n"
    )
    assert stackfile.config(stack) == {
        "aws:region": "eu-west-3",
        "stayput:allowPlainHttp": "true",
        "stayput:origins": '["https://a.example"]',
        "gallery:mode": "private",
        "gallery:rows": "12",
    }


@pytest.mark.parametrize("text", ["config:\n", "encryptionsalt: v1:abc\n"])
def test_a_stack_without_config_has_none(stack, text):
    stack.settings.write_text(text)
    assert stackfile.config(stack) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("config:\n  a: [1\n  b: 2\n", "Pulumi.test.yaml, line 3: is not YAML"),
        ("- config\n", "Pulumi.test.yaml: is not a mapping"),
        ("", "Pulumi.test.yaml: is not a mapping"),
        ("config: [1]\n", "Pulumi.test.yaml: config is not a mapping"),
        ("config:\n  stayput:bucket:\n", "Pulumi.test.yaml, stayput:bucket: has no value"),
        ("config:\n  stayput:bucket:\n    secure: v1:abc\n", "Pulumi.test.yaml, stayput:bucket: is encrypted"),
        ("config:\n  7: a\n", "Pulumi.test.yaml: 7 is not a key"),
        ("\x00", "Pulumi.test.yaml: is not a text file in YAML"),
        ("config:\n\ta: b\n", "Pulumi.test.yaml, line 2: is not YAML"),
        ("config:\n  a: 1\n  a: 2\n", "Pulumi.test.yaml, line 3: is not YAML: a is there twice"),
        ("config: {}\nconfig:\n  a: b\n", "Pulumi.test.yaml, line 2: is not YAML: config is there twice"),
        ("config:\n  a: 2024-01-01\n", "Pulumi.test.yaml, a: is neither text nor a list"),
        ("config:\n  a: 2024-13-45\n", "Pulumi.test.yaml: is not a text file in YAML"),
        ("config:\n  a: .nan\n", "Pulumi.test.yaml, a: is neither text nor a list"),
        ("config:\n  a: &b [*b]\n", "Pulumi.test.yaml, a: is neither text nor a list"),
        ("config:\n  a: !!set {b}\n", "Pulumi.test.yaml, a: is neither text nor a list"),
        ("config:\n  a: !python/name:os.system\n", "Pulumi.test.yaml, line 2: is not YAML"),
        ("config: " + "[" * 2000, "Pulumi.test.yaml: is not a text file in YAML"),
        (f"config:\n  a: {'1' * 5000}\n", "Pulumi.test.yaml: is not a text file in YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(stack, text, told):
    stack.settings.write_text(text)
    with pytest.raises(WrongUse) as refused:
        stackfile.config(stack)
    assert str(refused.value).startswith(told)
    assert "\n" not in str(refused.value)


def test_a_stack_without_a_file_is_told_what_to_write(stack):
    with pytest.raises(WrongUse, match=r"stack test: there is no Pulumi.test.yaml\. Next: write one"):
        stackfile.config(stack)


@pytest.mark.parametrize("text", ["", "runtime: python\n", "name: 7\n"])
def test_a_project_without_a_name_is_told_to_have_one(stack, text):
    (stack.root / "Pulumi.yaml").write_text(text)
    with pytest.raises(WrongUse, match=r"Pulumi\.yaml: (has no name|is not a mapping)"):
        stackfile.project_name(stack.root)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_is_read_as_windows_saves_it(stack, encoding):
    stack.settings.write_bytes("config:\r\n  a: b\r\n".encode(encoding))
    assert stackfile.config(stack) == {"gallery:a": "b"}


def test_bytes_that_are_no_text_and_a_folder_are_refused_in_one_line(stack):
    stack.settings.write_bytes(b"config:\n  a: caf\xe9\n")
    with pytest.raises(WrongUse, match="is not a text file in YAML"):
        stackfile.config(stack)
    stack.settings.unlink()
    stack.settings.mkdir()
    with pytest.raises(WrongUse, match="cannot be read: Is a directory"):
        stackfile.config(stack)


@given(st.text() | st.binary())
def test_any_file_is_read_or_refused_in_one_line(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp()
    (folder / "Pulumi.yaml").write_text("name: gallery\n")
    stack = Stack(folder, "any")
    stack.settings.write_bytes(content if isinstance(content, bytes) else b"config:\n  a: " + content.encode())
    try:
        stackfile.config(stack)
    except WrongUse as refused:
        assert len(str(refused).splitlines()) == 1
