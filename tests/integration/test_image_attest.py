"""Images that lack something, each really built and really broken: named in one line, before any release."""

import re
import time

import msgspec
import pytest

from stayput.errors import StayputError, WrongUse
from stayput.image.builder import connect
from stayput.image.inputs import PIN, measure_repository
from stayput.steps import BuildImage
from stayput.targets.koyeb_definition import settle
from tests.integration.images import (
    OURS,
    ROOT,
    build_as_a_platform,
    copy_gallery,
    copy_sniffer,
    copy_tool,
    images_of,
    make,
    write_plain_django,
)

pytestmark = pytest.mark.needs("docker")
SITE_PACKAGES = "/venv/lib/python3*/site-packages"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    root = tmp_path_factory.mktemp("gallery")
    copy_gallery(root)
    return make(root, f"name={OURS}-gallery")


@pytest.fixture(scope="module")
def sniffer(tmp_path_factory):
    root = tmp_path_factory.mktemp("sniffer")
    copy_sniffer(root)
    return make(root, f"name={OURS}-sniffer")


@pytest.mark.parametrize("name", ["gallery", "sniffer"])
def test_an_image_that_holds_what_the_lock_says_is_found_right(name, request):
    made = request.getfixturevalue(name)
    found = made.images.attest(made.image)
    assert found.failing == ""
    assert found.ok
    assert (found.digest, found.build) == (made.image.digest, made.image.build)
    assert made.images.attested(made.image.build) == made.image
    statement = msgspec.json.decode(made.images.statement(found.digest))
    assert statement["subject"][0]["digest"] == {"sha256": made.image.digest.removeprefix("sha256:")}
    assert statement["predicate"]["result"] == "PASSED"


def test_what_a_platform_builds_of_the_repository_reports_the_build_that_the_tool_expects(gallery, tmp_path):
    copy_gallery(tmp_path)
    copy_tool(tmp_path)
    tag = f"{OURS}-platform:built"
    build_as_a_platform(tmp_path, tag)
    _, images = images_of(tmp_path, f"name={OURS}-platform")
    image = images.named(tag)
    assert image.build == measure_repository(tmp_path, images.project).id
    assert images.attest(image).failing == ""  # /healthz answered with this build
    (tmp_path / "app/config/urls.py").write_text("# another build\n")
    assert images.named(tag).build != image.build  # held against this, it is the old build that answers


