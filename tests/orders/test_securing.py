"""Ready to secure? Every way in which a door, a seal or an inhibit can stand in the way, and what does not."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from daemon.alerts import policy
from daemon.assets import asset
from daemon.model import (
    ContactState,
    DoorClass,
    Opening,
    OpeningKind,
    Permit,
    Reading,
    Regime,
    SecurityLevel,
    Situation,
)
from daemon.orders.securing import InTheWay, Standing, in_the_way
from daemon.ship.ordered import Inhibit
from tests.makers import UTC_0210, reading

POLICY = policy.load(asset("policy.toml"))
SEA, PORT_3 = Regime(Situation.SEA, SecurityLevel.ONE), Regime(Situation.PORT, SecurityLevel.THREE)
CLOSED, OPEN, FAULT = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT
PERMIT = Permit("e", "R. dela Cruz", "paint", UTC_0210, 2000.0, "J. Santos")
INHIBIT = Inhibit(
    *("door.escape.open.e", "door.escape.open", "e", "DOOR E", "ESC HATCH OPEN"),
    *("contact loose", 60, UTC_0210, 4600.0, "J. Santos"),
)


def opening(kind: OpeningKind, door_class: DoorClass | None = None) -> Opening:
    return Opening("e", "DOOR E", kind, "poop", door_class, "io1")


HATCH = opening(OpeningKind.DOOR, DoorClass.ESCAPE)
STORE = opening(OpeningKind.DOOR, DoorClass.STORE)
SIDE = opening(OpeningKind.SIDE_DOOR, DoorClass.SIDE)


@dataclass
class Now:
    opening: Opening = HATCH
    value: ContactState | None = CLOSED
    proved: bool | None = None
    permits: dict[str, Permit] = field(default_factory=dict)
    inhibits: list[Inhibit] = field(default_factory=list)
    out_of_service: set[str] = field(default_factory=set)

    def found(self, asked: Regime) -> list[str]:
        standing = Standing(
            openings=[self.opening],
            newest=self._newest,
            is_proved=lambda _: self.proved,
            permits=self.permits,
            inhibits=self.inhibits,
            out_of_service=self.out_of_service,
            now_s=1000.0,
        )
        found = list(in_the_way(asked, POLICY, standing))
        assert all(isinstance(each, InTheWay) and each.name == "DOOR E" for each in found)
        return [each.why for each in found]

    def _newest(self, point: str) -> Reading:
        return reading(point, self.value)


@pytest.mark.parametrize(
    ("now", "asked", "why"),
    [
        (Now(), PORT_3, []),
        (Now(value=OPEN), PORT_3, ["open"]),
        (Now(STORE, OPEN), SEA, []),
        (Now(STORE, OPEN), PORT_3, ["open"]),
        (Now(value=None), PORT_3, ["not seen"]),
        (Now(value=None), SEA, ["not seen"]),
        (Now(value=FAULT), PORT_3, ["line fault"]),
        (Now(value=None, proved=False), PORT_3, ["not proved"]),
        (Now(value=OPEN, permits={"e": PERMIT}), PORT_3, []),
        (
            Now(value=OPEN, permits={"e": Permit("e", "R", "w", UTC_0210, 1000.0, "J")}),
            PORT_3,
            ["open, its permit has ended"],
        ),
        (Now(value=OPEN, out_of_service={"e"}), PORT_3, ["out of service"]),
        (Now(inhibits=[INHIBIT]), PORT_3, ["ESC HATCH OPEN inhibited until 0210 UTC"]),
        (Now(opening(OpeningKind.SEAL), OPEN), SEA, ["seal broken"]),
        (Now(opening(OpeningKind.SEAL), CLOSED), SEA, []),
        (Now(opening(OpeningKind.TAMPER), OPEN), SEA, ["its case is open"]),
        (Now(opening(OpeningKind.MOTION), OPEN), PORT_3, []),
        (Now(opening(OpeningKind.MOTION), None), PORT_3, ["not seen"]),
        (Now(SIDE, OPEN), PORT_3, []),
        (Now(SIDE, None), PORT_3, []),
        (Now(opening(OpeningKind.LOCK, DoorClass.VITAL), OPEN), PORT_3, []),
    ],
)
def test_what_stands_in_the_way(now, asked, why):
    assert now.found(asked) == why
