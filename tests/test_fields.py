"""A field of a request is what it must be, or is refused by name."""

from __future__ import annotations

import pytest

from daemon.control import fields
from daemon.errors import RefusedError


@pytest.mark.parametrize(
    "value", [None, 7, "", "soon", "2026-11-22", "2026-11-22T02:10", "2026-13-01T00:00Z"]
)
def test_a_moment_says_its_zone(value):
    with pytest.raises(RefusedError, match="sent is"):
        fields.moment({"sent": value}, "sent")


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00", "2200-01-01T00:00Z"]
)
def test_a_moment_at_the_end_of_all_calendars_is_refused(value):
    with pytest.raises(RefusedError, match="sent lies in 1990 to 2199"):
        fields.moment({"sent": value}, "sent")


def test_a_moment_is_taken_with_its_zone():
    assert f"{fields.moment({'sent': '2026-11-22T02:10Z'}, 'sent'):%H%M%z}" == "0210+0000"
