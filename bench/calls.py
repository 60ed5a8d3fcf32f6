"""How many calls a command makes to each provider, counted by its stand-in; the same at every run."""

import itertools
from pathlib import Path

from tests.standins.instant import Folders, VirtualClock, instant_place
from tests.standins.places import PLACES, release

WHAT = ("first deploy", "another build, one variable changed", "nothing changed", "until the way back is asked for")


def run(root: Path) -> str:
    """The table of docs/paas.md. Polls of a deployment are left out: they are as many as it takes long."""
    counted = {name: count(name) for name in sorted(PLACES)}
    rows = [("calls", *counted), ("---",) * (len(counted) + 1)]
    rows += [(what, *(str(each[n]) for each in counted.values())) for n, what in enumerate(WHAT)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def count(name: str) -> tuple[int, ...]:
    """The figures of one provider, in the order of WHAT."""
    with Folders() as folders:
        place = instant_place(name, folders.new(), VirtualClock())
        calls, writes = place.stand_in.calls, (*place.stand_in.WRITES, place.stand_in.FOLLOW)
        seen = [len(calls)]
        for number in (1, 2, 2):
            place.deploy(release(number))
            seen.append(len(calls))
        made = [calls[begin:end] for begin, end in itertools.pairwise(seen)]
        target, three = place.again(), release(3)
        target.publish(three.build)
        target.inject(three)
        target.start(three)
        begin = len(calls)
        target.withdraw(three)
        asked = [call for call in calls[begin:] if call not in writes]
        place.stand_in.close()
        of_deploys = [sum(call != place.stand_in.FOLLOW for call in each) for each in made]
        return (*of_deploys, asked.index(place.stand_in.BACK) + 1)
