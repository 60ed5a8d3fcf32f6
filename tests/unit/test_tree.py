"""Which files of a checkout are deployed, with git itself: each is found, or refused by its name."""

import os
import socket
import subprocess

import pytest

from stayput.errors import WrongUse
from stayput.project import Site
from stayput.release import measure_process_build
from stayput.tree import Tree

SITE = Site(sources=("app",), requirements="lock.txt", start="serve", manage="")
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"


def git(folder, *words):
    named = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *named, "-C", str(folder), *words], check=True, capture_output=True)


def commit(folder):
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "so far")


def write(folder, *names, text="x"):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture(params=["git", "no git"])
def root(tmp_path, request):
    """A checkout, with git and without."""
    place = tmp_path / "root"
    write(place, "app/a.py", "lock.txt")
    if request.param == "git":
        commit(place)
    return place


@pytest.fixture
def repository(tmp_path):
    place = tmp_path / "repository"
    write(place, "app/a.py", "lock.txt")
    commit(place)
    return place


def names(root, *sources):
    return [file.name for file in Tree(root).files(sources or ("app",))]


def refused(root, *sources):
    with pytest.raises(WrongUse) as said:
        names(root, *sources)
    assert len(str(said.value).splitlines()) == 1
    return str(said.value)


def test_a_linked_folder_is_deployed_with_what_it_holds(root):
    write(root, "assets/css/site.css")
    (root / "app" / "assets").symlink_to("../assets")
    assert names(root) == ["app/a.py", "app/assets/css/site.css"]


def test_a_link_to_a_file_is_deployed_as_that_file(root):
    write(root, "shared/logo.svg", text="logo")
    (root / "app" / "logo.svg").symlink_to("../shared/logo.svg")
    assert [file.content() for file in Tree(root).files(["app/logo.svg"])] == [b"logo"]


def test_a_source_that_is_a_link_or_lies_behind_one_is_deployed(root):
    write(root, "elsewhere/b/c.py")
    (root / "linked").symlink_to("elsewhere")
    assert names(root, "linked", "linked/b") == ["linked/b/c.py"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/etc/hostname", "outside of the checkout"),
        ("../..", "outside of the checkout"),
        ("gone", "leads nowhere"),
        ("link", "leads nowhere"),
        (".", "a folder that it lies in"),
        ("..", "a folder that it lies in"),
    ],
)
def test_a_link_that_cannot_be_followed_is_refused_by_its_name(root, target, said):
    (root / "app" / "link").symlink_to(target)
    assert refused(root).startswith("app/") and said in refused(root)


def test_names_that_are_odd_are_deployed(root):
    odd = ["a\nb.py", "a\\b.py", "é.py", "-x.py", ":(glob)*.py", "[a].py", "x" * 250]
    write(root / "app", *odd)
    assert set(names(root)) == {"app/a.py", *(f"app/{name}" for name in odd)}


def test_a_name_that_is_not_utf8_is_refused_as_it_can_be_shown(root):
    write(root, os.fsdecode(b"app/caf\xe9\n.css"))
    assert refused(root).startswith(r"app/caf\xe9\n.css: has a name that is not UTF-8")


def test_what_is_no_file_is_refused(root):
    os.mkfifo(root / "app" / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(root / "app" / "socket"))
    if (root / ".git").exists():  # git passes over them: there is nothing in them to deploy
        assert names(root) == ["app/a.py"]
    else:
        assert "neither a file nor a folder" in refused(root)
    assert refused(root, "app/pipe").startswith("app/pipe: is neither a file nor a folder")


def test_a_pointer_of_git_lfs_is_refused(root):
    write(root, "app/photo.jpg", text=POINTER)
    assert refused(root) == ("app/photo.jpg: is the pointer of a file in Git LFS, not the file. Next: git lfs pull")


def test_a_submodule_is_deployed_and_one_that_is_not_checked_out_is_refused(repository, tmp_path):
    theme = tmp_path / "theme"
    write(theme, "base.html")
    commit(theme)
    git(repository, "submodule", "add", "-q", str(theme), "app/theme")
    assert names(repository) == ["app/a.py", "app/theme/base.html"]
    assert names(repository, "app/theme") == ["app/theme/base.html"]
    git(repository, "submodule", "deinit", "-f", "app/theme")
    assert refused(repository).startswith(
        "app/theme: is a submodule that is not checked out. Next: git submodule update"
    )


def test_a_repository_within_the_repository_is_deployed(repository):
    write(repository, "app/vendored/b.py")
    commit(repository / "app" / "vendored")
    assert names(repository) == ["app/a.py", "app/vendored/b.py"]


def test_what_git_tracks_and_the_disk_has_not_is_refused(repository):
    write(repository, "app/b.py")
    commit(repository)
    (repository / "app" / "b.py").unlink()
    assert refused(repository).startswith("app/b.py: is tracked by git and not on the disk")
    git(repository, "rm", "-q", "app/b.py")
    assert names(repository) == ["app/a.py"]


def test_what_a_sparse_checkout_leaves_out_is_refused(repository):
    write(repository, "app/big/b.py")
    commit(repository)
    git(repository, "sparse-checkout", "set", "--no-cone", "/*", "!/app/big")
    assert refused(repository) == "app/big/b.py: is left out by a sparse checkout. Next: git sparse-checkout disable"


def test_a_source_or_linked_folder_that_git_ignores_is_refused(repository):
    write(repository, ".gitignore", text="/built\n")
    write(repository, "built/site.css")
    assert refused(repository, "built").startswith("built: is ignored by git")
    (repository / "app" / "built").symlink_to("../built")
    assert refused(repository).startswith("app/built: is ignored by git")
    assert refused(repository, "built/site.css").startswith("built/site.css: is ignored by git")


def test_a_repository_that_git_cannot_read_is_not_taken_for_a_plain_folder(repository):
    write(repository, ".git/config", text="[broken\n")
    assert refused(repository).startswith("git: ")


def test_a_link_that_was_checked_out_as_a_file_is_refused(repository):
    (repository / "app" / "link").symlink_to("a.py")
    commit(repository)
    git(repository, "config", "core.symlinks", "false")
    (repository / "app" / "link").unlink()
    git(repository, "checkout", "-q", ".")
    assert refused(repository).startswith("app/link: is a link in git and a file here")


def test_what_a_stack_keeps_is_never_deployed(repository):
    write(repository, ".stayput/local/secrets.json")
    assert names(repository, ".") == ["app/a.py", "lock.txt"]


def test_a_script_with_the_line_ends_of_windows_is_refused(root):
    (root / "app" / "start").write_bytes(b"#!/bin/sh\r\nexec gunicorn\r\n")
    with pytest.raises(WrongUse, match=r"^app/start: is a script with the line ends of Windows"):
        measure_process_build(root, SITE)


def test_an_executable_bit_is_kept_and_is_part_of_the_build(root):
    before = measure_process_build(root, SITE)
    (root / "app" / "a.py").chmod(0o755)
    assert [file.executable for file in Tree(root).files(["app"])] == [True]
    assert measure_process_build(root, SITE).changed_since(before.parts) == ("source",)


def test_where_the_disk_keeps_no_modes_git_says_them(repository):
    git(repository, "update-index", "--chmod=+x", "app/a.py")
    write(repository, "app/b.py")
    (repository / "app" / "b.py").chmod(0o777)
    git(repository, "config", "core.fileMode", "false")
    assert [(file.name, file.executable) for file in Tree(repository).files(["app"])] == [
        ("app/a.py", True),
        ("app/b.py", False),
    ]
