"""Checks that look all day, at contacts, equipment, lights and the own computer: what the uniform tests leave open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from daemon.checks import contact_supervision, equipment_state, lighting, own_computer
from daemon.checks.api import Gathered, Services, Supervised
from daemon.checks.equipment_state import EquipmentStateConfig, Unit
from daemon.model import (
    ClockStatus,
    ContactState,
    EquipmentAlert,
    EquipmentReport,
    Fix,
    Outcome,
    Position,
    Situation,
)
from daemon.testing.readiness import Test
from tests.checks.rig import Rig, rig, running
from tests.clocks import ManualClock
from tests.makers import reading

if TYPE_CHECKING:
    from daemon.model import Reading

MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)
"""When the ship's day ends."""
C, OUT, X = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT
ON_THE_EQUATOR = Position(0.0, 51.0)
"""There the sun sets at 1425 UTC on that day."""
ARCTIC = Position(78.2, 15.6)
"""There it does not rise in November."""
ANTARCTIC = Position(-77.85, 166.67)
"""There it does not set."""
WELL = EquipmentReport(in_order=True, alerts=())


def made(check: Any, minutes: float, services: Services, **said: object) -> Rig:
    common = {
        "kind": check.CHECK.kind, "id": "t-1", "equipment": "x", "name": "X", "ssp_paragraph": "7",
        "every": "day",
    }  # fmt: skip
    config = check.CHECK.config.model_validate({**common, **said})
    clock = ManualClock(utc=MIDNIGHT - timedelta(minutes=minutes))
    return rig(
        Test(config, check.CHECK), clock=clock, services=services, points=("d01", "s01")
    ).take_up()


async def minutes(of: Rig, count: int, **says: object) -> None:
    for _ in range(count):
        for point, value in says.items():
            of.hears(reading(point.replace("__", "."), value, at_s=of.clock.now_s()))
        await of.clock.advance(60.0)


def rows(of: Rig) -> list[tuple[object, object]]:
    return [(result["outcome"], result["reason"]) for result in of.results()]


# --- contacts ---


def contacts(moved: datetime | None = None) -> Services:
    known = {"d01": Supervised("BRIDGE INNER DR", True, moved), "s01": Supervised("BOND STORE")}
    return Services(contacts=lambda: known)


async def test_contacts_are_one_row_a_day_and_no_first_word():
    async with running(made(contact_supervision, 30, contacts())) as ship:
        await minutes(ship, 30, d01=C, s01=C)
        assert rows(ship) == [("passed", "since 23:30, 2 contacts, no line fault")]


async def test_a_line_fault_is_told_when_it_has_stood_and_names_its_sensor():
    async with running(made(contact_supervision, 30, contacts())) as ship:
        await minutes(ship, 5, d01=C, s01=C)
        await minutes(ship, 1, d01=C, s01=X)
        assert rows(ship) == []
        await minutes(ship, 2, d01=C, s01=X)
        assert rows(ship) == [("failed", "BOND STORE: line fault")]
        await minutes(ship, 22, d01=C, s01=C)
        assert rows(ship)[1:] == [("failed", "BOND STORE: line fault")], "the day had it"


@pytest.mark.parametrize(("days", "outcome"), [(91, "passed"), (92, "inconclusive")])
async def test_a_door_that_has_not_moved_for_long_is_not_proved_and_no_defect(days, outcome):
    services = contacts(MIDNIGHT - timedelta(days=days, minutes=1))
    async with running(made(contact_supervision, 30, services)) as ship:
        await minutes(ship, 30, d01=C, s01=C)
        ((said, reason),) = rows(ship)
        assert said == outcome
        # Which one has not moved is a sensor's weakness: the SSO's alone.
        assert "BRIDGE" not in str(reason)


async def test_what_is_left_out_is_not_looked_at():
    async with running(made(contact_supervision, 30, contacts(), leave_out=["s01"])) as ship:
        await minutes(ship, 30, d01=C, s01=X)
        assert rows(ship) == [("passed", "since 23:30, 1 contacts, no line fault")]


# --- equipment ---


def alert(number: int, *, active: bool = True) -> EquipmentAlert:
    return EquipmentAlert(number, None, "TX PWR", active=active, acknowledged=False, priority="W")


