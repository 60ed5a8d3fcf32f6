"""`invoke build` and `invoke attest`, and what a deploy records of an attestation."""

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from stayput.errors import StayputError
from stayput.image import Attestation
from stayput.image.inputs import measure_repository
from stayput.image.vulnerabilities import known_vulnerabilities
from stayput.ledger import Attested, Ledger
from stayput.project import load
from stayput.report import Report
from stayput.stack import stack_named

if TYPE_CHECKING:
    from stayput.image.builder import Images


def build(root: Path, stack: str | None, report: Report, overrides: Sequence[str] = (), *, fresh: bool = False) -> None:
    """Build this tree's image, and say what of it had to be rebuilt and why; nothing changed, nothing built."""
    images, _ = _open(root, stack, overrides)
    began = time.monotonic()
    if fresh:
        images.pull_base()
    measured = images.measure()
    there = None if fresh else images.find(measured.id)
    rebuilt = () if there else images.rebuilt(measured)
    if there is None:
        for part in rebuilt:
            report.say(f"{part['part']} rebuilt: {part['reason']}")
    with ThreadPoolExecutor(1) as beside:
        requirements = root / images.project.site.requirements
        known = None if there else beside.submit(known_vulnerabilities, requirements)
        image = there or images.make(measured, fresh=fresh)
        vulnerabilities = known.result() if known else ()
    for line in vulnerabilities:
        report.say(line)
    report.document |= {
        "build": image.build,
        "image": image.reference,
        "digest": image.digest,
        "from_repository": measure_repository(root, images.project).id,
        "rebuilt": list(rebuilt),
        "vulnerabilities": list(vulnerabilities),
        "seconds": round(time.monotonic() - began, 3),
    }
    report.say(f"{image.reference}" + ("" if rebuilt else ": nothing changed"))


def attest(root: Path, stack: str | None, report: Report, reference: str = "", overrides: Sequence[str] = ()) -> None:
    """Open an image (this tree's, unless one is named) and say what was found. Raises StayputError at a fault."""
    images, ledger = _open(root, stack, overrides)
    image = images.named(reference) if reference else images.image_of(images.measure().id)
    with ledger.held("attest"):
        record_attestation(images.attest(image), images, ledger, report)


def record_attestation(found: Attestation, images: "Images", ledger: Ledger, report: Report) -> None:
    """Say each check and write the result into the ledger. Raises StayputError with the first that failed."""
    for check in found.checks:
        report.check(check)
    statement = hashlib.sha256(images.statement(found.digest)).hexdigest()
    ledger.append(
        Attested(
            build=found.build,
            image=found.image,
            config=found.config,
            platform=found.platform,
            failing=found.failing,
            statement=statement,
        )
    )
    report.document |= {"ok": found.ok, "image": found.image, "digest": found.digest}
    report.document["checks"] = msgspec.to_builtins(found.checks)
    if not found.ok:
        raise StayputError(f"image {found.image}", found.failing, "mend that, then build and attest again")


def _open(root: Path, stack: str | None, overrides: Sequence[str]) -> "tuple[Images, Ledger]":
    from stayput.image.builder import Images

    where = stack_named(root, stack)
    return Images(load(root, overrides), where), Ledger(where.home)
