import json
import platform

import pytest
from msgspec import structs

from stayput.errors import WrongUse
from stayput.image import Attestation, Image
from stayput.image.attest import AWAY, unhealthy
from stayput.image.before import look_before
from stayput.image.builder import check_buildx, check_platform, explain
from stayput.image.documents import bill_of_materials, statement
from stayput.image.imports import declared, look_at_imports
from stayput.image.inputs import context, measure, measure_repository, rebuilt, without_hashes
from stayput.image.inside import pins
from stayput.image.parts import MACHINES, prepare
from stayput.plan import plan_release
from stayput.project import ImageInputs, Project, Site, load
from stayput.proof import Check
from stayput.release import name_build
from tests.integration.images import copy_gallery, copy_sniffer, copy_tool
from tests.unit.builders import desired, observed

HERE = f"linux/{MACHINES.get(platform.machine(), platform.machine())}"
LOCK = """\
# made by uv
imagekitio==5.1.0 \\
    --hash=sha256:aa \\
    # via stayput
psycopg[binary]==3.3.9 ; implementation_name != 'pypy' \\
    --hash=sha256:bb
tzdata==2026.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc
tomli==2.0 ; python_full_version < '3.11' and os_name == 'posix'
"""
LINUX = {
    "implementation_name": "cpython",
    "sys_platform": "linux",
    "python_full_version": "3.13.5",
    "os_name": "posix",
}
PARTS = {"source": "s1", "dependencies": "d1", "system": "", "base": "b", "dockerfile": "f", "platform": "linux/amd64"}


def image(**more):
    known = {"build": "b1", "parts": PARTS, "name": "gallery", "digest": "sha256:aa", "config": "sha256:cc"}
    return Image(**{**known, "platform": "linux/amd64", "lock": without_hashes(LOCK), **more})


def test_a_lock_is_read_for_the_place_where_the_image_runs():
    assert pins(LOCK, LINUX) == {"imagekitio": "5.1.0", "psycopg": "3.3.9"}
    assert "tzdata" in pins(LOCK, {**LINUX, "sys_platform": "win32"})
    assert "tomli" in pins(LOCK, {**LINUX, "python_full_version": "3.9.18"})


def test_a_lock_without_its_hashes_means_the_same():
    assert pins(without_hashes(LOCK), LINUX) == pins(LOCK, LINUX)
    assert "hash" not in without_hashes(LOCK)


def test_what_is_declared_is_what_the_source_of_a_lock_asks_for():
    lock = (
        "boto3==1.0 \\\n    --hash=sha256:aa\n    # via django-storages\ndjango-storages==1.14\n    # via -r site.in\n"
    )
    assert declared(lock) == ("django-storages",)
    assert declared("pillow==12\n    # via\n    #   gallery (pyproject.toml:site)\n    #   imagekit\n") == ("pillow",)
    assert declared("boto3==1.0\ndjango==5.2\n") == ("boto3", "django")
    assert declared("boto3==1.0\n    # via s3\ns3==1\n    # via site\n") == ("s3",)  # uv export


@pytest.mark.parametrize(
    ("line", "settings", "said"),
    [
        ("import magic", "", ""),
        ("import botocore.config", "", "site/views.py:1: imports botocore, which nothing declares"),
        ("import magick", "", "site/views.py:1: imports magick, which nothing declares"),
        ("import magick", '[tool.deptry.package_module_name_map]\npython-magic = ["magic", "magick"]', ""),
        ("try:\n    import magick\nexcept ImportError:\n    pass", "", ""),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import magick", "", ""),
        (
            "try:\n    import magick\n    TYPE_CHECKING = 1\nexcept OSError:\n    pass",
            "",
            "site/views.py:2: imports magick, which nothing declares",
        ),
        ("import blog", "", ""),
        ("import magick", '[tool.deptry.per_rule_ignores]\nDEP001 = ["magick"]', ""),
    ],
)
def test_an_import_that_nothing_declares_is_named_by_file_and_line(tmp_path, line, settings, said):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/views.py").write_text(f"{line}\n")
    (tmp_path / "site/apps/blog").mkdir(parents=True)  # on the path by the settings
    (tmp_path / "site/apps/blog/test_views.py").write_text("import magick\n")
    (tmp_path / "lock.txt").write_text(
        "boto3==1.0\n    # via -r in\nbotocore==1.0\n    # via boto3\npython-magic==0.4\n    # via -r in\n"
    )
    (tmp_path / "pyproject.toml").write_text(settings)
    if said:
        with pytest.raises(WrongUse, match=said):
            look_at_imports(tmp_path, "lock.txt", tmp_path)
    else:
        look_at_imports(tmp_path, "lock.txt", tmp_path)


