"""The clock is disciplined, a receiver tells the same time, and the disks have room."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from daemon.checks.api import Services
from daemon.checks.own_computer import CHECK, MEGA
from tests.checks.uniform.stage import Stage, Uniform
from tests.makers import UTC_0210

ROOM = {"what": "record", "free_bytes": 5000 * MEGA, "read_only": False, "fault": None}


def services(stage: Stage) -> Services:
    async def disks() -> dict[str, Any] | None:
        return (
            None
            if stage.world["disk"] is None
            else {
                "disks": [stage.world["disk"]],
                "evidence_bytes": stage.world["evidence"],
            }
        )

    return Services(disks=disks, position_doubt=lambda: None)


async def day(stage: Stage, *, ahead_s: float = 0.4) -> None:
    """Let a receiver tell the time until the day ends."""
    await stage.begins()
    for _ in range(30):
        # Every reading of the makers is received at the same moment of UTC.
        told = UTC_0210 - timedelta(seconds=ahead_s)
        stage.says("gps1.time", told.isoformat())
        await stage.passes(60.0)
    await stage.day_ends()


async def sat(stage: Stage) -> None:
    await day(stage)


async def clock_off(stage: Stage) -> None:
    await day(stage, ahead_s=3.0)


async def disk_full(stage: Stage) -> None:
    stage.world["disk"] = {**ROOM, "free_bytes": 20 * MEGA}
    await day(stage)


async def read_only(stage: Stage) -> None:
    stage.world["disk"] = {**ROOM, "read_only": True}
    await day(stage)


async def evidence_full(stage: Stage) -> None:
    stage.world["evidence"] = [95, 100]
    await day(stage)


async def disk_hangs(stage: Stage) -> None:
    stage.world["disk"] = None
    await day(stage)


async def copy_away(stage: Stage) -> None:
    stage.world["disk"] = {"what": "copy", "fault": "No such file or directory"}
    await day(stage)


UNIFORM = Uniform(
    check=CHECK,
    config={"receivers": ["gps1"]},
    world={"disk": ROOM, "evidence": [10, 100]},
    services=services,
    sat=sat,
    unsat={
        "the clock is off": clock_off,
        "a disk is full": disk_full,
        "a disk takes nothing": read_only,
        "no room for evidence": evidence_full,
    },
    unproven={"a disk hangs": disk_hangs, "the copy's disk is away": copy_away},
)
