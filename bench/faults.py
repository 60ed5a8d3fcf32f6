"""Every fault on every call of each provider, as docs/faults.md keeps it."""

from pathlib import Path

from tests.standins import matrix
from tests.standins.places import PLACES

PAGE = "docs/faults.md"
HEAD = f"""# Faults

Written by `./invoke bench --faults`; a test makes each table anew and compares. Each row is one call that a deploy to
that provider makes, each column what may happen to it. A cell is the exit code of a deploy that met the fault once,
then of one that met it at every such call to its end:

- `0` it ended right all the same; `1` it stopped, and the release before serves under its own variables;
- `3` it stopped, and says what is left for a person; `130` it was interrupted, and the release before serves.

Every other deploy in this table goes well, knows no ids from an earlier run, does not start, is not proven or is
interrupted with Ctrl-C while it is underway; "when it" says which of them makes the call. In every cell: the error is
one line without a secret, the next deploy ends with 0, no two deployments are ever underway, none is made where one of
the same release goes on, and none of the {len(matrix.MANY)} variables that were set by hand is lost. The provider's
clock is an hour ahead.

`{matrix.NO_BODY}`: the deployment is taken with an empty answer. `{matrix.LAGS}`: the answer is lost, and the list
shows the deployment late. `{matrix.HIDES}`: the list shows it shortly before the two minutes are over after
which it would be asked for once more.
"""


def run(root: Path) -> str:
    """The page, written and given back. Takes about a minute."""
    page = "\n".join([HEAD, *(table(name) for name in sorted(PLACES))])
    (root / PAGE).write_text(page)
    return page


def table(name: str) -> str:
    """The section of one provider. Raises AssertionError where a cell breaks a promise."""
    lines = [f"## {name.capitalize()}", "", f"| call | when it | {' | '.join(matrix.KINDS)} |"]
    lines.append("| --- " * (len(matrix.KINDS) + 2) + "|")
    for cells in matrix.rows(name):
        codes = [" ".join(str(code) for code in (cell.once, cell.lasting) if code is not None) for cell in cells]
        lines.append(f"| `{cells[0].call}` | {cells[0].scenario} | {' | '.join(codes)} |")
    return "\n".join(lines) + "\n"
