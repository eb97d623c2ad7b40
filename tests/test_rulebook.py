"""Which rules watch the sample ship: one for each thing that can be wrong, none for what its own system watches."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from daemon import config
from daemon.alerts import catalogue, policy
from daemon.alerts.rules.api import Moment
from daemon.alerts.rules.cctv import CamerasRule, RecorderRule
from daemon.alerts.rules.clock import ClockRule
from daemon.alerts.rules.devices import BusRule, DeviceRule
from daemon.alerts.rules.gnss import GnssRule
from daemon.alerts.rules.lights import LightsRule
from daemon.alerts.rules.lines import LineRule
from daemon.alerts.rules.openings import OPENED, OpeningRule
from daemon.alerts.rules.other_ships import OtherShipsRule
from daemon.alerts.rules.own_ais import OwnAisRule
from daemon.alerts.rules.own_id import OwnIdRule
from daemon.alerts.rules.power import PowerRule
from daemon.assets import asset
from daemon.config.alerting import kinds
from daemon.config.other_ships import AisSection
from daemon.fitting import equipment, rulebook
from daemon.model import ContactState, OpeningKind
from daemon.points.points import Change, Points
from tests.alerts.rig import KINDS, regime
from tests.makers import UTC_0210, own_report, reading

if TYPE_CHECKING:
    from daemon.alerts.rules.api import Rule, Said

SHIP = config.load(asset("ispsd.toml"))
POINTS = (
    "gps1.fix",
    "gps1.time",
    "gps2.fix",
    "gps2.time",
    "gyro.heading",
    "ais.own_report",
    "ais.traffic",
)


@pytest.fixture
def rules() -> list[Rule]:
    return list(
        rulebook.rules(
            SHIP,
            policy=policy.load(asset("policy.toml")),
            points=POINTS,
            valid_for_s=lambda _point: 300.0,
            holds=lambda _key, _source: False,
        )
    )


def devices_down(rules: list[Rule], *devices: str) -> dict[tuple[str, str], Said]:
    """Let devices be lost; return what holds, by key and source."""
    for rule in rules:
        for device in rule.devices:
            if device in devices:
                rule.link(device, up=False, now_s=0.0, reason="timed out")
    return held(rules)


def held(
    rules: list[Rule], *, now_s: float = 1.0, now: object = None
) -> dict[tuple[str, str], Said]:
    moment = Moment(now_s, UTC_0210, now or regime(), {})  # type: ignore[arg-type]
    said = [s for rule in rules for s in rule.look(moment)]
    assert {(s.key, s.source.id) for s in said} <= {place for rule in rules for place in rule.says}
    most = max(Counter((s.key, s.source.id) for s in said).values(), default=1)
    assert most == 1, "no two rules speak of one condition"
    return {(s.key, s.source.id): s for s in said if s.active}


def of(rules: list[Rule], kind: type) -> list[Rule]:
    return [rule for rule in rules if isinstance(rule, kind)]


def test_every_opening_has_its_rule_but_locks_and_side_doors(rules):
    watched = {point for rule in of(rules, OpeningRule) for point in rule.points}
    kinds = {kind: {o.id for o in SHIP.openings if o.kind is kind} for kind in OpeningKind}
    assert all(kinds.values()), "the sample ship has one of each"
    assert kinds[OpeningKind.DOOR] | kinds[OpeningKind.SEAL] <= watched
    assert kinds[OpeningKind.MOTION] | kinds[OpeningKind.TAMPER] <= watched
    assert not kinds[OpeningKind.SIDE_DOOR] & watched
    assert len(of(rules, OpeningRule)) == sum(
        len(ids) for kind, ids in kinds.items() if kind in OPENED
    )


def test_lights_and_ups_have_rules_of_their_own(rules):
    (lights,) = of(rules, LightsRule)
    assert lights.points == {"lt1", "lt2", "lt3", "gps1.fix", "gps2.fix"}
    (power,) = of(rules, PowerRule)
    assert power.points == {"u1", "u1.battery"}


def test_every_line_that_can_be_cut_is_told_of_by_one_rule(rules):
    """No two: ``held`` sees to it."""
    mirrored = {o.id for o in SHIP.openings if o.kind is OpeningKind.SIDE_DOOR}
    for opening in SHIP.openings:
        said = reading(opening.id, ContactState.LINE_FAULT, at_s=1.0)
        for rule in rules:
            if opening.id in rule.points:
                rule.take(said, Change(said, None))
    faulty = {source for key, source in held(rules) if key == "sensor.line_fault"}
    assert faulty == {o.id for o in SHIP.openings} - mirrored


def test_a_lock_is_watched_by_its_door(rules):
    for lock in (o for o in SHIP.openings if o.kind is OpeningKind.LOCK):
        (rule,) = [r for r in of(rules, OpeningRule) if lock.id in r.points]
        assert rule.points == {lock.of, lock.id}


def test_a_door_that_opens_while_its_lock_says_locked_was_forced(rules):
    door = next(o for o in SHIP.openings if o.id == "d11")
    lock = next(o for o in SHIP.openings if o.of == "d11" and o.kind is OpeningKind.LOCK)
    points = Points({door.id: 1e9, lock.id: 1e9}, started_s=0.0)
    for point, state in (
        (lock.id, ContactState.CLOSED),
        (door.id, ContactState.CLOSED),
        (door.id, ContactState.OPEN),
    ):
        said = reading(point, state, at_s=5.0)
        change = points.update(said)
        for rule in rules:
            if point in rule.points:
                rule.take(said, change)
    found = held(rules, now_s=5.0)
    assert set(found) == {("door.forced", "d11"), ("door.vital.open", "d11")}
    assert found["door.forced", "d11"].source.bus == "rtu"


def test_a_lost_unit_names_the_doors_seals_and_detectors_that_nobody_sees(rules):
    (said,) = devices_down(rules, "rtu6").values()
    assert (said.key, said.source.bus) == ("io.unit_lost", "rtu")
    names = [o.name for o in SHIP.openings if o.device == "rtu6" and o.of is None]
    assert len(names) > 2
    assert said.detail == f"timed out; not monitored: {', '.join(names)}"


def test_a_bus_is_lost_with_its_last_unit(rules):
    assert ("io.bus_lost", "rtu") not in devices_down(rules, "rtu5")
    bus = devices_down(rules, "rtu6")["io.bus_lost", "rtu"]
    for name in ("STRG GEAR DOOR", "UDP AFT PORT"):
        assert name in bus.detail


def test_a_bus_with_a_single_unit_is_told_by_that_unit():
    one = tuple(d for d in SHIP.devices if d.id != "rtu6")
    assert len(one) == len(SHIP.devices) - 1
    ship = config.Config(
        **{name: getattr(SHIP, name) for name in SHIP.__slots__} | {"devices": one}
    )
    found = rulebook.rules(
        ship,
        policy=policy.load(asset("policy.toml")),
        points=(),
        valid_for_s=lambda _point: 300.0,
        holds=lambda _key, _source: False,
    )
    assert of(list(found), BusRule) == []


def test_every_feed_that_is_lost_says_so_under_its_own_key(rules):
    names = [d.id for d in SHIP.devices]
    found = {source: key for key, source in devices_down(rules, *names)}
    assert found["ais"] == "feed.ais"
    assert found["gps1"] == found["gps2"] == "feed.nav"
    assert found["io1"] == found["rtu5"] == "io.unit_lost"
    assert set(found.values()) <= set(catalogue.load(asset("alerts.toml")))


def test_covert_an_ssas_unit_has_no_rule_at_all(rules):
    assert "ssas" in {d.id for d in SHIP.devices}
    assert not any("ssas" in rule.devices for rule in rules)
    assert not any(point.startswith("ssas") for rule in rules for point in rule.points)
    assert devices_down(rules, "ssas") == {}


def test_what_is_received_decides_which_rules_there_are(rules):
    assert [rule.devices for rule in of(rules, OwnAisRule)] == [{"ais"}]
    assert sorted(next(iter(rule.devices)) for rule in of(rules, ClockRule)) == ["gps1", "gps2"]
    assert [rule.devices for rule in of(rules, OwnIdRule)] == [{"ais"}]
    (ships,) = of(rules, OtherShipsRule)
    assert ships.points == {"ais.traffic", "gps1.fix", "gps2.fix"}
    (gnss,) = of(rules, GnssRule)
    assert gnss.devices == {"gps1", "gps2", "ais"}
    assert {"gps1.fix", "gps2.time", "gyro.heading", "ais.own_report"} <= gnss.points


def test_own_ais_is_held_against_the_ships_register_and_the_validity_of_its_point(rules):
    (rule,) = of(rules, OwnAisRule)
    rule.link("ais", up=True, now_s=0.0, reason="")
    assert ("ais.silent", "ais") not in held([rule], now_s=300.0)
    assert ("ais.silent", "ais") in held([rule], now_s=300.1)
    for at_s in (301.0, 302.0):
        rule.take(reading("ais.own_report", own_report(mmsi=1), at_s=at_s), None)
    assert ("ais.identity", "ais") in held([rule], now_s=302.0)


def test_a_ship_without_receivers_has_no_rule_for_them():
    found = rulebook.rules(
        SHIP,
        policy=policy.load(asset("policy.toml")),
        points=("gyro.heading", "d12"),
        valid_for_s=lambda _point: 300.0,
        holds=lambda _key, _source: False,
    )
    others = {CamerasRule, LightsRule, LineRule, PowerRule, RecorderRule}
    assert {type(rule) for rule in found} == {OpeningRule, DeviceRule, BusRule} | others


def test_nothing_is_said_before_anything_is_heard(rules):
    moment = Moment(1000.0, UTC_0210, regime(level=3), {})
    said = [s for rule in rules for s in rule.look(moment)]
    assert [s.key for s in said] == ["ais.off_by_order"]
    assert not said[0].active


def test_an_alert_about_any_bus_or_the_receivers_survives_a_restart():
    """Sources that are not known end as no longer configured, and would alarm anew (invariant 9)."""
    loaded = config.load(asset("ispsd.toml"))
    known = equipment.names(loaded).keys()
    assert {"gnss", "rtu", "rtu5", "ais", "ais.target1", "d11", "m01.tamper", "gangway"} <= known


def test_every_alert_is_declared_by_a_rule_or_is_of_ispsd_itself(rules):
    """What no rule declares would be taken back at every start."""
    keys = {key for rule in rules for key, _ in rule.says}
    assert KINDS.keys() - keys == {
        "bam.lost",
        "blackout.planned",
        "data.simulated",
        "equipment.defect",
        "gangway.no_reply",
        "level.below_port",
        "level.not_in_force",
        "login.locked",
        "maint.loop_check",
        "path.fault",
        "record.check",
        "record.copy_old",
        "record.not_saved",
        "station.none",
    }
    assert keys <= KINDS.keys()


def given(*alerts: tuple[str, str], **changed: object) -> list[bool]:
    """Return of which alerts anything of the ship can speak, where her file is another."""
    found = rulebook.rules(
        replace(SHIP, **changed),
        policy=policy.load(asset("policy.toml")),
        points=("ais.own_report",),
        valid_for_s=lambda _point: 300.0,
        holds=lambda _key, _source: False,
    )
    gives = equipment.gives(found)
    return [gives(key, source) for key, source in alerts]


def test_alerts_of_a_ups_end_with_the_contact_that_gave_them():
    (ups,) = (each.id for each in SHIP.openings if each.kind is OpeningKind.MAINS)
    alerts = ("power.battery", ups), ("power.low", ups)

    def without(*gone: OpeningKind) -> list[bool]:
        return given(*alerts, openings=tuple(o for o in SHIP.openings if o.kind not in gone))

    assert without() == [True, True]
    assert without(OpeningKind.BATTERY) == [True, False]
    assert without(OpeningKind.MAINS) == [False, False]


def test_an_alert_ends_with_whatever_could_say_that_it_is_over():
    assert given(("gnss.suspect", "gnss"), ("door.forced", "d11"), ("door.unknown", "ispsd")) == [
        False,  # without receivers
        True,
        True,
    ]
    unlocked = tuple(o for o in SHIP.openings if o.kind is not OpeningKind.LOCK)
    assert given(("door.forced", "d11"), ("door.held_open", "d11"), openings=unlocked) == [
        False,
        True,
    ]


def set_by_ship(**rules: object) -> dict[str, str]:
    """Return the letters at sea, at anchor, in port and in a threat area of what the ship's file sets."""
    ship = replace(SHIP, ais=AisSection.model_validate(rules).rules())
    table = kinds(ship, KINDS)
    keys = ("ais.guard_zone", "ais.loitering", "ais.swarm")
    shown = {key: (k.sea, k.anchor, k.port, k.threat) for key in keys if (k := table[key])}
    return {key: " ".join(letters) for key, letters in shown.items()}


