"""How did what was measured run over time? The satellites' signal (C/N0), voltages, levels: one figure a unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from daemon.exhibits.axis import Scale, Times, is_dated, row, ticks
from daemon.exhibits.figure import WIDTH, Figure, Label, Line, Trace, bounded, named, thinned
from daemon.model import Sky

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daemon.exhibits.figure import Shape
    from daemon.model import Reading

CN0: Final = "dB-Hz"
SIGNAL: Final = "C/N0, mean of the satellites that are tracked, dB-Hz"
MOST_FIGURES: Final = 4
MOST_LINES: Final = 4
MOST_POINTS: Final = 500
LARGEST: Final = 1e12
"""No sensor of a ship says more; it would only spoil the scale."""
SMALLEST: Final = 1e-3
"""What differs by less than this share of itself is drawn as a level line, not as noise over the whole figure."""
TOP, BOTTOM, HEIGHT = 20.0, 230.0, 290.0
LEFT: Final = 70.0


def figures(readings: Sequence[Reading]) -> Iterator[Figure]:
    """Yield a figure for each unit in which more than one value was measured."""
    by_unit: dict[str, dict[str, list[tuple[Reading, float]]]] = {}
    for each in readings:
        if is_dated(each) and (known := measured(each)) is not None:
            unit, value = known
            by_unit.setdefault(unit, {}).setdefault(each.point, []).append((each, value))
    for unit, lines in list(by_unit.items())[:MOST_FIGURES]:
        if sum(map(len, lines.values())) > 1:
            yield _figure(unit, lines)


def measured(reading: Reading) -> tuple[str, float] | None:
    """Return unit and value of what was measured; None where it is no number that can be drawn."""
    said = reading.value
    if isinstance(said, Sky):
        unit, value = CN0, said.mean_cn0_db_hz
    elif isinstance(said, float):
        unit, value = reading.unit or "", said
    else:
        return None
    return (
        None if value is None or not math.isfinite(value) or abs(value) > LARGEST else (unit, value)
    )


def _figure(unit: str, lines: dict[str, list[tuple[Reading, float]]]) -> Figure:
    kept = dict(list(lines.items())[:MOST_LINES])
    drawn = [one for line in kept.values() for one in line]
    times = Times([each for each, _ in drawn], LEFT, WIDTH - 10)
    low, high = min(value for _, value in drawn), max(value for _, value in drawn)
    room = max((high - low) * 0.05, abs(high) * SMALLEST, SMALLEST)
    scale = Scale(low - room, high + room, BOTTOM, TOP)
    shapes: list[Shape] = [*times.shapes(TOP, BOTTOM), *_values(scale)]
    for number, (point, line) in enumerate(kept.items()):
        line.sort(key=lambda one: one[0].received_s)
        places = thinned([(times.at(each), scale.at(value)) for each, value in line], MOST_POINTS)
        x = LEFT + 160 * number
        shapes += [
            Trace((tuple(places),), f"trace track{number}"),
            Trace((((x, HEIGHT - 14), (x + 26, HEIGHT - 14)),), f"trace track{number}"),
            Label(x + 32, HEIGHT - 10, point, "start"),
        ]
    every = sorted((o for line in lines.values() for o in line), key=lambda o: o[0].received_s)
    rows, left = bounded([row(each, f"{value:g} {unit}".rstrip()) for each, value in every])
    more = len(lines) - len(kept)
    title = SIGNAL if unit == CN0 else f"Measured, {unit or 'no unit'}"
    return Figure(
        title=f"{title}, UTC",
        words=f"{named(kept)}: {len(every)} values from {low:g} to {high:g} {unit}".rstrip()
        + (f"; {more} more are not drawn" if more else ""),
        height=HEIGHT,
        shapes=tuple(shapes),
        columns=("UTC", "Sensor", "Value", "Quality", "From"),
        rows=rows,
        left=left,
    )


def _values(scale: Scale) -> Iterator[Shape]:
    for value in ticks(scale.low, scale.high, 5):
        y = scale.at(value)
        yield Line(LEFT, y, WIDTH - 10, y, "grid")
        yield Label(LEFT - 6, y + 4, f"{value:g}", "end")
