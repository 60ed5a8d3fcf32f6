"""Where a provider's token is looked for, and what is said of it. A keyring of memory stands for the machine's."""

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from stayput import doctor
from stayput.errors import WrongUse
from stayput.project import Project, Site
from stayput.targets import koyeb, railway, render
from stayput.tokens import ask_keyring, described, find

SITE = Site(sources=(), requirements="", start="")


class InMemory(KeyringBackend):
    """`kept`: (service, name) → value."""

    priority = 1

    def __init__(self, **kept):
        super().__init__()
        self.kept, self.locked = {("stayput", name): value for name, value in kept.items()}, False

    def get_password(self, service, username):
        if self.locked:
            raise KeyringLocked("the keyring is locked")
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password


@pytest.fixture
def use():
    before = keyring.get_keyring()
    yield lambda backend: keyring.set_keyring(backend) or backend
    keyring.set_keyring(before)


def test_a_variable_comes_before_a_file_and_a_file_before_the_keyring(tmp_path, use):
    use(InMemory(RENDER_API_KEY="of the keyring"))
    file = tmp_path / "key"
    file.write_text("of the file\n")
    both = {"RENDER_API_KEY": "of the variable", "RENDER_API_KEY_FILE": str(file)}
    of_file = {"RENDER_API_KEY_FILE": str(file)}
    found = [find(render.TOKENS, environment, ask_keyring) for environment in (both, of_file, {})]
    assert [one.secret.value for one in found] == ["of the variable", "of the file", "of the keyring"]
    assert [one.place for one in found] == ["the environment", f"the file {file}", "the keyring"]


def test_the_least_powerful_of_two_is_taken():
    environment = {"RAILWAY_TOKEN": "project", "RAILWAY_API_TOKEN": "account"}
    assert find(railway.TOKENS, environment, None).secret.value == "project"


def test_a_powerful_one_is_taken_where_there_is_no_other_and_the_lesser_is_recommended():
    found = find(railway.TOKENS, {"RAILWAY_API_TOKEN": "s3cr3t"}, None)
    said = "; ".join(described(found, railway.TOKENS))
    assert "RAILWAY_API_TOKEN, from the environment, speaks for all of its account" in said
    assert "RAILWAY_TOKEN would do, for one environment of one project alone" in said
    assert "s3cr3t" not in said + repr(found)


def test_each_kind_goes_into_its_own_header():
    of_project, of_account = (
        railway.connect(find(railway.TOKENS, {name: "s3cr3t"}, None)).headers
        for name in ("RAILWAY_TOKEN", "RAILWAY_API_TOKEN")
    )
    assert of_project["Project-Access-Token"].value == "s3cr3t"
    assert of_account["Authorization"].value == "Bearer s3cr3t"


@pytest.mark.parametrize(("kinds", "name"), [(render.TOKENS, "RENDER_API_KEY"), (koyeb.TOKENS, "KOYEB_TOKEN")])
def test_none_is_said_with_where_to_make_one(kinds, name):
    with pytest.raises(WrongUse, match=f"no token: {name} is not set.*make one"):
        find(kinds, {}, None)


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("", "is empty")])
def test_a_file_that_holds_none_is_said_and_nothing_else_is_tried(tmp_path, content, said):
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    with pytest.raises(WrongUse, match=said):
        find(render.TOKENS, {"RENDER_API_KEY_FILE": str(file)}, lambda _: "another")


@pytest.mark.parametrize("where", ["variable", "file", "keyring"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s3cr3t\n", ""),
        (" s3cr3t\r\n", ""),
        ("Bearer s3cr3t", "the word Bearer"),
        ("\u201cs3cr3t\u201d", "quotes"),
        ("s3cr3t\u201d", "quotes"),
        ('"s3cr3t"', "quotes"),
        ("s3cr3t\nRENDER=s3cr3t", "a line end"),
        ("s3cr3t\x1b[0m", "no token has"),
        ("s3cr3t\u00e9", "no token has"),
        ("s3cr3t\u200b", "no token has"),
    ],
)
def test_a_token_is_used_without_its_line_end_or_refused_in_words_wherever_it_lies(tmp_path, use, where, text, said):
    file = tmp_path / "key"
    file.write_bytes(text.encode())
    use(InMemory(RENDER_API_KEY=text) if where == "keyring" else InMemory())
    environment = {"variable": {"RENDER_API_KEY": text}, "file": {"RENDER_API_KEY_FILE": str(file)}, "keyring": {}}
    if not said:
        assert find(render.TOKENS, environment[where], ask_keyring).secret.value == "s3cr3t"
        return
    with pytest.raises(WrongUse, match=f"^RENDER_API_KEY, from the .*{said}") as refused:
        find(render.TOKENS, environment[where], ask_keyring)
    assert "s3cr3t" not in str(refused.value)


def test_a_file_that_windows_wrote_is_read(tmp_path):
    file = tmp_path / "key"
    file.write_bytes("s3cr3t\r\n".encode("utf-16"))
    assert find(render.TOKENS, {"RENDER_API_KEY_FILE": str(file)}, None).secret.value == "s3cr3t"


def test_the_keyring_is_not_asked_unless_that_is_said(use):
    use(InMemory(RENDER_API_KEY="of the keyring"))
    with pytest.raises(WrongUse, match="no token"):
        find(render.TOKENS, {}, None)


def test_a_keyring_that_is_locked_is_said_in_one_line(use):
    use(InMemory()).locked = True
    with pytest.raises(WrongUse, match="the keyring is locked"):
        find(render.TOKENS, {}, ask_keyring)


def test_the_doctor_says_which_token_was_found_where_and_never_its_value(monkeypatch):
    monkeypatch.setenv("RENDER_API_KEY", "s3cr3t")
    monkeypatch.setenv("RENDER_API_URL", "http://127.0.0.1:9")  # nobody answers there
    token, api = doctor.provider("render", Project(name="gallery", site=SITE))
    assert (token.ok, token.detail.partition(", speaks")[0]) == (True, "RENDER_API_KEY, from the environment")
    assert (api.name, api.ok) == ("provider", False)
    assert "s3cr3t" not in repr([token, api])
