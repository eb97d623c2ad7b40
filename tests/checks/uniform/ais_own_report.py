"""Own reports come at their rate, on a channel, as the register has her."""

from __future__ import annotations

from datetime import timedelta

from daemon.checks.ais_own_report import CHECK
from daemon.checks.api import Services
from daemon.model import AisOffLog, AisOffPeriod, EquipmentAlert, EquipmentReport
from tests.checks.uniform.stage import MIDNIGHT, Stage, Uniform
from tests.makers import own_identity, own_report

OFF = AisOffPeriod("2026-11-22T10:00:00Z", "2026-11-22T12:00:00Z", 2)


async def sat(stage: Stage, *, name: str = "KESTREL STRAIT", log: AisOffLog | None = None) -> None:
    await stage.begins()
    for _ in range(11):
        await stage.passes(60.0)
        stage.says("ais.own_report", own_report())
        stage.says("ais.own_identity", own_identity(name=name))
        stage.says("ais.alerts", EquipmentReport(None, stage.world.get("alerts", ())))
        stage.says("ais.off_log", log or AisOffLog(()))
        await stage.passes(0.0)
    await stage.day_ends()


async def another_name(stage: Stage) -> None:
    await sat(stage, name="KESTREL")


async def malfunction(stage: Stage) -> None:
    stage.world["alerts"] = (
        EquipmentAlert(1, None, "", active=True, acknowledged=False, priority=None),
    )
    await sat(stage)


async def was_off(stage: Stage) -> None:
    await sat(stage, log=AisOffLog((OFF,)))


UNIFORM = Uniform(
    check=CHECK,
    config={"device": "ais"},
    services=lambda _: Services(ais_off_orders=lambda: (MIDNIGHT - timedelta(days=9), ())),
    sat=sat,
    unsat={"another name": another_name, "a malfunction": malfunction, "was off": was_off},
    needs=("ais.own_report", "ais.own_identity", "ais.alerts"),
    minutes=12.0,
)