def test_an_import_that_a_declared_distribution_unknown_here_may_bring_is_left_to_the_build(tmp_path):
    lock = "unknown-here==1.0\n    # via -r in\nknown==1.0\n    # via unknown-here\n"
    (tmp_path / "lock.txt").write_text(lock)
    (tmp_path / "views.py").write_text("import unheard_of\n")
    look_at_imports(tmp_path, "lock.txt", tmp_path)
    (tmp_path / "views.py").write_text("import known\n")  # not declared, though it is there
    with pytest.raises(WrongUse, match="imports known, which nothing declares"):
        look_at_imports(tmp_path, "lock.txt", tmp_path)


def test_a_changed_lock_is_told_by_distribution_and_version():
    newer = LOCK.replace("imagekitio==5.1.0", "imagekitio==5.2.0").replace("tomli", "tomlkit")
    told = rebuilt(name_build({**PARTS, "dependencies": "d2"}), newer, image())
    assert told == (
        {"part": "dependencies", "reason": "imagekitio 5.1.0 → 5.2.0, tomlkit 2.0 is new, tomli 2.0 is gone"},
    )


def test_a_changed_system_library_is_told_by_name_and_nothing_changed_tells_nothing():
    told = rebuilt(name_build({**PARTS, "system": "libmagic1t64"}), LOCK, image())
    assert told == ({"part": "system", "reason": "none → libmagic1t64"},)
    assert rebuilt(name_build(PARTS), LOCK, image()) == ()


def test_an_image_is_built_and_attested_before_it_is_published_where_a_target_runs_images():
    wanted = desired()
    steps = plan_release(type(wanted)(**{**vars(wanted), "in_image": True}), observed())
    assert [step.name for step in steps][:3] == ["build", "attest", "publish"]


def test_the_statement_binds_the_result_to_manifest_configuration_and_platform():
    found = Attestation(
        image="gallery@sha256:aa",
        digest="sha256:aa",
        config="sha256:cc",
        platform="linux/amd64",
        build="b1",
        checks=(Check(name="modules", ok=True, detail=""), Check(name="start", ok=False, detail="exits")),
    )
    said = statement(found)
    assert said["subject"] == [{"name": "gallery", "digest": {"sha256": "aa"}}]
    assert (said["predicate"]["result"], said["predicate"]["failedTests"]) == ("FAILED", ["start"])
    assert said["predicate"]["configuration"][0]["digest"] == {"sha256": "cc"}
    assert (found.ok, found.failing) == (False, "start: exits")


def test_what_healthz_answers_is_told_in_one_line():
    assert "HealthMiddleware first" in unhealthy("404 <!doctype html>\n<html>")
    assert unhealthy('503 {"status":\n "failing"}') == '/healthz answers 503 {"status": "failing"}'


def test_a_database_that_is_not_where_an_image_is_opened_is_no_fault_of_it():
    assert AWAY.search("django.db.utils.OperationalError: connection is bad: local user with ID 10001 does not exist")
    assert AWAY.search("django.db.utils.OperationalError: (2002, \"Can't connect to server on 'db' (115)\")")
    assert not AWAY.search("django.db.utils.OperationalError: no such table: uploads_image")


def test_an_attestation_without_any_check_is_not_a_good_one():
    empty = Attestation(image="g@sha256:aa", digest="sha256:aa", config="", platform="", build="b1", checks=())
    assert not empty.ok


def test_the_bill_of_materials_names_each_distribution_of_the_lock():
    said = bill_of_materials(image())
    assert '"pkg:pypi/imagekitio@5.1.0"' in said
    assert "tzdata" not in said


@pytest.mark.parametrize("said", ["", "github.com/docker/buildx v0.12.1 abc", "github.com/docker/buildx 0.9.0"])
def test_an_engine_without_or_with_too_old_a_buildx_is_refused(said):
    with pytest.raises(WrongUse, match="buildx"):
        check_buildx(said)


@pytest.mark.parametrize("said", ["github.com/docker/buildx v0.13.0 abc", "github.com/docker/buildx 0.13.1+ds1 x"])
def test_buildx_from_013_on_will_do(said):
    check_buildx(said)


@pytest.mark.parametrize(
    "said", ["Platforms: linux/amd64*, linux/arm64", "", "Nodes:\nPlatforms:        linux/arm64, linux/amd64"]
)
def test_a_platform_that_the_engine_runs_will_do(said):
    check_platform(said, "linux/amd64")


