"""The whole watch over a bus with 10,000 openings that dies: rules, engine, board and journal."""

from __future__ import annotations

from datetime import UTC

import pytest

from daemon.alerts import catalogue, policy
from daemon.alerts.engine import Engine
from daemon.alerts.rules.devices import BusRule, DeviceRule
from daemon.alerts.rules.openings import OpeningRule
from daemon.assets import asset
from daemon.gate import CovertGate
from daemon.model import (
    ContactState,
    DoorClass,
    Opening,
    OpeningKind,
    Quality,
    Regime,
    SecurityLevel,
    Situation,
    Station,
)
from daemon.mqtt.topics import Topics
from daemon.points.inbox import Inboxes
from daemon.points.points import Points
from daemon.ship.state import ShipState
from daemon.stations.stations import Stations
from daemon.watch.watch import Watch
from tests.checks.rig import HandJournal
from tests.clocks import ManualClock
from tests.makers import reading
from tests.test_watch import Told

OPENINGS, UNIT_INPUTS = 10_000, 16
ALONE = Opening("alone", "ALONE", OpeningKind.DOOR, "elsewhere", DoorClass.ESCAPE, "io_alone")
DOORS = [
    Opening(f"d{n}", f"D{n}", OpeningKind.DOOR, "x", DoorClass.ESCAPE, f"io{n // UNIT_INPUTS}")
    for n in range(OPENINGS)
]
UNITS = sorted({door.device for door in DOORS})


class Ship:
    """A watch that is called by hand."""

    def __init__(self) -> None:
        self.clock, self.board, self.journal = ManualClock(), Told(), HandJournal()
        kinds = catalogue.load(asset("alerts.toml"))
        self.watch = Watch(
            topics=Topics("9999993"),
            openings=[*DOORS, ALONE],
            ship=ShipState(Situation.PORT, SecurityLevel.ONE, UTC),
            engine=Engine(kinds, Regime(Situation.PORT, SecurityLevel.ONE)),
            points=Points(
                {door.id: 300.0 for door in (*DOORS, ALONE)}, started_s=self.clock.now_s()
            ),
            stations=Stations([Station("gangway", frozenset({Situation.PORT}))], Situation.PORT),
            inboxes=Inboxes(self.clock),
            clock=self.clock,
            gate=CovertGate(self.clock),
            board=self.board,
            journal=self.journal,
            faults=dict,
        )
        doors = policy.load(asset("policy.toml"))
        holds = self.watch.engine.holds
        self.rules = [
            *(OpeningRule(d, bus="rtu", lock=None, policy=doors, holds=holds) for d in DOORS),
            OpeningRule(ALONE, bus=None, lock=None, policy=doors, holds=holds),
            *(DeviceRule(unit, key="io.unit_lost", bus="rtu", blind=()) for unit in UNITS),
            BusRule("rtu", UNITS, blind=[door.name for door in DOORS]),
        ]
        self.watch.follow(self.rules)

    def sees(self, opening, value, quality=Quality.GOOD):
        now_s = self.clock.now_s()
        self.watch.take(reading(opening.id, value, at_s=now_s, quality=quality))

    def bus(self, *, up):
        """Every unit's link goes or comes, as its supervisor would say, and its contacts with it."""
        for unit in UNITS:
            said = self.watch._judging.link(unit, up=up, now_s=self.clock.now_s(), reason="")
            self.watch._say(said)
        for door in DOORS:
            if up:
                self.sees(door, ContactState.CLOSED)
            else:
                self.sees(door, None, Quality.UNKNOWN)

    async def sail(self, seconds):
        for _ in range(int(seconds)):
            await self.clock.advance(1.0)
            self.watch.look()

    def alerts(self):
        return {a.id for a in self.watch.engine.alerts() if a.key != "station.none"}


@pytest.mark.timeout(60)
async def test_ten_thousand_openings_of_a_bus_that_dies_are_one_alert_and_another_door_is_heard():
    ship = Ship()
    ship.bus(up=True)
    ship.sees(ALONE, ContactState.CLOSED)
    await ship.sail(2)
    assert ship.alerts() == set()
    ship.bus(up=False)
    await ship.sail(59)
    assert ship.alerts() == {"io.bus_lost.rtu"}
    ship.sees(
        ALONE, ContactState.OPEN
    )  # in the second in which 10,000 doors were not seen for a minute
    await ship.sail(1)
    assert ship.board.now["alert/door.escape.open.alone"]["sounding"]
    await ship.sail(30)
    assert ship.alerts() == {"io.bus_lost.rtu", "door.escape.open.alone"}
    ship.bus(up=True)
    await ship.sail(20)
    assert ship.watch.engine.find("io.bus_lost", "rtu").rectified
    assert ship.alerts() == {"io.bus_lost.rtu", "door.escape.open.alone"}
    written = {e.open["id"] for e in ship.journal.drafts if e.type == "alert.changed"}
    assert written <= {"io.bus_lost.rtu", "door.escape.open.alone", "station.none.ispsd"}
