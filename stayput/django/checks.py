"""Django system checks that stop a release whose uploads would be lost or would break. Each fault is one line.

They read settings, the environment and installed packages, never the network; `manage.py migrate`, `check` and
stayput.django.start run them. Silence one as ever: SILENCED_SYSTEM_CHECKS = ["stayput.E006"].
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, cast

import django
from django.conf import settings
from django.core import checks as system
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, default_storage

from stayput.django import bucket, disks, modules

TAG = "stayput"
FILE_SYSTEM = "django.core.files.storage.FileSystemStorage"
# Variables that a platform sets whose disk is thrown away at every deploy.
PLATFORMS = {
    "RAILWAY_ENVIRONMENT": "Railway",
    "RAILWAY_ENVIRONMENT_NAME": "Railway",
    "RENDER": "Render",
    "KOYEB_APP_NAME": "Koyeb",
    "DYNO": "Heroku",
}
OF_MOUNTS = ("stayput.E006", "stayput.E007")  # found only where the volumes are mounted
# Settings that Django 5.1 no longer reads, and what they are called in STORAGES: key, ids of the error and the warning.
OLD_NAMES = {
    "DEFAULT_FILE_STORAGE": ("default", "stayput.E001", "stayput.W001"),
    "STATICFILES_STORAGE": ("staticfiles", "stayput.E014", "stayput.W002"),
}
MAJORS = {"imagekitio": 5, "python-magic": 0, "libmagic": 5}
KEEP = "keep pictures in S3 or ImageKit, or put a volume there"

Settings = Any
Environ = Mapping[str, str]


def storage_setting(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """Storages that are chosen by settings that are ignored, and STORAGES without what is used."""
    for name in OLD_NAMES:
        if setting.is_overridden(name):
            yield old_name(setting, name)
    if "default" not in setting.STORAGES:
        hint = f'add "default": {{"BACKEND": "{FILE_SYSTEM}"}}, or the storage that keeps your pictures'
        yield Error('STORAGES has no "default": nothing can be uploaded', hint, id="stayput.E002")
    if "staticfiles" not in setting.STORAGES and "django.contrib.staticfiles" in setting.INSTALLED_APPS:
        hint = 'add "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}'
        yield Error('STORAGES has no "staticfiles": no page can name a static file', hint, id="stayput.E015")


def old_name(setting: Settings, name: str) -> CheckMessage:
    key, error, warning = OLD_NAMES[name]
    chosen, used = getattr(setting, name), setting.STORAGES.get(key, {}).get("BACKEND", "nowhere")
    hint = f'write it as STORAGES["{key}"] = {{"BACKEND": "{chosen}"}}, beside the other entries of STORAGES'
    if cast("tuple[int, ...]", django.VERSION[:2]) < (5, 1):
        return Warning(f"{name} is deprecated in Django 4.2 and gone in 5.1", hint, id=warning)
    if chosen == used:
        return Warning(
            f"{name} was removed in Django 5.1 and is ignored", "remove it: STORAGES says the same", id=warning
        )
    files = "uploads" if key == "default" else "static files"
    what = f"{name} was removed in Django 5.1 and is ignored: {files} go to {used}, not to {chosen}"
    return Error(what, hint, id=error)


def storage_loads(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """The default storage can be made: with all its packages, and then by itself."""
    lacking = list(packages(setting, environ))
    yield from lacking
    if lacking or "default" not in setting.STORAGES:
        return
    try:
        default_storage.__class__  # noqa: B018  # makes it
    except (ImportError, ImproperlyConfigured, AttributeError) as problem:
        backend = setting.STORAGES["default"].get("BACKEND")
        module = str(getattr(problem, "name", None) or "").partition(".")[0]
        hint = "mend STORAGES" if not module or modules.is_there(module) else modules.remedy(module)
        yield Error(f"the storage {backend} cannot be loaded: {first_line(problem)}", hint, id="stayput.E003")


def storage_is_the_chosen_one(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """One home for pictures, and the storage in use is that one."""
    s3, imagekit = chooses_s3(setting, environ), chooses_imagekit(setting, environ)
    if s3 and imagekit:
        hint = "unset USE_S3 or IMAGEKIT_PRIVATE_KEY"
        yield Error("S3 and ImageKit are both chosen, and pictures have one home", hint, id="stayput.E005")
    elif (s3 or imagekit) and not setting.is_overridden("DEFAULT_FILE_STORAGE") and on_disk():
        chosen = "S3" if s3 else "ImageKit"
        what = f"{chosen} is chosen, but uploads go to the local disk: {used_storage()} is in use"
        yield Error(what, 'set STORAGES["default"] to the storage that is meant', id="stayput.E004")


def throw_away_disk(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """Nothing that must last lies on a disk that the next deploy throws away."""
    platform = next((name for variable, name in PLATFORMS.items() if environ.get(variable)), "")
    if setting.DEBUG or not platform:
        return
    if on_disk() and not disks.on_a_volume(Path(default_storage.path(""))):
        what = f"uploads go to {default_storage.path('')}, a disk that {platform} throws away at the next deploy"
        yield Error(what, f"{KEEP}: USE_S3=True", id="stayput.E006")
    for alias, database in setting.DATABASES.items():
        if database.get("ENGINE", "").endswith("sqlite3") and not disks.on_a_volume(Path(str(database["NAME"]))):
            what = f"the database {alias} is SQLite on a disk that {platform} throws away at the next deploy"
            yield Error(what, "set DATABASE_URL to the platform's PostgreSQL, or use a volume", id="stayput.E007")


def bucket_and_addresses(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """The addresses can be used as they are written, and lead to the bucket; no setting of it is ignored."""
    yield from bucket.faults(setting, loaded_storage())


def packages(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """What the project's code imports is installed, in the major version that it is written for."""
    imports = list(modules.imports(setting))
    for one in modules.missing(imports):
        yield Error(modules.said(one), modules.remedy(one.module), id="stayput.E011")
    backend = setting.STORAGES.get("default", {}).get("BACKEND", "")
    used = {one.module for one in imports}
    if backend.startswith("stayput.django.imagekit"):
        yield from major("imagekitio", "imagekitio>=5,<6")
    if "magic" in used and modules.is_there("magic"):
        yield from major("python-magic", "python-magic<1")
        yield from libmagic()


