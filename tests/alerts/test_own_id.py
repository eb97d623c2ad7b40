"""Our MMSI from elsewhere: a repeater that repeats us is nobody else."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from daemon.alerts.rules.api import Moment
from daemon.alerts.rules.own_id import CEASED_S, QUIET_S, OwnIdRule
from daemon.drivers.nmea_ais import AisReader
from daemon.drivers.nmea_alerts import AlertsReader
from daemon.drivers.sentences import SentenceError, parse
from daemon.model import AisCounts, AisKind, AisTarget, AisTraffic, Position
from simulators.ships import OWN_SHIP
from simulators.vessel_ais import ais, position_report
from tests.alerts.rig import regime
from tests.makers import SHIP, UTC_0210, own_report, reading
from tests.recorded import RECORDED, needs_recordings

OWN_ID = "ais.own_id_elsewhere"
HERE = Position(1.264, 103.84)
THERE = Position(1.364, 103.84)
NONE = AisCounts(0, 0, 0, 0, 0, 0, None, None)


class Bridge:
    """The rule with a feed that came up at 0 s."""

    def __init__(self) -> None:
        self.rule = OwnIdRule("ais", ship=SHIP)
        self.rule.link("ais", up=True, now_s=0.0, reason="")
        self.detail = ""

    def own(self, at_s: float, **changed: object) -> None:
        said = own_report(**{"position": HERE, **changed})
        self.rule.take(reading("ais.own_report", said, at_s=at_s), None)

    def hears(self, at_s: float, position: Position | None = THERE, mmsi: int = SHIP.mmsi) -> bool:
        other = AisTarget(mmsi, AisKind.CLASS_A, at_s, position, at_s, 0.0, 5, "")
        self.rule.take(reading("ais.traffic", AisTraffic(NONE, (other,)), at_s=at_s), None)
        return self.holds(at_s)

    def holds(self, at_s: float) -> bool:
        (said,) = self.rule.look(Moment(at_s, UTC_0210, regime(), {}))
        assert said.key == OWN_ID
        self.detail = said.detail
        return said.active


def test_two_reports_from_elsewhere_are_somebody_else_and_the_place_is_said():
    bridge = Bridge()
    bridge.own(10.0)
    assert [bridge.hears(12.0), bridge.hears(22.0)] == [False, True]
    assert bridge.detail == "01°21.84'N 103°50.40'E, 6.0 NM from own AIS position"
    assert bridge.holds(22.0 + CEASED_S)
    assert not bridge.holds(22.1 + CEASED_S), "from here the catalogue's half hour runs"


def test_the_same_report_seen_again_is_one_report():
    bridge = Bridge()
    bridge.own(10.0)
    other = AisTarget(SHIP.mmsi, AisKind.CLASS_A, 12.0, THERE, 12.0, 0.0, 5, "")
    for at_s in (12.0, 17.0, 22.0):
        said = reading("ais.traffic", AisTraffic(NONE, (replace(other, heard_s=at_s),)), at_s=at_s)
        bridge.rule.take(said, None)
    assert not bridge.holds(22.0)


def test_a_repeater_repeats_us_where_we_are_however_far_that_is_from_the_truth():
    bridge = Bridge()
    bridge.own(10.0, position=THERE)
    assert [bridge.hears(at_s, THERE) for at_s in (11.0, 21.0, 31.0)] == [False] * 3


@pytest.mark.parametrize(
    ("sog_kn", "later_s", "is_ours"),
    [(0.0, 3.0, True), (20.0, 30.0, True), (0.0, 30.0, True), (None, 30.0, True)],
)
def test_what_we_moved_meanwhile_is_no_other_ship(sog_kn, later_s, is_ours):
    bridge = Bridge()
    near = Position(HERE.lat_deg + 0.004, HERE.lon_deg)  # 445 m
    for at_s in (10.0, 110.0):
        bridge.own(at_s, sog_kn=sog_kn)
        heard = bridge.hears(at_s + later_s, near)
    assert heard is not is_ours


@pytest.mark.parametrize("spoke", [True, False], ids=["fell silent", "never spoke"])
def test_whatever_is_heard_under_our_number_while_our_own_unit_says_nothing_is_not_ours(spoke):
    bridge = Bridge()
    if spoke:
        bridge.own(0.0)
    assert [bridge.hears(QUIET_S + more_s, HERE) for more_s in (-10, 0, 1, 11)] == [
        *(False, False, False),
        True,
    ]
    assert bridge.detail.endswith("while own AIS says nothing")


def test_a_repeater_that_is_heard_before_our_own_unit_is_nobody_else():
    bridge = Bridge()
    assert [bridge.hears(at_s, THERE) for at_s in (10.0, 20.0, 30.0)] == [False] * 3
    bridge.own(40.0)
    bridge.rule.link("ais", up=False, now_s=50.0, reason="silent")
    bridge.rule.link("ais", up=True, now_s=1000.0, reason="")
    assert [bridge.hears(at_s, THERE) for at_s in (1010.0, 1020.0)] == [False] * 2


def test_a_report_without_a_place_and_another_ships_number_say_nothing():
    bridge = Bridge()
    bridge.own(10.0)
    assert [bridge.hears(at_s, None) for at_s in (12.0, 22.0)] == [False, False]
    assert [bridge.hears(at_s, mmsi=299000020) for at_s in (32.0, 42.0)] == [False, False]


def test_reports_hours_apart_do_not_add_up_to_two():
    bridge = Bridge()
    for at_s in (100.0, 1000.0, 2000.0):
        bridge.own(at_s - 1)
        assert not bridge.hears(at_s)


def test_while_the_feed_is_lost_what_stood_goes_on_standing():
    bridge = Bridge()
    bridge.own(0.0)
    assert [bridge.hears(0.5), bridge.hears(0.9)] == [False, True]
    bridge.rule.link("ais", up=False, now_s=1.0, reason="silent")
    assert list(bridge.rule.look(Moment(2.0, UTC_0210, regime(), {}))) == []


@needs_recordings
def test_recorded_feeds_beside_own_reports_raise_nothing_about_own_ship():
    lines = [
        framed
        for file in sorted(RECORDED.glob("*/*"))
        for framed in re.findall(rb"!AIVDM[^*]*\*[0-9A-Fa-f]{2}", file.read_bytes())
    ]
    alerts = AlertsReader("ais")
    reader = AisReader("ais", own_report_valid_s=540, alerts=alerts, give_up=lambda: None)
    bridge, seen = Bridge(), 0
    for number, line in enumerate(lines * 2):
        now_s = number / 10.0
        own = [each.encode() for each in ais("VDO", "A", position_report(OWN_SHIP, UTC_0210))]
        for each in (*own, line):
            try:
                sentence = parse(each)
                for point, value, quality in reader.reads[sentence.formatter](sentence, now_s):
                    seen += point == "ais.traffic"
                    said = reading(point, value, at_s=now_s, quality=quality)
                    bridge.rule.take(said, None)
            except SentenceError:
                continue
        assert not bridge.holds(now_s)
    assert seen > 3
