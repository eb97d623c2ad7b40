"""A unit answers, a UPS is on mains, a BNWAS says nothing of a fault."""

from __future__ import annotations

from daemon.checks.equipment_state import CHECK
from daemon.model import ContactState, EquipmentAlert, EquipmentReport
from tests.checks.uniform.stage import Stage, Uniform

STAGE_1 = EquipmentAlert(0, None, "STAGE 1", active=True, acknowledged=False, priority=None)
DC_FAILED = EquipmentAlert(11, None, "DC FAIL", active=True, acknowledged=False, priority=None)
WELL = EquipmentReport(in_order=True, alerts=())


async def day(
    stage: Stage,
    *,
    mains: ContactState = ContactState.CLOSED,
    report: EquipmentReport = WELL,
    answers_for_min: int = 30,
) -> None:
    """Let all of them say how they are until the day ends."""
    await stage.begins()
    for minute in range(30):
        stage.says("acs.reached", "answers" if minute < answers_for_min else None)
        stage.says("u1", mains if minute > 2 else ContactState.CLOSED)
        stage.says("bnwas.alerts", report if minute > 2 else WELL)
        await stage.passes(60.0)
    await stage.day_ends()


async def sat(stage: Stage) -> None:
    await day(stage, report=EquipmentReport(None, (STAGE_1,)))


async def fault_of_its_own(stage: Stage) -> None:
    await day(stage, report=EquipmentReport(None, (STAGE_1, DC_FAILED)))


async def not_in_order(stage: Stage) -> None:
    await day(stage, report=EquipmentReport(in_order=False, alerts=()))


async def on_battery(stage: Stage) -> None:
    await day(stage, mains=ContactState.OPEN)


async def answers_no_more(stage: Stage) -> None:
    await day(stage, answers_for_min=15)


UNIFORM = Uniform(
    check=CHECK,
    config={
        "units": [
            {"name": "ACCESS CTRL", "network": "acs"},
            {"name": "UPS", "contact": "u1"},
            {"name": "BNWAS", "alerts": "bnwas", "no_faults": [0]},
        ]
    },
    sat=sat,
    unsat={
        "a fault of its own": fault_of_its_own,
        "it says that it is not in order": not_in_order,
        "a contact is open": on_battery,
        "it answers no more": answers_no_more,
    },
)
