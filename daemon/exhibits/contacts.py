"""When did each contact and lamp change? A lane for each, with its states over time.

*Line fault* is neither open nor closed, and where nothing was known nothing is drawn (invariant 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.exhibits.axis import Times, is_dated, row
from daemon.exhibits.figure import WIDTH, Box, Figure, Label, Line, Trace, bounded, named
from daemon.model import ContactState, LampState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daemon.exhibits.figure import Shape
    from daemon.model import Reading

MOST_LANES: Final = 16
MOST_CHANGES: Final = 400
"""Of one lane; a contact that chatters more is a block anyway."""
LANE: Final = 44.0
STATE: Final = 20.0
"""How far apart the two states of a lane are drawn."""
LEFT: Final = 150.0
TOP: Final = 12.0
BELOW: Final = 28.0
WORDS: Final = {
    ContactState.CLOSED: "closed",
    ContactState.OPEN: "open",
    ContactState.LINE_FAULT: "LINE FAULT",
    LampState.LIT: "lit",
    LampState.DARK: "dark",
}
LOW: Final = frozenset({ContactState.CLOSED, LampState.DARK})


def figure(readings: Sequence[Reading]) -> Figure | None:
    """Return the figure; None where nothing moved that could be drawn."""
    lanes: dict[str, list[Reading]] = {}
    for each in readings:
        if is_dated(each) and (
            isinstance(each.value, ContactState | LampState) or each.point in lanes
        ):
            lanes.setdefault(each.point, []).append(each)
    for lane in lanes.values():
        lane.sort(key=lambda each: each.received_s)
    kept = {point: lane[:MOST_CHANGES] for point, lane in list(lanes.items())[:MOST_LANES]}
    if not any(len({each.value for each in lane}) > 1 for lane in kept.values()):
        return None
    drawn = [each for lane in kept.values() for each in lane]
    bottom = TOP + LANE * len(kept)
    times = Times(drawn, LEFT, WIDTH - 10)
    shapes: list[Shape] = [*times.shapes(TOP, bottom)]
    for place, (point, lane) in enumerate(kept.items()):
        shapes += _lane(point, lane, TOP + LANE * place, times)
    every = sorted((e for lane in lanes.values() for e in lane), key=lambda e: e.received_s)
    rows, left = bounded([row(each, _words(each)) for each in every])
    more = len(lanes) - len(kept)
    return Figure(
        title="Contacts and lamps over time, UTC",
        words=f"{named(kept)}: {len(every)} values"
        + (f"; {more} more are not drawn" if more else ""),
        height=bottom + BELOW,
        shapes=tuple(shapes),
        columns=("UTC", "Sensor", "State", "Quality", "From"),
        rows=rows,
        left=left,
    )


def _lane(point: str, lane: Sequence[Reading], top: float, times: Times) -> Iterator[Shape]:
    high, low = top + 10, top + 10 + STATE
    lamp = any(isinstance(each.value, LampState) for each in lane)
    yield Label(4, top + 24, point, "start")
    yield Label(LEFT - 6, high + 4, "lit" if lamp else "open", "end")
    yield Label(LEFT - 6, low + 4, "dark" if lamp else "closed", "end")
    yield Line(LEFT, low + 8, WIDTH - 10, low + 8, "axis")
    runs: list[tuple[tuple[float, float], ...]] = []
    run: list[tuple[float, float]] = []
    for place, each in enumerate(lane):
        begin = times.at(each)
        end = times.at(lane[place + 1]) if place + 1 < len(lane) else max(times.end, begin + 3)
        if each.value is ContactState.LINE_FAULT:
            yield Box(begin, high, end - begin, STATE, "fault")
        if not isinstance(each.value, ContactState | LampState) or (
            each.value is ContactState.LINE_FAULT
        ):
            runs.append(tuple(run))
            run = []
            continue
        y = low if each.value in LOW else high
        run += [(begin, y), (end, y)]
    runs.append(tuple(run))
    yield Trace(tuple(filter(None, runs)), "trace")


def _words(each: Reading) -> str:
    value = each.value
    return WORDS[value] if isinstance(value, ContactState | LampState) else "not known"