BROKEN = {
    "a dependency was removed after install": (
        "gallery",
        f"RUN rm -rf {SITE_PACKAGES}/imagekitio*",
        r"distributions: imagekitio [\d.]+ is not installed, though the lock has it",
    ),
    "another version is installed": (
        "sniffer",
        f"RUN sed -i 's/^Version: .*/Version: 1.0/' {SITE_PACKAGES}/python_magic-*/METADATA",
        r"distributions: python-magic is 1.0, but the lock says [\d.]+",
    ),
    "something is installed that the lock does not name": (
        "sniffer",
        "RUN mkdir /tmp/p && cd /venv/lib/python3*/site-packages && mkdir extra-1.0.dist-info "
        "&& printf 'Metadata-Version: 2.1\\nName: extra\\nVersion: 1.0\\n' >extra-1.0.dist-info/METADATA",
        r"distributions: extra 1.0 is installed, but not in the lock",
    ),
    "python-magic has no libmagic": (
        "sniffer",
        "RUN rm -f /usr/lib/*/libmagic*",
        r"dependencies: python-magic: import magic: ImportError: failed to find libmagic",
    ),
    "a module imports what is not there": (
        "gallery",
        "RUN echo 'import magic' >/app/app/uploads/sniff.py",
        r"modules: .*import app.uploads.sniff: ModuleNotFoundError: No module named 'magic'",
    ),
    "its settings are what Django's checks call an error": (
        "gallery",
        'RUN cd /app/app/config && rm -r __pycache__ && echo \'CACHES["spare"] = CACHES.pop("default")\' >>settings.py',
        r"check --deploy: \(caches.E001\) You must define a 'default' cache",
    ),
    "a .env was copied in": (
        "sniffer",
        "RUN echo SECRET_KEY=hunter2 >/app/.env && chmod 600 /app/.env",
        r"secrets: /app/.env is in a layer of the image",
    ),
    "a .env was copied in and taken away by a later line": (
        "sniffer",
        "RUN echo SECRET_KEY=hunter2 >/app/.env\nRUN rm /app/.env",
        r"secrets: /app/.env is in a layer of the image",
    ),
    "a private key was overwritten by a later line": (
        "sniffer",
        "RUN printf -- '-----BEGIN PRIVATE KEY-----\\n%048d\\n' 0 >/srv/tls.pem\nRUN echo >/srv/tls.pem",
        r"secrets: /srv/tls.pem, in a layer of the image, holds a private key",
    ),
    "an access key was an argument of the build": (
        "sniffer",
        "ARG KEY=AKIAQQQQQQQQQQQQQQQQ\nRUN echo $KEY >/dev/null",
        r"secrets: its configuration or history holds an AWS access key",
    ),
    "a private key is in a file": (
        "sniffer",
        "RUN printf -- '-----BEGIN PRIVATE KEY-----\\n%048d\\n' 0 >/etc/site.conf",
        r"secrets: /etc/site.conf, in a layer of the image, holds a private key",
    ),
    "a secret is among its variables": ("sniffer", "ENV AWS_SECRET_ACCESS_KEY=x", r"variables: AWS_SECRET_ACCESS_KEY"),
    "the old build answers under the new release's variables": (
        "sniffer",
        """RUN echo '{"build": "0123456789ab"}' >/app/stayput-build.json""",
        r"health: answers with build 0123456789ab and release attested, not [0-9a-f]{12}",
    ),
    "SIGTERM does not end it": (
        "sniffer",
        "RUN sed -i 's/^os.execvp.*/import signal; signal.signal(15, signal.SIG_IGN); import subprocess; "
        "subprocess.run(command)/' /entrypoint",
        r"stop: gone 1\d\.\d s after SIGTERM, with 137: it had to be killed",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_image_is_caught_and_named_in_one_line(fault, request):
    name, line, said = BROKEN[fault]
    made = request.getfixturevalue(name)
    found = made.attest(made.broken(line))
    assert not found.ok
    assert re.search(said, found.failing), found.failing
    assert "\n" not in found.failing


def test_a_small_dependency_leaves_the_layers_of_the_large_ones_as_they_were(gallery, tmp_path):
    copy_gallery(tmp_path)
    lock = (ROOT / "requirements/dev.txt").read_text()
    with (tmp_path / "requirements/site.txt").open("a") as site:
        site.write(re.search(r"^sortedcontainers==.*\n(?: +--hash.*\n)+", lock, re.MULTILINE)[0].rstrip("\\ \n"))
    changed = make(tmp_path, f"name={OURS}-gallery").image
    first = len(layers(gallery.project.image.base)) + 1  # on the layer of system libraries
    before, after = layers(gallery.image.digest), layers(changed.digest)
    assert after[: first + 3] == before[: first + 3]
    assert after[first + 3] not in before


def layers(image):
    return connect().images.get(image).attrs["RootFS"]["Layers"]


def test_a_django_site_without_static_files_is_built(tmp_path):
    write_plain_django(tmp_path)
    images = images_of(tmp_path, f"name={OURS}-plain")[1]
    found = images.attest(images.make(images.measure()))
    assert (found.ok, found.failing) == (True, "")


def test_a_start_command_that_exits_is_caught(sniffer):
    found = sniffer.attest(start="python -c 'raise SystemExit(\"no such setting\")'")
    assert "start: python -c" in found.failing
    assert "ended with 1: no such setting" in found.failing


def test_a_release_can_migrate_before_it_becomes_the_server(gallery):
    definition, _ = settle({}, gallery.image.digest, "python manage.py migrate_once")
    start = definition["docker"]
    variables = {"SECRET_KEY": "k", "STAYPUT_KEY": "k", "DATABASE_URL": "sqlite:////tmp/db", "MEDIA_ROOT": "/tmp/media"}
    command = [start["command"], *start["args"]]
    container = connect().containers.run(start["image"], command, environment=variables, network="none", detach=True)
    try:
        deadline = time.monotonic() + 60
        while b"Booting worker" not in (said := container.logs()) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert re.search(rb"Applying uploads.0001_initial.*Booting worker", said, re.DOTALL), said
        _, first = container.exec_run(["/venv/bin/python", "-c", "print(open('/proc/1/cmdline').read())"])
        assert b"gunicorn" in first  # it gets the signals
    finally:
        container.remove(force=True)


def test_an_entry_point_that_is_only_imported_at_start_is_caught(gallery):
    found = gallery.attest(start="gunicorn -c app/config/gunicorn.py app.config.entry")
    assert "start: gunicorn" in found.failing
    assert "app.config.entry" in found.failing


def test_a_layer_of_an_older_lock_is_caught(sniffer):
    name, version, _ = PIN.findall(sniffer.image.lock)[0]
    newer = sniffer.image.lock.replace(f"{name}=={version}", f"{name}==99.0")
    found = sniffer.attest(msgspec.structs.replace(sniffer.image, lock=newer))
    assert found.failing == f"distributions: {name} is {version}, but the lock says 99.0"


def test_an_image_of_another_platform_than_the_project_names_is_caught(sniffer):
    found = sniffer.attest(msgspec.structs.replace(sniffer.image, platform="linux/s390x"))
    assert found.failing.startswith("platform: is for linux/")
    assert found.failing.endswith(", not linux/s390x")


def test_a_platform_that_the_engine_cannot_run_is_refused_before_anything_is_built(tmp_path):
    copy_sniffer(tmp_path)
    _, images = images_of(tmp_path, f"name={OURS}-sniffer", "image.platform=linux/mips64")
    with pytest.raises(WrongUse, match="the engine cannot run linux/mips64; it runs linux/"):
        images.make(images.measure())
    assert images.known() == ()


def test_an_image_is_released_only_with_a_good_attestation_of_its_own_digest(sniffer):
    images, good = sniffer.images, sniffer.image
    images.attest(good)
    broken = sniffer.broken("RUN rm -f /usr/lib/*/libmagic*")
    images.keep(broken)
    try:
        with pytest.raises(StayputError, match="was never attested"):
            images.attested(good.build)
        images.attest(broken)
        with pytest.raises(StayputError, match="import magic"):
            images.attested(good.build)
    finally:
        images.keep(good)
    assert images.attested(good.build) == good


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "stayput.toml",
            'system = ["libmagic1t64"]',
            "system = []",
            "python-magic: loads a library that the image would not have",
        ),
        (
            "sniffer/kinds.py",
            "import magic",
            "import sniffer.magick as magic",
            "import sniffer.kinds: ModuleNotFoundError",
        ),
        ("sniffer/kinds.py", "import magic", "import magick", "imports magick, which nothing declares"),
        ("docker/Dockerfile", "FROM installed AS release", "FRM installed AS release", "docker/Dockerfile"),
    ],
    ids=["no libmagic", "missing import", "undeclared import", "wrong Dockerfile"],
)
def test_what_lacks_something_cannot_be_built_anywhere(tmp_path, file, old, new, said):
    copy_sniffer(tmp_path)
    text = (tmp_path / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new))
    _, images = images_of(tmp_path)
    with pytest.raises(StayputError) as refused:
        images.make(images.measure())
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert images.known() == ()


def test_the_build_step_of_a_deploy_refuses_a_missing_native_library_before_it_builds(tmp_path):
    copy_sniffer(tmp_path)
    _, images = images_of(tmp_path, "image.system=[]")
    build = images.measure()
    with pytest.raises(WrongUse, match="python-magic: loads a library that the image would not have"):
        BuildImage(build=build, reason="new").perform(images)
    assert images.find(build.id) is None
