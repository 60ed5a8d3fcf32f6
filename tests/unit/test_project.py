import codecs
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayput.errors import WrongUse
from stayput.project import load
from stayput.targets.render import Table

WHOLE = """
name = "gallery"
[site]
sources = ["app"]
requirements = "requirements/site.txt"
start = "gunicorn app.wsgi"
[targets.render]
service = "gallery"
"""


def written(folder, text):
    (folder / "stayput.toml").write_text(text)
    return folder


def test_the_projects_own_file_is_read():
    assert load(Path(__file__).parents[2]).name == "gallery"


def test_a_value_can_be_overridden_for_one_run(tmp_path):
    project = load(
        written(tmp_path, WHOLE), ["targets.process.port=9001", "targets.render.service=srv-9", "storage=local"]
    )
    assert project.targets.process.port == 9001
    assert project.targets.providers == {"render": Table(service="srv-9")}
    assert project.storage == "local"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            WHOLE.replace("sources", "soruces"),
            "stayput.toml, site: unknown key `soruces`. Next: did you mean `sources`?",
        ),
        (
            WHOLE.replace('start = "gunicorn app.wsgi"', ""),
            "stayput.toml, site: `start` is missing. Next: add it; docs/stayput.toml.md says what it is",
        ),
        (
            WHOLE.replace('sources = ["app"]', "sources = 3"),
            "stayput.toml, site.sources: expected `array`, got `int`. Next: mend that value",
        ),
        (
            WHOLE.replace('["app"]', '["../Other/app"]'),
            "stayput.toml, site: ../Other/app is not in the checkout. Next: mend that value",
        ),
        (
            WHOLE.replace('"requirements/', '"/etc/'),
            "stayput.toml, site: /etc/site.txt is not in the checkout. Next: mend that value",
        ),
        (
            WHOLE.replace("app.wsgi", "'app.wsgi"),
            "stayput.toml, site: the start command cannot be read: No closing quotation. Next: mend that value",
        ),
        (
            WHOLE.replace("service", "servise"),
            "stayput.toml, targets.render: unknown key `servise`. Next: did you mean `service`?",
        ),
        (
            WHOLE.replace("service =", "#"),
            "stayput.toml, targets.render: `service` is missing. Next: add it; docs/stayput.toml.md says what it is",
        ),
        (
            WHOLE.replace("targets.render", "targets.rendr"),
            "stayput.toml, targets: unknown key `rendr`. Next: did you mean `render`?",
        ),
        (
            "targets = 3" + WHOLE.partition("[targets")[0],
            "stayput.toml, targets: expected `object`, got `int`. Next: mend that value",
        ),
        (
            WHOLE + "[targets.providers]",
            "stayput.toml, targets: unknown key `providers`. Next: did you mean `process`?",
        ),
    ],
)
def test_a_fault_in_the_file_is_said_with_its_place_and_what_to_do(tmp_path, text, message):
    with pytest.raises(WrongUse) as refused:
        load(written(tmp_path, text))
    assert str(refused.value) == message


def test_a_file_that_is_no_toml_is_refused_with_the_line(tmp_path):
    with pytest.raises(WrongUse, match="line 1"):
        load(written(tmp_path, "name = @"))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(WrongUse, match="is not there"):
        load(tmp_path)


def test_an_override_without_a_value_is_told(tmp_path):
    with pytest.raises(WrongUse, match="is not KEY=VALUE"):
        load(written(tmp_path, WHOLE), ["storage"])


def test_the_pages_of_the_proof_are_paths(tmp_path):
    written(tmp_path, WHOLE + '[proof]\npages = ["/", "/login/", "/\u00fcber-uns/"]\n')
    assert load(tmp_path).proof.pages == ("/", "/login/", "/\u00fcber-uns/")


@pytest.mark.parametrize("page", ["", "login", "//elsewhere", "https://site/", "/a?b", "/a#b", "/a b", "/a\\b", "/\t"])
def test_a_page_that_is_no_path_is_refused_by_name(tmp_path, page):
    written(tmp_path, WHOLE + f"[proof]\npages = [{json.dumps(page)}]\n")
    with pytest.raises(WrongUse, match=r"stayput.toml, proof.*is not the path of a page"):
        load(tmp_path)


def test_more_pages_than_a_proof_visits_are_refused(tmp_path):
    written(tmp_path, WHOLE + f"[proof]\npages = {json.dumps([f'/{n}/' for n in range(21)])}\n")
    with pytest.raises(WrongUse, match="more than 20 pages"):
        load(tmp_path)