def test_a_platform_that_the_engine_cannot_run_is_refused_with_what_it_can():
    with pytest.raises(WrongUse, match=r"cannot run linux/amd64; it runs linux/arm64, linux/arm/v7"):
        check_platform("Name: default\nPlatforms: linux/arm64, linux/arm/v7\n", "linux/amd64")


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("#12 2.06 stayput: idna is 3.7, but the lock says 3.20\nERROR: failed to solve: x", "idna is 3.7, but the"),
        ("#9 ERROR: write /x: no space left on device\n", "the engine's disk is full"),
        (
            "ERROR: failed to solve: python:9: failed to resolve source metadata for docker.io/library/python:9: no",
            "the base python:9 cannot be pulled",
        ),
        ("ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: FRM\n", "docker/Dockerfile: "),
        (
            "#9 4.1 ERROR: Could not find a version that satisfies the requirement uv==1 (from versions: none)\n"
            "#9 4.1 ERROR: No matching distribution found for uv==1\nERROR: failed to solve: process",
            "the package index gave nothing for uv==1, in four tries",
        ),
        (
            "#9 4.1 error: No solution found when resolving dependencies\n"
            "#9 4.1   cause: Because idna was not found in the package registry and you require idna==3.7, we can",
            "the package index gave nothing for idna, in four tries",
        ),
        (
            "#9 4.1 error: Request failed after 3 retries in 1.8s\n"
            "#9 4.1   cause: Failed to fetch: http://me:secret@127.0.0.1:1/simple/idna/",
            "the package index gave nothing for idna, in four tries",
        ),
        (
            "#9 4.1 E: Failed to fetch http://127.0.0.1:1/dists/trixie/InRelease  Unable to connect to 127.0.0.1:1:\n"
            "#9 4.1 E: Some index files failed to download. They have been ignored, or old ones used instead.",
            "the package index gave nothing for InRelease, in four tries",
        ),
        (
            "#9 4.1 ERROR: Could not find a version that satisfies the requirement uv==9 (from versions: 0.1, 0.2)",
            "Could not find a version that satisfies the requirement uv==9 (from versions: 0.1, 0.2)",
        ),
        (
            "#9 4.1 error: Hash mismatch for `six==1.17.0`\nERROR: failed to solve: process",
            "Hash mismatch for `six==1.17.0`",
        ),
        ("#7 0.1 /bin/sh: 1: python3: not found", "the base has no python3"),
        ("#7 0.1 ModuleNotFoundError: No module named 'tomllib'", "the base's Python is older than 3.11"),
        (
            "#9 1.2 error: Failed to download `a==1`\n#9 1.2   cause: Hash mismatch for `a==1`",
            "the package index gives a==1 with another hash",
        ),
        ("#9 1.2 error: Failed to build `mysqlclient==2.3.1`", "mysqlclient==2.3.1 has no wheel"),
        ("#9 1.2 Traceback:\n#9 1.2 IndexError: list index\nERROR: failed to solve: process", "IndexError: list index"),
    ],
)
def test_a_failed_build_is_explained_in_one_line(said, what):
    explained, next_step = explain(said)
    assert explained.startswith(what)
    assert "\n" not in explained
    assert next_step


def test_a_native_library_that_a_dependency_loads_must_be_in_the_system_list(tmp_path):
    (tmp_path / "site.txt").write_text("python-magic==0.4.27 \\\n    --hash=sha256:aa\n")
    site = Site(sources=("app",), requirements="site.txt", start="x", manage="")
    (tmp_path / "app").mkdir()
    with pytest.raises(WrongUse, match=r'python-magic: loads .* system = \["libmagic1t64"\]'):
        look_before(Project(name="g", site=site), tmp_path)
    look_before(Project(name="g", site=site, image=ImageInputs(system=("libmagic1t64",))), tmp_path)


def test_a_manage_py_that_is_not_deployed_is_told_before_anything_is_built(tmp_path):
    (tmp_path / "site.txt").write_text("")
    (tmp_path / "app").mkdir()
    (tmp_path / "manage.py").write_text("")
    site = Site(sources=("app",), requirements="site.txt", start="x")
    with pytest.raises(WrongUse, match=r"site\.manage: manage\.py is not there, or not deployed"):
        look_before(Project(name="g", site=site), tmp_path)
    look_before(Project(name="g", site=structs.replace(site, sources=("app", "manage.py"))), tmp_path)