@pytest.mark.parametrize(
    ("report", "word"),
    [
        (WELL, "in order"),
        (EquipmentReport(None, ()), "in order"),
        (EquipmentReport(None, (alert(3122),)), "in order"),
        (EquipmentReport(None, (alert(3008, active=False),)), "in order"),
        (EquipmentReport(True, (alert(3122), alert(3008))), "says 3008 TX PWR"),
        (EquipmentReport(False, ()), "says that it is not in order"),
    ],
)
def test_equipment_is_in_order_while_it_says_nothing_of_a_fault(report, word):
    unit = Unit(name="SAT-C", alerts="satc", no_faults=(3122,))
    assert unit.word(reading("satc.alerts", report)) == word


async def test_a_power_cut_is_no_defect_of_the_ups_and_a_long_one_is():
    units = [{"name": "UPS", "contact": "u1", "most_min": 60}]
    async with running(made(equipment_state, 180, Services(), units=units)) as ship:
        await minutes(ship, 30, u1=C)
        await minutes(ship, 50, u1=OUT)
        assert rows(ship) == []
        await minutes(ship, 20, u1=OUT)
        assert rows(ship) == [("failed", "UPS open for 1:00:30")]
        await minutes(ship, 40, u1=C)
        assert [said for said, _ in rows(ship)] == ["failed", "passed"], "its end is told"
        await minutes(ship, 40, u1=C)
        assert [said for said, _ in rows(ship)] == ["failed", "passed", "failed"]


async def test_a_unit_that_was_never_reached_is_not_proved_and_one_that_is_lost_is_unsat():
    units = [{"name": "ACCESS CTRL", "network": "acs"}]
    async with running(made(equipment_state, 30, Services(), units=units)) as ship:
        await minutes(ship, 30)
        assert rows(ship) == [("inconclusive", "ACCESS CTRL not heard of")]
    async with running(made(equipment_state, 30, Services(), units=units)) as ship:
        await minutes(ship, 10, acs__reached="answers")
        await minutes(ship, 8, acs__reached=None)
        assert rows(ship) == [("failed", "ACCESS CTRL not reached for 05:30")]


@pytest.mark.parametrize(("up", "for_s", "said"), [
    (False, 301.0, ("failed", "ACCESS CTRL not reached for 05:01: connection refused")),
    (False, 299.0, ("inconclusive", "ACCESS CTRL not heard of")),
    (True, 900.0, ("inconclusive", "ACCESS CTRL not heard of")),
])  # fmt: skip
async def test_a_unit_that_was_lost_before_the_day_began_is_unsat_by_its_link(up, for_s, said):
    units = [{"name": "ACCESS CTRL", "network": "acs"}]
    link = {"up": up, "for_s": for_s, "reason": "connection refused"}
    services = Services(link=lambda _: link)
    async with running(made(equipment_state, 30, services, units=units)) as ship:
        await minutes(ship, 30)
        assert rows(ship)[-1] == said


async def test_a_unit_that_was_not_asked_for_a_fault_of_ours_is_not_proved():
    units = [{"name": "ACCESS CTRL", "network": "acs"}]
    link = {"up": True, "for_s": 900.0, "reason": "", "may_be_ours": False}
    services = Services(link=lambda _: link)
    async with running(made(equipment_state, 30, services, units=units)) as ship:
        await minutes(ship, 10, acs__reached="answers")
        link |= {"up": False, "reason": "driver fault: BlockingIOError", "may_be_ours": True}
        await minutes(ship, 20, acs__reached=None)
        assert rows(ship)[-1][0] == "inconclusive"


@pytest.mark.parametrize(
    "unit",
    [
        {"name": "X"},
        {"name": "X", "contact": "u1", "network": "acs"},
        {"name": "X", "contact": "u1", "no_faults": [1]},
    ],
)
def test_a_unit_is_known_in_one_way(unit):
    with pytest.raises(ValidationError, match=r"one of|no_faults"):
        Unit.model_validate(unit)


def test_what_it_listens_to_is_checked_with_the_configuration():
    config = EquipmentStateConfig.model_validate(
        {
            "kind": "equipment_state", "id": "t", "equipment": "x", "name": "X",
            "ssp_paragraph": "7", "every": "day",
            "units": [{"name": "A", "network": "acs"}, {"name": "B", "alerts": "vdr"}],
        }
    )  # fmt: skip
    assert equipment_state.points(config) == ("acs.reached", "vdr.alerts")


# --- lights ---


class Moored:
    """Where the ship lies, and whether that is believed."""

    def __init__(self, situation: Situation = Situation.PORT) -> None:
        self.situation = situation
        self.doubt: str | None = None
        self.services = Services(
            situation=lambda: self.situation, position_doubt=lambda: self.doubt
        )


