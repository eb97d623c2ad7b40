"""What lies in the folder of a test case? A manifest, what went over the line and when, and what a driver made of it.

``case.toml``        which driver with which settings, when and how long, what was masked and left out
``tape.jsonl``       what was heard (and, of a unit that is asked, what was asked), a JSON object a line
``readings.jsonl``   what the driver made of it: the reading that must come out again
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import IspsdError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MANIFEST, TAPE, READINGS = "case.toml", "tape.jsonl", "readings.jsonl"
LARGEST_BYTES: Final = 8 * 1024 * 1024
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Moment:
    """What went over the line at one moment.

    Attributes:
        at_ms: Since the capture began.
        heard: What came; of a unit that is asked, its answer.
        asked: What it answers; empty of a talker, who is not asked.
    """

    at_ms: int
    heard: bytes
    asked: bytes = b""

    def line(self) -> str:
        """Return it as it stands in the file: text of a talker as text, everything else as hexadecimal digits."""
        if not self.asked:
            return json.dumps({"at_ms": self.at_ms, "heard": self.heard.decode("latin-1")})
        return json.dumps(
            {"at_ms": self.at_ms, "asked": self.asked.hex(), "answer": self.heard.hex()}
        )


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        manifest: The file as it was read.
        readings: Each with ``point``, ``value`` and ``quality``; of a talker with ``at_ms`` too.
    """

    manifest: Mapping[str, Any]
    tape: tuple[Moment, ...]
    readings: tuple[Mapping[str, Any], ...]

    @property
    def settings(self) -> dict[str, Any]:
        """Return the driver's own, without a link."""
        return {"kind": self.manifest["kind"], **self.manifest["settings"]}


def load(folder: Path) -> Case:
    """Read a case.

    Raises:
        IspsdError: Something is missing, too long, or no case; names the file.
    """
    place = folder / MANIFEST
    try:
        manifest = tomllib.loads(_text(place))
        if manifest.get("format") != FORMAT or not isinstance(manifest.get("settings"), dict):
            raise ValueError(f"is no case of format {FORMAT}")  # noqa: TRY301 (as any other fault of the folder)
        place = folder / TAPE
        tape = tuple(_moment(json.loads(line)) for line in _text(place).splitlines())
        place = folder / READINGS
        readings = tuple(json.loads(line) for line in _text(place).splitlines())
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise IspsdError(f"{place}: {err}") from err
    return Case(manifest, tape, readings)


def write(folder: Path, manifest: str, tape: Iterable[Moment], readings: Iterable[Any]) -> None:
    """Write a case into a new folder.

    Raises:
        IspsdError: It is there already, or cannot be written.
    """
    try:
        folder.mkdir(parents=True)
        (folder / MANIFEST).write_text(manifest, "utf-8")
        (folder / TAPE).write_text("".join(f"{moment.line()}\n" for moment in tape), "utf-8")
        said = "".join(f"{json.dumps(reading, sort_keys=True)}\n" for reading in readings)
        (folder / READINGS).write_text(said, "utf-8")
    except OSError as err:
        raise IspsdError(f"{folder}: {err.strerror}") from err


def _text(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(LARGEST_BYTES + 1)
    if len(raw) > LARGEST_BYTES:
        raise ValueError(f"longer than {LARGEST_BYTES} bytes")
    return raw.decode()


def _moment(said: Mapping[str, Any]) -> Moment:
    if "asked" in said:
        return Moment(
            said["at_ms"], bytes.fromhex(said["answer"]), asked=bytes.fromhex(said["asked"])
        )
    return Moment(said["at_ms"], said["heard"].encode("latin-1"))
