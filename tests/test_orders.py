"""Who may order what about the ship: every row of the table of people, and that an order counts at once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import pytest

from daemon import forms
from daemon.alerts import catalogue, policy
from daemon.alerts.engine import Engine
from daemon.alerts.muting import Muting
from daemon.alerts.rules.openings import OpeningRule
from daemon.assets import asset
from daemon.errors import RefusedError
from daemon.gate import CovertGate
from daemon.model import (
    ContactState,
    DoorClass,
    Opening,
    OpeningKind,
    Person,
    Regime,
    Role,
    SecurityLevel,
    Situation,
    Station,
)
from daemon.mqtt import commands
from daemon.mqtt.topics import Topics
from daemon.orders.equipment import Equipment, Found
from daemon.orders.ordering import Ordering
from daemon.orders.service import Service
from daemon.orders.table import Orders
from daemon.people.claims import By
from daemon.people.people import People
from daemon.points.inbox import Inboxes
from daemon.points.points import Points
from daemon.ship.state import ShipState, ship_time
from daemon.stations.stations import Stations
from daemon.watch.watch import Watch
from tests.checks.rig import HandJournal
from tests.clocks import ManualClock
from tests.makers import SEAL, UTC_0210, reading
from tests.test_watch import Told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

DOORS = {c: Opening(c.lower(), f"DOOR {c}", OpeningKind.DOOR, "", c, "io1") for c in "BMVPGSE"}
SIDE = Opening("h", "PILOT DOOR P", OpeningKind.SIDE_DOOR, "shell", DoorClass.SIDE, "doors")
OPENINGS = [*DOORS.values(), SIDE, SEAL]
HATCH_ALERT = "alert/door.escape.open.e"


def person(role: Role) -> Person:
    return Person(role.value, "", frozenset({role}))


def by(role: Role, station: str | None = "bridge") -> By:
    return By(person(role), station)


class Rig:
    """Orders over a real watch; clock, board and disk are moved by hand."""

    def __init__(
        self, *, level: int = 1, journal: HandJournal | None = None, asks_twice: bool = False
    ) -> None:
        self.clock = ManualClock()
        self.journal = journal or HandJournal()
        self.board = Told()
        self.ship = ShipState(Situation.PORT, SecurityLevel(level), UTC)
        regime = Regime(Situation.PORT, SecurityLevel(level), night=True)
        kinds = catalogue.load(asset("alerts.toml"))
        muting = Muting(self.ship, kinds=kinds, openings=OPENINGS, now_s=self.clock.now_s)
        engine = Engine(kinds, regime, muted=muting.covers)
        self.watch = Watch(
            topics=Topics("9999993"),
            openings=OPENINGS,
            ship=self.ship,
            engine=engine,
            points=Points(dict.fromkeys((o.id for o in OPENINGS), 1e9), started_s=1000.0),
            stations=Stations([Station("gangway", frozenset({Situation.PORT}))], Situation.PORT),
            inboxes=Inboxes(self.clock),
            clock=self.clock,
            gate=CovertGate(self.clock),
            board=self.board,
            journal=self.journal,
            faults=dict,
        )
        doors = policy.load(asset("policy.toml"))
        self.watch.follow(
            OpeningRule(door, bus=None, lock=None, policy=doors, holds=engine.holds)
            for door in DOORS.values()
        )
        self.ordering = Ordering(
            watch=self.watch,
            openings=OPENINGS,
            clock=self.clock,
            journal=self.journal,
            policy=doors if asks_twice else None,
        )
        equipment = {o.id: Equipment(o.id, o.name, vital=o.id == "v") for o in OPENINGS}
        self.found = Found("is seen closed", is_healthy=True)
        self.orders = Orders(
            self.ordering,
            people=People(()),
            service=Service(self.ordering, equipment=equipment, look_at=lambda _: self.found),
            sources={**{o.id: o.name for o in OPENINGS}, "io1": "IO1", "ispsd": "ISPSD"},
        )
        self.watch.also_look.append(self.orders.look)

    def entries(self, type_: str) -> list[tuple[str | None, str | None, dict[str, object]]]:
        """Return station, person and content of every entry of a type."""
        return [
            (d.actor.station, d.actor.person, dict(d.open))
            for d in self.journal.drafts
            if d.type == type_
        ]

    def sees(self, door: str, state: ContactState) -> None:
        self.watch.take(reading(door, state, at_s=self.clock.now_s()))

    async def opens(self, door: str) -> None:
        """Let a door be seen closed and then opening, and what follows."""
        self.sees(door, ContactState.CLOSED)
        await self.pass_time(1.0)
        self.sees(door, ContactState.OPEN)
        await self.pass_time(1.0)

    async def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            await self.clock.advance(1.0)
            self.watch.look()


@asynccontextmanager
async def ordering(**how: object) -> AsyncIterator[Rig]:
    """Yield a rig inside a running loop."""
    yield Rig(**how)  # type: ignore[arg-type]


def may(rig: Rig, role: Role, order: Callable[[Orders, By], object]) -> bool:
    """Let a person order; return whether it was carried out. A refused order changes and writes nothing."""
    before = (str(rig.ship), len(rig.journal.drafts))
    try:
        order(rig.orders, by(role))
    except RefusedError as err:
        assert role.value in str(err), "it names who may not"
        assert (str(rig.ship), len(rig.journal.drafts)) == before
        return False
    assert len(rig.journal.drafts) > before[1]
    return True


async def test_every_order_of_the_contract_is_in_the_table():
    async with ordering() as rig:
        assert rig.orders.table.keys() | rig.orders.screens.acts.keys() == commands.ORDERS


OFFICERS = {Role.OFFICER, Role.SSO, Role.MASTER}
ORDERS: dict[str, tuple[Callable[[Orders, By], object], set[Role]]] = {
    "situation": (lambda o, b: o.ship.situation(Situation.SEA, b), OFFICERS),
    "threat": (lambda o, b: o.ship.threat(b, on=True), OFFICERS),
    "level raised": (lambda o, b: o.levels.level(SecurityLevel.THREE, b, told_by="flag"), OFFICERS),
    "level the same": (lambda o, b: o.levels.level(SecurityLevel.TWO, b, told_by="flag"), OFFICERS),
    "level lowered": (
        lambda o, b: o.levels.level(SecurityLevel.ONE, b, told_by="flag"),
        {Role.SSO, Role.MASTER},
    ),
    "ship's time": (lambda o, b: o.ship.ship_time(480, b), OFFICERS),
    "AIS off": (lambda o, b: o.navigation.ais_off(b, on=True, master="A. Lindqvist"), OFFICERS),
    "interference area": (
        lambda o, b: o.navigation.interference_area("NAVAREA IX", b, hours=72),
        OFFICERS,
    ),
    "AIS on": (lambda o, b: o.navigation.ais_off(b, on=False, master=""), OFFICERS),
}


@pytest.mark.parametrize("name", ORDERS)
async def test_who_may_order_what_is_the_table_of_people(name):
    order, allowed = ORDERS[name]
    async with ordering(level=2) as rig:
        for role in Role:
            rig.ship.level = SecurityLevel.TWO
            assert may(rig, role, order) is (role in allowed), role


async def test_one_of_several_roles_is_enough():
    async with ordering(level=2) as rig:
        menon = By(Person("R. Menon", "C/O", frozenset({Role.OFFICER, Role.SSO})))
        rig.orders.levels.level(SecurityLevel.ONE, menon, told_by="port facility")
        assert rig.ship.level is SecurityLevel.ONE


# --- an order counts at once, and is written with who, where and what ---


async def test_an_order_counts_before_it_is_on_disk():
    journal = HandJournal()
    journal.hangs = True
    async with ordering(journal=journal) as rig:
        written = rig.orders.ship.situation(Situation.SEA, by(Role.OFFICER))
        assert rig.watch.engine.regime.situation is Situation.SEA
        assert not written.done()
        journal.write()
        assert written.result().seq >= 1


async def test_a_situation_is_written_with_what_it_was():
    async with ordering() as rig:
        rig.orders.ship.situation(Situation.MANOEUVRING, by(Role.OFFICER))
        assert rig.entries("situation.changed") == [
            ("bridge", "officer", {"from": "port", "to": "manoeuvring"})
        ]


async def test_a_level_is_written_with_who_told_the_ship_and_counts_for_the_doors_at_once():
    async with ordering() as rig:
        await rig.opens("m")
        assert "alert/door.machinery.open.m" not in rig.board.now
        rig.orders.levels.level(SecurityLevel.THREE, by(Role.OFFICER), told_by="port facility")
        await rig.pass_time(2.0)
        assert rig.board.now["alert/door.machinery.open.m"]["priority"] == "A"
        assert rig.entries("level.changed") == [
            (
                "bridge",
                "officer",
                {
                    "from": 1,
                    "to": 3,
                    "told_by": "port facility",
                    "notified": None,
                    "acknowledged": forms.utc(UTC_0210 + timedelta(seconds=2)),
                },
            )
        ]


@pytest.mark.parametrize(
    ("role", "kind"), [(Role.OFFICER, "system"), (Role.SSO, ".4"), (Role.MASTER, ".4")]
)
async def test_only_a_named_sso_or_master_writes_the_ships_level_into_the_security_record(
    role, kind
):
    """ISPS A/10.1.4; machines and watchkeepers write what happened."""
    async with ordering() as rig:
        rig.orders.levels.level(SecurityLevel.TWO, by(role), told_by="flag")
        assert [d.kind for d in rig.journal.drafts if d.type == "level.changed"] == [kind]


async def test_a_level_that_nobody_told_of_is_refused():
    async with ordering() as rig:
        with pytest.raises(RefusedError, match="who told the ship is wanted"):
            rig.orders.levels.level(SecurityLevel.TWO, by(Role.SSO), told_by="")
        assert rig.ship.level is SecurityLevel.ONE


async def test_a_threat_area_is_entered_and_left():
    async with ordering() as rig:
        for on in (True, False):
            rig.orders.ship.threat(by(Role.SSO), on=on)
            assert (rig.ship.threat, rig.watch.engine.regime.threat) == (on, on)
        assert [said for _, _, said in rig.entries("threat.changed")] == [
            {"on": True},
            {"on": False},
        ]


@pytest.mark.parametrize("offset_min", [-720, -15, 0, 345, 480, 840])
async def test_ships_time_is_a_quarter_of_an_hour_between_12_h_west_and_14_h_east(offset_min):
    async with ordering() as rig:
        rig.orders.ship.ship_time(offset_min, by(Role.OFFICER))
        assert rig.ship.ship_time == ship_time(offset_min)
        assert rig.entries("ship_time.changed")[0][2] == {"offset_min": offset_min}


@pytest.mark.parametrize("offset_min", [-735, 1, 7, 841, 855, 10**9])
async def test_a_time_that_no_ship_keeps_is_refused(offset_min):
    async with ordering() as rig:
        with pytest.raises(RefusedError, match="quarters of an hour"):
            rig.orders.ship.ship_time(offset_min, by(Role.MASTER))
        assert rig.ship.ship_time == UTC


async def test_ais_is_off_by_the_name_of_the_master_until_the_order_ends():
    async with ordering() as rig:
        with pytest.raises(RefusedError, match="the Master who ordered it is wanted, by name"):
            rig.orders.navigation.ais_off(by(Role.OFFICER), on=True, master="")
        rig.orders.navigation.ais_off(by(Role.OFFICER), on=True, master="A. Lindqvist")
        assert rig.ship.ais_off_by == "A. Lindqvist"
        rig.orders.navigation.ais_off(by(Role.OFFICER), on=False, master="")
        assert rig.ship.ais_off_by is None
        assert [said for _, _, said in rig.entries("ais.order")] == [
            {"off": True, "by_order_of": "A. Lindqvist"},
            {"off": False, "by_order_of": None},
        ]


# --- what relaxes the watch is asked twice of an officer ---

RELAXING = [
    # From port, level 1, at night: perimeter and gangway doors are closed there.
    ({"situation": Situation.SEA}, True),
    ({"situation": Situation.YARD}, True),
    ({"situation": Situation.PORT}, False),
    ({"threat": True}, False),
]


@pytest.mark.parametrize(("changed", "relaxes"), RELAXING)
async def test_an_officer_is_asked_twice_for_what_relaxes_the_watch(changed, relaxes):
    async with ordering(asks_twice=True) as rig:

        def order(role: Role, **how: object) -> None:
            if "threat" in changed:
                rig.orders.ship.threat(by(role), on=changed["threat"], **how)
            else:
                rig.orders.ship.situation(changed["situation"], by(role), **how)

        if relaxes:
            before = str(rig.ship)
            with pytest.raises(RefusedError, match="this relaxes the watch on DOOR ") as refused:
                order(Role.OFFICER)
            assert refused.value.wants == {"confirm": True}
            assert (str(rig.ship), rig.journal.drafts) == (before, [])
        order(Role.OFFICER, confirmed=True)
        assert len(rig.journal.drafts) == 1


async def test_sso_and_master_are_not_asked_twice_nor_is_who_enters_a_threat_area():
    for role in (Role.SSO, Role.MASTER):
        async with ordering(asks_twice=True) as rig:
            rig.orders.ship.situation(Situation.YARD, by(role))
            assert rig.ship.situation is Situation.YARD
    async with ordering(asks_twice=True) as rig:
        rig.orders.ship.threat(by(Role.OFFICER), on=True)
        with pytest.raises(RefusedError, match="this relaxes the watch"):
            rig.orders.ship.threat(by(Role.OFFICER), on=False)
        rig.orders.ship.threat(by(Role.OFFICER), on=False, confirmed=True)
        assert rig.ship.threat is False


# --- permits ---

LONGEST: list[tuple[Role, str, int]] = [
    *((Role.OFFICER, letter, 60) for letter in "BMVPGSE"),
    *((Role.GANGWAY, letter, 0) for letter in "BMVPGSE"),
    *((Role.DEPUTY_SSO, letter, 0) for letter in "BMVPGSE"),
    *((Role.ENGINEER, letter, 60 if letter in "MV" else 0) for letter in "BMVPGSE"),
    *((Role.ETO, letter, 60) for letter in "BMVPGSE"),
    *((Role.SSO, letter, 720) for letter in "BMVPGSE"),
    *((Role.MASTER, letter, 720) for letter in "BMVPGSE"),
]


def permit(rig: Rig, role: Role, minutes: int, *, letter: str = "E", worker: str = "") -> object:
    return rig.orders.permits.give(
        letter.lower(), by(role), worker=worker or role.value, work="paint", minutes=minutes
    )


@pytest.mark.parametrize(("role", "letter", "longest_min"), LONGEST)
async def test_how_long_a_permit_of_whom_may_run(role, letter, longest_min):
    async with ordering() as rig:
        for minutes in (0, -1, longest_min + 1):
            with pytest.raises(RefusedError, match=f"{role.value} may"):
                permit(rig, role, minutes, letter=letter)
        assert rig.ship.permits == {}
        if longest_min:
            permit(rig, role, longest_min, letter=letter)
            assert rig.ship.permits[letter.lower()].entered_by == role.value


async def test_the_eto_permits_his_own_work_only():
    async with ordering() as rig:
        with pytest.raises(
            RefusedError, match=r"eto may not give R. dela Cruz a permit for DOOR E"
        ):
            permit(rig, Role.ETO, 30, worker="R. dela Cruz")
        permit(rig, Role.ETO, 30, worker="eto")
        assert rig.ship.permits["e"].person == "eto"


async def test_a_permit_suppresses_the_alert_at_once_and_is_written_with_its_end():
    async with ordering() as rig:
        await rig.opens("e")
        assert rig.board.now[HATCH_ALERT]["sounding"] is True
        rig.orders.permits.give(
            "e", by(Role.OFFICER), worker="R. dela Cruz", work="paint", minutes=30
        )
        await rig.pass_time(3.0)
        assert rig.board.now[HATCH_ALERT]["sounding"] is False
        ((station, name, said),) = rig.entries("permit.given")
        assert (station, name) == ("bridge", "officer")
        ends_utc = UTC_0210 + timedelta(minutes=30, seconds=2)
        assert said == {
            "door": "e",
            "name": "DOOR E",
            "person": "R. dela Cruz",
            "work": "paint",
            "ends": ends_utc.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "minutes": 30,
        }


async def test_a_permit_runs_by_the_monotonic_clock():
    async with ordering() as rig:
        permit(rig, Role.OFFICER, 30)
        rig.clock.step_utc(86_400.0)
        await rig.pass_time(2.0)
        assert rig.ship.permits["e"].ends_s == 1000.0 + 1800.0
        assert rig.entries("permit.ended") == []


async def test_a_permit_ends_by_itself_and_stays_known_while_its_door_is_open():
    async with ordering() as rig:
        permit(rig, Role.OFFICER, 1)
        await rig.opens("e")
        await rig.pass_time(60.0)
        assert rig.board.now["alert/permit.expired.e"]["sounding"] is True
        assert HATCH_ALERT not in rig.board.now
        rig.sees("e", ContactState.CLOSED)
        await rig.pass_time(3.0)
        assert rig.ship.permits == {}
        assert rig.entries("permit.ended") == [
            (None, None, {"door": "e", "name": "DOOR E", "person": "officer"})
        ]
        await rig.opens("e")
        assert rig.board.now[HATCH_ALERT]["sounding"] is True, "the next opening is an intrusion"


@pytest.mark.parametrize(("worker", "work"), [("", "paint"), ("R. dela Cruz", "")])
async def test_a_permit_without_a_name_or_work_is_refused(worker, work):
    async with ordering() as rig:
        with pytest.raises(RefusedError, match="who works there and what the work is"):
            rig.orders.permits.give("e", by(Role.SSO), worker=worker, work=work, minutes=5)
        assert rig.ship.permits == {}


@pytest.mark.parametrize("door", ["s01", "nowhere", ""])
async def test_only_doors_are_permitted(door):
    async with ordering() as rig:
        with pytest.raises(RefusedError, match=f"there is no door {door!r}"):
            rig.orders.permits.give(door, by(Role.SSO), worker="x", work="y", minutes=5)


async def test_a_side_door_has_permits_too_though_its_own_system_watches_it():
    async with ordering() as rig:
        rig.orders.permits.give("h", by(Role.OFFICER), worker="pilot", work="boarding", minutes=30)
        assert rig.ship.permits["h"].person == "pilot"
        await rig.pass_time(1.0)


async def test_a_new_permit_takes_the_place_of_the_old_one():
    async with ordering() as rig:
        permit(rig, Role.OFFICER, 1)
        permit(rig, Role.SSO, 600)
        assert rig.ship.permits["e"].ends_s == 1000.0 + 36_000.0


# --- the end of a permit ---


async def test_who_could_have_given_a_permit_may_end_it_and_the_door_counts_at_once():
    async with ordering() as rig:
        permit(rig, Role.OFFICER, 60)
        await rig.opens("e")
        for role in (Role.GANGWAY, Role.ENGINEER, Role.ETO):
            with pytest.raises(RefusedError, match=f"{role.value} may not end"):
                rig.orders.permits.end("e", by(role))
        assert "e" in rig.ship.permits
        rig.orders.permits.end("e", by(Role.SSO))
        await rig.pass_time(1.0)
        assert rig.ship.permits == {}
        assert rig.board.now[HATCH_ALERT]["sounding"] is True
        assert [(where, who) for where, who, _ in rig.entries("permit.ended")] == [
            ("bridge", "sso")
        ]


async def test_a_permit_that_does_not_run_cannot_be_ended():
    async with ordering() as rig:
        with pytest.raises(RefusedError, match="there is no permit for e"):
            rig.orders.permits.end("e", by(Role.MASTER))


# --- known interference areas ---


@pytest.mark.parametrize(("hours", "refused"), [(1, False), (72, False), (73, True), (-1, True)])
async def test_an_interference_area_is_entered_for_three_days_at_most(hours, refused):
    async with ordering() as rig:
        if refused:
            with pytest.raises(RefusedError, match="1 to 72 h"):
                rig.orders.navigation.interference_area("NAVAREA IX", by(Role.SSO), hours=hours)
            assert (rig.ship.interference, rig.journal.drafts) == (None, [])
            return
        rig.orders.navigation.interference_area("NAVAREA IX", by(Role.SSO), hours=hours)
        assert rig.ship.interference is not None
        assert rig.ship.interference.ends_s == rig.clock.now_s() + hours * 3600.0


async def test_an_interference_area_is_shown_written_and_ends_by_itself():
    async with ordering() as rig:
        rig.orders.navigation.interference_area("NAVAREA IX 412", by(Role.OFFICER), hours=1)
        ((station, who, said),) = rig.entries("interference_area.changed")
        assert (station, who) == ("bridge", "officer")
        assert (said["area"], said["hours"]) == ("NAVAREA IX 412", 1)
        assert rig.board.now["ship"]["interference_area"] == "NAVAREA IX 412"
        await rig.clock.advance(3599.0)
        rig.watch.look()
        assert rig.ship.interference is not None
        await rig.clock.advance(2.0)
        rig.watch.look()
        assert rig.ship.interference is None
        assert rig.board.now["ship"]["interference_area"] is None
        _, (_, nobody, ended) = rig.entries("interference_area.changed")
        assert (nobody, ended["area"], ended["hours"]) == (None, "NAVAREA IX 412", 0)


async def test_a_step_of_the_calendar_neither_ends_nor_lengthens_an_interference_area():
    async with ordering() as rig:
        rig.orders.navigation.interference_area("NAVAREA IX 412", by(Role.OFFICER), hours=1)
        rig.clock.step_utc(7200.0)
        await rig.pass_time(2.0)
        assert rig.ship.interference is not None


async def test_an_interference_area_ends_by_order_and_there_must_be_one_to_end():
    async with ordering() as rig:
        with pytest.raises(RefusedError, match="no interference area"):
            rig.orders.navigation.interference_area("-", by(Role.SSO), hours=0)
        with pytest.raises(RefusedError, match="area is wanted"):
            rig.orders.navigation.interference_area("", by(Role.SSO), hours=5)
        rig.orders.navigation.interference_area("NAVAREA IX 412", by(Role.SSO), hours=5)
        rig.orders.navigation.interference_area("-", by(Role.SSO), hours=0)
        assert rig.ship.interference is None
        assert rig.entries("interference_area.changed")[-1][2]["area"] == "NAVAREA IX 412"
