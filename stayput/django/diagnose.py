"""What works here and what does not, in five sections: a line each, and for each fault what to do about it.

`manage.py diagnose` shows it, stayput.django.start writes it to the log, docs/diagnose.py is the copy for a project
that has nothing of Stayput. Sections 3 and 5 use what two settings name: STAYPUT_PROCESS, the function from bytes to
`.main` and `.thumbnail`, and STAYPUT_REHEARSAL, a context manager that takes an uploaded file the project's own way,
gives what is answered, and takes it all away again.
"""

import functools
import io
import logging
import os
import re
import sys
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import django
from django.apps import apps
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.db.models import FileField
from django.utils import module_loading

from stayput.django import checks, disks, refusals

ROWS = 100  # the first of each kind, in its own order, whose files are looked for
ADDRESS_SECONDS = 5.0
PHOTO = 1200, 900  # pixels: each start of a release draws it
SHOWN = re.compile(r"^(AWS_|IMAGEKIT_|MEDIA_|USE_S3|STAYPUT_RELEASE|DATABASE_URL|DEFAULT_FILE_STORAGE)")
SECRET = re.compile(r"secret|private|token|password|credential|database_url|key$", re.IGNORECASE)
READ_LOG = "mend what the line names; the log has more"
SECTIONS = ("configuration", "storage", "image optimisation", "storage upload", "upload flow")


@dataclass(frozen=True)
class Line:
    """One finding. ok None: not tried. stops: a release with this fault must not get traffic."""

    name: str
    ok: bool | None
    detail: str
    remedy: str = ""
    stops: bool = False
    section: int = 0


def diagnose() -> Iterator[Line]:
    """All five sections in their order. Raises nothing; what is written is taken away again.

    The third asks no other service and takes the longest: it is worked on beside the others.
    """
    with ThreadPoolExecutor(1) as beside:
        pictures = beside.submit(_lines_of, 3, optimisation)
        for number, section in ((1, configuration), (2, storage)):
            yield from _unheard(number, section)
        stored = [*_unheard(4, upload), *_unheard(5, flow)]
        yield from pictures.result()
    yield from stored


def _unheard(number: int, section: Callable[[], Iterable[Line]]) -> list[Line]:
    logging.disable()  # a rehearsal is no event of the site
    try:
        return _lines_of(number, section)
    finally:
        logging.disable(logging.NOTSET)


def _lines_of(number: int, section: Callable[[], Iterable[Line]]) -> list[Line]:
    lines: list[Line] = []
    try:
        lines.extend(section())
    except Exception as problem:  # whatever breaks is what was looked for
        lines.append(failed(SECTIONS[number - 1], problem))
    return [replace(line, section=number) for line in lines]


def configuration() -> Iterator[Line]:
    yield Line("versions", True, f"Django {django.get_version()}, Python {sys.version.partition(' ')[0]}")
    for name in sorted({*os.environ, *(one for one in dir(settings) if settings.is_overridden(one))}):
        if SHOWN.match(name) and (value := getattr(settings, name, None) or os.environ.get(name)):
            yield Line(name, True, masked({name: value})[name])
    serious: list[Any] = [one for one in checks.of_project() if one.is_serious()]
    for message in serious:
        yield Line(str(message.id or "check"), False, str(message.msg), str(message.hint or READ_LOG), stops=True)
    if not serious:
        yield Line("checks", True, "no fault found")
    for database in cast("Any", connections).all():
        with database.cursor() as cursor:
            cursor.execute("SELECT 1")
        yield Line("database", True, f"{database.alias}: {database.vendor} answers")


def storage() -> Iterator[Line]:
    used = cast("Any", storages["default"])
    configured = settings.STORAGES["default"]
    yield Line("backend", True, f"{configured['BACKEND']}, in use: {checks.used_storage()}")
    options = {name: value for name, value in configured.get("OPTIONS", {}).items() if isinstance(value, str | bool)}
    for name, value in masked(options).items():
        yield Line(name, True, value)
    if checks.on_disk():
        folder = used.path("")
        writable = os.access(folder if os.path.isdir(folder) else os.path.dirname(folder) or ".", os.W_OK)  # noqa: PTH112, PTH120
        yield Line("folder", writable, folder, "let the site's user write there")
        if disks.in_memory(Path(folder)) and not settings.DEBUG:
            yield Line("disk", False, f"{folder} is memory, and empty after the next start", checks.KEEP)
    else:
        client = getattr(used, "client", None) or getattr(getattr(used, "bucket", None), "meta", None)
        yield Line("client", client is not None, type(client).__name__, "see the options above")
    for model, fields in with_files():
        yield rows_with_files(model, fields)


def optimisation() -> Iterator[Line]:
    data = photo()
    yield Line("photo", True, f"JPEG {PHOTO[0]} x {PHOTO[1]}, {len(data):,} bytes")
    name = getattr(settings, "STAYPUT_PROCESS", "")
    if not name:
        yield Line("process", None, "not tried: name the function in STAYPUT_PROCESS")
        return
    made = project_function(name)(data)
    for part in ("main", "thumbnail"):
        content = getattr(made, part)
        yield Line(part, 0 < len(content) < len(data), described(content), f"it is not smaller: look at {name}")


def upload() -> Iterator[Line]:
    content, mark = uuid.uuid4().bytes * 8, f"diagnose-{uuid.uuid4()}"
    name = default_storage.save(f"{mark}.txt", ContentFile(content))
    yield Line("write", True, f"{len(content)} bytes as {name}")
    same = False
    try:
        with default_storage.open(name) as file:
            same = file.read() == content
        detail = "the same bytes come back" if same else "other bytes come back"
        yield Line(
            "read", same, detail, "another program writes there, or the storage changes what it is given", not same
        )
        yield at_address(default_storage.url(name), content)
    finally:
        if ours := same or mark in name:  # or the storage answered with the name of another file
            default_storage.delete(name)
    if not ours:
        yield Line("clean-up", False, f"{name} is left alone: it is not what was written", READ_LOG)
        return
    yield Line("clean-up", not remains(name), f"{name} is taken away", "let the key's user delete objects")


