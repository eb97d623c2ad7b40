"""What becomes of what a witness says? A signature is kept with the record and shown; a refusal is an entry."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from daemon.computer import logs
from daemon.errors import LinkError, RecordError
from daemon.model import Classification, ClockStatus
from daemon.record import checkpoint, cosignature, cosigned, growth, witness
from daemon.record.cosignature import Request
from daemon.record.entry import Draft

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.computer.clock import Clock
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.log import Record
    from daemon.witness.standing import Standing


class Keeping:
    """Keeps signatures and tells of refusals."""

    def __init__(
        self, record: Record, *, clock: Clock, shown: Callable[[Checkpoint], None]
    ) -> None:
        """Touch nothing yet.

        Args:
            record: Where the lines are kept.
            clock: When they came.
            shown: Is given the newest head with the witnesses' lines below the ship's.
        """
        self.newest: dict[str, Checkpoint] = {}
        """By origin, in the order in which the segments were begun; the last is the one that is written."""
        self._record = record
        self._clock = clock
        self._shown = shown
        self._log = logs.get("witness")

    async def kept(self, each: Standing, head: Checkpoint, answer: str) -> bool:
        """Keep what a witness signed; return False where that segment is closed already.

        Raises:
            LinkError: The answer is not signed by this witness, or at a time that cannot be.
            RecordError: The disk refuses.
        """
        text = cosignature.body_of(head.note)
        try:
            line, time_s = cosignature.own_line(answer, each.witness.key, text=text)
            is_set = self._clock.status() is not ClockStatus.UNSET
            now_s = self._clock.utc().timestamp() if is_set else None
            cosignature.refuse_time(time_s, now_s=now_s)
        except RecordError as err:
            raise LinkError(str(err)) from err
        segment = witness.segment(head.origin)
        kept = await self._record.cosigned(segment, head.size, each.witness.key.name, line)
        for sizes in (each.known, each.signed):
            sizes[head.origin] = max(head.size, sizes.get(head.origin, 0))
        each.last_s, each.last_utc = self._clock.now_s(), self._clock.utc()
        if each.refuses:
            each.refuses = False
            self._enter("witness.agreed", each, head, "signs again")
        await self.show()
        return kept

    async def refusal(self, each: Standing, head: Checkpoint, said: str) -> None:
        """See to a witness that says that our history is not its own; an entry once, until it signs again."""
        if each.refuses:
            return
        said = "".join(letter if letter.isprintable() else " " for letter in said)
        each.refuses = True
        self._log.error("witness.refused", witness=each.witness.name, said=said)
        self._enter("witness.refused", each, head, said)

    async def request(self, each: Standing, head: Checkpoint) -> Request:
        """Return what to ask this witness about a head.

        Raises:
            RecordError: The proof cannot be made.
        """
        segment, old = witness.segment(head.origin), each.known.get(head.origin, 0)
        proof = await growth.consistency(self._record, segment, old, head.size)
        return Request(old, proof, head.note)

    async def show(self) -> None:
        """Show the newest head with every line that stands under it."""
        while self.newest:
            head = next(reversed(self.newest.values()))
            segment = witness.segment(head.origin)
            try:
                lines = await self._record.ask(partial(cosigned.lines, segment, head.size))
            except RecordError:  # shown with the next
                return
            if head is not next(reversed(self.newest.values())):
                continue  # a newer one was sealed meanwhile: what is shown never goes back
            note = head.note + "".join(lines)
            if lines and len(note) <= checkpoint.LONGEST_NOTE:
                self._shown(replace(head, note=note))
            return

    def _enter(self, type_: str, each: Standing, head: Checkpoint, said: str) -> None:
        self._record.submit(
            Draft(
                kind="system",
                type=type_,
                subject=each.witness.name,
                classification=Classification.WATCH,
                open={
                    "witness": each.witness.name,
                    "key": each.witness.key.line(),
                    "origin": head.origin,
                    "size": head.size,
                    "said": said,
                    "note": head.note,
                },
            )
        )
