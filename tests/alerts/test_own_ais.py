"""Own AIS: often enough, as the register has it, in step with the ship; a silent feed is not a silent AIS."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.rules.api import Moment
from daemon.alerts.rules.own_ais import LONGEST_DETAIL, OwnAisRule, interval_s
from daemon.model import EquipmentAlert, EquipmentReport, Regime, SecurityLevel, Situation
from tests.alerts.rig import advance, engine, regime
from tests.makers import SHIP, UTC_0210, own_identity, own_report, reading

SILENT, ORDER, IDENTITY = "ais.silent", "ais.off_by_order", "ais.identity"
VOYAGE, EQUIPMENT = "ais.voyage_data", "ais.equipment"
VALID_S = 540.0
AT_SEA = {"navigation_status": 0, "sog_kn": 12.0}


class Ais:
    """The rule with a feed that came up at 0 s."""

    def __init__(self, *, up: bool = True, **how: object) -> None:
        holds = how.get("holds", lambda _key, _source: False)
        self.rule = OwnAisRule("ais", ship=how.get("ship", SHIP), valid_for_s=VALID_S, holds=holds)
        self.by: str | None = None
        self.situation = Situation.PORT
        self.details: dict[str, str] = {}
        if up:
            self.link(up=True, at_s=0.0)

    def link(self, *, up: bool, at_s: float) -> None:
        self.rule.link("ais", up=up, now_s=at_s, reason="")

    def report(self, at_s: float, **changed: object) -> dict[str, bool]:
        self.rule.take(reading("ais.own_report", own_report(**changed), at_s=at_s), None)
        return self.says(at_s)

    def identity(self, at_s: float = 0.0, **changed: object) -> dict[str, bool]:
        self.rule.take(reading("ais.own_identity", own_identity(**changed), at_s=at_s), None)
        return self.says(at_s)

    def says(self, at_s: float) -> dict[str, bool]:
        now = Regime(self.situation, SecurityLevel.ONE)
        said = list(self.rule.look(Moment(at_s, UTC_0210, now, {}, self.by)))
        self.details |= {s.key: s.detail for s in said}
        return {s.key: s.active for s in said}


# --- intervals ---


@pytest.mark.parametrize(
    ("status", "speed_kn", "every_s"),
    [
        (5, 0.0, 180.0),
        (1, 3.0, 180.0),
        (1, 3.1, 10.0),  # it drags
        (5, None, 180.0),
        (0, 0.0, 10.0),  # under way and stopped
        (0, 14.0, 10.0),
        (0, 14.1, 6.0),
        (0, 23.0, 6.0),
        (0, 23.1, 2.0),
        (0, None, 10.0),
    ],
)
def test_a_class_a_reports_as_often_as_the_recommendation_says(status, speed_kn, every_s):
    assert interval_s(own_report(navigation_status=status, sog_kn=speed_kn)) == every_s


# --- silence ---


@pytest.mark.parametrize(
    ("changed", "silent_after_s"),
    [
        ({}, 540.0),  # moored: three reports of 3 min
        (AT_SEA, 60.0),  # three of 10 s, but a minute at least
        ({**AT_SEA, "sog_kn": 25.0}, 60.0),
        ({"navigation_status": 1, "sog_kn": 4.0}, 60.0),
    ],
)
def test_silence_is_three_missed_reports_and_a_minute_at_least(changed, silent_after_s):
    ais = Ais()
    assert ais.report(10.0, **changed)[SILENT] is False
    assert ais.says(10.0 + silent_after_s)[SILENT] is False
    assert ais.says(10.0 + silent_after_s + 0.1)[SILENT] is True


def test_an_ais_that_never_reported_is_silent_when_no_report_could_be_so_late():
    ais = Ais()
    assert ais.says(VALID_S)[SILENT] is False
    assert ais.says(VALID_S + 0.1)[SILENT] is True


def test_two_reports_end_the_silence_and_one_does_not():
    ais = Ais()
    ais.report(0.0, **AT_SEA)
    ais.says(70.0)
    assert ais.report(71.0, **AT_SEA)[SILENT] is True
    assert ais.report(81.0, **AT_SEA)[SILENT] is False


def test_one_report_now_and_then_does_not_end_the_silence():
    ais = Ais()
    ais.report(0.0, **AT_SEA)
    told = []
    for second in range(100, 2000, 10):
        if second % 200 == 0:
            ais.report(float(second), **AT_SEA)
        told.append(ais.says(float(second))[SILENT])
    assert all(told)


def test_restart_a_silence_that_stood_stands_until_two_reports():
    ais = Ais(holds=lambda key, source: (key, source) == (SILENT, "ais"))
    assert ais.says(1.0)[SILENT] is True
    assert ais.report(2.0)[SILENT] is True
    assert ais.report(3.0)[SILENT] is False


# --- the feed ---


def test_a_feed_that_is_lost_says_nothing_of_ais():
    ais = Ais()
    ais.report(1.0, mmsi=1)
    ais.report(2.0, mmsi=1)
    ais.link(up=False, at_s=3.0)
    assert ais.says(10_000.0) == {ORDER: False}
    assert Ais(up=False).says(10_000.0) == {ORDER: False}


def test_silence_counts_from_when_the_feed_came_back():
    ais = Ais()
    ais.report(1.0, **AT_SEA)
    ais.link(up=False, at_s=2.0)
    ais.link(up=True, at_s=5000.0)
    assert ais.says(5060.0)[SILENT] is False
    assert ais.says(5060.1)[SILENT] is True


# --- the Master's order ---


def test_by_order_of_the_master_it_may_be_silent_and_the_order_is_told():
    ais = Ais()
    ais.report(1.0, **AT_SEA)
    ais.by = "A. Lindqvist"
    told = ais.says(10_000.0)
    assert (told[ORDER], told[SILENT]) == (True, False)
    assert ais.details[ORDER] == "by order of A. Lindqvist"


def test_an_order_takes_the_silence_away_and_its_end_gives_the_set_its_time():
    ais = Ais()
    ais.report(1.0, **AT_SEA)
    assert ais.says(100.0)[SILENT] is True
    ais.by = "A. Lindqvist"
    assert ais.says(101.0)[SILENT] is False
    ais.says(5000.0)
    ais.by = None
    told = ais.says(5001.0)
    assert (told[ORDER], told[SILENT]) == (False, False)
    assert ais.says(5060.0)[SILENT] is False
    assert ais.says(5060.1)[SILENT] is True


def test_an_order_is_told_while_the_feed_is_lost():
    ais = Ais(up=False)
    ais.by = "A. Lindqvist"
    assert ais.says(5.0) == {ORDER: True, SILENT: False}


def test_an_order_takes_the_silence_away_though_the_set_was_switched_off_and_its_feed_is_lost():
    ais = Ais()
    assert ais.says(VALID_S + 1.0)[SILENT] is True
    ais.link(up=False, at_s=VALID_S + 10.0)
    assert SILENT not in ais.says(VALID_S + 20.0), "what stood goes on"
    ais.by = "A. Lindqvist"
    assert ais.says(VALID_S + 30.0) == {ORDER: True, SILENT: False}


# --- identity ---


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"mmsi": 299000018}, "MMSI 299000018, register 299000019"),
        ({"imo_number": 0}, "IMO number 0, register 9999993"),
        ({"name": "KESTREL STRAI"}, "name KESTREL STRAI, register KESTREL STRAIT"),
        ({"call_sign": ""}, "call sign , register 9VKS0"),
    ],
)
def test_an_identity_that_differs_is_told_after_two_reports(changed, words):
    ais = Ais()
    assert ais.identity(1.0)[IDENTITY] is False
    assert ais.identity(2.0, **changed)[IDENTITY] is False
    assert ais.identity(3.0, **changed)[IDENTITY] is True
    assert ais.details[IDENTITY] == words
    assert ais.identity(4.0)[IDENTITY] is False


def test_a_name_that_the_register_writes_in_small_letters_is_the_one_that_ais_sends():
    ais = Ais(ship=replace(SHIP, name=SHIP.name.title()))
    assert not any(ais.identity(n * 1.0)[IDENTITY] for n in range(9))


def test_wrong_reports_with_a_right_one_between_are_not_two():
    ais = Ais()
    assert not any(
        ais.identity(n * 1.0, name="X" * (n % 2) or SHIP.name)[IDENTITY] for n in range(9)
    )


def test_a_wrong_mmsi_in_a_position_report_counts_by_itself():
    ais = Ais()
    ais.report(1.0, mmsi=1)
    assert ais.identity(2.0)[IDENTITY] is False
    assert ais.report(3.0, mmsi=1)[IDENTITY] is True
    assert ais.identity(4.0)[IDENTITY] is True, "a right name does not make the number right"
    assert ais.report(5.0)[IDENTITY] is False


@given(st.text(max_size=200), st.text(max_size=200))
def test_what_differs_is_bounded_whatever_it_says(name, call_sign):
    ais = Ais()
    for at_s in (1.0, 2.0):
        ais.identity(at_s, name=name, call_sign=call_sign)
    assert len(ais.details[IDENTITY]) <= LONGEST_DETAIL


def test_nothing_is_said_of_an_identity_that_was_never_heard():
    assert IDENTITY not in Ais().says(1.0)


def test_restart_a_wrong_identity_stands_until_all_of_it_is_heard_right():
    ais = Ais(holds=lambda key, source: (key, source) == (IDENTITY, "ais"))
    assert ais.report(1.0)[IDENTITY] is True, "the number is right; the name was not heard yet"
    assert ais.identity(2.0, name="X")[IDENTITY] is True, "no second report is waited for"
    assert ais.identity(3.0)[IDENTITY] is False


# --- voyage data ---


@pytest.mark.parametrize(
    ("situation", "right"),
    [
        (Situation.SEA, {0, 2, 3, 4, 8}),
        (Situation.ANCHOR, {1}),
        (Situation.PORT, {5}),
        (Situation.MANOEUVRING, set(range(16))),
        (Situation.YARD, set(range(16))),
    ],
)
def test_the_status_must_fit_what_the_ship_is_doing(situation, right):
    ais = Ais()
    ais.situation = situation
    fits = {n for n in range(16) if not ais.report(1.0, navigation_status=n)[VOYAGE]}
    assert fits == right


def test_a_status_that_does_not_fit_is_told_in_words():
    ais = Ais()
    ais.report(1.0, navigation_status=0)
    assert ais.details[VOYAGE] == "says under way using engine, situation is port"
    ais.report(2.0, navigation_status=11)
    assert ais.details[VOYAGE] == "says status 11, situation is port"


def test_a_status_that_is_too_old_is_not_held_against_a_new_situation():
    ais = Ais()
    ais.report(1.0)
    ais.rule.take(reading("ais.own_report", None, at_s=600.0), None)
    ais.situation = Situation.SEA
    assert VOYAGE not in ais.says(601.0)
    assert ais.says(601.0)[SILENT] is True


def test_voyage_data_are_told_after_ten_minutes_in_which_the_officer_can_put_them_right():
    ais, alerts = Ais(), engine(regime())
    ais.report(0.0, navigation_status=0)
    for second in range(700):
        ais.report(float(second), navigation_status=0)
        for said in ais.rule.look(Moment(float(second), UTC_0210, regime(), {})):
            alerts.condition(
                said.key, said.source, active=said.active, now_s=float(second), detail=said.detail
            )
        if advance(alerts, float(second)):
            assert (second, [a.key for a in alerts.alerts()]) == (600, [VOYAGE])
    assert alerts.alerts()


# --- what it says of itself ---


def complaint(number: int, text: str = "", *, active: bool = True) -> EquipmentAlert:
    return EquipmentAlert(number, None, text, active, acknowledged=False, priority=None)


def mirrored(*alerts: EquipmentAlert) -> tuple[bool, str]:
    ais = Ais()
    said = EquipmentReport(in_order=None, alerts=alerts)
    ais.rule.take(reading("ais.alerts", said), None)
    return ais.says(1.0)[EQUIPMENT], ais.details[EQUIPMENT]


def test_what_the_set_complains_of_is_mirrored_in_its_own_words():
    two = (complaint(1, "AIS: Tx malfunction"), complaint(2))
    assert mirrored(*two) == (True, "AIS: Tx malfunction; 2")
    assert mirrored(replace(two[0], active=False)) == (False, "")
    assert mirrored() == (False, "")
    assert len(mirrored(*(complaint(n, "x" * 50) for n in range(90)))[1]) == LONGEST_DETAIL


def test_nothing_is_mirrored_before_the_set_said_anything():
    assert EQUIPMENT not in Ais().says(1.0)
