import json
from pathlib import Path

import pytest

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
