"""What does the record say of its witnesses, when the daemon starts?"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from daemon.errors import RecordError
from daemon.model import ClockStatus
from daemon.record import cosignature, cosigned, fold, growth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.computer.clock import Clock
    from daemon.record.log import Record
    from daemon.witness.standing import Standing


async def take_up(record: Record, standings: Iterable[Standing], clock: Clock) -> None:
    """Take up who signed what, and who refused.

    Raises:
        RecordError: The record cannot be read.
    """
    refusing = await record.state(fold.WITNESS)
    for each in standings:
        each.refuses = each.witness.name in refusing
        signed = await record.ask(partial(cosigned.newest, each.witness.key.name))
        if signed is None or (signed_s := _verified(signed, each)) is None:
            continue
        origin = signed.note.partition("\n")[0]
        for sizes in (each.known, each.signed):
            sizes[origin] = max(signed.size, sizes.get(origin, 0))
        age_s = _age_s(signed_s, clock)  # whatever time a witness says: never in the future
        each.last_s = clock.now_s() - age_s
        each.last_utc = datetime.fromtimestamp(clock.utc().timestamp() - age_s, UTC)


async def begun(record: Record, clock: Clock) -> tuple[datetime, float]:
    """Return since when there was something to sign, and how long ago that is, in seconds.

    Raises:
        RecordError: The record cannot be read.
    """
    newest = await record.ask(lambda reader: reader.newest())
    begun_utc = await record.ask(partial(growth.begun_utc, newest)) or clock.utc()
    return begun_utc, _age_s(begun_utc.timestamp(), clock)


def _verified(signed: cosigned.Signed, each: Standing) -> int | None:
    """Return when it was signed, in seconds since 1970; None: by another key of the same name."""
    text = cosignature.body_of(signed.note)
    try:
        return cosignature.cosigned_at(signed.line, each.witness.key, text=text)
    except RecordError:
        return None


def _age_s(at_s: float, clock: Clock) -> float:
    """Return how long ago something was, given in seconds since 1970; without a clock it was now."""
    if clock.status() is ClockStatus.UNSET:
        return 0.0
    return max(0.0, clock.utc().timestamp() - at_s)