def lights(moored: Moored, count: float = 180) -> Rig:
    return made(
        lighting, count, moored.services, lights=["lt1", "lt3"], receivers=["gps1"],
        gangway=["lt3"],
    )  # fmt: skip


def fix(position: Position) -> Fix:
    return Fix(position, 1, 9, 0.9)


async def evening(ship: Rig, count: int = 180, position: Position = ON_THE_EQUATOR, **says) -> None:
    await minutes(ship, count, gps1__fix=fix(position), **says)


async def test_lights_are_looked_at_a_quarter_of_an_hour_after_sunset_and_told_at_the_days_end():
    async with running(lights(Moored())) as ship:
        await evening(ship, 100, lt1=C, lt3=OUT)
        assert rows(ship) == [], "the sun has set, and there is time yet"
        await evening(ship, 80, lt1=C, lt3=C)
        ((said, reason),) = rows(ship)
        assert (said, str(reason)[:9], str(reason)[-12:]) == ("passed", "dusk 14:4", "2 lights lit")


async def test_a_light_that_is_out_at_dusk_is_told_at_once():
    async with running(lights(Moored())) as ship:
        await evening(ship, 110, lt1=C, lt3=OUT)
        ((said, reason),) = rows(ship)
        assert (said, str(reason).endswith("not lit: LT3")) == ("failed", True)


async def test_at_anchor_the_gangway_light_is_not_missed():
    async with running(lights(Moored(Situation.ANCHOR))) as ship:
        await evening(ship, lt1=C, lt3=OUT)
        ((said, reason),) = rows(ship)
        assert (said, str(reason).endswith("1 lights lit")) == ("passed", True)


@pytest.mark.parametrize("situation", [Situation.SEA, Situation.MANOEUVRING, Situation.YARD])
async def test_under_way_no_dusk_is_looked_at(situation):
    async with running(lights(Moored(situation))) as ship:
        await evening(ship, lt1=OUT, lt3=OUT)
        assert rows(ship) == []


async def test_a_position_that_was_believed_at_noon_still_tells_dusk():
    moored = Moored()
    async with running(lights(moored)) as ship:
        await evening(ship, 20, lt1=C, lt3=C)
        moored.doubt = "receivers disagree"
        await evening(ship, 160, ANTARCTIC, lt1=C, lt3=C)
        assert [said for said, _ in rows(ship)] == ["passed"]


async def test_a_start_in_the_dark_looks_at_the_lights_at_once_for_dusk_was_seen_by_nobody():
    moored = Moored()
    async with running(lights(moored, 60)) as ship:
        await evening(ship, 60, lt1=C, lt3=C)
        ((said, reason),) = rows(ship)
        assert (said, str(reason)[-12:]) == ("passed", "2 lights lit")
    async with running(lights(moored, 60)) as ship:
        await evening(ship, 3, lt1=C, lt3=OUT)
        assert [said for said, _ in rows(ship)] == ["failed"]


async def test_an_arrival_in_the_dark_is_no_dusk():
    """Her lights come on now; that they do not is an alert."""
    moored = Moored(Situation.SEA)
    async with running(lights(moored, 60)) as ship:
        await evening(ship, 3, lt1=OUT, lt3=OUT)
        moored.situation = Situation.PORT
        await evening(ship, 57, lt1=OUT, lt3=OUT)
        assert rows(ship) == []


class Seen:
    """What a check sees of a whole day, without the daemon around it: that would take a minute."""

    def __init__(self, moored: Moored, position: Position, light: ContactState) -> None:
        self.clock = ManualClock(utc=MIDNIGHT - timedelta(days=1))
        self.services = moored.services
        self._position, self._light = position, light
        self.watched_since: str | None = None

    def newest(self, point: str) -> Reading:
        value = fix(self._position) if point == "gps1.fix" else self._light
        return reading(point, value, at_s=self.clock.now_s())

    def accepts(self, _: Reading) -> bool:
        return True


async def night_of(position: Position, light: ContactState) -> lighting.Night:
    config = lights(Moored()).test("t-1").config
    seen = Seen(Moored(), position, light)
    night = lighting.Night(config, seen)  # type: ignore[arg-type]
    for _ in range(24 * 60):
        await seen.clock.advance(60.0)
        night.look()
    night.end()
    return night


