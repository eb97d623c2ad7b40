"""Guard zone, loitering and swarm: off until the ship's file says so, blind without a trusted position, bounded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.rules.api import Moment
from daemon.alerts.rules.areas import SLOTS, AisRules, GuardZone, Loitering, Swarm
from daemon.alerts.rules.other_ships import (
    FIX_VALID_S,
    RETURNS_WITHIN_S,
    WARM_UP_S,
    OtherShipsRule,
)
from daemon.model import (
    AisCounts,
    AisKind,
    AisTarget,
    AisTraffic,
    Fix,
    Position,
    Priority,
    Quality,
    Regime,
    SecurityLevel,
    Situation,
)
from tests.makers import SHIP, UTC_0210, reading

ZONE, LOITERING, SWARM, BLIND = (
    *("ais.guard_zone", "ais.loitering", "ais.swarm"),
    "ais.rules_blind",
)
OWN = Position(1.0, 103.0)
NONE = AisCounts(0, 0, 0, 0, 0, 0, None, None)
AREA = {
    "situations": frozenset({Situation.ANCHOR}),
    "threat": True,
    "priority": Priority.WARNING,
}
GUARD = GuardZone(500.0, **AREA)
STAYS = Loitering(2000.0, **AREA, for_s=600.0)
SWARMS = Swarm(2000.0, **AREA, targets=3, within_s=300.0, faster_than_kn=3.0)
ALL = AisRules(GUARD, STAYS, SWARMS)


def target(mmsi: int = 299000201, north_m: float = 100.0, **changed: object) -> AisTarget:
    place = Position(OWN.lat_deg + north_m / 111_195.0, OWN.lon_deg)
    said = AisTarget(mmsi, AisKind.CLASS_B, 0.0, place, 0.0, 10.0, None, "")
    return replace(said, **changed)  # type: ignore[arg-type]


class Bridge:
    """The rule with a feed that came up at 0 s and two receivers."""

    def __init__(self, rules: AisRules = ALL, **how: object) -> None:
        holds = how.get("holds", lambda _key, _source: False)
        self.rule = OtherShipsRule(
            "ais",
            receivers=("gps1", "gps2"),
            ship=SHIP,
            rules=rules,
            holds=holds,  # type: ignore[arg-type]
        )
        self.regime = Regime(Situation.ANCHOR, SecurityLevel.ONE)
        self.details: dict[str, str] = {}
        self.rule.link("ais", up=True, now_s=0.0, reason="")

    def fix(self, at_s: float, quality: Quality = Quality.GOOD, device: str = "gps1") -> None:
        value = None if quality is Quality.UNKNOWN else Fix(OWN, 1, 9, 0.9)
        said = reading(f"{device}.fix", value, at_s=at_s, quality=quality)
        self.rule.take(said, None)

    def hears(self, at_s: float, *targets: AisTarget, fixed: bool = True) -> set[str]:
        """Hear targets; return what holds: the key, for one target with the number of its alert."""
        if fixed:
            self.fix(at_s)
        self.rule.take(reading("ais.traffic", AisTraffic(NONE, targets), at_s=at_s), None)
        return self.holds(at_s)

    def holds(self, at_s: float) -> set[str]:
        said = list(self.rule.look(Moment(at_s, UTC_0210, self.regime, {})))
        names = {
            id(s): s.key + s.source.id.removeprefix("ais").replace(".target", "") for s in said
        }
        self.details |= {names[id(s)]: s.detail for s in said if s.active}
        return {names[id(s)] for s in said if s.active}


def test_nothing_is_judged_until_the_ships_file_says_so():
    bridge = Bridge(AisRules())
    boats = [target(mmsi) for mmsi in range(299000201, 299000211)]
    assert [bridge.hears(at_s, *boats) for at_s in (200.0, 900.0)] == [set(), set()]
    assert bridge.hears(2000.0, *boats, fixed=False) == set()


def test_what_stood_before_a_rule_was_taken_out_of_the_ships_file_ends():
    bridge = Bridge(AisRules(), holds=lambda _key, _source: True)
    bridge.rule.take(reading("ais.traffic", AisTraffic(NONE, ()), at_s=5.0), None)
    moment = Moment(5.0, UTC_0210, bridge.regime, {})
    said = list(bridge.rule.look(moment))
    assert {each.key for each in said} == {ZONE, LOITERING, SWARM, BLIND}
    assert not any(each.active for each in said)
    assert list(bridge.rule.look(moment)) == [], "and then it costs nothing"


@pytest.mark.parametrize(("off_m", "inside"), [(495.0, True), (505.0, False)])
def test_whoever_is_in_the_zone_is_named_with_where_to_look(off_m, inside):
    bridge = Bridge(AisRules(GUARD))
    assert bridge.hears(10.0, target(north_m=off_m, name="DHOW")) == (
        {f"{ZONE}1"} if inside else set()
    )
    if inside:
        assert bridge.details[f"{ZONE}1"] == "DHOW 299000201 0.3 NM, bearing 000"


def test_fixes_scatter_so_one_who_was_inside_leaves_a_little_further_out():
    bridge = Bridge(AisRules(GUARD))
    assert bridge.hears(10.0, target(north_m=490.0))
    assert bridge.hears(15.0, target(north_m=590.0))
    assert not bridge.hears(20.0, target(north_m=610.0))
    assert not bridge.hears(25.0, target(north_m=590.0))


@pytest.mark.parametrize(
    "other",
    [
        {"kind": AisKind.BASE_STATION},
        {"kind": AisKind.AID},
        {"kind": AisKind.AIRCRAFT},
        {"kind": AisKind.DISTRESS},
        {"mmsi": SHIP.mmsi},
        {"position": None},
        {"kind": AisKind.CLASS_A, "navigation_status": 1, "sog_kn": 0.4},
        {"kind": AisKind.CLASS_A, "navigation_status": 5, "sog_kn": 0.0},
    ],
    ids=lambda each: ",".join(map(str, each.values())),
)
def test_what_is_no_ship_or_lies_at_rest_is_no_target(other):
    assert Bridge(AisRules(GUARD)).hears(10.0, target(**other)) == set()


@pytest.mark.parametrize(
    "said", [{"sog_kn": 4.0}, {"sog_kn": None}], ids=["moves", "does not say how fast"]
)
def test_one_who_says_anchored_and_moves_is_a_target(said):
    ship = target(kind=AisKind.CLASS_A, navigation_status=1, **said)
    assert Bridge(AisRules(GUARD)).hears(10.0, ship) == {f"{ZONE}1"}


def test_the_nearest_have_an_alert_each_and_keep_it():
    bridge = Bridge(AisRules(GUARD))
    boats = [target(299000200 + n, 100.0 * n) for n in range(1, 5)]
    assert bridge.hears(10.0, boats[1]) == {f"{ZONE}1"}
    assert bridge.hears(15.0, boats[0], boats[1]) == {f"{ZONE}1", f"{ZONE}2"}
    assert "299000202" in bridge.details[f"{ZONE}1"]
    assert bridge.hears(20.0, *boats) == {f"{ZONE}{n}" for n in range(1, SLOTS + 1)}
    assert bridge.details[f"{ZONE}3"].endswith("; and 1 more")


def test_who_comes_next_takes_the_alert_that_was_free_longest():
    """So that he is news: an alert that stands a while after its target was perhaps acknowledged."""
    bridge = Bridge(AisRules(GUARD))
    assert bridge.hears(10.0, target(1)) == {f"{ZONE}1"}
    assert bridge.hears(15.0) == set()
    assert bridge.hears(20.0, target(2)) == {f"{ZONE}2"}


def test_after_a_restart_who_is_still_there_takes_up_what_stood():
    bridge = Bridge(
        AisRules(GUARD), holds=lambda key, source: (key, source) == (ZONE, "ais.target2")
    )
    assert list(bridge.rule.look(Moment(1.0, UTC_0210, bridge.regime, {}))) == []
    assert bridge.hears(10.0, target()) == {f"{ZONE}2"}


def test_one_who_stays_loiters_and_one_who_passes_does_not():
    bridge = Bridge(AisRules(loitering=STAYS))
    for at_s in range(0, 600, 60):
        assert bridge.hears(float(at_s), target(1, 900.0), target(2, 5000.0 - 10 * at_s)) == set()
    assert bridge.hears(600.0, target(1, 900.0), target(2, -1000.0)) == {f"{LOITERING}1"}
    assert bridge.details[f"{LOITERING}1"] == "1 0.5 NM, bearing 000, for 10 min 0 s"
    assert bridge.hears(660.0, target(1, 3000.0)) == set()


def test_one_whose_speed_scatters_about_the_limit_still_loiters():
    bridge = Bridge(AisRules(loitering=replace(STAYS, slower_than_kn=3.0)))
    for number in range(10):
        speed_kn = 3.2 if number % 2 else 2.8
        assert bridge.hears(number * 60.0, target(1, 900.0, sog_kn=speed_kn)) == set()
    assert bridge.hears(600.0, target(1, 900.0, sog_kn=3.2)) == {f"{LOITERING}1"}
    assert bridge.hears(660.0, target(1, 900.0, sog_kn=3.7)) == set()


def feed_fails(bridge: Bridge, at_s: float) -> None:
    """Let the feed be lost, and come back with a table that is empty."""
    bridge.rule.link("ais", up=False, now_s=at_s, reason="silent")
    bridge.rule.link("ais", up=True, now_s=at_s + 5.0, reason="")


def test_a_feed_that_was_lost_for_a_moment_ends_nothing_that_nobody_saw_end():
    bridge = Bridge()
    dhow, three = target(1, 400.0, sog_kn=None), boats(3)
    bridge.hears(0.0, dhow)
    held = bridge.hears(610.0, dhow, *three)
    assert held == {f"{ZONE}1", f"{LOITERING}1", SWARM}
    feed_fails(bridge, 620.0)
    assert bridge.hears(630.0) == held, "none of them has been heard again yet"
    assert bridge.hears(640.0, dhow) == held
    assert bridge.hears(700.0, dhow, *three) == held, "and they have been there since they came"
    assert bridge.hears(705.0) == set()


def test_a_restart_ends_nothing_that_nobody_saw_end():
    stood = {(ZONE, "ais.target1"), (LOITERING, "ais.target2"), (SWARM, "ais")}
    held = {f"{ZONE}1", f"{LOITERING}2", SWARM}
    bridge = Bridge(holds=lambda key, source: (key, source) in stood)
    dhow, three = target(1, 400.0, sog_kn=0.5), boats(3)
    assert bridge.hears(5.0) == held, "nobody has been heard twice yet"
    assert bridge.hears(60.0, dhow) == held
    assert bridge.hears(200.0, dhow, *three) == held
    assert bridge.hears(1.0 + RETURNS_WITHIN_S, dhow, *three) == held
    assert bridge.hears(5.0 + RETURNS_WITHIN_S, dhow, *three[1:]) == held - {SWARM}
    assert bridge.hears(10.0 + RETURNS_WITHIN_S) == set()


def test_what_stood_before_a_restart_ends_when_nobody_comes():
    bridge = Bridge(holds=lambda _key, _source: True)
    assert bridge.hears(RETURNS_WITHIN_S - 1.0)
    assert bridge.hears(RETURNS_WITHIN_S) == set()


def test_who_is_not_heard_again_after_a_feed_was_lost_has_left():
    bridge = Bridge(AisRules(GUARD, swarm=SWARMS))
    bridge.hears(0.0)
    assert bridge.hears(130.0, target(1), *boats(3)) == {f"{ZONE}1", SWARM}
    feed_fails(bridge, 140.0)
    assert bridge.hears(144.0 + RETURNS_WITHIN_S) == {f"{ZONE}1", SWARM}
    assert bridge.hears(146.0 + RETURNS_WITHIN_S) == set()


def test_a_speed_makes_one_who_follows_none_who_loiters():
    bridge = Bridge(AisRules(loitering=replace(STAYS, slower_than_kn=5.0)))
    for at_s in (0.0, 601.0):
        held = bridge.hears(
            at_s, target(1, sog_kn=12.0), target(2, sog_kn=5.0), target(3, sog_kn=None)
        )
    assert held == {f"{LOITERING}1", f"{LOITERING}2"}
    assert all(not detail.startswith("1 ") for detail in bridge.details.values())


def boats(count: int, **how: object) -> list[AisTarget]:
    return [target(100 + n, 1000.0 + 50 * n, **how) for n in range(count)]


@pytest.mark.parametrize(
    ("came", "is_swarm"),
    [
        (boats(3), True),
        (boats(2), False),
        (boats(3, sog_kn=3.0), False),
        (boats(3, sog_kn=None), True),
    ],
    ids=["three", "two", "slow", "speed not said"],
)
def test_so_many_under_way_that_came_lately_are_a_swarm(came, is_swarm):
    bridge = Bridge(AisRules(swarm=SWARMS))
    bridge.hears(0.0)
    assert (bridge.hears(WARM_UP_S + 1, *came) == {SWARM}) is is_swarm
    if is_swarm:
        assert bridge.details[SWARM].startswith("3 targets: 100 0.5 NM, bearing 000; 101")
        assert bridge.hears(WARM_UP_S + 1000, *came) == {SWARM}, "while they are there it goes on"
        assert bridge.hears(WARM_UP_S + 1005, *came[1:]) == set()


def test_who_came_one_after_the_other_over_an_hour_is_no_swarm():
    bridge = Bridge(AisRules(swarm=SWARMS))
    for number in range(6):
        assert bridge.hears(number * 600.0, *boats(number)) == set()


def test_whom_we_find_there_is_no_swarm_when_the_feed_comes_or_the_rule_is_on():
    bridge = Bridge(AisRules(swarm=SWARMS))
    assert bridge.hears(WARM_UP_S - 1, *boats(5)) == set()
    bridge.regime = Regime(Situation.SEA, SecurityLevel.ONE)
    assert bridge.hears(1000.0, *boats(5)) == set()
    bridge.regime = Regime(Situation.ANCHOR, SecurityLevel.ONE)
    assert bridge.hears(1005.0, *boats(5)) == set()
    assert bridge.hears(1010.0, *boats(8)) == {SWARM}


def test_who_becomes_a_target_while_the_feed_is_new_was_there_before():
    bridge = Bridge(AisRules(swarm=SWARMS))
    bridge.hears(0.0)
    assert bridge.hears(WARM_UP_S - 1, *boats(5)) == set()
    assert bridge.hears(WARM_UP_S + 50, *boats(5)) == set()


@pytest.mark.parametrize(
    ("situation", "threat", "on"),
    [
        (Situation.ANCHOR, False, True),
        (Situation.SEA, False, False),
        (Situation.PORT, False, False),
        (Situation.SEA, True, True),
    ],
)
def test_a_rule_is_on_where_it_says(situation, threat, on):
    bridge = Bridge(AisRules(GUARD))
    bridge.regime = Regime(situation, SecurityLevel.ONE, threat=threat)
    assert bridge.hears(10.0, target()) == ({f"{ZONE}1"} if on else set())


# --- own position ---


@pytest.mark.parametrize("quality", [Quality.SUSPECT, Quality.UNKNOWN])
def test_without_a_trusted_position_it_cannot_judge_and_says_so(quality):
    bridge = Bridge()
    bridge.fix(10.0, quality)
    assert bridge.hears(10.0, target(), fixed=False) == {BLIND}


def test_what_stood_goes_on_standing_while_it_cannot_judge():
    bridge = Bridge(AisRules(GUARD))
    assert bridge.hears(10.0, target()) == {f"{ZONE}1"}
    bridge.fix(12.0, Quality.SUSPECT)
    said = {}
    bridge.rule.take(reading("ais.traffic", AisTraffic(NONE, ()), at_s=15.0), None)
    for each in bridge.rule.look(Moment(15.0, UTC_0210, bridge.regime, {})):
        said[each.key] = each.active
    assert said == {BLIND: True}, "the zone is neither clear nor not"
    assert bridge.hears(20.0) == set()


def test_another_receiver_with_a_good_fix_is_believed_and_an_old_fix_is_none():
    bridge = Bridge(AisRules(GUARD))
    bridge.fix(10.0, Quality.SUSPECT)
    bridge.fix(10.0, device="gps2")
    assert bridge.hears(10.0 + FIX_VALID_S, target(), fixed=False) == {f"{ZONE}1"}
    assert bridge.hears(10.1 + FIX_VALID_S, target(), fixed=False) == {BLIND}


def test_a_lost_feed_says_nothing_and_nothing_new():
    bridge = Bridge(AisRules(GUARD))
    bridge.hears(10.0, target())
    bridge.rule.link("ais", up=False, now_s=20.0, reason="silent")
    assert ZONE not in {s.key for s in bridge.rule.look(Moment(21.0, UTC_0210, bridge.regime, {}))}


@given(
    st.lists(
        st.lists(
            st.builds(
                target,
                st.integers(0, 12),
                st.floats(-3e4, 3e4),
                sog_kn=st.one_of(st.none(), st.floats(0, 102)),
                kind=st.sampled_from(AisKind),
                navigation_status=st.one_of(st.none(), st.integers(0, 15)),
            ),
            max_size=12,
            unique_by=lambda each: each.mmsi,
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_whatever_is_heard_each_condition_is_said_once_and_names_few(rounds, fixed):
    bridge = Bridge()
    for number, targets in enumerate(rounds):
        at_s = number * 120.0
        if fixed:
            bridge.fix(at_s)
        bridge.rule.take(reading("ais.traffic", AisTraffic(NONE, tuple(targets)), at_s=at_s), None)
        said = list(bridge.rule.look(Moment(at_s, UTC_0210, bridge.regime, {})))
        assert len({(s.key, s.source.id) for s in said}) == len(said) <= 2 * SLOTS + 2
        assert all(len(s.detail) < 250 for s in said)
