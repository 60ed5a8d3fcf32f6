"""The proof: a real photo through the started release."""

import contextlib
from dataclasses import dataclass, replace
from typing import ClassVar

from stayput.ledger import Keepsake
from stayput.proof import Proof
from stayput.proof.domains import by_header, check_domains, of_service
from stayput.prove import get_ready, prove
from stayput.release import Release
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
        with contextlib.suppress(Exception):  # what does not work is told by the proof
            get_ready(self.access)

    def perform(self, target: Target) -> Proof:
        address = target.address(self.release)
        proof = prove(
            address,
            self.access,
            build=self.release.build.id,
            release=self.release.id,
            keepsake=self.keepsake,
            pages=self.pages,
            public=self.public,
        )
        if not proof.ok:
            return proof
        domains = target.domains()
        names = of_service(domains, address) if domains else by_header(self.release, address, target.hosts())
        return replace(proof, checks=(*proof.checks, *check_domains(names, self.release, target.polls)))
