"""Does the ship's AIS report in order, and is it ours?

In order is what VDO proves: own reports at the due rate, on a channel, with the identity of the ship's register
(A.1106(29) 23; rates: ITU-R M.1371-5 table 1). VDO without a channel is position data and proves no transmission;
no text of ours says *transmitting*, since VDO goes on with a cut antenna.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from daemon.checks.api import CheckConfig, CheckContext, CheckSpec
from daemon.model import AisIdentity, AisReport, Outcome, Quality, Reading, Ship, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOORED_KN = 3.0
MOORED_INTERVAL_S = 180.0
AT_ANCHOR, MOORED = 1, 5
"""Navigation status of ITU-R M.1371-5 table 46."""
SLACK = 0.7
"""The share of the due reports that must be seen; slots are skipped and lines lost."""


class AisOwnReportConfig(CheckConfig):
    """One AIS transponder."""

    kind: Literal["ais_own_report"]
    device: str
    """The device that carries its VDO sentences."""
    watch_s: Annotated[float, Field(ge=1, le=3600)] = 540.0
    """How long reports are watched, in seconds; three reports of a moored class A take 9 minutes."""


def due_interval_s(report: AisReport) -> float:
    """Return how often a class A must report, in seconds (ITU-R M.1371-5 table 1, without course changes)."""
    speed_kn = report.sog_kn or 0.0
    if report.navigation_status in {AT_ANCHOR, MOORED} and speed_kn <= MOORED_KN:
        return MOORED_INTERVAL_S
    if speed_kn <= 14:  # noqa: PLR2004 (the table's own limits)
        return 10.0
    return 6.0 if speed_kn <= 23 else 2.0  # noqa: PLR2004


def judge(
    readings: Sequence[Reading], *, ship: Ship, watched_s: float, interrupted: bool = False
) -> Verdict:
    """Judge what was heard of own ship; with nothing to judge, say so.

    ``interrupted``: the feed was lost meanwhile, so that what is missing proves nothing.
    """
    reports = [r.value for r in readings if isinstance(r.value, AisReport)]
    identities = [r.value for r in readings if isinstance(r.value, AisIdentity)]
    seen = tuple(readings)
    if wrong := _identity_fault(reports, identities, ship):
        return Verdict(Outcome.FAILED, wrong, seen)
    if not reports:
        return Verdict(Outcome.INCONCLUSIVE, "no own report that counts was heard", seen)
    if not identities:
        return Verdict(Outcome.INCONCLUSIVE, "own static data (message 5) was not heard", seen)
    on_channel = [r for r in reports if r.channel is not None]
    if not on_channel:
        return Verdict(
            Outcome.INCONCLUSIVE, "own reports carry no channel: rate cannot be proved", seen
        )
    return _judge_rate(on_channel, watched_s=watched_s, interrupted=interrupted, seen=seen)


def _judge_rate(
    reports: Sequence[AisReport],
    *,
    watched_s: float,
    interrupted: bool,
    seen: tuple[Reading, ...],
) -> Verdict:
    # A ship that gets under way meanwhile owes no more than she did at her slowest.
    due = max(1, int(SLACK * watched_s / max(map(due_interval_s, reports))))
    count = f"{len(reports)} own reports in {watched_s:.0f} s"
    if len(reports) >= due:
        return Verdict(Outcome.PASSED, f"{count}, identity as register", seen)
    if interrupted:
        return Verdict(Outcome.INCONCLUSIVE, "the feed was lost during the watch", seen)
    return Verdict(Outcome.FAILED, f"{count}, at least {due} are due", seen)


def _identity_fault(
    reports: Iterable[AisReport], identities: Iterable[AisIdentity], ship: Ship
) -> str | None:
    for mmsi in [r.mmsi for r in reports] + [i.mmsi for i in identities]:
        if mmsi != ship.mmsi:
            return f"MMSI {mmsi} sent, register has {ship.mmsi}"
    for said in identities:
        if said.imo_number != ship.imo_number:
            return f"IMO number {said.imo_number} sent, register has {ship.imo_number}"
        if said.call_sign != ship.call_sign:
            return f"call sign {said.call_sign} sent, register has {ship.call_sign}"
        if said.name != ship.name:
            return f"name {said.name} sent, register has {ship.name}"
    return None


def points(config: AisOwnReportConfig) -> tuple[str, ...]:
    """Return the points of own report and own static data."""
    return (f"{config.device}.own_report", f"{config.device}.own_identity")


async def run(config: AisOwnReportConfig, ctx: CheckContext) -> Verdict:
    """Listen to the transponder for the configured time."""
    began_s = ctx.clock.now_s()
    until_s = began_s + config.watch_s
    readings, interrupted = [], False
    with ctx.listen(points(config)) as inbox:
        while (reading := await inbox.next(until_s=until_s)) is not None:
            interrupted |= reading.quality is Quality.UNKNOWN
            if ctx.accepts(reading):
                readings.append(reading)
    watched_s = ctx.clock.now_s() - began_s
    return judge(readings, ship=ctx.ship, watched_s=watched_s, interrupted=interrupted)


CHECK = CheckSpec(kind="ais_own_report", config=AisOwnReportConfig, run=run, points=points)
