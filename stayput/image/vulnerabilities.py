"""Known vulnerabilities of what a site's lock names, as pip-audit reports them, or why it could not look."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECONDS = 30
COMMAND = ("-m", "pip_audit", "--disable-pip", "--no-deps", "--format=json", "--desc=off", "--progress-spinner=off")


def known_vulnerabilities(requirements: Path) -> tuple[str, ...]:
    """A line for each vulnerable distribution; one line when there is none, or when it could not be found out.

    Asks osv.dev, or what PIP_AUDIT_OSV_URL names, for every pin; never an index.
    """
    command = [sys.executable, *COMMAND, "--vulnerability-service=osv", "--timeout=5", f"--requirement={requirements}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return (f"vulnerabilities: skipped, osv.dev did not answer within {SECONDS} s",)
    try:
        return _told(json.loads(done.stdout))
    except ValueError:
        return (f"vulnerabilities: skipped, {_why(done.stderr)}",)


def _told(document: Mapping[str, Any]) -> tuple[str, ...]:
    audited: list[dict[str, Any]] = document["dependencies"]
    vulnerable = [one for one in audited if one.get("vulns")]
    if not vulnerable:
        return (f"vulnerabilities: none known in {len(audited)} packages",)
    return tuple(f"vulnerable: {one['name']} {one['version']}: " + _flaws(one["vulns"]) for one in vulnerable)


def _flaws(flaws: list[dict[str, Any]]) -> str:
    mended = [version for flaw in flaws for version in flaw["fix_versions"]]
    named = ", ".join(str(flaw["id"]) for flaw in flaws)
    return f"{named}; mended in {', '.join(dict.fromkeys(mended))}" if mended else f"{named}; not mended yet"


def _why(said: str) -> str:
    if "ConnectionError" in said or "ProxyError" in said or "Timeout" in said:
        return "osv.dev cannot be reached from here"
    return (said.strip().splitlines() or ["pip-audit said nothing"])[-1]
