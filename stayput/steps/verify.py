"""The proof: a real photo through the started release."""

import contextlib
from dataclasses import dataclass
from typing import ClassVar

from stayput.domains import HOSTS, ORIGINS
from stayput.ledger import Keepsake
from stayput.proof import Proof
from stayput.prove import get_ready, prove, prove_names
from stayput.release import Release
from stayput.secrets import plain
from stayput.targets import Target
from stayput.variables import Access


@dataclass(frozen=True, kw_only=True)
class Verify:
    name: ClassVar = "prove"
    release: Release
    access: Access
    keepsake: Keepsake | None  # of the release before
    reason: str
    pages: tuple[str, ...] | None = None  # paths; None: "/", where there is one
    public: str = ""  # what people type

    def __str__(self) -> str:
        return f"prove release {self.release.id}: {self.reason}"

    def get_ready(self) -> None:
        with contextlib.suppress(Exception):  # what does not work is reported by the proof
            get_ready(self.access)

    def perform(self, target: Target) -> Proof:
        proof = prove(
            target.address(self.release),
            self.access,
            build=self.release.build.id,
            release=self.release.id,
            keepsake=self.keepsake,
            pages=self.pages,
            public=self.public,
        )
        said = [plain(self.release.variables.get(name, "")).split(",") for name in (HOSTS, ORIGINS)]
        return prove_names(proof, target, *said)
