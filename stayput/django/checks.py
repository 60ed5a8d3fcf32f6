"""Django system checks that stop a release whose uploads would be lost or would break. Each fault is one line.

They read settings, the environment and installed packages, never the network; `manage.py migrate`, `check` and
stayput.django.start run them. Silence one as ever: SILENCED_SYSTEM_CHECKS = ["stayput.E006"].
"""

import os
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core import checks as system
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, default_storage

from stayput.django import modules

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
MAJORS = {"imagekitio": 5, "python-magic": 0, "libmagic": 5}
KEEP = "keep pictures in S3 or ImageKit, or put a volume there"

Settings = Any
Environ = Mapping[str, str]


def storage_setting(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """DEFAULT_FILE_STORAGE where it is ignored, and STORAGES without a default."""
    if setting.is_overridden("DEFAULT_FILE_STORAGE"):
        name = setting.DEFAULT_FILE_STORAGE
        hint = f'write it as STORAGES = {{"default": {{"BACKEND": "{name}"}}, "staticfiles": ...}}'
        if cast("tuple[int, ...]", django.VERSION[:2]) >= (5, 1):
            used = setting.STORAGES.get("default", {}).get("BACKEND", "nowhere")
            what = f"DEFAULT_FILE_STORAGE was removed in Django 5.1 and is ignored: uploads go to {used}, not to {name}"
            yield Error(what, hint, id="stayput.E001")
        else:
            yield Warning("DEFAULT_FILE_STORAGE is deprecated in Django 4.2 and gone in 5.1", hint, id="stayput.W001")
    if "default" not in setting.STORAGES:
        hint = f'add "default": {{"BACKEND": "{FILE_SYSTEM}"}}, or the storage that keeps your pictures'
        yield Error('STORAGES has no "default": nothing can be uploaded', hint, id="stayput.E002")


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
    if on_disk() and not on_a_volume(Path(default_storage.path(""))):
        what = f"uploads go to {default_storage.path('')}, a disk that {platform} throws away at the next deploy"
        yield Error(what, f"{KEEP}: USE_S3=True", id="stayput.E006")
    for alias, database in setting.DATABASES.items():
        if database.get("ENGINE", "").endswith("sqlite3") and not on_a_volume(Path(str(database["NAME"]))):
            what = f"the database {alias} is SQLite on a disk that {platform} throws away at the next deploy"
            yield Error(what, "set DATABASE_URL to the platform's PostgreSQL, or use a volume", id="stayput.E007")


def media_address(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """MEDIA_URL and the bucket agree."""
    storage = loaded_storage()
    if storage is None or not hasattr(storage, "bucket_name"):
        return
    bucket, region = storage.bucket_name or "", getattr(storage, "region_name", "") or ""
    if not bucket:
        yield Error("S3 is in use, but no bucket is named", "set AWS_STORAGE_BUCKET_NAME", id="stayput.E008")
        return
    url = urlsplit(str(setting.MEDIA_URL))
    custom = str(getattr(storage, "custom_domain", "") or "").partition("/")[0]
    for name, host in (("MEDIA_URL", url.netloc), ("the storage's custom_domain", custom)):
        if host.endswith("s3.amazonaws.com") and region != "us-east-1":
            want = f"{bucket}.s3.{region or 'REGION'}.amazonaws.com"
            what = f"{name} has no region: {host} does not show pictures of a bucket in {region or 'its region'}"
            yield Error(what, f"use {want}", id="stayput.E009")
            return
    if url.netloc and not leads_to(url.netloc + url.path, storage):
        what = f"MEDIA_URL leads to {url.netloc}{url.path}, not to the bucket {bucket}"
        yield Error(what, f"use the bucket's own address: {addresses(storage)[0]}", id="stayput.E010")


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
    media_address,
)


def run(app_configs: object = None, **_: object) -> list[CheckMessage]:
    """All of CHECKS, in their order: the first fault is the one that most likely causes the others."""
    return [message for check in CHECKS for message in check(settings, os.environ)]


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


def on_a_volume(path: Path) -> bool:
    """Whether a path lies below a mount of its own, as a volume does, and not on the disk of the root."""
    return any(part.is_mount() for part in (path, *path.parents) if part != Path(part.anchor))


def addresses(storage: Any) -> list[str]:
    """Hosts, with a path where need be, under which the bucket's objects are read; the most likely first."""
    bucket, region = storage.bucket_name, getattr(storage, "region_name", "") or "us-east-1"
    endpoint = urlsplit(getattr(storage, "endpoint_url", "") or "")
    custom = getattr(storage, "custom_domain", "") or ""
    own = (
        [endpoint.netloc] if endpoint.netloc else [f"s3.{region}.amazonaws.com", f"s3.dualstack.{region}.amazonaws.com"]
    )
    if region == "us-east-1" and not endpoint.netloc:
        own.append("s3.amazonaws.com")
    if region.startswith("cn-"):
        own = [f"{host}.cn" for host in own]
    return [*([custom] if custom else []), *(f"{bucket}.{host}" for host in own), *(f"{host}/{bucket}" for host in own)]


def leads_to(address: str, storage: Any) -> bool:
    return any(f"{address}/".startswith(f"{one.rstrip('/')}/") for one in addresses(storage))


def first_line(problem: BaseException) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]
