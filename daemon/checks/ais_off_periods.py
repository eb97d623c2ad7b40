"""Was AIS off without an order? The unit's own log says when it was off; the record says what was ordered.

Source: IEC 61993-2, periods longer than 15 min in which the installation does not function are logged by the
unit, which nobody on board can clear; A.1106(29) 22: the Master may have it off, and that is logged. What the
log says of before orders were known, or of more than a day before this watch, is kept as evidence and judged by
nobody.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.checks.api import AisOffOrders
    from daemon.model import AisOffLog, AisOffPeriod

LOOKS_BACK: Final = timedelta(hours=24)
TOLERANCE: Final = timedelta(minutes=15)
"""The order is entered when there is time for it, and is ended so; the unit logs from 15 min on."""
REASONS: Final = {
    1: "power off",
    2: "silent mode",
    3: "switched off by channel management",
    4: "equipment malfunction",
    5: "invalid configuration",
}
"""TRL field 8."""


def unordered(log: AisOffLog, orders: AisOffOrders, *, watch_began_utc: datetime) -> str | None:
    """Return in words what the log has and no order explains; None where there is nothing."""
    known_since_utc, times = orders
    if known_since_utc is None:
        return None
    since_utc = max(known_since_utc, watch_began_utc - LOOKS_BACK)
    for period in reversed(log.periods):
        ends = _utc(period.on)
        if (ends is None and period.off is None) or (ends is not None and ends <= since_utc):
            continue
        if not _is_ordered(_utc(period.off), ends, times, since_utc):
            return f"the unit's own log: {_words(period)}, no order entered"
    return None


def _is_ordered(
    off: datetime | None,
    on: datetime | None,
    times: Sequence[tuple[datetime, datetime | None]],
    since_utc: datetime,
) -> bool:
    """Return whether orders cover it that follow on each other; before ``since_utc`` nothing is asked."""
    begins = since_utc if off is None else max(off, since_utc)
    return any(
        ordered - TOLERANCE <= begins
        and (ended is None or (on is not None and on <= ended + TOLERANCE))
        for ordered, ended in _joined(times)
    )


def _joined(
    times: Sequence[tuple[datetime, datetime | None]],
) -> list[tuple[datetime, datetime | None]]:
    """Return the orders, those as one that lie no farther apart than the unit would tell of."""
    found: list[tuple[datetime, datetime | None]] = []
    for begins, ends in sorted(times, key=lambda each: each[0]):
        if not found:
            found.append((begins, ends))
            continue
        first, until = found[-1]
        if until is not None and begins - until > TOLERANCE:
            found.append((begins, ends))
        else:
            found[-1] = first, None if until is None or ends is None else max(until, ends)
    return found


def _utc(said: str | None) -> datetime | None:
    return None if said is None else datetime.fromisoformat(said).astimezone(UTC)


def _words(period: AisOffPeriod) -> str:
    off, on = _utc(period.off), _utc(period.on)
    begins = "an unknown time" if off is None else f"{off:%d %b %H:%M}"
    ends = "now" if on is None else f"{on:%d %b %H:%M}"
    reason = REASONS.get(period.reason or 0, "reason not given")
    return f"off from {begins} to {ends} UTC ({reason})"
