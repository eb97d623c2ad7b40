"""What stands in the record that people have to see to: defects, drills, papers, the period that nobody reviewed?

A copy of the folded state, kept up to date with every entry that comes on disk, so that the worklist never waits for a
disk.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from daemon.errors import RecordError
from daemon.record import fold
from daemon.record.reader import Query
from daemon.testing.occasions import SITUATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.book.desk import Records
    from daemon.model import Json
    from daemon.record.entry import Entry

KINDS: Final = (
    fold.DEFECT,
    fold.DEFECT_SAID,
    fold.HELD,
    fold.CERTIFICATE,
    fold.ROUND,
    fold.FITTED,
    fold.CALL,
    fold.DECLARATION,
    fold.REVIEWED,
    fold.HIGHEST,
)


class Standing:
    """The state of the book; nothing is known of it before ``take_up``."""

    def __init__(self) -> None:
        self.is_known = False
        self.newest_seq = 0
        self.situation: tuple[str, str] | None = None
        """What the ship does by a person's word, and since when; None where nobody ever said."""
        self.begins: tuple[int, str] | None = None
        """Number and time of the oldest entry of all."""
        self._state: dict[str, dict[str, Mapping[str, Json]]] = {kind: {} for kind in KINDS}
        self._given: set[int] = set()

    async def take_up(self, record: Records) -> None:
        """Take up what is on disk.

        Raises:
            RecordError: It cannot be read now; try again.
        """
        with suppress(
            RecordError
        ):  # an old segment that is damaged hides nothing of what stands now
            if oldest := await record.entries(Query(limit=1)):
                self.begins = oldest[0].seq, oldest[0].stamp.at
            query = Query(type=SITUATION, newest_first=True, limit=1)
            if said := await record.entries(query):
                self._note_situation(said[0])
        for kind in KINDS:
            self._state[kind] = dict(await record.state(kind))
        if newest := await record.entries(Query(newest_first=True, limit=1)):
            self.newest_seq = max(self.newest_seq, newest[0].seq)
        self.is_known = True

    def _note_situation(self, entry: Entry) -> None:
        if self.situation is None or self.situation[1] <= entry.stamp.at:
            self.situation = str(entry.open["to"]), entry.stamp.at

    def told(self, entry: Entry) -> bool:
        """Take an entry that came on disk; return whether something stands differently."""
        self.newest_seq = max(self.newest_seq, entry.seq)
        if entry.type == fold.SEGMENT_OPENED:
            return False  # it carries what we have
        if entry.type == SITUATION:
            self._note_situation(entry)
        ours = [change for change in fold.project(entry) if change.kind in self._state]
        for change in ours:
            place = self._state[change.kind]
            if change.body is None:
                place.pop(change.id, None)
            elif change.kind != fold.HIGHEST or _value(change.body) > _value(place.get(change.id)):
                place[change.id] = change.body
        return any(change.kind != fold.HIGHEST for change in ours)

    def of(self, kind: str) -> Mapping[str, Mapping[str, Json]]:
        """Return what is true now of one kind of thing, by its id."""
        return self._state[kind]

    def defects(self) -> Mapping[str, Mapping[str, Json]]:
        """Return the defects that are open, by their number."""
        return self._state[fold.DEFECT]

    def take_number(self) -> int:
        """Return the next defect's number, which nobody else gets."""
        highest = _value(self._state[fold.HIGHEST].get(fold.DEFECT))
        value = max(highest, *self._given, 0) + 1
        self._given.add(value)
        return value

    def reserve(self, value: int) -> None:
        """Keep a number that a person gives to a defect whose entry is not on disk yet."""
        self._given.add(value)

    def give_back(self, value: int) -> None:
        """Let a number be given again: its entry did not come on disk."""
        self._given.discard(value)

    def covered(self, what: str) -> int:
        """Return up to which number the record is reviewed, or verified; 0: not at all."""
        said = self._state[fold.REVIEWED].get(what)
        return _value(said, "up_to")

    def covered_at(self, what: str) -> str | None:
        """Return when the last of those entries was written."""
        said = self._state[fold.REVIEWED].get(what)
        return None if said is None else str(said["up_to_at"])


def number_of(value: int) -> str:
    """Return a defect's number as entries have it: ``def-014``."""
    return f"def-{value:03d}"


def _value(body: Mapping[str, Json] | None, name: str = "value") -> int:
    value = None if body is None else body.get(name)
    return value if isinstance(value, int) else 0