def flow() -> Iterator[Line]:
    name = getattr(settings, "STAYPUT_REHEARSAL", "")
    if not name:
        yield Line("rehearsal", None, "not tried: name the context manager in STAYPUT_REHEARSAL")
        return
    sent = SimpleUploadedFile("diagnose.jpg", photo(), content_type="image/jpeg")
    with project_function(name)(sent) as answer:
        for field, value in cast("Mapping[str, object]", answer).items():
            yield Line(field, bool(value), str(value), "the upload was taken, but this is missing")
    yield Line("clean-up", True, "the picture and its row are taken away")


def at_address(url: str, content: bytes) -> Line:
    """What the public address of an object gives to anyone. A path is one of this site, which may not be up yet."""
    bare = url.partition("?")[0]
    if not url.startswith(("http://", "https://")):
        return Line("address", True, f"{bare}, shown by the site itself")
    try:
        with urllib.request.urlopen(url, timeout=ADDRESS_SECONDS) as answer:
            same = answer.read() == content
    except OSError as problem:
        remedy = "let anyone read the bucket's pictures, or correct the custom domain or the region"
        return Line("address", False, f"{bare} does not show it: {checks.first_line(problem)}", remedy)
    return Line("address", same, bare, "the address shows something else: correct the custom domain")


def with_files() -> Iterator[tuple[Any, list[str]]]:
    """Models that keep files, and the names of those fields."""
    for model in cast("Iterable[Any]", apps.get_models()):
        names = [
            str(field.name) for field in model._meta.concrete_fields if isinstance(cast("object", field), FileField)
        ]
        if names:
            yield model, names


def rows_with_files(model: Any, fields: Sequence[str]) -> Line:
    """How many of the first rows have lost a file."""
    rows = list(model._default_manager.all()[:ROWS])
    files = [(row.pk, getattr(row, field)) for row in rows for field in fields if getattr(row, field)]
    with ThreadPoolExecutor(8) as pool:
        lost = list(pool.map(is_gone, (file for _, file in files)))
    gone = {pk for (pk, _), is_lost in zip(files, lost, strict=True) if is_lost}
    label = model._meta.label
    detail = (
        f"{len(gone)} of {len(rows)} rows have lost their file" if gone else f"all files of {len(rows)} rows are there"
    )
    return Line(label, not gone, detail, "they were on a disk that is gone: upload them again, or remove the rows")


def is_gone(file: Any) -> bool:
    """Whether a stored file is not there. S3 answers 403 to a key that may not list the bucket."""
    try:
        return not file.storage.exists(file.name)
    except Exception as problem:  # each storage raises its own kind
        return refusals.code_of(problem) in ("403", "404", "AccessDenied", "NoSuchKey")


def remains(name: str) -> bool:
    try:
        with default_storage.open(name) as file:
            return bool(file.read())
    except Exception:  # gone, in each storage's own words
        return False


def project_function(name: str) -> Any:
    return cast("Any", module_loading).import_string(name)


@functools.cache
def photo() -> bytes:
    """A JPEG with enough in it to be work: bands of colour under noise."""
    from PIL import Image

    noise = Image.effect_noise(PHOTO, 24)
    bands = Image.linear_gradient("L").resize(PHOTO)
    out = io.BytesIO()
    Image.merge("RGB", (noise, bands, bands.rotate(180))).save(out, "JPEG", quality=90)
    return out.getvalue()


def described(content: bytes) -> str:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as opened:
        return f"{opened.format} {opened.size[0]} x {opened.size[1]}, {len(content):,} bytes"


def failed(name: str, problem: Exception) -> Line:
    module = str(getattr(problem, "name", None) or "") if isinstance(problem, ImportError) else ""
    refused = refusals.remedy_of(problem)
    remedy = refused or (f"install {module}" if module else READ_LOG)
    return Line(name, False, f"{type(problem).__name__}: {checks.first_line(problem)}", remedy, bool(refused))


def masked(values: Mapping[str, object]) -> dict[str, str]:
    """Values as they may be shown: of a secret its length alone."""
    return {
        name: f"**** ({len(str(value))} characters)" if SECRET.search(name) else checks.without_password(str(value))
        for name, value in values.items()
    }


def shown(line: Line, encoding: str | None) -> str:
    """A line for people; in ASCII where the terminal cannot show a tick."""
    wide = {True: "\u2713", False: "\u2717", None: "\u00b7"}
    plain = {True: "ok  ", False: "FAIL", None: "-   "}
    try:
        "".join(wide.values()).encode(encoding or "ascii")
        mark = wide[line.ok]
    except (UnicodeEncodeError, LookupError):
        mark = plain[line.ok]
    remedy = f". Next: {line.remedy}" if line.ok is False else ""
    text = f"{mark} {line.name}: {line.detail}{remedy}"
    return text.encode(encoding or "ascii", "backslashreplace").decode(encoding or "ascii")


def tell(write: Any, encoding: str | None) -> bool:
    """Write the diagnosis with its headings; True when nothing failed."""
    well, section = True, 0
    for line in diagnose():
        if line.section != section:
            section = line.section
            write(f"{section} {SECTIONS[section - 1].capitalize()}\n")
        write(f"  {shown(line, encoding)}\n")
        well = well and line.ok is not False
    return well