def major(package: str, requirement: str) -> Iterator[CheckMessage]:
    """The installed version against MAJORS; nothing to say of a package that another one stands in for."""
    hint = f"put {requirement} into what the site is built from, and build anew without the old layer"
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        if not modules.is_there(package):
            yield Error(f"{package} is used and not installed", hint, id="stayput.E011")
        return
    if int(version.partition(".")[0]) != MAJORS[package]:
        what = f"{package} {version} is installed, and version {MAJORS[package]} is needed"
        yield Error(what, hint, id="stayput.E012")


def libmagic() -> Iterator[CheckMessage]:
    """The system library under python-magic: 545 means 5.45."""
    try:
        import magic  # pyright: ignore[reportMissingImports]

        version = int(magic.version())  # pyright: ignore[reportUnknownArgumentType]
    except (ImportError, AttributeError, NotImplementedError) as problem:
        hint = "install the system library: apt-get install libmagic1"
        yield Error(f"python-magic finds no libmagic: {first_line(problem)}", hint, id="stayput.E013")
        return
    if version // 100 != MAJORS["libmagic"]:
        what = f"libmagic {version / 100:.2f} is installed, and version {MAJORS['libmagic']} is needed"
        yield Error(what, "install libmagic1 of a current system", id="stayput.E012")


CHECKS: tuple[Callable[[Settings, Environ], Iterator[CheckMessage]], ...] = (
    storage_setting,
    storage_loads,
    storage_is_the_chosen_one,
    throw_away_disk,
    bucket_and_addresses,
)


def run(app_configs: object = None, **_: object) -> list[CheckMessage]:
    """All of CHECKS, in their order: the first fault is the one that most likely causes the others."""
    return [message for check in CHECKS for message in check(settings, os.environ)]


def of_project(databases: Sequence[str] = ()) -> list[CheckMessage]:
    """What all checks of the project find, these among them; nothing that SILENCED_SYSTEM_CHECKS names."""
    found: dict[str, CheckMessage] = {}
    for message in [*cast("Any", system).run_checks(databases=databases), *run()]:
        if not message.is_silenced():
            found[str(message)] = message
    return list(found.values())


def faults() -> list[str]:
    """Every fault that stops a release, a line each; none that SILENCED_SYSTEM_CHECKS names."""
    return [in_a_line(message) for message in run() if message.is_serious() and not message.is_silenced()]


def in_a_line(message: CheckMessage) -> str:
    return f"({message.id}) {message.msg}. Next: {message.hint}"


def begin() -> None:
    cast("Any", system).register(run, TAG)


def chooses_s3(setting: Settings, environ: Environ) -> bool:
    wish = value_of("USE_S3", setting, environ)
    return (
        str(wish).lower() in ("true", "1", "yes", "on")
        if wish
        else bool(setting_of(setting, "AWS_STORAGE_BUCKET_NAME"))
    )


def chooses_imagekit(setting: Settings, environ: Environ) -> bool:
    return bool(value_of("IMAGEKIT_PRIVATE_KEY", setting, environ))


def value_of(name: str, setting: Settings, environ: Environ) -> object:
    return setting_of(setting, name) or environ.get(name, "")


def setting_of(setting: Settings, name: str) -> object:
    return getattr(setting, name, None)


def loaded_storage() -> Any:
    """The default storage itself; None where it cannot be made, of which storage_loads tells."""
    try:
        default_storage.__class__  # noqa: B018
    except Exception:  # a storage fails in a way of its own
        return None
    return default_storage


def on_disk() -> bool:
    return isinstance(loaded_storage(), FileSystemStorage)


def used_storage() -> str:
    kind = default_storage.__class__
    return f"{kind.__module__}.{kind.__qualname__}"


def first_line(problem: BaseException) -> str:
    """What a problem says, in a line: the second too where the first is only its heading."""
    lines = str(problem).strip().splitlines() or [type(problem).__name__]
    return without_password(" ".join(line.strip() for line in lines[: 2 if lines[0].endswith(":") else 1]))


def without_password(text: str) -> str:
    return re.sub(r"//[^/\s]*@", "//****@", text)