IMPOSSIBLE = {
    "name": ["''", "'Gallery'", "'my gallery'", "'a/b'", "'-a'", '"a\\u0000"', f"'{'a' * 99}'"],
    "site.sources": ["[]", "['']", "['app', ' ']", '["a\\u0000b"]', '["a\\nb"]'],
    "site.requirements": ["''", "' '"],
    "site.start": ["''", "'  '", "'\"\"'", '"a\\u0007"'],
    "site.manage": ["'.'", "'./'"],
    "image.base": ["''", "'https://python'", "'python:'", "'Python'", "'python@sha256:1'", "'a b'"],
    "image.platform": ["''", "'amd64'", "'windows/amd64'", "'linux/amd64,linux/arm64'"],
    "image.system": ["['']", "['--help']", "['a b']"],
    "registry.repository": [
        "'https://ghcr.io/team/gallery'",
        "'ghcr.io/Team/gallery'",
        "'ghcr.io/team/gallery:latest'",
    ],
    "targets.process.port": ["0", "-1", "65536", f"0x{'f' * 9000}"],
    "targets.docker.port": ["0", "65536"],
    "targets.docker.instances": ["0", "-1"],
    "targets.docker.pids": ["0", "-1"],
    "targets.docker.memory": ["''", "'lots'", "'1'", "'-1g'", "'1m'", "'1gib'"],
    "targets.render.service": ["''", "' '"],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in IMPOSSIBLE.items() for value in values])
def test_a_value_that_can_never_work_is_refused_by_its_key(tmp_path, key, value):
    with pytest.raises(WrongUse, match=f"^stayput.toml, {key}: ") as refused:
        load(written(tmp_path, WHOLE), [f"{key}={value}"])
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    "override",
    [
        "image.base=ghcr.io/team/python:3.13@sha256:" + "0" * 64,
        "image.base=localhost:5000/python",
        "image.platform=linux/arm/v7",
        "image.system=['libstdc++6', 'libmagic1:amd64', 'curl=8.1-1+b2']",
        "registry.repository=[::1]:5000/team/gallery_1",
        "targets.docker.memory=1.5G",
        "targets.docker.memory=512mb",
        "variables.MOTTO=two\nlines",
        "name=my-site.2",
    ],
)
def test_a_value_that_works_is_taken(tmp_path, override):
    load(written(tmp_path, WHOLE), [override])


@pytest.mark.parametrize("name", ["A-B", "1A", "", "A B", "Database_Url", "A\u00a0"])
def test_what_is_no_variables_name_is_refused(tmp_path, name):
    with pytest.raises(WrongUse, match=r"^stayput\.toml, variables: "):
        load(written(tmp_path, WHOLE + f"[variables]\n{json.dumps(name)} = 's3cr3t'"))


@pytest.mark.parametrize("override", ["a..b=1", "=1", ".=1", "name", " =1", "targets.=1"])
def test_an_override_that_is_no_key_and_value_is_refused(tmp_path, override):
    with pytest.raises(WrongUse, match="is not KEY=VALUE"):
        load(written(tmp_path, WHOLE), [override])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_file_is_read_as_windows_saves_it(tmp_path, encoding):
    (tmp_path / "stayput.toml").write_bytes(WHOLE.replace("\n", "\r\n").encode(encoding))
    assert load(tmp_path).name == "gallery"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name = 'caf\xe9'", "line 1 is not UTF-8"),
        (WHOLE.encode("utf-16-le"), "holds a NUL byte"),
        (b"a = " + b"[" * 5000, "is nested too deeply"),
        (b"a = " + b"1" * 5000, "is not TOML"),
        (WHOLE.encode() + b"['targets'.'*']", r"unknown key `\*`"),
        (b"'a\\nb' = 1\n" + WHOLE.encode(), "unknown key"),
        (codecs.BOM_UTF8, "`name` is missing"),
        (None, "cannot be read: Is a directory"),
    ],
)
def test_a_file_that_is_odd_is_refused_in_one_line(tmp_path, content, said):
    path = tmp_path / "stayput.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(WrongUse, match=said) as refused:
        load(tmp_path)
    assert len(str(refused.value).splitlines()) == 1


KEYS = ["name", "storage", "keyring", "database", "targets", "variables", "site", "image", "targets.render"]
KEYS += [*IMPOSSIBLE, "targets.docker.registry", "targets.render.fresh", "variables.A", "targets.koyeb.app", "x.y"]
VALUES = ["nan", "-inf", "1979-05-27", "07:32:00", "[]", "[[]]", "{}", "{a={b=1}}", "''", "true", "3", "1e400"]
VALUES += ['"../x"', "'/etc'", "'*'", "'~'", '"\\u0000"', '"\\u001b[31m"', "9" * 400, "[" * 5000, "9" * 5000]


@given(st.lists(st.tuples(st.sampled_from(KEYS) | st.text(), st.sampled_from(VALUES) | st.text()), max_size=3))
def test_any_override_is_taken_or_refused_in_one_line(tmp_path_factory, overrides):
    folder = tmp_path_factory.getbasetemp()
    try:
        load(written(folder, WHOLE), [f"{key}={value}" for key, value in overrides])
    except WrongUse as refused:
        assert len(str(refused).splitlines()) == 1
