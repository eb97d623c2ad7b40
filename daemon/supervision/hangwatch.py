"""Where does the loop hang? A thread of its own looks, and writes it down before the watchdog ends the process.

It is there only under a watchdog, and looks a few times a minute whether the watch goes on. A driver that holds
Python's own lock lets no thread look: for that, Python's fault handler leaves a trace that needs no lock, read at the
next start.
"""

from __future__ import annotations

import faulthandler
import re
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from daemon.supervision.quarantine import HUNG, WENT_ON, Note, Notes, suspects

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

LOOKS: Final = 4
"""Times in the span after which the loop counts as hung."""
TRACE: Final = "hang.trace"
MOST_FRAMES: Final = 200
_THREAD: Final = re.compile(r"(Current t|T)hread 0x")
_FRAME: Final = re.compile(r'  File "([^"]+)", line (\d+)')


class HangWatch:
    """Looks at the thread that made it."""

    def __init__(
        self,
        notes: Notes,
        *,
        progress: Callable[[], int],
        drivers: Mapping[str, object],
        after_s: float,
        now_s: Callable[[], float],
        run: str,
        boot: str,
        trace: Path | None = None,
    ) -> None:
        """Touch nothing yet.

        Args:
            notes: Where it is written.
            progress: A number that grows while the loop goes on.
            drivers: By device, its driver.
            after_s: Without progress for so long it hangs.
            now_s: Seconds since boot.
            run: Which run this is.
            boot: Which boot of the computer.
            trace: Where the fault handler writes what no thread can.
        """
        self._notes = notes
        self._progress = progress
        self._owners = {id(driver): device for device, driver in drivers.items()}
        self._kinds = _kinds(drivers)
        self._after_s = after_s
        self._now_s = now_s
        self._run, self._boot = run, boot
        self._trace = trace
        self._thread_id = threading.get_ident()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="hang-watch", daemon=True)

    def start(self) -> None:
        """Begin to look; ``take_up_trace`` comes before."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        faulthandler.cancel_dump_traceback_later()

    def _look(self) -> None:
        file = None
        with suppress(OSError):
            file = None if self._trace is None else self._trace.open("w", encoding="utf-8")
        seen, since_s = -1, self._now_s()
        told: tuple[str, ...] = ()
        while not self._ended.wait(self._after_s / LOOKS):
            now, now_s = self._progress(), self._now_s()
            if now != seen:
                if told:
                    self._note(WENT_ON, told, "")
                seen, since_s, told = now, now_s, ()
            elif not told and now_s - since_s >= self._after_s:
                told = self._tell()
            if file is not None:  # as long as this thread gets its turn, nothing is left there
                faulthandler.dump_traceback_later(self._after_s * 1.5, file=file)
                with suppress(OSError):
                    file.seek(0)
                    file.truncate()
        if file is not None:
            faulthandler.cancel_dump_traceback_later()
            file.close()

    def _tell(self) -> tuple[str, ...]:
        """Write down where the loop hangs; return whose driver it is."""
        frames = _frames(sys._current_frames().get(self._thread_id))  # noqa: SLF001 (documented for debuggers)
        owners = [self._owners[id(each)] for each in map(_self, frames) if id(each) in self._owners]
        modules = [str(each.f_globals.get("__name__", "")) for each in frames]
        found = suspects(modules, owners, self._kinds)
        where = _place([(each.f_code.co_filename, str(each.f_lineno)) for each in frames])
        if found:
            self._note(HUNG, found, where)
        return found

    def _note(self, what: str, devices: tuple[str, ...], where: str) -> None:
        self._notes.add(Note(what, devices, self._run, self._boot, self._now_s(), where))

    def take_up_trace(self) -> None:
        """Take the trace of a run that ended while no thread could look for a note of it; before the notes are read.

        It reads and writes the disk: not for the loop.
        """
        if self._trace is None:
            return
        with suppress(OSError, UnicodeDecodeError):
            lines: list[re.Match[str]] = []
            with self._trace.open(encoding="utf-8") as file:
                for each in file:
                    if _THREAD.match(each):
                        lines.clear()  # the loop's thread was there before all others, and is written last
                    elif found := _FRAME.match(each):
                        lines.append(found)
            modules = [_module(found[1]) for found in lines[:MOST_FRAMES]]
            if devices := suspects(modules, (), self._kinds):
                where = _place([(found[1], found[2]) for found in lines])
                before = f"before {self._run}"
                self._notes.add(Note(HUNG, devices, before, self._boot, self._now_s(), where))


def _frames(innermost: FrameType | None) -> list[FrameType]:
    found: list[FrameType] = []
    while innermost is not None and len(found) < MOST_FRAMES:
        found.append(innermost)
        innermost = innermost.f_back
    return found


def _place(lines: Sequence[tuple[str, str]]) -> str:
    """Return where it hangs, by file and line: what it waits in, and from where in our own code."""
    inner = [":".join(each) for each in lines[:1]]
    ours = [f"{file}:{line}" for file, line in lines if _module(file)][:1]
    return " from ".join(dict.fromkeys([*inner, *ours]))


def _self(frame: FrameType) -> object:
    """Return whose method a frame is."""
    return frame.f_locals.get("self")


def _kinds(drivers: Mapping[str, object]) -> dict[str, Sequence[str]]:
    """Return by module of a driver the devices that it drives."""
    found: dict[str, list[str]] = {}
    for device, driver in drivers.items():
        found.setdefault(type(driver).__module__, []).append(device)
    return dict(found)


def _module(file: str) -> str:
    """Return the module of a file of ours: ``daemon.drivers.nmea``."""
    _, found, rest = file.rpartition("/daemon/")
    return f"daemon.{rest.removesuffix('.py').replace('/', '.')}" if found else ""
