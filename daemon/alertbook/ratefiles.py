"""Where are the counts of alerts kept? A file a UTC day beside the record and not in it, so in no copy, no export.

A file is written whole or not at all. One that cannot be read is set aside and named; its day begins anew.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from daemon.alerts.rates import ANSWERED_S, MOST_FLOODS, MOST_SOURCES, Day
from daemon.record import durable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FOLDER: Final = "alert-rates"
VERSION: Final = 1
KEPT_DAYS: Final = 400
LARGEST_FILE: Final = 256 * 1024
MOST_NAMES: Final = 64
"""Stations, situations: a ship has fewer."""
ENDING, ASIDE = ".json", ".damaged"
_READ: Final = TypeAdapter(Day)


class RateFiles:
    """The folder. Everything here waits for the disk: it is called in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, days: dict[str, Day], *, today: date | None) -> None:
        """Add counts to what is kept, day by day; they are on disk when this returns.

        Args:
            days: What is to be added; a day that has been added is taken out of it.
            today: UTC, where it can be trusted: days that are too old go.

        Raises:
            OSError: The disk refuses; what is still in ``days`` was not added.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in tuple(days):
            whole = self._read(name)
            whole.add(days[name])
            said = {"v": VERSION, **asdict(whole)}
            durable.put(self._path(name), json.dumps(said, ensure_ascii=False, indent=1) + "\n")
            del days[name]
        self._let_go(today)

    def read(self, names: Iterable[str]) -> dict[str, Day]:
        """Return the days of these names that are kept.

        Raises:
            OSError: The disk refuses.
        """
        return {name: self._read(name) for name in names if self._path(name).exists()}

    def damaged(self) -> list[str]:
        """Return the names of what was set aside."""
        return sorted(path.name for path in self._folder.glob(f"*{ASIDE}"))

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{ENDING}"

    def _read(self, name: str) -> Day:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                raw = file.read(LARGEST_FILE + 1)
        except FileNotFoundError:
            return Day()
        try:
            return _day(raw)
        except ValueError:
            path.replace(path.with_name(path.name + ASIDE))
            return Day()

    def _let_go(self, today: date | None) -> None:
        """Remove days that are too old, and the oldest where there are too many."""
        kept = sorted(self._folder.glob(f"*{ENDING}"))
        oldest = "" if today is None else f"{today - timedelta(days=KEPT_DAYS):%Y-%m-%d}"
        too_old = [path for path in kept if path.stem < oldest]
        for path in {*too_old, *kept[:-KEPT_DAYS]}:
            path.unlink(missing_ok=True)
        for path in sorted(self._folder.glob(f"*{ASIDE}"))[:-MOST_NAMES]:
            path.unlink(missing_ok=True)


def _day(raw: bytes) -> Day:
    """Read what ``add`` wrote.

    Raises:
        ValueError: It is something else, or cannot be: a negative count, more names than are ever written.
    """
    if len(raw) > LARGEST_FILE:
        raise ValueError(f"larger than {LARGEST_FILE} bytes")
    try:
        said: Any = json.loads(raw)
    except RecursionError as err:
        raise ValueError("nested without end") from err
    if not isinstance(said, dict) or said.pop("v", None) != VERSION:
        raise ValueError("of another version")
    day = _READ.validate_json(json.dumps(said), strict=True)
    if asdict(day) != {**asdict(Day()), **said}:
        raise ValueError("something is in it that is never written")
    numbers = [
        *day.attended_s.values(),
        *day.situation_s.values(),
        *day.sounded_at.values(),
        *day.sounded_in.values(),
        *day.answered,
        *(n for s in day.sources.values() for n in (s.alarms, s.warnings, s.chattered)),
        *(flood.alerts for flood in day.floods.values()),
        *(day.administrative, day.promoted, day.inhibited),
    ]
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        raise ValueError("a count that cannot be")
    counted = (day.attended_s, day.situation_s, day.sounded_at, day.sounded_in)
    names = max(len(by_name) for by_name in counted)
    if (
        len(day.answered) != len(ANSWERED_S) + 1
        or len(day.sources) > MOST_SOURCES + 1
        or len(day.floods) > MOST_FLOODS
        or names > MOST_NAMES
    ):
        raise ValueError("more than is ever written")
    return day
