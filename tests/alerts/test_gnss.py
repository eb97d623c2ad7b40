"""What speaks against a position? A fix lost, a jump, two receivers that disagree; a slow drift is none of these.

Each is one finding; that one finding is no alert, and two independent ones are, is in ``test_gnss_fusion``.
"""

from __future__ import annotations

import math

import pytest

from daemon.alerts.rules.api import Moment
from daemon.alerts.rules.gnss import SUSPECT, GnssRule
from daemon.alerts.rules.gnss_limits import (
    APART_M,
    FRESH_S,
    JUMP_M,
    JUMP_REMEMBERED_S,
    UNKNOWN_SPEED_KN,
    Antennas,
)
from daemon.model import Fix, Motion, Position, Priority, Quality, Situation
from tests.alerts.rig import advance, engine, regime
from tests.makers import UTC_0210, reading

METRES_A_DEGREE = 6_371_008.8 * math.pi / 180
NOW = regime(Situation.SEA)


class Receivers:
    """The rule over receivers whose feeds are up; places are metres north of one spot."""

    def __init__(self, *names: str, antennas_apart_m: float = 0.0, up: bool = True) -> None:
        self.names = names or ("gps1",)
        self.rule = GnssRule(self.names, antennas=Antennas(antennas_apart_m))
        self.detail = ""
        for name in self.names if up else ():
            self.link(name, up=True)

    def link(self, name: str, *, up: bool) -> None:
        self.rule.link(name, up=up, now_s=0.0, reason="")

    def at(
        self, north_m: float, now_s: float, name: str = "gps1", *, fix: int = 1, **how: object
    ) -> None:
        place = Position(1.0 + north_m / METRES_A_DEGREE, 104.0)
        said = Fix(place, fix, 8, 0.9)
        self.rule.take(reading(f"{name}.fix", said, at_s=now_s, **how), None)

    def no_fix(self, now_s: float, name: str = "gps1", quality: Quality | None = None) -> None:
        self.rule.take(reading(f"{name}.fix", None, at_s=now_s, quality=quality), None)

    def speed(self, knots: float | None, name: str = "gps1") -> None:
        self.rule.take(reading(f"{name}.motion", Motion(knots, None)), None)

    def finds(self, now_s: float) -> bool | None:
        """Whether anything speaks against the position; None where the rule says nothing."""
        said = list(self.rule.look(Moment(now_s, UTC_0210, NOW, {})))
        if not said:
            return None
        (one,) = said
        assert (one.key, one.source.id) == (SUSPECT, "gnss")
        self.detail = self.rule.suspicion.words
        return bool(self.rule.suspicion.findings)


# --- fix ---


def test_a_receiver_without_a_fix_is_an_indication_until_it_has_one():
    gnss = Receivers()
    assert gnss.finds(0.0) is False, "nothing is known yet"
    gnss.no_fix(1.0)
    assert (gnss.finds(1.0), gnss.detail) == (True, "GPS1 has no fix")
    gnss.at(0.0, 2.0)
    assert gnss.finds(2.0) is False


@pytest.mark.parametrize("said", [6, 7, 8], ids=["dead reckoning", "by hand", "simulator"])
def test_a_fix_that_the_receiver_itself_doubts_is_none(said):
    gnss = Receivers()
    gnss.at(0.0, 1.0, fix=said, quality=Quality.SUSPECT)
    assert (gnss.finds(1.0), gnss.detail) == (True, "GPS1 has no fix")


def test_a_fix_is_judged_by_what_it_says_and_not_by_the_mark_that_it_got_while_suspect():
    gnss = Receivers()
    gnss.at(0.0, 1.0, quality=Quality.SUSPECT)
    assert gnss.finds(1.0) is False


def test_a_value_that_only_grew_old_is_no_indication():
    gnss = Receivers()
    gnss.at(0.0, 1.0)
    gnss.no_fix(20.0, quality=Quality.STALE)
    assert gnss.finds(20.0) is False


# --- feed ---


