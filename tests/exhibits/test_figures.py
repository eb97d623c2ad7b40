"""What evidence looks like: few, bounded shapes that hold no colour and no markup, and the same in words beside."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta

import pytest

from daemon.exhibits import contacts, measured, track
from daemon.exhibits.axis import Scale, round_below, ticks
from daemon.exhibits.figure import MOST_ROWS, WIDTH
from daemon.model import (
    AisReport,
    ContactState,
    Fix,
    LampState,
    Position,
    Provenance,
    Quality,
    Reading,
    Sky,
)

BEGAN = datetime(2026, 11, 22, 2, 0, 3, tzinfo=UTC)
OPEN, CLOSED, FAULT = ContactState.OPEN, ContactState.CLOSED, ContactState.LINE_FAULT


def seen(point, value, after_s, *, unit=None, quality=None):
    return Reading(
        point=point,
        value=value,
        unit=unit,
        quality=quality or (Quality.UNKNOWN if value is None else Quality.GOOD),
        provenance=Provenance.LIVE,
        received_utc=BEGAN + timedelta(seconds=min(after_s, 1e6) if math.isfinite(after_s) else 0),
        received_s=5000.0 + after_s,
        source="io1",
    )


def fix(lat, lon):
    return Fix(Position(lat, lon), 1, 9, 0.8)


def forms(figure, kind):
    return [each["form"] for each in figure.told()["shapes"] if each["is"] == kind]


def texts(figure):
    return [each["text"] for each in figure.told()["shapes"] if each["is"] == "text"]


def is_sound(figure):
    """Whatever went in: numbers that are numbers, inside the figure, and a path that is only a path."""
    said = figure.told()
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert len(said["rows"]) <= MOST_ROWS
    for shape in said["shapes"]:
        for name in ("x", "x1", "x2", "y", "y1", "y2"):
            if name in shape:
                assert -1 <= shape[name] <= max(WIDTH, said["height"]) + 1, shape
        if shape["is"] == "path":
            assert re.fullmatch(r"[ML0-9. -]*", shape["d"])
        assert re.fullmatch(r"[a-z0-9 ]+", shape["form"])
    return True


def test_a_door_that_opened_and_closed_is_a_step_up_and_down():
    figure = contacts.figure(
        [seen("d10", CLOSED, 0), seen("d10", OPEN, 4.2), seen("d10", CLOSED, 9)]
    )
    [path] = [each["d"] for each in figure.told()["shapes"] if each["is"] == "path"]
    heights = [float(point.split()[1]) for point in re.split("[ML]", path) if point.strip()]
    assert heights[0] == heights[1] > heights[2] == heights[3] < heights[4]
    assert figure.rows[1] == ("2026-11-22 02:00:07.2Z", "d10", "open", "good", "io1, live")
    assert {"d10", "open", "closed", "02:00:04"} <= set(texts(figure))
    assert is_sound(figure)


def test_line_fault_is_neither_open_nor_closed_and_unknown_is_not_drawn():
    lane = [
        seen("d11", CLOSED, 0),
        seen("d11", FAULT, 3),
        seen("d11", None, 6),
        seen("d11", OPEN, 9),
    ]
    figure = contacts.figure(lane)
    assert forms(figure, "rect") == ["fault"]
    [path] = [each["d"] for each in figure.told()["shapes"] if each["is"] == "path"]
    assert path.count("M") == 2, "two runs, with a gap between"
    assert [row[2] for row in figure.rows] == ["closed", "LINE FAULT", "not known", "open"]


def test_a_lamp_says_lit_and_dark():
    figure = contacts.figure([seen("p1", LampState.DARK, 0), seen("p1", LampState.LIT, 2)])
    assert {"lit", "dark"} <= set(texts(figure))
    assert "open" not in texts(figure)


@pytest.mark.parametrize(
    "readings",
    [
        [],
        [seen("d10", OPEN, 0)],
        [seen("d10", OPEN, 0), seen("d11", CLOSED, 0)],
        [seen("x", 3.0, 0)],
    ],
)
def test_what_did_not_move_is_not_drawn(readings):
    assert contacts.figure(readings) is None


def test_two_receivers_have_tracks_of_different_form_and_a_scale():
    readings = [seen("g1.fix", fix(1.26, 103.84 + n / 1e4), n) for n in range(20)]
    readings += [seen("g2.fix", fix(1.261, 103.84 + n / 1e4), n) for n in range(20)]
    figure = track.figure(readings)
    assert {"trace track0", "trace track1"} <= set(forms(figure, "path"))
    assert {"g1.fix", "g2.fix", "first", "last"} <= set(texts(figure))
    assert any(text.endswith(" m") for text in texts(figure))
    assert figure.rows[0][2] == "01°15.600'N 103°50.400'E"
    assert is_sound(figure)


def test_a_track_over_the_180th_meridian_is_short():
    readings = [seen("ais.report", AisReport(1, 1, "A", Position(0.0, lon), 9.0, 0), n)
                for n, lon in enumerate([179.999, -179.999])]  # fmt: skip
    assert "within 222 m" in track.figure(readings).words


@pytest.mark.parametrize(
    "places",
    [
        [(91.0, 0.0), (0.0, 181.0)],
        [(math.nan, 0.0), (0.0, math.inf)],
        [(1.0, 1.0)],
    ],
)
def test_what_is_nowhere_on_the_globe_is_not_drawn(places):
    assert track.figure([seen("g1.fix", fix(*place), n) for n, place in enumerate(places)]) is None


@pytest.mark.parametrize(
    "places",
    [
        [(0.0, 0.0)] * 3,
        [(90.0, 10.0), (-90.0, -170.0), (89.9, 180.0)],
        [(0.0, n * 1e-12) for n in range(5)],
    ],
)
def test_any_track_fits_its_frame(places):
    assert is_sound(track.figure([seen("g1.fix", fix(*p), n) for n, p in enumerate(places)]))


def sky(cn0):
    return Sky(in_view=12, in_use=9, mean_cn0_db_hz=cn0, pdop=1.4)


def test_the_satellites_signal_is_drawn_over_time_beside_its_values():
    [figure] = measured.figures([seen("g1.sky", sky(44.0 - n), n) for n in range(10)])
    assert figure.title.startswith("C/N0")
    assert figure.words == "g1.sky: 10 values from 35 to 44 dB-Hz"
    assert figure.rows[0][2] == "44 dB-Hz"
    assert is_sound(figure)


def test_each_unit_has_a_figure_of_its_own():
    readings = [seen("ups.v", 26.0 + n / 10, n, unit="V") for n in range(5)]
    readings += [seen("ups.load", 40.0, n, unit="%") for n in range(5)]
    assert [figure.title for figure in measured.figures(readings)] == [
        "Measured, V, UTC",
        "Measured, %, UTC",
    ]


@pytest.mark.parametrize(
    "values",
    [
        [math.nan, math.inf, -math.inf, 1e308],
        [5e-324, 1e-323],
        [1e12, 1e12 + 1],
        [-1e12, 1e12],
        [0.0, 0.0],
        [3.0, 3.0 + 1e-15],
    ],
)
def test_any_numbers_are_drawn_or_left_out(values):
    readings = [seen("x", value, n, unit="V") for n, value in enumerate(values)]
    assert all(is_sound(figure) for figure in measured.figures(readings))


def test_a_huge_number_of_readings_makes_a_figure_of_bounded_size():
    many = [seen(f"d{n % 40}", (OPEN, CLOSED)[n // 40 % 2], n / 10) for n in range(20_000)]
    many += [seen("g1.fix", fix(1 + n / 1e5, 103), n) for n in range(20_000)]
    many += [seen("g1.sky", sky(30 + n % 7), n) for n in range(20_000)]
    found = [contacts.figure(many), track.figure(many), *measured.figures(many)]
    for figure in found:
        assert len(json.dumps(figure.told())) < 400_000
        assert figure.left > 0
        assert is_sound(figure)
    assert "24 more are not drawn" in found[0].words


def test_times_that_no_computer_says_are_left_out():
    odd = [seen("d1", OPEN, each) for each in (math.nan, math.inf, 1e15, -1e9)]
    assert contacts.figure([*odd, seen("d1", CLOSED, 0)]) is None


def test_hostile_names_are_words_without_effect():
    name = "<svg onload=alert(1)>\u202e\x00" + "x" * 300
    figure = contacts.figure([seen(name, OPEN, 0), seen(name, CLOSED, 1)])
    assert all(len(text) <= 80 and text.isprintable() for text in texts(figure))
    assert is_sound(figure)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (34.4, 44.6, [35, 40]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (3, 3, [3]),
    ],
)
def test_figures_beside_an_axis_are_round_and_few(low, high, expected):
    assert ticks(low, high, 5) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "expected"), [(9.9, 5), (10, 10), (4.2, 2), (0.3, 0.2), (199, 100)]
)
def test_a_scale_is_round_and_not_longer_than_its_room(value, expected):
    assert round_below(value) == pytest.approx(expected)


def test_a_span_of_nothing_stands_in_the_middle():
    assert Scale(3, 3, 0, 100).at(3) == 50
