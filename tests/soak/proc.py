"""What does a process cost now? Memory, descriptors, threads, processor time and switches, from /proc (proc(5))."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
BROWSER = "chromium"


@dataclass(frozen=True, slots=True)
class Cost:
    """One process at one moment.

    Attributes:
        rss_kib: Resident, without mapped files: a browser's processes share most of theirs.
        cpu_s: Since its start.
        switches: Of context, since its start.
    """

    name: str
    pid: int
    rss_kib: int
    descriptors: int
    threads: int
    cpu_s: float
    switches: int


def family(of: int) -> list[int]:
    """Return every descendant of a process."""
    children: dict[int, list[int]] = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError, ValueError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(folder.name))
    found, left = [], list(children.get(of, []))
    while left:
        pid = left.pop()
        found.append(pid)
        left += children.get(pid, [])
    return sorted(found)


def cost(pid: int, names: dict[int, str]) -> Cost | None:
    """Return what a process costs; None where it has ended. ``names`` has those that are known by their number."""
    with suppress(OSError, ValueError, KeyError, IndexError):
        folder = PROC / str(pid)
        status = dict(
            line.split(":", 1)
            for line in (folder / "status").read_text().splitlines()
            if ":" in line
        )
        if "RssAnon" not in status:
            return None  # a zombie has no memory
        after_name = (folder / "stat").read_text().rpartition(")")[2].split()
        words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        return Cost(
            names.get(pid) or named(words),
            pid,
            int(status["RssAnon"].split()[0]) + int(status["RssShmem"].split()[0]),
            len(os.listdir(folder / "fd")),  # noqa: PTH208 (a name is enough)
            int(status["Threads"]),
            (int(after_name[11]) + int(after_name[12])) / TICKS_A_SECOND,
            int(status["voluntary_ctxt_switches"]) + int(status["nonvoluntary_ctxt_switches"]),
        )
    return None


def named(words: list[str]) -> str:
    """Return what a process is, by its command line."""
    program = Path(words[0].split(" ")[0]).name
    line = " ".join(words)
    if BROWSER in program or "--type=" in line:
        kind = line.partition("--type=")[2].split(" ")[0]
        return f"browser {kind}".rstrip() if kind else "browser"
    return {"node": "browser's driver"}.get(program, program)


def alive(pid: int) -> bool:
    """Return whether a process is there and no zombie."""
    with suppress(OSError):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def started(pid: int) -> str:
    """Return what tells a process from a later one of the same number."""
    with suppress(OSError, IndexError):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    return ""


def listening(ports: set[int]) -> set[int]:
    """Return which of these TCP ports somebody listens on."""
    found = set()
    for name in ("net/tcp", "net/tcp6"):
        for line in (PROC / name).read_text().splitlines()[1:]:
            words = line.split()
            port = int(words[1].rpartition(":")[2], 16)
            if words[3] == "0A" and port in ports:
                found.add(port)
    return found
