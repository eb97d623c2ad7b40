"""Which driver has hung the watch three times in ten minutes? It is not started, by name, until a person says so.

A driver that hangs the loop takes everything along, until systemd's watchdog ends the process. While it hangs, a thread
of its own (``daemon.supervision.hangwatch``) writes down where; at the next start the notes are read. What a person
lets go begins anew, and so does everything at another boot of the computer.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

FILE: Final = "hangs.jsonl"
"""Beside the record."""
TIMES: Final = 3
WITHIN_S: Final = 600.0
KEPT: Final = 60
"""Hangs, and what went on after them: each is one note, however many devices it may be of."""
LARGEST: Final = 1024 * 1024
"""Bytes: sixty hangs that may each be of any of 500 devices are half of that."""
HUNG, WENT_ON, CAUGHT, LET_GO = "hung", "went on", "quarantined", "let go"
REASON: Final = f"quarantined: its driver hung ispsd {TIMES} times in {WITHIN_S / 60:.0f} min"
"""What is shown in place of the device's link."""


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the notes.

    Attributes:
        what: ``HUNG`` while it hangs, ``WENT_ON`` where it came back by itself, ``CAUGHT`` and ``LET_GO`` afterwards.
        devices: The one whose driver it is; all of the kind where a trace names nothing more.
        run: Which run of the daemon.
        boot: Which boot of the computer.
        up_s: Seconds since that boot.
        where: File and line, for whoever mends the driver.
    """

    what: str
    devices: tuple[str, ...]
    run: str
    boot: str
    up_s: float
    where: str = ""


def caught(notes: Iterable[Note], *, boot: str, run: str, now_s: float) -> dict[str, Note]:
    """Return the devices whose driver is not to be started, each with the note of its last hang.

    Args:
        notes: The oldest first.
        boot: This boot of the computer.
        run: This run of the daemon, whose own notes do not count: it has not been ended by any of them.
        now_s: Seconds since boot.
    """
    hung: dict[str, list[Note]] = {}
    held: dict[str, Note] = {}
    for note in notes:
        if note.boot != boot:
            continue
        for device in note.devices:
            of_device = hung.setdefault(device, [])
            match note.what:
                case "hung" if note.run != run:
                    of_device.append(note)
                case "went on":
                    of_device[:] = [each for each in of_device if each.run != note.run]
                case "quarantined":
                    held[device] = note
                case "let go":
                    held.pop(device, None)
                    of_device.clear()
                case _:
                    pass
    for device, found in hung.items():
        lately = [each for each in found if now_s - each.up_s <= WITHIN_S]
        if len({each.run for each in lately}) >= TIMES:
            held[device] = lately[-1]
    return held


class Notes:
    """The file of the notes; a disk that refuses costs the notes, never the watch."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Note]:
        """Return what is noted, the oldest first; what cannot be read is left out."""
        found: list[Note] = []
        with suppress(OSError, UnicodeDecodeError):
            with self._path.open(encoding="utf-8") as file:
                lines = file.read(LARGEST).splitlines()
            for line in lines:
                with suppress(ValueError, TypeError, KeyError):
                    found.append(_note(json.loads(line)))
        return found

    def add(self, *notes: Note) -> None:
        """Add some, on disk when this returns; what counts no more goes."""
        lines = [_line(each) for each in _kept([*self.read(), *notes])]
        fresh = self._path.with_name(f".{self._path.name}")
        with suppress(OSError):
            with fresh.open("w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)


def _kept(notes: Sequence[Note]) -> list[Note]:
    """Return the newest hangs of the newest note's boot, and of each device whether it was caught or let go last.

    A quarantine lasts, however often others hang meanwhile.
    """
    found: list[Note] = []
    hangs = 0
    decided: set[str] = set()
    for note in reversed([each for each in notes if each.boot == notes[-1].boot]):
        if note.what in {HUNG, WENT_ON}:
            hangs += 1
            if hangs <= KEPT:
                found.append(note)
        elif not decided.issuperset(note.devices):
            decided.update(note.devices)
            found.append(note)
    return found[::-1]


def _note(said: Mapping[str, Any]) -> Note:
    devices = said["devices"]
    texts = [said[name] for name in ("what", "run", "boot", "where")]
    if not isinstance(devices, list) or not all(isinstance(s, str) for s in (*texts, *devices)):
        raise TypeError("a note is of texts")
    what, run, boot, where = texts
    return Note(what, tuple(devices), run, boot, float(said["up_s"]), where)


def _line(note: Note) -> str:
    return json.dumps(
        {
            "what": note.what,
            "devices": note.devices,
            "run": note.run,
            "boot": note.boot,
            "up_s": round(note.up_s, 3),
            "where": note.where,
        }
    )


def suspects(
    modules: Sequence[str], owners: Sequence[str], kinds: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return whose driver it is that hangs; nobody where no driver is at work.

    Args:
        modules: Of the frames of the loop's thread, the innermost first.
        owners: The devices whose drivers stand in those frames, the innermost first.
        kinds: By module of a driver, the devices that it drives.
    """
    if owners:
        return (owners[0],)
    for module in modules:
        if found := tuple(kinds.get(module, ())):
            return found
    return ()