def test_a_platform_that_builds_the_repository_names_the_build_as_the_tool_does(tmp_path):
    checkout, out = tmp_path / "checkout", tmp_path / "parts"
    copy_gallery(checkout)
    project = load(checkout, [f"image.platform={HERE}"])
    (checkout / "app/.env").write_text("SECRET=1\n")  # .dockerignore keeps it out there
    (checkout / "brand").mkdir()
    (checkout / "brand/logo.svg").write_text("<svg/>")
    (checkout / "app/brand").symlink_to("../brand")
    (checkout / "app/urls.py").symlink_to("config/urls.py")
    (checkout / "app/collect").write_text("#!/bin/sh\n")
    (checkout / "app/collect").chmod(0o755)
    wanted = measure_repository(checkout, project)
    (checkout / "app/.env").unlink()
    copy_tool(checkout)

    prepare(checkout, out, project.image.base)
    named = json.loads((out / "app/stayput-build.json").read_text())
    assert (named["build"], named["parts"]) == (wanted.id, wanted.parts)

    (checkout / "app/config/urls.py").write_text("# another build\n")
    assert measure_repository(checkout, project).changed_since(wanted.parts) == ("source",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_lock_that_windows_wrote_is_the_same_lock_for_the_tool_and_on_a_platform(tmp_path, encoding):
    checkout = tmp_path / "checkout"
    copy_gallery(checkout)
    project = load(checkout, [f"image.platform={HERE}"])
    wanted, lock = measure_repository(checkout, project), checkout / project.site.requirements
    written = lock.read_text()
    lock.write_bytes(written.replace("\n", "\r\n").encode(encoding))
    assert measure_repository(checkout, project) == wanted
    copy_tool(checkout)
    prepare(checkout, tmp_path / "parts", project.image.base)
    assert json.loads((tmp_path / "parts/app/stayput-build.json").read_text())["build"] == wanted.id
    assert (tmp_path / "parts/requirements.txt").read_text() == written


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda app: (app / "brand").symlink_to("../gone"), "app/brand leads to nothing of this checkout"),
        (lambda app: (app / "brand").symlink_to("/etc"), "app/brand leads to nothing of this checkout"),
        (lambda app: (app / "brand").symlink_to("."), "app/brand leads to nothing of this checkout"),
        (lambda app: (app / "theme").mkdir(), "app/theme is a submodule, and is not checked out here"),
        (
            lambda app: (app / "a.jpg").write_text("version https://git-lfs.github.com/spec/v1\n"),
            "app/a.jpg is the pointer of a file in Git LFS",
        ),
    ],
)
def test_a_platform_that_left_files_out_is_told_by_their_names(tmp_path, spoil, said):
    checkout = tmp_path / "checkout"
    copy_gallery(checkout)
    copy_tool(checkout)
    spoil(checkout / "app")
    if (checkout / "app/theme").exists():
        (checkout / ".gitmodules").write_text('[submodule "t"]\n\tpath = app/theme\n\turl = ../theme\n')
    with pytest.raises(SystemExit, match=f"stayput: {said}"):
        prepare(checkout, tmp_path / "parts", "base")


def test_a_recipe_with_the_line_ends_of_windows_is_refused(tmp_path):
    copy_gallery(tmp_path / "checkout")
    again = tmp_path / "checkout/docker/again"
    again.write_bytes(again.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(WrongUse, match="docker/again has the line ends of Windows"):
        measure(tmp_path / "checkout", load(tmp_path / "checkout"), "sha256:aa")


def test_a_build_that_the_tool_measured_keeps_its_name(tmp_path):
    copy_sniffer(tmp_path / "checkout")
    project = load(tmp_path / "checkout", [f"image.platform={HERE}"])
    build = measure(tmp_path / "checkout", project, "sha256:aa")
    for name, content in context(tmp_path / "checkout", project, build):
        (tmp_path / "sent" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sent" / name).write_bytes(content)
    prepare(tmp_path / "sent", tmp_path / "parts", "base")
    assert json.loads((tmp_path / "parts/app/stayput-build.json").read_text())["build"] == build.id
    assert build.id != measure_repository(tmp_path / "checkout", project).id

    sent = tmp_path / "sent/stayput-build.json"
    sent.write_text(json.dumps({"build": build.id, "parts": {**build.parts, "platform": "linux/s390x"}}))
    with pytest.raises(SystemExit, match=r"is for linux/\w+, not linux/s390x: docker pull --platform linux/s390x base"):
        prepare(tmp_path / "sent", tmp_path / "others", "base")
