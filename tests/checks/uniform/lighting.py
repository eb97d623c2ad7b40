"""At dusk every light burns, where the ship is known to lie."""

from __future__ import annotations

from daemon.checks.api import Services
from daemon.checks.lighting import CHECK
from daemon.model import ContactState, Fix, Position, Situation
from tests.checks.uniform.stage import Stage, Uniform

BERTH = Position(0.0, 51.0)
"""Where the sun sets at about 1430 UTC, an hour and a half before the stage's midnight."""
LIGHTS = ("lt1", "lt3")


def services(stage: Stage) -> Services:
    return Services(
        situation=lambda: stage.world["situation"],
        position_doubt=lambda: stage.world["doubt"],
    )


async def evening(stage: Stage, gangway: ContactState = ContactState.CLOSED) -> None:
    """Let the sun set and the day end."""
    await stage.begins()
    for _ in range(int(stage.world["minutes"])):
        stage.says("gps1.fix", Fix(BERTH, 1, 9, 0.9))
        stage.says("lt1", ContactState.CLOSED)
        stage.says("lt3", gangway)
        await stage.passes(60.0)
    await stage.day_ends()


async def sat(stage: Stage) -> None:
    await evening(stage)


async def gangway_out(stage: Stage) -> None:
    await evening(stage, ContactState.OPEN)


async def nobody_knows_where(stage: Stage) -> None:
    stage.world["doubt"] = "receivers disagree"
    await evening(stage)


async def line_fault(stage: Stage) -> None:
    await evening(stage, ContactState.LINE_FAULT)


UNIFORM = Uniform(
    check=CHECK,
    config={"lights": LIGHTS, "receivers": ["gps1"]},
    world={"situation": Situation.PORT, "doubt": None, "minutes": 100},
    services=services,
    minutes=100,
    sat=sat,
    unsat={"the gangway light is out": gangway_out},
    unproven={"GNSS SUSPECT": nobody_knows_where, "a light's line is faulty": line_fault},
)
