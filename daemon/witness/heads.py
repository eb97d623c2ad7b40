"""What follows when somebody holds a head of our record that we do not know? An entry, the alert, and a new segment.

The two cases are told apart: a newer head means that this computer has forgotten something (a restored copy, a clone);
another root for as many entries as we have means that the ship's key signed two histories.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from daemon.computer import logs
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, Json
from daemon.record import comparison, fold, witness
from daemon.record.checkpoint import LONGEST_NOTE
from daemon.record.comparison import Found
from daemon.record.entry import Draft

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from daemon.computer.clock import Clock
    from daemon.record.comparison import Comparison
    from daemon.record.entry import Entry
    from daemon.record.log import Record

PARTED: Final = "record.behind"
REQUEST: Final = "compare"
HELD_S: Final = 10.0
"""The condition of the alert holds so long, though the next segment has begun at once; the alert itself stays."""


class Heads:
    """Compares heads with the record, and sees to what follows; each head is seen to once."""

    def __init__(
        self,
        record: Record,
        *,
        clock: Clock,
        part_from: Callable[[str, str], Awaitable[bool]] | None = None,
    ) -> None:
        """Compare with this record.

        Args:
            record: The record.
            clock: How long the alert's condition holds at least.
            part_from: Is given such a head and who held it; begins the next segment, which says what is lost, and
                returns whether it did.
        """
        self._record = record
        self._clock = clock
        self._until_s = -HELD_S
        self._part_from = part_from
        self._open: set[str] = set()
        self._entered: set[str] = set()
        self._log = logs.get("witness")
        record.on_commit(self._committed)

    async def take_up(self) -> None:
        """Take up what stood when the daemon last stopped.

        A head of a segment before the one that is written is settled: the entry about it may stand behind the first
        entry of the segment that says what came of it.

        Raises:
            RecordError: The record cannot be read.
        """
        known = await self._record.state(fold.BEHIND)
        written = await self._record.ask(lambda reader: reader.newest())
        self._open |= {id_ for id_, head in known.items() if _segment(head) >= written}

    @property
    def parted(self) -> bool:
        """Whether a head stands against our history."""
        return bool(self._open) or self._clock.now_s() < self._until_s

    async def seen(self, note: str, *, held_by: str) -> Comparison:
        """Compare a head; what stands against our history becomes an entry.

        Args:
            note: The head, as it was held.
            held_by: Who held it, in words.

        Raises:
            RecordError: Not a head of this ship, or the record cannot be read now.
        """
        compared = await comparison.compare(self._record, note, self._record.ship())
        if compared.found is Found.NOT_SIGNED and self._part_from is not None:
            with suppress(
                RecordError
            ):  # the ship's key before or after this one may have signed it
                await self._part_from(compared.head.note, held_by)
        if compared.found not in {Found.NEWER, Found.OTHER}:
            return compared
        id_ = fold.behind_id(compared.head.origin, compared.head.size)
        if id_ in self._open | self._entered:
            return compared
        self._entered.add(id_)
        self._log.error("record.behind", found=compared.found.value, sentence=compared.sentence)
        self._record.submit(_entry(compared, held_by))
        self._until_s = self._clock.now_s() + HELD_S
        self._open.add(id_)
        if self._part_from is not None and not await self._part_from(compared.head.note, held_by):
            # Of an older segment nothing more follows than the entry: no segment will say what came of it.
            self._open.discard(id_)
        return compared

    def _committed(self, entry: Entry) -> None:
        if entry.type == fold.SEGMENT_OPENED:  # it says what came of them
            self._open.clear()

    async def answer(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Answer ``compare``: a head that a person has.

        Raises:
            RefusedError: It cannot be compared.
        """
        note = request.get("note")
        if not isinstance(note, str) or not 0 < len(note) <= LONGEST_NOTE:
            raise RefusedError(f"note is wanted: a head, at most {LONGEST_NOTE} characters")
        try:
            compared = await self.seen(note, held_by="a person on board")
        except RecordError as err:
            raise RefusedError(str(err)) from err
        return {
            "found": compared.found.value,
            "sentence": compared.sentence,
            "origin": compared.head.origin,
            "size": compared.head.size,
            "ours": compared.ours,
        }


def _segment(head: Mapping[str, Json]) -> int:
    return witness.segment(str(head["origin"]))


def _entry(compared: Comparison, held_by: str) -> Draft:
    return Draft(
        kind="system",
        type=PARTED,
        subject=compared.head.origin,
        classification=Classification.WATCH,
        open={
            "found": compared.found.value,
            "sentence": compared.sentence,
            "held_by": held_by,
            "origin": compared.head.origin,
            "size": compared.head.size,
            "ours": compared.ours,
            "note": compared.head.note,
        },
    )
