"""The record: what the public address reports, a keepsake for the next release, and a line in the ledger.

Meanwhile the release before stops.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

from stayput.errors import StayputError
from stayput.ledger import Keepsake, Ledger, Live
from stayput.prove import check_health, forget_keepsake, leave_keepsake
from stayput.release import Release
from stayput.targets import Target
from stayput.variables import Access


@dataclass(frozen=True, kw_only=True)
class Record:
    name: ClassVar = "record"
    release: Release
    access: Access
    keepsake: Keepsake | None  # of the release before, no longer needed
    reason: str
    database: str = ""  # where the rows are, as the ledger names it

    def __str__(self) -> str:
        return f"record release {self.release.id}: {self.reason}"

    def perform(self, target: Target, ledger: Ledger) -> None:
        """Raises ProofFailed when the public address does not report this very release, StayputError from retire."""
        with ThreadPoolExecutor(1) as beside:
            retired = beside.submit(target.retire, self.release)
            observed = target.observe()
            check_health(observed.url, build=self.release.build.id, release=self.release.id).or_raise()
            keepsake = leave_keepsake(observed.url, self.access, database=self.database, last=self.keepsake)
            try:
                retired.result()
            except StayputError:
                forget_keepsake(observed.url, self.access, keepsake)  # the next run leaves its own
                raise
        ledger.append(
            Live(
                target=target.name,
                release=self.release.id,
                build=self.release.build.id,
                parts=self.release.build.parts,
                fingerprints=self.release.fingerprints,
                url=observed.url,
                image=observed.image,
                keepsake=keepsake,
            )
        )
        target.recorded(self.release)
        if self.keepsake:
            forget_keepsake(observed.url, self.access, self.keepsake)