def test_a_feed_that_is_lost_gives_no_indication():
    gnss = Receivers()
    gnss.at(0.0, 1.0)
    gnss.no_fix(2.0)
    gnss.link("gps1", up=False)
    gnss.no_fix(3.0)  # as every point of a lost device
    assert gnss.finds(3.0) is None, "what stood goes on standing"
    gnss.link("gps1", up=True)
    assert gnss.finds(4.0) is False


def test_a_lost_receiver_does_not_hide_what_the_other_shows():
    gnss = Receivers("gps1", "gps2")
    gnss.no_fix(1.0, "gps2")
    gnss.link("gps1", up=False)
    assert (gnss.finds(1.0), gnss.detail) == (True, "GPS2 has no fix")


def test_where_a_ship_comes_back_after_a_lost_feed_is_no_jump():
    gnss = Receivers()
    gnss.at(0.0, 1.0)
    gnss.link("gps1", up=False)
    gnss.link("gps1", up=True)
    gnss.at(50_000.0, 2.0)
    assert gnss.finds(2.0) is False


def test_nothing_is_said_before_a_receiver_is_heard():
    assert Receivers(up=False).finds(100.0) is None


# --- jump ---


@pytest.mark.parametrize(("beyond_m", "jumped"), [(-1.0, False), (1.0, True)])
@pytest.mark.parametrize(
    ("knots", "seconds"), [(0.0, 1.0), (20.0, 1.0), (20.0, 60.0), (None, 10.0)]
)
def test_a_fix_that_no_ship_could_reach_is_a_jump(knots, seconds, beyond_m, jumped):
    gnss = Receivers()
    gnss.speed(knots)
    gnss.at(0.0, 100.0)
    speed_m_s = (UNKNOWN_SPEED_KN if knots is None else knots) * 1852.0 / 3600.0
    gnss.at(JUMP_M + 3.0 * speed_m_s * seconds + beyond_m, 100.0 + seconds)
    assert gnss.finds(100.0 + seconds) is jumped


def test_a_jump_says_who_and_how_far_and_stands_while_the_place_stays_wrong():
    gnss = Receivers()
    gnss.speed(0.0)
    gnss.at(0.0, 100.0)
    for second in range(101, 400):
        gnss.at(900.0, float(second))
    assert (gnss.finds(400.0), gnss.detail) == (True, "GPS1 jumped 900 m")


def test_a_jump_ends_when_the_ship_is_where_she_was():
    gnss = Receivers()
    gnss.speed(0.0)
    gnss.at(0.0, 100.0)
    gnss.at(900.0, 101.0)
    gnss.at(20.0, 102.0)
    assert gnss.finds(102.0) is False


def test_a_place_that_nobody_disputes_for_ten_minutes_is_believed_again():
    gnss = Receivers()
    gnss.speed(0.0)
    gnss.at(0.0, 100.0)
    gnss.at(900.0, 101.0)
    gnss.at(900.0, 100.0 + JUMP_REMEMBERED_S)
    assert gnss.finds(701.0) is True
    gnss.at(900.0, 100.0 + JUMP_REMEMBERED_S + 1.0)
    assert gnss.finds(702.0) is False


def test_a_position_that_drifts_slowly_is_none_of_these():
    """The limit of this rule: a spoofer who is slower than the ship is seen by a second receiver only."""
    gnss = Receivers()
    gnss.speed(0.0)
    for second in range(3600):
        gnss.at(second * 5.0, float(second))
        assert gnss.finds(float(second)) is False


def pass_a_minute(gnss: Receivers, places_m: list[float]) -> list[tuple[str, str]]:
    """Give the places second by second, beside a second receiver that stays; return what that raises."""
    alerts, changed = engine(NOW), []
    for second, north_m in enumerate(places_m):
        now_s = float(second)
        gnss.at(north_m, now_s)
        gnss.at(0.0, now_s, "gps2")
        for said in gnss.rule.look(Moment(now_s, UTC_0210, NOW, {})):
            alerts.condition(
                said.key, said.source, active=said.active, now_s=now_s, at_most=said.at_most
            )
        changed += advance(alerts, now_s)
    return changed


