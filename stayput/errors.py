"""One root for everything Stayput refuses or fails at: where, what, and what to do next."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(eq=False)
class StayputError(Exception):
    """A failure said in one line. What was there before still serves."""

    where: str
    what: str
    next_step: str
    exit_code: ClassVar[int] = 1

    def __str__(self) -> str:
        return f"{self.where}: {self.what.rstrip('.')}. Next: {self.next_step}"


class WrongUse(StayputError):
    """A wrong option, setting or file: nothing was begun."""

    exit_code = 2


class NeedsAPerson(StayputError):
    """A failure that could not be put right by itself; `what` says what is left."""

    exit_code = 3


class DifferencesFound(StayputError):
    """Not a fault: `plan --exit-code` and `drift` found something to do."""

    exit_code = 4
