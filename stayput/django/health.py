"""`/healthz`: what runs here, and whether it is well. Put HealthMiddleware first in MIDDLEWARE.

It answers before the host check, the redirect to https and the session, so that a platform's probe gets through.
503 means that this release itself is at fault and must not get traffic; a dependency that is down is `degraded`
with 200, since a platform that restarts every instance for it would only add to the trouble.
"""

import json
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from stayput.django import checks, refusals


@dataclass(frozen=True)
class Check:
    """What a check found. at_fault: the release itself is broken, not something it depends on."""

    ok: bool
    detail: str
    at_fault: bool = False


has_answered = threading.Event()  # the storage of this process, well


def settings_are_right() -> Check:
    try:
        storages["default"]
    except (ImportError, ImproperlyConfigured) as wrong:
        return Check(False, f"the storage cannot be used ({type(wrong).__name__})", at_fault=True)
    if faults := checks.faults():
        known = faults[0].partition(")")[0].lstrip("(")
        return Check(False, f"{known}: run manage.py diagnose", at_fault=True)
    return Check(True, "the checks find no fault")


def migrations_are_applied() -> Check:
    try:
        executor = cast("Any", MigrationExecutor(connection))
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as problem:
        return Check(False, f"the database does not answer ({type(problem).__name__})")
    if plan:
        return Check(False, f"{len(plan)} not applied, first {plan[0][0]}: run manage.py migrate", at_fault=True)
    return Check(True, "all applied")


def database_answers() -> Check:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as problem:
        return Check(False, f"the database does not answer ({type(problem).__name__})")
    return Check(True, f"{connection.vendor} answers")


def storage_answers() -> Check:
    """A refusal is the release's own fault until the storage has answered well: later, what others changed is."""
    try:
        storage = cast("Any", storages["default"])
        ask = getattr(storage, "probe", None)
        ask() if ask else storage.exists("healthz")
    except Exception as problem:  # each storage raises its own kind
        refused = bool(refusals.remedy_of(problem))
        said = "the storage refuses: run manage.py diagnose" if refused else "the storage does not answer as it should"
        return Check(False, f"{said} ({reason(problem)})", at_fault=refused and not has_answered.is_set())
    has_answered.set()
    return Check(True, "the storage answers")


def reason(problem: Exception) -> str:
    """The kind of a problem, and the code that S3 gave it: no message, which may name hosts or keys."""
    kind = type(problem).__name__
    try:
        code: Any = getattr(problem, "response")["Error"]["Code"]  # noqa: B009  # botocore's ClientError has it
    except (AttributeError, KeyError, TypeError):
        return kind
    return kind if code == kind else f"{kind} {code}"


CHECKS: Mapping[str, Callable[[], Check]] = {
    "settings": settings_are_right,
    "migrations": migrations_are_applied,
    "database": database_answers,
    "storage": storage_answers,
}
FRESH = {"settings": math.inf}  # seconds: what a release is made of does not change while it runs


class Probe:
    """A check that runs in a thread of its own, so that asking for its result never hangs with it.

    fresh: seconds a good result is believed; a bad one is asked again five times sooner. glance: seconds a newer
    result is waited for. patience: seconds the first one is waited for, and after which a check is said to hang.
    """

    def __init__(self, check: Callable[[], Check], *, fresh: float = 5, glance: float = 0.02, patience: float = 2):
        self.check, self.fresh, self.glance, self.patience = check, fresh, glance, patience
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._last: Check | None = None
        self._running = False
        self._since = 0.0  # when the running check began, or the last one ended

    def start(self) -> None:
        """Begin the check, unless it runs already or its last result is still good."""
        with self._lock:
            believed = self.fresh if self._last and self._last.ok else self.fresh / 5
            if not self._running and (self._last is None or time.monotonic() - self._since > believed):
                self._running, self._since, self._done = True, time.monotonic(), threading.Event()
                threading.Thread(target=self._run, daemon=True).start()

    def result(self) -> Check:
        """What was found last."""
        with self._lock:
            done, first, patience_ends = self._done, self._last is None, self._since + self.patience
        answered = done.wait(max(0.0, patience_ends - time.monotonic()) if first else self.glance)
        if self._last is None or (not answered and time.monotonic() > patience_ends):
            return Check(False, f"no answer for {self.patience:g} s")
        return self._last

    def _run(self) -> None:
        try:
            found = self.check()
        except Exception as problem:  # a check that breaks says so; it must not end as a silent thread
            found = Check(False, f"the check itself failed ({type(problem).__name__})")
        finally:
            connections.close_all()  # this thread's own
        with self._lock:
            self._last, self._running, self._since = found, False, time.monotonic()
        self._done.set()


def build_id(path: Path) -> str:
    """The build that is baked into the image, from `{"build": "..."}`; "unknown" where there is no such file."""
    try:
        return str(json.loads(path.read_text())["build"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"


class HealthMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response
        beside = Path(__file__).parents[2] / "stayput-build.json"  # beside the package, wherever the server's folder is
        self.build = build_id(Path(getattr(settings, "STAYPUT_BUILD_FILE", beside)))
        self.release = os.environ.get("STAYPUT_RELEASE") or "unknown"
        self.probes = {name: Probe(check, fresh=FRESH.get(name, 5)) for name, check in CHECKS.items()}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz" and request.META["REQUEST_METHOD"] in ("GET", "HEAD"):
            return self.answer()
        return self.get_response(request)

    def answer(self) -> HttpResponse:
        for probe in self.probes.values():
            probe.start()
        found = {name: probe.result() for name, probe in self.probes.items()}
        failing = any(check.at_fault for check in found.values())
        well = all(check.ok for check in found.values())
        return answer_as_json(
            {
                "status": "failing" if failing else "ok" if well else "degraded",
                "build": self.build,
                "release": self.release,
                "checks": {name: {"ok": check.ok, "detail": check.detail} for name, check in found.items()},
            },
            status=503 if failing else 200,
        )


def answer_as_json(body: Mapping[str, object], *, status: int) -> HttpResponse:
    answer = JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
    answer.headers["Content-Length"] = str(len(answer.content))  # CommonMiddleware comes later
    return answer
