"""What is, and what is wanted, in; the steps between them, each with its reason, out. No I/O at all."""

from collections.abc import Mapping
from dataclasses import dataclass

from stayput.engine import Cloud
from stayput.ledger import Keepsake, Live
from stayput.release import Release
from stayput.steps import Attest, BuildImage, Inject, Migrate, Promote, Provision, Publish, Record, Start, Step, Verify
from stayput.targets import Observed
from stayput.variables import Access


@dataclass(frozen=True, kw_only=True)
class Desired:
    """The release that should be live, and what is needed to prove it."""

    release: Release
    access: Access
    last: Live | None  # the release that the ledger says was proven last
    there: bool = False  # the target has this build, ready to be started
    in_image: bool = False  # the target runs images, and only attested ones
    migrated: bool = False  # this build was proven on this very database, and no migration was cut off since

    @property
    def keepsake(self) -> Keepsake | None:
        """What this release must still find; nothing when uploads are stored elsewhere from now on."""
        keepsake = self.last.keepsake if self.last else None
        return keepsake if keepsake and keepsake.stored_in == self.access.stored_in else None


def plan_cloud(cloud: Cloud) -> tuple[Step, ...]:
    """One step, or none when the stack is as the program says."""
    return (Provision(changes=cloud.changes, reason=cloud.reason),) if cloud.reason else ()


def plan_release(desired: Desired, observed: Observed) -> tuple[Step, ...]:
    """The steps to the desired release; none when it is live, healthy and recorded."""
    release, last, keepsake = desired.release, desired.last, desired.keepsake
    served = observed.release == release.id and observed.build == release.build.id and observed.healthy
    recorded = last is not None and last.release == release.id
    verify = Verify(release=release, access=desired.access, keepsake=keepsake, reason=_why_prove(desired))
    record = Record(release=release, access=desired.access, keepsake=keepsake, reason="the next release looks for it")
    changed = _changed_there(release, observed) if served else ""
    if served and not changed:
        return () if recorded else (verify, record)

    steps: list[Step] = []
    if not desired.there:
        if desired.in_image:
            steps.append(BuildImage(build=release.build, reason=_why_build(release, last)))
            steps.append(Attest(build=release.build, reason="a target gets what was opened and found right"))
        steps.append(Publish(build=release.build, reason=_why_build(release, last)))
    steps.append(Inject(release=release, reason=_why_inject(release.fingerprints, observed.fingerprints, last)))
    if not _is_migrated(desired, observed):
        steps.append(Migrate(release=release, reason="before the release that needs it"))
    steps += [
        Start(release=release, reason=changed or _why_start(release, observed)),
        verify,
        Promote(release=release, reason=f"in place of {observed.release}" if observed.release else "nothing has it"),
        record,
    ]
    return tuple(steps)


def _is_migrated(desired: Desired, observed: Observed) -> bool:
    """By the word of the live release: it is well, with the database that this build was proven on."""
    there, wanted = observed.fingerprints.get("DATABASE_URL"), desired.release.fingerprints.get("DATABASE_URL")
    return desired.migrated and observed.healthy and observed.database_known and there == wanted


def _changed_there(release: Release, observed: Observed) -> str:
    """What somebody changed at the target under the live release."""
    astray = observed.astray(release.fingerprints)
    said = [f"{', '.join(astray)} stored there otherwise"] if astray else []
    return "; ".join([*said, *(str(one) for one in observed.deviations if one.wanted)])


def _why_build(release: Release, last: Live | None) -> str:
    if last is None:
        return "the first"
    return "changed: " + (", ".join(release.build.changed_since(last.parts)) or "nothing, but it is not there any more")


def _why_inject(wanted: Mapping[str, str], there: Mapping[str, str], last: Live | None) -> str:
    own = [name for name in wanted if name != "STAYPUT_RELEASE"]
    added = [name for name in own if name not in there]
    changed = [name for name in own if name in there and there[name] not in ("", wanted[name])]
    removed = [name for name in (last.fingerprints if last else ()) if name in there and name not in wanted]
    kinds = (("new", added), ("changed", changed), ("removed", removed))
    said = [f"{word} {', '.join(names)}" for word, names in kinds if names]
    return "; ".join(said) or "the same values under a new release"


def _why_start(release: Release, observed: Observed) -> str:
    at = observed.built_by
    return _why_not_served(release, observed) + (f"; verified by the Dockerfile's verify stages at {at}" if at else "")


def _why_not_served(release: Release, observed: Observed) -> str:
    if not observed.release:
        return "nothing serves"
    if observed.release == release.id:
        return "it is live but not healthy" + (f": {observed.said}" if observed.said else "")
    return f"the site serves {observed.release}"


def _why_prove(desired: Desired) -> str:
    if desired.last and desired.keepsake:
        return f"a photo goes through it, and the keepsake of {desired.last.release} must still be there"
    return "a photo goes through it"