def test_one_bad_fix_that_returns_at_once_raises_nothing_and_a_place_that_stays_wrong_does():
    def still() -> Receivers:
        gnss = Receivers("gps1", "gps2")
        gnss.speed(0.0)
        gnss.speed(0.0, "gps2")
        return gnss

    assert pass_a_minute(still(), [0.0] * 10 + [5000.0] + [0.0] * 100) == []
    assert pass_a_minute(still(), [0.0] * 10 + [5000.0] * 59 + [0.0] * 100) == []
    assert pass_a_minute(still(), [0.0] * 10 + [5000.0] * 62) == [("gnss.suspect.gnss", "V")]


# --- two receivers ---


@pytest.mark.parametrize("antennas_m", [0.0, 11.0, 250.0])
@pytest.mark.parametrize(("beyond_m", "disagree"), [(-1.0, False), (1.0, True)])
def test_two_receivers_agree_within_their_error_and_the_distance_of_their_antennas(
    antennas_m, beyond_m, disagree
):
    gnss = Receivers("gps1", "gps2", antennas_apart_m=antennas_m)
    gnss.at(0.0, 10.0, "gps1")
    gnss.at(APART_M + antennas_m + beyond_m, 10.0, "gps2")
    assert gnss.finds(10.0) is disagree
    if disagree:
        assert gnss.detail == f"GPS1 and GPS2 are {APART_M + antennas_m + 1:.0f} m apart"


def test_a_slow_drift_of_one_of_two_is_seen_by_the_other():
    gnss = Receivers("gps1", "gps2")
    for second in range(30):
        gnss.at(second * 5.0, float(second), "gps1")
        gnss.at(0.0, float(second), "gps2")
    assert gnss.finds(29.0) is True


@pytest.mark.parametrize(
    ("first_s", "second_s", "now_s"),
    [(10.0, 15.1, 15.1), (10.0, 10.0, 10.1 + FRESH_S)],
)
def test_fixes_that_are_not_of_the_same_moment_are_not_compared(first_s, second_s, now_s):
    gnss = Receivers("gps1", "gps2")
    gnss.at(0.0, first_s, "gps1")
    gnss.at(5000.0, second_s, "gps2")
    assert gnss.finds(now_s) is False


def test_what_a_fast_ship_made_between_two_fixes_is_no_disagreement():
    gnss = Receivers("gps1", "gps2")
    for name in gnss.names:
        gnss.speed(30.0, name)
    gnss.at(0.0, 10.0, "gps1")
    gnss.at(APART_M + 4.0 * 30.0 * 1852.0 / 3600.0 - 1.0, 14.0, "gps2")
    assert gnss.finds(14.0) is False


def test_a_receiver_whose_feed_is_lost_disagrees_with_nobody():
    gnss = Receivers("gps1", "gps2")
    gnss.at(0.0, 10.0, "gps1")
    gnss.at(5000.0, 10.0, "gps2")
    gnss.link("gps2", up=False)
    assert gnss.finds(10.0) is False


def test_three_receivers_are_compared_two_by_two():
    gnss = Receivers("gps1", "gps2", "gps3")
    for name, north_m in (("gps1", 0.0), ("gps2", 10.0), ("gps3", 400.0)):
        gnss.at(north_m, 10.0, name)
    assert gnss.finds(10.0) is True
    assert gnss.detail == "GPS1 and GPS3 are 400 m apart; GPS2 and GPS3 are 390 m apart"


# --- often asked ---


def test_in_a_flood_all_is_weighed_ten_times_a_second_at_most(monkeypatch):
    weighed: list[float] = []
    weigh = GnssRule._weigh
    monkeypatch.setattr(
        GnssRule, "_weigh", lambda rule, moment: weighed.append(moment.now_s) or weigh(rule, moment)
    )
    gnss = Receivers()
    for number in range(1000):
        gnss.at(0.0, 10.0 + number / 1000)
        gnss.finds(10.0 + number / 1000)
    assert len(weighed) == 10


def test_an_interference_area_counts_at_once_however_lately_all_was_weighed():
    gnss = Receivers()
    gnss.no_fix(1.0)
    for area, at_most in ((False, None), (True, Priority.CAUTION), (False, None)):
        (said,) = gnss.rule.look(Moment(1.0, UTC_0210, NOW, {}, interference_area=area))
        assert said.at_most is at_most
