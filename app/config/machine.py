"""What this instance has: its memory and its processors, as its container limits them."""

import os
from pathlib import Path

CGROUP_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
MEGABYTE = 2**20


def memory() -> int:
    """Bytes: the container's limit, or the machine's memory where that is less or there is no limit."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [int(text) for path in CGROUP_FILES if path.is_file() and (text := path.read_text().strip()).isdecimal()]
    return min([physical, *limits])


def processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers(memory_bytes: int) -> int:
    """Worker processes that fit: three from 1 GB on, two from 512 MB on, else one."""
    return 3 if memory_bytes >= 1000 * MEGABYTE else 2 if memory_bytes >= 500 * MEGABYTE else 1


def decoding_slots(memory_bytes: int, processors: int) -> int:
    """Pictures decoded at once over all workers: one a processor, of what the workers leave 300 MB each."""
    left = memory_bytes - workers(memory_bytes) * 100 * MEGABYTE
    return max(1, min(processors, left // (300 * MEGABYTE)))
