"""What a command says: a line a step for people, one JSON document on stdout for programs. All of it is redacted."""

import contextlib
import dataclasses
import errno
import json
import os
import shutil
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stayput.errors import StayputError, WrongUse
from stayput.redact import redact, redact_document

if TYPE_CHECKING:
    from stayput.proof import Check, Proof


class Report:
    """Collects what a command did and found. People read along as it happens; a program reads the whole at the end."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.document: dict[str, Any] = {"ok": True}
        self.steps: list[dict[str, Any]] = []
        self._console = Console(stderr=as_json, highlight=False, soft_wrap=True, emoji=False)
        wide = (self._console.encoding or "").lower().startswith("utf")
        self._marks = {
            "done": "✓" if wide else "ok",
            "failed": "✗" if wide else "FAILED",
            "planned": "·" if wide else "-",
        }

    def say(self, line: str) -> None:
        self._console.print(redact(line), markup=False)

    @contextlib.contextmanager
    def step(self, name: str, reason: str, sentence: str) -> Iterator[None]:
        """Time one step; it is shown when it ends, and while it runs on a terminal."""
        entry: dict[str, Any] = {"name": name, "reason": reason, "seconds": 0.0, "outcome": "failed"}
        self.steps.append(entry)
        started = time.monotonic()
        watching = (
            self._console.status(Text(redact(sentence))) if self._console.is_terminal else contextlib.nullcontext()
        )
        try:
            with watching:
                yield
            entry["outcome"] = "done"
        finally:
            entry["seconds"] = round(time.monotonic() - started, 3)
            self._line(entry["outcome"], f"{sentence} ({entry['seconds']:.1f} s)")

    def planned(self, name: str, reason: str, sentence: str) -> None:
        self.steps.append({"name": name, "reason": reason, "seconds": 0.0, "outcome": "planned"})
        self._line("planned", sentence)

    def check(self, check: "Check") -> None:
        self._line("done" if check.ok else "failed", f"{check.name}: {check.detail}")

    def proof(self, proof: "Proof") -> None:
        """The checks of a proof, a line each; the last one is in the document."""
        checks = [dataclasses.asdict(check) for check in proof.checks]
        self.document["proof"] = {"ok": proof.ok, "url": proof.url, "checks": checks, "sizes": dict(proof.sizes)}
        for check in proof.checks:
            self._line("done" if check.ok else "failed", f"{check.name}: {check.detail}", indent=4)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(redact(cell)) for cell in row))
        self._console.print()
        self._console.print(table)

    def confirm(self, sentence: str, yes: bool) -> None:
        """Go on only after a yes. Raises WrongUse where there is no terminal to ask on."""
        if yes:
            return
        if self.as_json or not sys.stdin.isatty():
            raise WrongUse("this command", f"asks before it goes on: {sentence}", "add --yes")
        if self._console.input(f"{sentence} Type yes to go on: ").strip().lower() != "yes":
            raise WrongUse("this command", "was not confirmed", "nothing was changed")

    def fail(self, problem: StayputError) -> None:
        self.document["ok"] = False
        self.document["error"] = {"where": problem.where, "what": problem.what, "next": problem.next_step}
        console = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
        console.print(redact(str(problem)), markup=False, style="red")

    def close(self) -> None:
        if self.as_json:
            sys.stdout.write(json.dumps(redact_document(self.document), ensure_ascii=False) + "\n")

    def _line(self, outcome: str, text: str, indent: int = 0) -> None:
        style = {"done": "green", "failed": "red", "planned": "cyan"}[outcome]
        self._console.print(f"{' ' * indent}[{style}]{self._marks[outcome]}[/] ", end="")
        self._console.print(redact(text), markup=False)


@contextlib.contextmanager
def reporting(as_json: bool) -> Iterator[Report]:
    """Run a command's body: errors become one line and an exit code, and the JSON document is always whole."""
    report = Report(as_json)
    code = 0
    try:
        yield report
    except StayputError as problem:
        report.fail(problem)
        code = problem.exit_code
    except KeyboardInterrupt:
        report.fail(StayputError("stopped", "interrupted from the keyboard", "run it again: it goes on where it was"))
        code = 130
    except OSError as problem:
        report.fail(_from_system(problem))
        code = 1
    except Exception as problem:  # a fault of Stayput's own; its traceback may quote anything
        sys.stderr.write(redact(traceback.format_exc()))
        what = f"failed unexpectedly: {type(problem).__name__}: {problem}"
        report.fail(StayputError("stayput", what, "please report it, with the traceback above"))
        code = 1
    report.close()
    if code or not report.document["ok"]:
        raise SystemExit(code or 1)


def _from_system(problem: OSError) -> StayputError:
    if isinstance(problem, shutil.Error):  # of a tree that was copied: (from, to, why) for each file
        source, _, why = problem.args[0][0]
        full = os.strerror(errno.ENOSPC) in why
        problem = OSError(errno.ENOSPC if full else errno.EIO, why, source)
    where = str(problem.filename or "this machine")
    if problem.errno == errno.ENOSPC:
        return StayputError(where, "no space left on the disk", "make room, then run it again: it goes on where it was")
    return StayputError(where, problem.strerror or str(problem), "mend that, then run it again")
