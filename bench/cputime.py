"""What has a process used? Its own clock, which the kernel keeps to the nanosecond (clock_getcpuclockid(3))."""

from __future__ import annotations

import time
from pathlib import Path


def cpu_s(pid: int) -> float:
    """Return the processor time of a process, of all its threads, also of those that are gone.

    Other processes that it started are not in it. The ticks of proc(5) are of 10 ms, too coarse for a few seconds.

    Raises:
        ProcessLookupError: It is gone.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError as err:
        raise ProcessLookupError(f"process {pid} is gone") from err


def resident_mib(pid: int) -> float:
    """Return how much memory of a process is in use now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(f"process {pid} is gone")
