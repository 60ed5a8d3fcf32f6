"""The proof: a release is asked what people ask of it: its health, a real photo there and back, and its pages."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import TypedDict

import httpx
import msgspec

from stayput.ledger import Keepsake
from stayput.proof import Check, Proof
from stayput.proof.domains import by_header, check_domains, of_service
from stayput.proof.keepsake import check_keepsake, find_keepsake, forget_keepsake, leave_keepsake
from stayput.proof.pages import check_pages
from stayput.proof.upload import Upload
from stayput.proof.visit import NOT_NOW, Unproven, Wrong, guarded, parsed, said, visit
from stayput.targets import Target
from stayput.variables import Access

__all__ = ["check_health", "find_keepsake", "forget_keepsake", "get_ready", "leave_keepsake", "prove", "prove_names"]


def prove(
    address: str,
    access: Access,
    *,
    build: str,
    release: str,
    keepsake: Keepsake | None = None,
    pages: Sequence[str] | None = None,
    public: str = "",
) -> Proof:
    """Send a photo through the site at `address`, visit its pages, and see that it does all that it should.

    build, release: what the site must report; empty texts accept any. pages: paths; None stands for "/", where there
    is one. public: the address that people type, where that is another one. Never raises for what the site does.
    """
    with visit(address) as site:
        health, reported = _health(site, build, release)
        if not health.ok:
            return Proof(url=address, checks=(health,), **reported)
        checks: list[Check] = [health]
        if keepsake:
            checks.append(check_keepsake(site, keepsake))
        if access.outputs:
            checks.append(guarded("key", lambda: _key(access)))
        upload = Upload(site, access, [keepsake.id] if keepsake else [])
        checks += upload.checks()
        checks += check_pages(address, public, pages, uploads=upload.uploads)
        return Proof(url=address, checks=tuple(checks), sizes=upload.sizes, **reported)


def prove_names(proof: Proof, target: Target, hosts: Iterable[str], origins: Iterable[str]) -> Proof:
    """That proof, and where it is well a check for each other name under which the same release must answer.

    hosts, origins: ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS of the release.
    """
    if not proof.ok:
        return proof
    domains = target.domains()
    names = of_service(domains, proof.url) if domains else by_header(hosts, origins, proof.url, target.hosts())
    checks = check_domains(names, proof.release, proof.build, target.polls)
    return replace(proof, checks=(*proof.checks, *checks))


def get_ready(access: Access) -> None:
    """Load and draw what a proof begins with, while there is time: it takes longer than to send it."""
    from stayput import photo

    photo.draw()
    if access.outputs:
        from stayput.engine.keys import as_uploader

        as_uploader(access.outputs, access.endpoint_url)


def check_health(address: str, *, build: str, release: str) -> Proof:
    """What /healthz of that address reports, against what it should."""
    with visit(address) as site:
        health, reported = _health(site, build, release)
    return Proof(url=address, checks=(health,), **reported)


class _Found(msgspec.Struct, frozen=True):
    ok: bool
    detail: str


class _Health(msgspec.Struct, frozen=True):
    """What /healthz answers."""

    status: str
    build: str
    release: str
    checks: dict[str, _Found]


class _Reported(TypedDict):
    build: str
    release: str


def _health(site: httpx.Client, build: str, release: str) -> tuple[Check, _Reported]:
    reported = _Reported(build="", release="")

    def ask() -> str:
        answer = site.get("/healthz")
        if answer.status_code in NOT_NOW and "json" not in answer.headers.get("content-type", ""):
            raise Unproven(f"the site answers {said(answer)}")
        found = parsed(answer, _Health)
        reported.update(build=found.build, release=found.release)
        failing = [f"{name}: {check.detail}" for name, check in found.checks.items() if not check.ok]
        if answer.status_code != HTTPStatus.OK:
            raise Wrong(f"answers {answer.status_code}: {'; '.join(failing) or found.status}")
        for name, there, wanted in (("release", found.release, release), ("build", found.build, build)):
            if wanted and there != wanted:
                raise Wrong(f"serves {name} {there or 'unknown'}, not {wanted}")
        what = f"{found.status}, release {found.release}, build {found.build}"
        return "; ".join([what, *failing])

    return guarded("health", ask), reported


def _key(access: Access) -> str:
    from stayput.engine.keys import wait_until_usable

    assert access.outputs
    wait_until_usable(access.outputs, access.endpoint_url)
    return f"{access.outputs.access_key_id} can write, read and delete"
