"""What this instance has: its memory and its processors, as its container limits them."""

import ctypes
import os
from contextlib import suppress
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


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
ROOMY = 2000 * MEGABYTE


def give_memory_back(memory_bytes: int) -> None:
    """Have the C library return what a picture took. For this process and its children.

    Left alone, glibc keeps freed blocks of up to 32 MB, in an arena for nearly every thread: 200 MB a worker. Where
    memory is short, every larger block goes back at once, which costs a quarter of the speed: the kernel clears all
    memory that it gives out anew. Elsewhere a worker keeps what a usual picture takes, in one arena, for the next one.
    """
    with suppress(OSError, AttributeError):  # another C library has its own ways
        malloc = ctypes.CDLL(None)
        malloc.mallopt(M_ARENA_MAX, 1)
        if memory_bytes < ROOMY:
            malloc.mallopt(M_MMAP_THRESHOLD, 256 * 1024)
        else:
            malloc.mallopt(M_MMAP_THRESHOLD, 32 * MEGABYTE)
            malloc.mallopt(M_TRIM_THRESHOLD, 64 * MEGABYTE)
