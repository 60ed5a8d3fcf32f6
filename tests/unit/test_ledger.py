import multiprocessing
import time

import pytest

from stayput.errors import NeedsAPerson, StayputError
from stayput.ledger import GENESIS, Began, Destroyed, Did, Keepsake, Ledger, Waived
from tests.unit.builders import live, release


def test_every_line_has_a_version_and_the_hash_of_the_one_before(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(Began(step="start", reason="first"))
    ledger.append(Did(step="start", seconds=1))
    first, second = ledger.records()
    assert (first.version, first.previous) == (1, GENESIS)
    assert second.previous != GENESIS


def test_a_line_that_was_edited_is_refused_and_named(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(Began(step="start", reason="first"))
    ledger.append(Did(step="start", seconds=1))
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"first", b"other"))
    with pytest.raises(NeedsAPerson, match="line 2: does not follow"):
        ledger.records()


def test_a_line_that_was_taken_out_is_noticed(tmp_path):
    ledger = Ledger(tmp_path)
    for step in ("one", "two", "three"):
        ledger.append(Began(step=step, reason=""))
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(lines[0] + lines[2])
    with pytest.raises(NeedsAPerson):
        ledger.records()


def test_a_line_torn_by_a_crash_is_written_over(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(Began(step="one", reason=""))
    with ledger.path.open("ab") as file:
        file.write(b'{"version":1,"prev')
    ledger.append(Did(step="one", seconds=1))
    assert [type(line.event) for line in ledger.records()] == [Began, Did]


def test_a_step_that_was_begun_and_not_ended_is_known(tmp_path):
    ledger = Ledger(tmp_path)
    assert ledger.unfinished() == ""
    ledger.append(Began(step="migrate", reason=""))
    assert ledger.unfinished() == "migrate"
    ledger.append(Did(step="another", seconds=1))
    assert (ledger.unfinished(), ledger.cut_off("migrate"), ledger.cut_off("another")) == ("", True, False)
    ledger.append(Did(step="migrate", seconds=1))
    assert not ledger.cut_off("migrate")


def test_what_was_live_before_a_target_was_destroyed_is_no_longer(tmp_path):
    ledger, here = Ledger(tmp_path), release()
    ledger.append(live(here))
    assert [event.release for event in ledger.live("memory")] == [here.id]
    ledger.append(Destroyed(target="memory"))
    assert ledger.live("memory") == ()


def test_releases_of_another_target_are_not_this_ones(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(live(release()))
    assert ledger.live("process") == ()


def _hold(home, taken):
    with Ledger(home).held("deploy"):
        taken.set()
        time.sleep(60)


def test_a_second_deploy_is_refused_and_told_who_holds_the_stack(tmp_path):
    taken = multiprocessing.Event()
    holder = multiprocessing.Process(target=_hold, args=(tmp_path, taken))
    holder.start()
    try:
        assert taken.wait(20)
        with pytest.raises(StayputError, match=f"deploy, process {holder.pid}"), Ledger(tmp_path).held("deploy"):
            pass
    finally:
        holder.kill()
        holder.join()
    with Ledger(tmp_path).held("deploy"):  # the kernel freed it with its holder
        pass


def test_a_waived_keepsake_says_who_waived_it_and_why_until_another_is_left(tmp_path):
    ledger, here = Ledger(tmp_path), release()
    ledger.append(live(here, Keepsake(id="one", sha256="ab")))
    ledger.append(Waived(target="memory", keepsake="another", by="ada", why="of another release"))
    ledger.append(Waived(target="another", keepsake="one", by="ada", why="of another target"))
    assert ledger.live("memory")[-1].keepsake.waived == ""
    ledger.append(Waived(target="memory", keepsake="one", by="ada", why="deleted by hand"))
    assert ledger.live("memory")[-1].keepsake.waived == "ada: deleted by hand"
    ledger.append(live(here, Keepsake(id="two", sha256="cd")))
    assert [one.keepsake.waived for one in ledger.live("memory")] == ["ada: deleted by hand", ""]


def test_a_keepsake_that_was_written_down_without_its_database_is_read(tmp_path):
    ledger, here = Ledger(tmp_path), release()
    ledger.append(live(here, Keepsake(id="one", sha256="ab", stored_in="media", database="postgres")))
    written = ledger.path.read_bytes()
    older = written.replace(b',"database":"postgres"', b"")
    assert older != written
    ledger.path.write_bytes(older)
    assert ledger.live("memory")[-1].keepsake == Keepsake(id="one", sha256="ab", stored_in="media")


def test_a_line_that_is_no_text_is_said_by_its_number(tmp_path):
    (tmp_path / "ledger.jsonl").write_bytes(b'{"at": "\xff"}\n')
    with pytest.raises(NeedsAPerson, match=r"ledger\.jsonl, line 1: cannot be read"):
        Ledger(tmp_path).records()
