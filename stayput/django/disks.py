"""What lies under a path: the disk of the root, a volume, or memory."""

from pathlib import Path

MOUNTS = Path("/proc/self/mounts")
MEMORY = ("tmpfs", "ramfs", "devtmpfs")
THROWN_AWAY = (*MEMORY, "overlay", "aufs", "rootfs")  # kinds of file systems that end with the instance


def mount_of(path: Path, mounts: str) -> tuple[Path, str]:
    """Where the file system of a path is mounted, and its kind; the root of an unknown kind where no line says so.

    mounts: as the kernel writes them, `device where kind options`. The last line of a place counts: it covers others.
    """
    found = Path("/"), ""
    for line in mounts.splitlines():
        words = line.split(" ")
        if len(words) > 2:
            where = Path(words[1].encode("ascii", "backslashreplace").decode("unicode_escape"))
            if path.is_relative_to(where) and len(where.parts) >= len(found[0].parts):
                found = where, words[2]
    return found


def kind_of(path: Path) -> str:
    """The kind of the file system that a path lies on; empty where the system does not say."""
    try:
        return mount_of(path.resolve(), MOUNTS.read_text("utf-8", "replace"))[1]
    except OSError:
        return ""


def on_a_volume(path: Path) -> bool:
    """Whether a path lies below a mount of its own, as a volume does, that does not end with the instance."""
    mounted = any(part.is_mount() for part in (path, *path.parents) if part != Path(part.anchor))
    return mounted and kind_of(path) not in THROWN_AWAY


def in_memory(path: Path) -> bool:
    return kind_of(path) in MEMORY
