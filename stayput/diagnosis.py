"""`invoke diagnose`: the live release's own diagnosis, run inside it and shown here."""

import msgspec

from stayput.errors import StayputError
from stayput.proof import READ_LOG, Check
from stayput.report import Report
from stayput.targets import Target

SECTIONS = ("Configuration", "Storage", "Image optimisation", "Storage upload", "Upload flow")


class Line(msgspec.Struct, frozen=True):
    """A finding, as `manage.py diagnose --json` of the release writes it. ok None: not tried."""

    section: int
    name: str
    ok: bool | None
    detail: str
    remedy: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    ok: bool
    lines: tuple[Line, ...]


def diagnose(target: Target, report: Report) -> None:
    """Show what works in the live release and what does not; the document's ok is the release's own word."""
    found = ask(target)
    report.document |= {"ok": found.ok, "target": target.name, "lines": msgspec.to_builtins(found.lines)}
    section = 0
    for line in found.lines:
        if line.section != section:
            section = line.section
            report.say(f"{section} {SECTIONS[section - 1]}")
        if line.ok is None:
            report.say(f"  {line.name}: {line.detail}")
        else:
            detail = line.detail if line.ok else f"{line.detail}. Next: {line.remedy}"
            report.check(Check(name=line.name, ok=line.ok, detail=detail))


def ask(target: Target) -> Diagnosis:
    """Raises StayputError when the release says something else, as one without stayput.django does."""
    lines = target.manage("diagnose", "--json")
    for line in reversed(lines):
        try:
            return msgspec.json.decode(line, type=Diagnosis)
        except msgspec.DecodeError:
            continue
    said = lines[-1] if lines else "nothing"
    raise StayputError(f"target {target.name}", f"manage.py diagnose says {said}", READ_LOG)
