"""What is, and what is wanted, in; the steps between them, each with its reason, out. No I/O at all."""

from collections.abc import Mapping
from dataclasses import dataclass

from stayput.engine import Cloud
from stayput.ledger import Keepsake, Live
from stayput.release import Release
from stayput.steps import Attest, BuildImage, Inject, Migrate, Promote, Provision, Publish, Record, Start, Step, Verify
from stayput.targets import Observed
from stayput.variables import Access

OF_THE_TARGET = "the target's own"  # the database of a release that brings no DATABASE_URL


@dataclass(frozen=True, kw_only=True)
class Desired:
    """The release that should be live, and what is needed to prove it."""

    release: Release
    access: Access
    last: Live | None  # the release that the ledger says was proven last
    there: bool = False  # the target has this build, ready to be started
    in_image: bool = False  # the target runs images, and only attested ones
    migrated: bool = False  # this build was proven on this very database, and no migration was cut off since
    database: str = ""  # which one its DATABASE_URL names, where a deploy sets that
    pages: tuple[str, ...] | None = None  # that the proof visits; None: "/", where there is one


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What the proof looks for of the release before: its keepsake, or why it does not."""

    keepsake: Keepsake | None
    why_not: str = ""


def seek(last: Live | None, stored_in: str, database: str) -> Sought:
    """What a release finds that stores its uploads there and its rows in that database; empty: not known."""
    keepsake = last.keepsake if last else None
    if keepsake is None:
        return Sought(keepsake=None)
    if keepsake.waived:
        return Sought(keepsake=None, why_not=f"was waived by {keepsake.waived}")
    if keepsake.stored_in != stored_in:
        return Sought(keepsake=None, why_not="is not looked for: uploads are stored elsewhere since")
    if database and keepsake.database and keepsake.database != database:
        return Sought(keepsake=None, why_not="is not looked for: the database is another one since")
    return Sought(keepsake=keepsake)


def name_database(known: str, observed: Observed) -> str:
    """Which database a release works on. known: as its own DATABASE_URL names it; empty: it brings none.

    Otherwise the target's own, or what a provider shows of its DATABASE_URL: a fingerprint of the whole, so that a new
    password counts as another database. Empty where it shows nothing.
    """
    if known or not observed.database_known:
        return known or observed.fingerprints.get("DATABASE_URL", "")
    return OF_THE_TARGET


def plan_cloud(cloud: Cloud) -> tuple[Step, ...]:
    """One step, or none when the stack is as the program says."""
    return (Provision(changes=cloud.changes, reason=cloud.reason),) if cloud.reason else ()


def plan_release(desired: Desired, observed: Observed) -> tuple[Step, ...]:
    """The steps to the desired release; none when it is live, healthy and recorded."""
    release, last, access = desired.release, desired.last, desired.access
    database = name_database(desired.database, observed)
    sought = seek(last, access.stored_in, database)
    served = observed.release == release.id and observed.build == release.build.id and observed.healthy
    waived = bool(last and last.keepsake and last.keepsake.waived)  # the next release would have nothing to look for
    recorded = last is not None and last.release == release.id and observed.unrecorded != release.id and not waived
    verify = Verify(
        release=release,
        access=access,
        keepsake=sought.keepsake,
        reason=_why_prove(last, sought),
        pages=desired.pages,
        public=observed.url,
    )
    record = Record(
        release=release,
        access=access,
        keepsake=sought.keepsake,
        reason="the next release looks for it",
        database=database,
    )
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
    """What was changed by hand at the target under the live release."""
    differing = observed.differing(release.fingerprints)
    said = [f"{', '.join(differing)} stored there otherwise"] if differing else []
    return "; ".join([*said, *(str(one) for one in observed.deviations if one.wanted)])


def _why_build(release: Release, last: Live | None) -> str:
    if last is None:
        return "the first"
    return "changed: " + (", ".join(release.build.changed_since(last.parts)) or "nothing, but it is not there any more")


def _why_inject(wanted: Mapping[str, str], there: Mapping[str, str], last: Live | None) -> str:
    own = [name for name in wanted if name != "STAYPUT_RELEASE"]
    added = [name for name in own if name not in there]
    known: Mapping[str, str] = last.fingerprints if last else {}
    differing = [name for name in own if name in there and there[name] not in ("", wanted[name])]
    changed = [name for name in differing if there[name] == known.get(name)]
    by_hand = [name for name in differing if name not in changed]
    removed = [name for name in known if name in there and name not in wanted]
    kinds = (("new", added), ("changed", changed), ("replaces what was set there in", by_hand), ("removed", removed))
    said = [f"{word} {', '.join(names)}" for word, names in kinds if names]
    return "; ".join(said) or "the same values under a new release"


def _why_start(release: Release, observed: Observed) -> str:
    at = observed.built_by
    return _why_not_served(release, observed) + (f"; verified by the Dockerfile's verify stages at {at}" if at else "")


def _why_not_served(release: Release, observed: Observed) -> str:
    if not observed.release:
        return "nothing serves"
    if observed.release == release.id and observed.healthy:
        return f"the site serves build {observed.build or 'unknown'} under its name"
    if observed.release == release.id:
        return "it is live but not healthy" + (f": {observed.said}" if observed.said else "")
    return f"the site serves {observed.release}"


def _why_prove(last: Live | None, sought: Sought) -> str:
    photo = "a photo goes through it"
    if last and sought.keepsake:
        return f"{photo}, and the keepsake of {last.release} must still be there"
    return f"{photo}; the keepsake of {last.release} {sought.why_not}" if last and sought.why_not else photo
