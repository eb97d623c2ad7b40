"""Where did each receiver, and the AIS, put the ship? Tracks over one another, in metres, with a scale and no map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from daemon.exhibits.axis import is_dated, round_below, row
from daemon.exhibits.figure import (
    WIDTH,
    Box,
    Dot,
    Figure,
    Label,
    Line,
    Trace,
    bounded,
    named,
    thinned,
)
from daemon.model import AisReport, Fix, Position
from daemon.navigation import geodesy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daemon.exhibits.figure import Shape
    from daemon.model import Reading

MOST_TRACKS: Final = 4
"""Each has a form of its own; more cannot be told apart."""
MOST_POINTS: Final = 500
"""Of one track."""
HEIGHT: Final = 380.0
MARGIN: Final = 30.0
LEGEND: Final = 190.0
BAR: Final = 120.0
"""The scale is no longer than this."""
SMALLEST_M: Final = 10.0
"""A ship that lies still is drawn no larger than this span: else the noise of a receiver would fill the figure."""
MILE_M: Final = 1852.0
DEGREE_M: Final = math.radians(1) * geodesy.MEAN_RADIUS_M


def figure(readings: Sequence[Reading]) -> Figure | None:
    """Return the figure; None where fewer than two positions are known."""
    tracks: dict[str, list[tuple[Reading, Position]]] = {}
    for each in readings:
        if is_dated(each) and (place := position_of(each)) is not None:
            tracks.setdefault(each.point, []).append((each, place))
    known = sorted(
        (one for track in tracks.values() for one in track), key=lambda one: one[0].received_s
    )
    if len(known) < 2:  # noqa: PLR2004 (a track has two ends)
        return None
    kept = dict(list(tracks.items())[:MOST_TRACKS])
    plane = _Plane([place for track in kept.values() for _, place in track])
    shapes: list[Shape] = [
        Box(MARGIN, MARGIN, WIDTH - LEGEND - MARGIN, HEIGHT - 2 * MARGIN, "frame")
    ]
    for number, (point, track) in enumerate(kept.items()):
        track.sort(key=lambda one: one[0].received_s)
        shapes += _track(number, point, [plane.at(place) for _, place in track])
    shapes += plane.bar()
    rows, left = bounded(
        [
            row(each, geodesy.written(place.lat_deg, place.lon_deg, decimals=3))
            for each, place in known
        ]
    )
    more = len(tracks) - len(kept)
    return Figure(
        title="Positions, north up",
        words=f"{named(kept)}: {len(known)} positions within {_length(plane.widest_m)} of each other"
        + (f"; {more} more sources are not drawn" if more else ""),
        height=HEIGHT,
        shapes=tuple(shapes),
        columns=("UTC", "From", "Position", "Quality", "Origin"),
        rows=rows,
        left=left,
    )


def position_of(reading: Reading) -> Position | None:
    """Return where a reading puts the ship; None where it says nothing that is on this globe."""
    said = reading.value.position if isinstance(reading.value, Fix | AisReport) else None
    if said is None or not (abs(said.lat_deg) <= 90 and abs(said.lon_deg) <= 180):  # noqa: PLR2004
        return None  # not a number is in no range, either
    return said


class _Plane:
    """A plane that touches the globe at the first position: enough for a figure of a ship's track."""

    def __init__(self, places: Sequence[Position]) -> None:
        first = self._first = places[0]
        self._east_m = DEGREE_M * max(math.cos(math.radians(first.lat_deg)), 0.01)
        flat = [self._flat(each) for each in places]
        west, east = min(x for x, _ in flat), max(x for x, _ in flat)
        south, north = min(y for _, y in flat), max(y for _, y in flat)
        self._middle = (west + east) / 2, (south + north) / 2
        self.widest_m = math.hypot(east - west, north - south)
        wide, high = WIDTH - LEGEND - 3 * MARGIN, HEIGHT - 4 * MARGIN
        self._per_m = min(
            wide / max(east - west, SMALLEST_M), high / max(north - south, SMALLEST_M)
        )

    def at(self, place: Position) -> tuple[float, float]:
        """Return where on the figure a position stands."""
        x, y = self._flat(place)
        middle_x, middle_y = (MARGIN + WIDTH - LEGEND) / 2, HEIGHT / 2
        return (
            middle_x + (x - self._middle[0]) * self._per_m,
            middle_y - (y - self._middle[1]) * self._per_m,
        )

    def _flat(self, place: Position) -> tuple[float, float]:
        # The shorter way round: a ship on the 180th meridian is not drawn around the globe.
        east_deg = geodesy.turn_deg(place.lon_deg, self._first.lon_deg)
        return east_deg * self._east_m, (place.lat_deg - self._first.lat_deg) * DEGREE_M

    def bar(self) -> Iterator[Shape]:
        """Yield the scale."""
        length_m = round_below(BAR / self._per_m)
        x, y = WIDTH - LEGEND + 20, HEIGHT - MARGIN - 6
        yield Line(x, y, x + length_m * self._per_m, y, "axis")
        yield Label(x, y - 8, _length(length_m), "start")


def _track(number: int, point: str, places: list[tuple[float, float]]) -> Iterator[Shape]:
    kept = thinned(places, MOST_POINTS)
    (first_x, first_y), (last_x, last_y) = kept[0], kept[-1]
    yield Trace((tuple(kept),), f"trace track{number}")
    yield Dot(first_x, first_y, 5, f"begin track{number}")
    yield Box(last_x - 4, last_y - 4, 8, 8, f"end track{number}")
    x, y = WIDTH - LEGEND + 20, MARGIN + 16 + 26 * number
    yield Trace((((x, y), (x + 34, y)),), f"trace track{number}")
    yield Label(x + 42, y + 4, point, "start")
    if number == 0:
        yield Dot(x + 6, HEIGHT - 110, 5, "begin track0")
        yield Label(x + 18, HEIGHT - 106, "first", "start")
        yield Box(x + 76, HEIGHT - 114, 8, 8, "end track0")
        yield Label(x + 90, HEIGHT - 106, "last", "start")


def _length(length_m: float) -> str:
    return f"{length_m:.0f} m" if length_m < MILE_M else f"{length_m / MILE_M:.1f} nm"
