"""How many workers and slots an instance gets."""

import pytest

from app.config import machine
from app.config.machine import MEGABYTE


@pytest.mark.parametrize(("megabytes", "workers"), [(256, 1), (488, 1), (512, 2), (1024, 3), (64_000, 3)])
def test_small_instances_get_fewer_workers(megabytes: int, workers: int):
    assert machine.workers(megabytes * MEGABYTE) == workers


@pytest.mark.parametrize(
    ("megabytes", "processors", "slots"), [(256, 8, 1), (512, 8, 1), (1024, 8, 2), (8192, 2, 2), (8192, 4, 4)]
)
def test_slots_are_bound_by_memory_and_by_processors(megabytes: int, processors: int, slots: int):
    assert machine.decoding_slots(megabytes * MEGABYTE, processors) == slots


def test_the_containers_limit_counts_and_no_limit_means_the_machines_memory(tmp_path, monkeypatch):
    limited, unlimited = tmp_path / "memory.max", tmp_path / "none"
    limited.write_text("268435456\n")
    unlimited.write_text("max\n")
    monkeypatch.setattr(machine, "CGROUP_FILES", (unlimited, tmp_path / "absent"))
    physical = machine.memory()
    assert physical > 256 * MEGABYTE
    monkeypatch.setattr(machine, "CGROUP_FILES", (limited,))
    assert machine.memory() == 256 * MEGABYTE
