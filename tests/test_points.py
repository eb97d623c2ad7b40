from __future__ import annotations

import pytest

from daemon.model import ContactState, Provenance, Quality, Reading
from daemon.points.points import Points
from tests.makers import UTC_0210, reading

CLOSED, OPEN = ContactState.CLOSED, ContactState.OPEN


def points(valid_for_s: float = 15.0, started_s: float = 900.0) -> Points:
    return Points({"d12": valid_for_s}, started_s=started_s)


def test_the_first_value_is_a_baseline_and_says_how_long_nothing_was_seen():
    change = points().update(reading("d12", OPEN, at_s=1090.0))
    assert change is not None
    assert change.baseline
    assert change.blind_s == 190.0


def test_a_repeated_value_is_no_change_but_keeps_the_point_fresh():
    known = points()
    known.update(reading("d12", CLOSED, at_s=1000.0))
    assert known.update(reading("d12", CLOSED, at_s=1014.0)) is None
    assert known.age(now_s=1029.0, now_utc=UTC_0210) == []


@pytest.mark.parametrize(("now_s", "stale"), [(1015.0, False), (1015.001, True)])
def test_a_value_lives_exactly_as_long_as_it_is_valid(now_s, stale):
    known = points()
    known.update(reading("d12", CLOSED, at_s=1000.0))
    changes = known.age(now_s=now_s, now_utc=UTC_0210)
    assert bool(changes) is stale
    newest = known.newest("d12")
    assert newest is not None
    assert newest.quality is (Quality.STALE if stale else Quality.GOOD)
    assert (newest.value is None) is stale


def test_blindness_counts_from_the_last_time_it_was_really_seen():
    known = points()
    known.update(reading("d12", CLOSED, at_s=1000.0))
    known.update(reading("d12", None, at_s=1010.0))
    change = known.update(reading("d12", OPEN, at_s=1190.0))
    assert change is not None
    assert (change.baseline, change.blind_s) == (True, 190.0)


def test_staying_unknown_is_no_change_but_stale_after_unknown_is():
    known = points()
    assert known.update(reading("d12", None, at_s=1000.0)) is not None
    assert known.update(reading("d12", None, at_s=1001.0)) is None
    assert known.update(reading("d12", None, at_s=1002.0, quality=Quality.STALE)) is not None


def test_another_provenance_is_a_change_though_the_value_is_the_same():
    known = points()
    known.update(reading("d12", CLOSED))
    assert known.update(reading("d12", CLOSED, provenance=Provenance.TEST)) is not None


def test_a_reading_of_an_unknown_point_is_refused_and_counted():
    known = points()
    assert known.update(reading("d99", CLOSED)) is None
    assert known.refused == 1
    assert known.newest("d99") is None


def test_a_forgotten_point_is_as_at_the_start():
    known = points()
    known.update(reading("d12", CLOSED))
    known.forget("d12")
    assert known.newest("d12") is None
    assert list(known) == []


@pytest.mark.parametrize(
    ("value", "quality"),
    [
        (CLOSED, Quality.STALE),
        (CLOSED, Quality.UNKNOWN),
        (None, Quality.GOOD),
        (None, Quality.SUSPECT),
    ],
)
def test_a_reading_has_a_value_exactly_when_it_is_good_or_suspect(value, quality):
    with pytest.raises(ValueError, match="d12: quality"):
        Reading(
            point="d12",
            value=value,
            quality=quality,
            provenance=Provenance.LIVE,
            received_utc=UTC_0210,
            received_s=1.0,
            source="io1",
        )


def test_a_point_that_is_not_seen_is_as_old_as_the_last_time_it_was():
    points = Points({"d12": 30.0}, started_s=0.0)
    assert points.seen_s("d12") is None
    points.update(reading("d12", None, at_s=5.0))
    assert points.seen_s("d12") is None, "asked, and never seen"
    points.update(reading("d12", ContactState.CLOSED, at_s=10.0))
    assert points.seen_s("d12") == 10.0
    for retry_s in (20.0, 40.0):
        points.update(reading("d12", None, at_s=retry_s))
        assert points.seen_s("d12") == 10.0, "not from the newest attempt"
