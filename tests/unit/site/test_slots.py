"""How many pictures are decoded at once."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.uploads import slots
from app.uploads.slots import Busy, one


def test_no_more_than_the_count_are_held_at_once(tmp_path: Path):
    with (
        one(2, folder=tmp_path, patience=5),
        one(2, folder=tmp_path, patience=5),
        pytest.raises(Busy),
        one(2, folder=tmp_path, patience=0.05),
    ):
        pass
    with one(2, folder=tmp_path, patience=5) as waited_ms:
        assert waited_ms >= 0


def test_a_slot_comes_free_when_the_work_fails(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), one(1, folder=tmp_path, patience=5):
        raise ZeroDivisionError
    with one(1, folder=tmp_path, patience=0):
        pass


def test_who_waits_is_woken_when_a_slot_comes_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slots, "LOOK_AGAIN", 60)  # whoever is not woken is not in time
    begun, held = threading.Event(), threading.Event()

    def work(_: int) -> None:
        begun.set()
        with one(1, folder=tmp_path, patience=10):
            held.set()

    with ThreadPoolExecutor(3) as pool:
        with one(1, folder=tmp_path, patience=5):
            waiting = pool.map(work, range(3))
            begun.wait()
            assert not held.wait(0.05)
        list(waiting)


def test_processes_count_together_and_a_killed_one_gives_its_slot_back(tmp_path: Path):
    code = (
        "import pathlib, sys, time; from app.uploads.slots import one\n"
        "with one(1, patience=5, folder=pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy), one(1, folder=tmp_path, patience=0.05):
            pass
    finally:
        holder.kill()
        holder.wait()
    with one(1, folder=tmp_path, patience=5):
        pass