def test_rules_for_other_ships_are_off_until_the_ships_file_sets_them():
    off = "--- --- --- -"
    assert set_by_ship() == {"ais.guard_zone": off, "ais.loitering": off, "ais.swarm": off}
    assert set_by_ship(
        guard_zone={"radius_m": 500},
        loitering={"radius_m": 2000, "situations": ["manoeuvring"], "priority": "W"},
        swarm={"radius_m": 2000, "situations": ["anchor", "port"], "threat": False},
    ) == {
        "ais.guard_zone": "--- CCC --- C",
        "ais.loitering": "WWW --- --- W",
        "ais.swarm": "--- CCC CCC -",
    }
    others = {key: kind for key, kind in kinds(SHIP, KINDS).items() if key != "ais.swarm"}
    assert others == {k: v for k, v in KINDS.items() if k != "ais.swarm"}


def test_what_gnss_sounded_for_before_the_start_is_told_to_its_rule(rules):
    rulebook.recall(rules, [(["height", "clock"], -60.0)])
    (gnss,) = of(rules, GnssRule)
    assert gnss._fusion._alarmed_s == {"height": -60.0, "clock": -60.0}
    assert gnss.suspicion.episode is None


def test_what_gnss_sounded_for_before_the_start_and_still_stands_goes_on(rules):
    rulebook.recall(rules, [(["height", "clock"], -60.0)], resumed_s=5.0)
    (gnss,) = of(rules, GnssRule)
    assert gnss._fusion.judge((), now_s=6.0).doubt == "not quiet for ten minutes yet"
