"""What was asked, and what was found: checks in words, and a proof made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stayput.errors import StayputError

NO_ANSWER = "no answer"  # how the detail of a check begins that could not be made
UNPROVEN = "could not be proven"  # how it begins where the site answered, and the answer says nothing about the check
READ_LOG = "read its log: invoke logs"
REMEDIES = {
    "health": "read its log: invoke logs, or ask it: invoke diagnose",
    "key": "look at the uploader's policy: invoke drift, or provision again: invoke deploy",
    "keepsake": 'uploads do not outlive a deploy: set storage = "s3" in stayput.toml',
    "objects": "the site stores somewhere else than in the bucket: look at USE_S3 and STORAGES",
}


@dataclass(frozen=True, kw_only=True)
class Check:
    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, kw_only=True)
class ProofCheck(Check):
    """A check that knows what to do about what it found."""

    remedy: str = ""  # empty: what is usual for a check of that name


class ProofFailed(StayputError):
    """The site does not do what it should; `what` is the first check that failed."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was asked of the site at `url`, and what it answered."""

    url: str
    checks: tuple[Check, ...]
    build: str = ""  # as the site reports them
    release: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])  # bytes: "photo", "main", "thumbnail"

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def or_raise(self) -> "Proof":
        """Raises ProofFailed for the first check that found something wrong, or else could not be made."""
        failed = [check for check in self.checks if not check.ok]
        for check in (*(one for one in failed if _has_verdict(one)), *failed):
            raise ProofFailed(self.url, f"{check.name}: {check.detail}", _remedy(check))
        return self


def _has_verdict(check: Check) -> bool:
    return not check.detail.startswith((NO_ANSWER, UNPROVEN))


def _remedy(check: Check) -> str:
    if not _has_verdict(check):
        return READ_LOG
    known = check.remedy if isinstance(check, ProofCheck) else ""
    return known or REMEDIES.get(check.name, READ_LOG)
