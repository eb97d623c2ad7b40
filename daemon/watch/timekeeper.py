"""Did somebody step the clock? Noticed within a second, and written (invariant 8).

UTC and seconds since boot run side by side; when their difference jumps, UTC was stepped. Slow slewing by NTP is no
step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon import forms
from daemon.computer import logs
from daemon.model import Classification
from daemon.record.entry import Draft

if TYPE_CHECKING:
    from daemon.computer.clock import Clock
    from daemon.record.journal import Journal

LOOK_S = 1.0
STEP_S = 0.5
"""More than any NTP daemon slews in a second (at most 0.5 ms), less than a person would set."""


async def run(clock: Clock, journal: Journal) -> None:
    """Watch the clock until cancelled."""
    log = logs.get("clock")
    offset_s = clock.utc().timestamp() - clock.now_s()
    while True:
        await clock.sleep(LOOK_S)
        now_utc = clock.utc()
        seen_s = now_utc.timestamp() - clock.now_s()
        step_s = seen_s - offset_s
        if abs(step_s) > STEP_S:
            log.warning("clock.stepped", seconds=round(step_s, 3))
            journal.submit(
                Draft(
                    kind="system",
                    type="clock.stepped",
                    subject="clock",
                    classification=Classification.WATCH,
                    open={"milliseconds": round(step_s * 1000), "to": forms.utc(now_utc)},
                )
            )
        offset_s = seen_s
