import subprocess

import pytest

from stayput.errors import WrongUse
from stayput.project import Site
from stayput.release import measure_process_build, name_build, name_release, site_files
from stayput.secrets import Secret
from tests.unit.builders import KEY, build, release

SITE = Site(sources=("site", "manage.py"), requirements="lock.txt", start="serve")


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "views.py").write_text("one")
    (tmp_path / "manage.py").write_text("manage")
    (tmp_path / "lock.txt").write_text("django==5.2\n")
    return tmp_path


def test_the_same_parts_give_the_same_build_in_any_order():
    assert name_build({"a": "1", "b": "2"}).id == name_build({"b": "2", "a": "1"}).id


def test_a_build_names_the_parts_that_changed_since_an_earlier_one():
    assert build(dependencies="d2").changed_since(build().parts) == ("dependencies",)


def test_the_same_configuration_gives_the_same_release_in_any_order():
    assert release({"A": "1", "B": "2"}).id == release({"B": "2", "A": "1"}).id


def test_another_value_gives_another_release():
    assert release({"A": Secret("1")}).id != release({"A": Secret("2")}).id


def test_another_build_gives_another_release():
    assert release(of=build()).id != release(of=build(source="s2")).id


def test_another_stack_gives_another_release_of_the_same_thing():
    assert name_release(build(), {"A": "1"}, KEY).id != name_release(build(), {"A": "1"}, Secret("another")).id


def test_the_release_carries_its_own_id():
    here = release()
    assert here.variables["STAYPUT_RELEASE"] == here.id


def test_a_fingerprint_does_not_contain_what_it_stands_for():
    assert "hunter2" not in str(dict(release({"A": Secret("hunter2")}).fingerprints))


def test_a_changed_file_changes_the_source_and_nothing_else(tree):
    before = measure_process_build(tree, SITE)
    (tree / "site" / "views.py").write_text("two")
    assert measure_process_build(tree, SITE).changed_since(before.parts) == ("source",)


def test_a_changed_lock_changes_the_dependencies_and_nothing_else(tree):
    before = measure_process_build(tree, SITE)
    (tree / "lock.txt").write_text("django==5.3")
    assert measure_process_build(tree, SITE).changed_since(before.parts) == ("dependencies",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_lock_is_the_same_however_it_was_saved(tree, encoding, end):
    before = measure_process_build(tree, SITE)
    (tree / "lock.txt").write_bytes((tree / "lock.txt").read_text().replace("\n", end).encode(encoding))
    assert measure_process_build(tree, SITE) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"django==5.2\n# caf\xe9\n", "lock.txt: line 2 is not UTF-8. Next: save it as UTF-8"),
        ("django==5.2".encode("utf-16-le"), "lock.txt: line 1 holds a NUL byte. Next: save it as UTF-8"),
        (None, "stayput.toml, site.requirements: lock.txt cannot be read: Is a directory"),
    ],
)
def test_a_lock_that_cannot_be_read_is_refused_in_one_line(tree, content, said):
    (tree / "lock.txt").unlink()
    (tree / "lock.txt").mkdir() if content is None else (tree / "lock.txt").write_bytes(content)
    with pytest.raises(WrongUse, match=f"^{said}"):
        measure_process_build(tree, SITE)


def test_what_git_ignores_is_not_deployed(tree):
    subprocess.run(["git", "init", "-q", tree], check=True)
    (tree / ".gitignore").write_text(".env\n")
    (tree / "site" / ".env").write_text("SECRET=1")
    assert "site/.env" not in dict(site_files(tree, SITE))


def test_hidden_files_are_not_deployed_where_there_is_no_git(tree):
    (tree / "site" / ".env").write_text("SECRET=1")
    assert "site/.env" not in dict(site_files(tree, SITE))


def test_the_site_gets_the_django_side_of_the_tool_and_nothing_else_of_it(tree):
    ours = {name for name in dict(site_files(tree, SITE)) if name.startswith("stayput/")}
    assert "stayput/django/health.py" in ours
    assert all(name == "stayput/__init__.py" or name.startswith("stayput/django/") for name in ours)


def test_a_source_that_is_not_there_is_named(tree):
    with pytest.raises(WrongUse, match="gone is not there"):
        dict(site_files(tree, Site(sources=("gone",), requirements="lock.txt", start="serve")))
