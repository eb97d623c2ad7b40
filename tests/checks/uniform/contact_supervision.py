"""Every contact is seen, and no line is in fault."""

from __future__ import annotations

from daemon.checks.api import Services, Supervised
from daemon.checks.contact_supervision import CHECK
from daemon.model import ContactState
from tests.checks.uniform.stage import MIDNIGHT, Stage, Uniform

CONTACTS = {"d01": "BRIDGE INNER DR", "d12": "STRG GEAR ESC", "s01": "BOND STORE"}


def services(stage: Stage) -> Services:
    def contacts() -> dict[str, Supervised]:
        moved = stage.world["moved"]
        return {
            point: Supervised(name, moves=point != "s01", moved_utc=moved)
            for point, name in stage.world["contacts"].items()
        }

    return Services(contacts=contacts)


async def day(stage: Stage, **otherwise: ContactState) -> None:
    """Let all contacts say how they are until the day ends, closed unless said otherwise after ten minutes."""
    await stage.begins()
    for minute in range(30):
        for point in CONTACTS:
            state = otherwise.get(point, ContactState.CLOSED) if minute >= 10 else None
            stage.says(point, state or ContactState.CLOSED)
        await stage.passes(60.0)
    await stage.day_ends()


async def sat(stage: Stage) -> None:
    await day(stage)


async def cut(stage: Stage) -> None:
    await day(stage, s01=ContactState.LINE_FAULT)


async def long_not_moved(stage: Stage) -> None:
    stage.world["moved"] = MIDNIGHT.replace(year=MIDNIGHT.year - 1)
    await day(stage)


async def no_contacts(stage: Stage) -> None:
    stage.world["contacts"] = {}
    await day(stage)


UNIFORM = Uniform(
    check=CHECK,
    world={"contacts": CONTACTS, "moved": MIDNIGHT},
    services=services,
    more_points=tuple(CONTACTS),
    needs=tuple(CONTACTS),
    sat=sat,
    unsat={"a cable is cut": cut},
    unproven={"a door has not moved for a year": long_not_moved, "no contact": no_contacts},
)