async def test_while_the_clock_is_lost_no_dusk_can_be_reckoned():
    config = lights(Moored()).test("t-1").config
    seen = Seen(Moored(), ON_THE_EQUATOR, C)
    seen.clock.status = lambda: ClockStatus.UNSET  # type: ignore[method-assign]
    night = lighting.Night(config, seen)  # type: ignore[arg-type]
    for _ in range(24):
        await seen.clock.advance(3600.0)
        night.look()
    assert not night.showed_nothing
    verdict = lighting.judge(config, night.gathered())
    assert (verdict.outcome, "position or time" in verdict.reason) == (Outcome.INCONCLUSIVE, True)


async def test_where_the_sun_does_not_set_nothing_is_looked_at():
    assert (await night_of(ANTARCTIC, OUT)).showed_nothing


@pytest.mark.parametrize(("light", "outcome"), [(C, Outcome.PASSED), (OUT, Outcome.FAILED)])
async def test_where_the_sun_does_not_rise_the_lights_are_looked_at_once_a_day(light, outcome):
    night = await night_of(ARCTIC, light)
    config = lights(Moored()).test("t-1").config
    verdict = lighting.judge(config, night.gathered())
    assert (verdict.outcome, verdict.reason[:12]) == (outcome, "all day dark")


# --- own computer ---


def judged(**facts: object) -> tuple[Outcome, str]:
    config = own_computer.OwnComputerConfig.model_validate(
        {
            "kind": "own_computer", "id": "t", "equipment": "x", "name": "X", "ssp_paragraph": "7",
            "every": "day", "receivers": facts.pop("receivers", ["gps1"]),
        }
    )  # fmt: skip
    disk = {"what": "record", "free_bytes": 600_000_000, "read_only": False, "fault": None}
    said = {
        "clock": {ClockStatus.SYNCED.value: 10}, "offsets_s": {"gps1": [0.4]}, "is_doubted": False,
        "disks": [disk], "evidence_bytes": [1, 10], "over": True, "since": None, **facts,
    }  # fmt: skip
    told = tuple(reading(f"{of}.time", "2026-11-22T02:10:00+00:00") for of in ("gps1", "gps2"))
    verdict = own_computer.judge(config, Gathered(told, said))
    return verdict.outcome, verdict.reason


@pytest.mark.parametrize(
    ("facts", "outcome", "words"),
    [
        ({}, Outcome.PASSED, "+0.4 s against GNSS; 600 MB free"),
        ({"clock": {"holdover": 9}}, Outcome.PASSED, "not synchronised, +0.4 s"),
        ({"offsets_s": {"gps1": [0.4, 9.0, 0.5]}}, Outcome.PASSED, "+0.5 s"),
        ({"offsets_s": {"gps1": [-2.1]}}, Outcome.FAILED, "-2.1 s against GNSS"),
        ({"offsets_s": {"gps1": [30.2], "gps2": [0.2]}}, Outcome.INCONCLUSIVE, "different times"),
        ({"offsets_s": {"gps1": [30.2], "gps2": [30.0]}}, Outcome.FAILED, "+30.2 s against GNSS"),
        ({"clock": {"unset": 1, "synced": 99}}, Outcome.FAILED, "was not set"),
        ({"offsets_s": {}}, Outcome.INCONCLUSIVE, "no receiver that is believed"),
        ({"offsets_s": {}, "is_doubted": True}, Outcome.PASSED, "clock synchronised"),
        ({"offsets_s": {}, "receivers": []}, Outcome.PASSED, "clock synchronised"),
        (
            {"offsets_s": {}, "receivers": [], "clock": {"holdover": 9}},
            Outcome.INCONCLUSIVE,
            "no receiver",
        ),
        ({"evidence_bytes": [10, 10]}, Outcome.FAILED, "evidence takes"),
        ({"disks": []}, Outcome.INCONCLUSIVE, "could not be asked"),
    ],
)
def test_clock_and_disks_are_judged_by_the_worse(facts, outcome, words):
    found, reason = judged(**facts)
    assert (found, words in reason) == (outcome, True), reason


async def test_a_receiver_that_lies_of_its_place_is_not_asked_for_the_time():
    doubts: list[str | None] = [None]

    async def disks() -> dict[str, Any]:
        room = {"what": "record", "free_bytes": 10**10, "read_only": False, "fault": None}
        return {"disks": [room], "evidence_bytes": [0, 1]}

    services = Services(disks=disks, position_doubt=lambda: doubts[0])
    async with running(made(own_computer, 30, services, receivers=["gps1"])) as ship:
        doubts[0] = "receivers disagree"
        await minutes(ship, 30, gps1__time="2026-11-22T01:00:00+00:00")
        assert rows(ship) == [("passed", "since 23:30, clock synchronised; 10000 MB free")]
