"""A synthetic alert comes back in time and is answered, while a station would show it."""

from __future__ import annotations

from daemon.checks.alert_path import CHECK
from daemon.checks.api import AlertTrip, Services, Unanswered
from tests.checks.uniform.stage import Stage, Uniform


def services(stage: Stage) -> Services:
    async def send() -> AlertTrip:
        return AlertTrip(stage.world["trip_s"], dict(stage.world["answers"]))

    return Services(alert_path=send, station_is_live=lambda: stage.world["live"])


async def sat(stage: Stage) -> None:
    await stage.begins()
    await stage.day_ends()


async def unsat(stage: Stage) -> None:
    await stage.begins()
    await stage.passes(600.0)
    stage.world["trip_s"] = None
    await stage.day_ends()


async def deaf(stage: Stage) -> None:
    await stage.begins()
    await stage.passes(600.0)
    stage.world["answers"] = {"gangway": Unanswered.MISSED}
    await stage.day_ends()


async def never_heard_of(stage: Stage) -> None:
    stage.world["answers"] = {"gangway": Unanswered.SILENT}
    await stage.begins()
    stage.world["live"] = False
    await stage.day_ends()


async def no_live_station(stage: Stage) -> None:
    await stage.begins()
    stage.world["live"] = False
    await stage.day_ends()


UNIFORM = Uniform(
    check=CHECK,
    config={"each_s": 60},
    world={"trip_s": 0.1, "live": True, "answers": {"gangway": 0.2}},
    services=services,
    sat=sat,
    unsat={"lost from then on": unsat, "not answered from then on": deaf},
    unproven={"no live station": no_live_station, "gone when it was asked": never_heard_of},
)
