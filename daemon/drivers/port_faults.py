"""Why does a serial port not open, in words that somebody on board can act on?

The system says "Permission denied"; the electro-technical officer wants to know which group is missing, which
program has the port, or which ports there are instead. Reads ``/proc`` and ``/dev``, bounded, and never raises.
"""

from __future__ import annotations

import errno
import grp
import os
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from daemon.wording.terminal import printable

PROC: Final = Path("/proc")
BY_PATH: Final = Path("/dev/serial/by-path")
MOST_PROCESSES: Final = 4096
MOST_DESCRIPTORS: Final = 1024
MOST_NAMED: Final = 4
_FLOCK_WORDS: Final = 8
_FLOCK_PID, _FLOCK_FILE = 4, 5
"""Words of a line of ``/proc/locks`` (proc(5)): number, FLOCK, ADVISORY, WRITE, pid, major:minor:inode, ..."""


def in_words(path: str, code: int, *, proc: Path = PROC, by_path: Path = BY_PATH) -> str:
    """Return what the errno of an open means here, after the system's own words for it."""
    words = os.strerror(code)
    if code in {errno.EACCES, errno.EPERM}:
        return f"{words}: {_missing_group(path)}"
    if code in {errno.EBUSY, errno.EAGAIN}:
        return f"{words}: {_holder(path, proc)}"
    if code in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        return f"{words}: adapter out, or in another socket?{_others(by_path)}"
    return words


def _missing_group(path: str) -> str:
    try:
        group = grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        group = "dialout"
    return f"the service has to be in group {group}"


def _holder(path: str, proc: Path) -> str:
    pid = _by_lock(path, proc) or _by_descriptor(path, proc)
    if pid is None:
        return f"another program has the port; as root: fuser -v {path}"
    if pid == os.getpid():
        return "ispsd itself has the port open already: two devices on one port?"
    name = "?"
    with suppress(OSError):
        name = (proc / str(pid) / "comm").read_text("utf-8", "replace").strip()
    return f"{printable(name[:32])} (process {pid}) has the port"


def _by_lock(path: str, proc: Path) -> int | None:
    """Return who holds the advisory lock on the device file: what an exclusive open of most programs takes."""
    try:
        found = Path(path).stat()
        lines = (proc / "locks").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    where = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    for line in lines[:MOST_PROCESSES]:
        words = line.split()
        if len(words) >= _FLOCK_WORDS and words[1] == "FLOCK" and words[_FLOCK_FILE] == where:
            with suppress(ValueError):
                return int(words[_FLOCK_PID])
    return None


def _by_descriptor(path: str, proc: Path) -> int | None:
    """Return who has the device file open, among the processes whose files we may see."""
    device = os.path.realpath(path)
    with suppress(OSError):
        for process in islice(proc.iterdir(), MOST_PROCESSES):
            if process.name.isdecimal() and _has_open(process / "fd", device):
                return int(process.name)
    return None


def _has_open(descriptors: Path, device: str) -> bool:
    with suppress(OSError):  # another user's, or ended meanwhile
        for each in islice(descriptors.iterdir(), MOST_DESCRIPTORS):
            with suppress(OSError):
                if os.readlink(each) == device:  # noqa: PTH115 (of a pipe or socket it is no path)
                    return True
    return False


def _others(by_path: Path) -> str:
    with suppress(OSError):
        if names := sorted(each.name for each in islice(by_path.iterdir(), MOST_DESCRIPTORS)):
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            return f" In {by_path} there are: {', '.join(names[:MOST_NAMED])}{more}"
    return " No serial port is there at all"
