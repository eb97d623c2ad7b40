"""Distances of own ship's antennas: metres must survive, and so must the date line."""

from __future__ import annotations

import pytest

from daemon.model import Position
from daemon.navigation.geodesy import bearing_deg, distance_m


@pytest.mark.parametrize(
    ("a", "b", "metres"),
    [
        (Position(1.0, 103.0), Position(1.0, 103.0), 0.0),
        (Position(0.0, 0.0), Position(0.0, 1.0), 111_195.0),
        (Position(60.0, 0.0), Position(60.0, 0.001), 55.6),
        (Position(1.2, 103.8), Position(1.2001, 103.8), 11.12),
        (Position(0.0, 179.9995), Position(0.0, -179.9995), 111.2),
        (Position(90.0, 0.0), Position(90.0, 120.0), 0.0),
        (Position(0.0, 0.0), Position(0.0, 180.0), 20_015_115.0),
    ],
)
def test_a_distance_is_right_within_a_tenth_of_a_per_cent(a, b, metres):
    assert distance_m(a, b) == pytest.approx(metres, rel=1e-3, abs=0.01)
    assert distance_m(b, a) == pytest.approx(distance_m(a, b))


@pytest.mark.parametrize(
    ("b", "degrees"),
    [
        (Position(1.1, 103.0), 0.0),
        (Position(1.0, 103.1), 90.0),
        (Position(0.9, 103.0), 180.0),
        (Position(1.0, 102.9), 270.0),
        (Position(1.1, 103.1), 45.0),
    ],
)
def test_a_bearing_is_from_true_north(b, degrees):
    assert bearing_deg(Position(1.0, 103.0), b) == pytest.approx(degrees, abs=0.1)


def test_a_bearing_crosses_the_date_line():
    assert bearing_deg(Position(0.0, 179.9), Position(0.0, -179.9)) == pytest.approx(90.0)
