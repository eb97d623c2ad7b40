"""Where on a figure does a value stand, and which figures stand beside its axis? Round ones, and few."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

from daemon.exhibits.figure import Label, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from daemon.exhibits.figure import Shape
    from daemon.model import Reading

LATEST_S: Final = 1e9
"""No computer has been up for thirty years: a reading that says so is none of ours."""
STEPS_S: Final = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200, 86_400),
)
MOST_TICKS: Final = 7
MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to places; a span of nothing is drawn in its middle."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Return where a value stands."""
        span = self.high - self.low
        share = 0.5 if span <= 0 else (value - self.low) / span
        return self.begin + share * (self.end - self.begin)


def ticks(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Return round values from low to high."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * each for each in (1, 2, 5, 10) if size * each >= rough)
    first = math.ceil(low / step)
    return [step * number for number in range(first, math.floor(high / step) + 1)]


def round_below(value: float) -> float:
    """Return the largest round value that is not above one."""
    size = 10.0 ** math.floor(math.log10(value))
    return max(size * each for each in (1, 2, 5) if each == 1 or size * each <= value)


def is_dated(reading: Reading) -> bool:
    """Return whether a reading says when it came in a way that can be drawn."""
    return math.isfinite(reading.received_s) and 0 <= reading.received_s < LATEST_S


def row(reading: Reading, *said: str) -> tuple[str, ...]:
    """Return a row of the table beside a figure: when and of what it is, what it says, and where that is from."""
    return (
        utc_words(reading.received_utc),
        reading.point,
        *said,
        reading.quality.value,
        f"{reading.source}, {reading.provenance.value}",
    )


class Times:
    """The axis of time below a figure: places by the seconds since boot, words in UTC."""

    def __init__(self, readings: Sequence[Reading], begin: float, end: float) -> None:
        """Span these readings, which are dated, and at least one."""
        first = min(readings, key=lambda each: each.received_s)
        last_s = max(each.received_s for each in readings)
        self.first_s, self.last_s = first.received_s, last_s
        self._first_utc = first.received_utc.astimezone(UTC)
        self._scale = Scale(self.first_s, max(last_s, self.first_s + 1), begin, end)

    def at(self, reading: Reading) -> float:
        """Return where a reading stands."""
        return self._scale.at(reading.received_s)

    @property
    def end(self) -> float:
        """Where the last of them stands."""
        return self._scale.at(self.last_s)

    def shapes(self, top: float, bottom: float) -> Iterator[Shape]:
        """Yield the lines of the axis, from the top of the figure to below its bottom."""
        span_s = self._scale.high - self._scale.low
        fitting = (each for each in STEPS_S if span_s / each <= MOST_TICKS)
        step_s = next(fitting, math.ceil(span_s / MOST_TICKS / 86_400) * 86_400)
        first = self._first_utc
        into_s = first.hour * 3600 + first.minute * 60 + first.second + first.microsecond / 1e6
        ahead_s = -into_s % step_s
        while ahead_s <= span_s:
            x = self._scale.at(self.first_s + ahead_s)
            yield Line(x, top, x, bottom, "grid")
            yield Label(x, bottom + 16, self._words(first, ahead_s, step_s), "middle")
            ahead_s += step_s

    @staticmethod
    def _words(first: datetime, ahead_s: float, step_s: float) -> str:
        try:
            at = first + timedelta(seconds=ahead_s)
        except OverflowError:
            return ""
        return f"{at:%H:%M:%S}" if step_s < MINUTE_S else f"{at:%H:%M}"


def utc_words(moment: datetime) -> str:
    """Return a moment to the tenth of a second, for the table beside a figure."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 100_000}Z"
