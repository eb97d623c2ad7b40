"""Who vouches for the record now? Its newest entry and head, how much of it others have signed, how old the copy is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon import forms
from daemon.record.reader import Query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.computer.clock import Clock
    from daemon.model import Json
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.copies import Copies
    from daemon.record.log import Record
    from daemon.witness.standing import Standing
    from daemon.witness.witnesses import Witnesses


class Vouched:
    """Answers ``record.stands``."""

    def __init__(
        self, record: Record, *, copies: Copies, witnesses: Witnesses, clock: Clock
    ) -> None:
        self._record = record
        self._copies = copies
        self._witnesses = witnesses
        self._clock = clock

    async def answer(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return how it stands.

        Raises:
            RecordError: The record cannot be read.
        """
        newest = await self._record.entries(Query(newest_first=True, limit=1))
        heads = list(self._witnesses.keeping.newest.values())
        head = heads[-1] if heads else None
        health, copy = self._record.health(), self._copies
        good_utc = copy.standing.good_utc
        age_s = None if good_utc is None else (self._clock.utc() - good_utc).total_seconds()
        return {
            "newest": newest[0].seq if newest else 0,
            "writable": health.writable,
            "pending": health.pending,
            "lost": health.lost,
            "head": None
            if head is None
            else {"origin": head.origin, "size": head.size, "root": head.root.hex()},
            "copy": {
                "wanted": copy.wanted,
                "verified": None if good_utc is None else forms.utc(good_utc),
                "age_min": None if age_s is None else max(0, round(age_s / 60)),
                "old": copy.is_old(),
                "failure": copy.standing.failure,
            },
            "witnesses": [_witness(each, head) for each in self._witnesses.standings],
        }


def _witness(each: Standing, head: Checkpoint | None) -> Json:
    signed = 0 if head is None else each.signed.get(head.origin, 0)
    return {
        "name": each.witness.name,
        "signed": None if each.last_utc is None else forms.utc(each.last_utc),
        "unsigned": None if head is None else max(0, head.size - signed),
        "refuses": each.refuses,
        "reached": each.down_since_s is None,
    }
