"""How does a witness sign that only mail reaches? A file goes there, a file comes back, and people carry them.

A request is the one that goes over HTTP, in a file. An answer that signs is the checkpoint with the witness's line
below the ship's; one that refuses begins with ``refused <number>``, and holds what it says and the checkpoint.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from daemon.control import fields
from daemon.errors import LinkError, RecordError, RefusedError
from daemon.record import checkpoint, comparison, cosignature, growth, witness
from daemon.record.comparison import Found
from daemon.record.witness import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.log import Record
    from daemon.record.witness_store import Answer
    from daemon.witness.standing import Standing
    from daemon.witness.witnesses import Witnesses

REFUSED: Final = "refused "
REQUEST: Final = "witness.request"
ANSWER: Final = "witness.answer"


def answer_file(answer: Answer, note: str) -> str:
    """Return the file that goes back to the ship."""
    if answer.status == Status.SIGNED:
        return note + answer.body
    return f"{REFUSED}{int(answer.status)}\n{answer.body.strip()}\n\n{note}"


class Mail:
    """Answers the requests of the control socket that write and read such files."""

    def __init__(self, witnesses: Witnesses, *, record: Record) -> None:
        self._witnesses = witnesses
        self._record = record

    async def request(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Answer ``witness.request``: the newest head, with the proof from what the witness last signed.

        Raises:
            RefusedError: No such witness, or the record cannot be sealed or read now.
        """
        each = self._standing(fields.optional_text(request, "witness"))
        try:
            head = await self._record.seal()
            asked = await self._witnesses.keeping.request(each, head)
        except RecordError as err:
            raise RefusedError(f"the record cannot be read now: {err}") from err
        return {
            "request": asked.encode().decode(),
            "witness": each.witness.name,
            "origin": head.origin,
            "old": asked.old,
            "size": head.size,
        }

    async def answer(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Answer ``witness.answer``: keep a cosignature that came back, or see to a refusal.

        Raises:
            RefusedError: Not an answer, of another ship, or not signed by this witness.
        """
        each = self._standing(fields.optional_text(request, "witness"))
        text = request.get("answer")
        if not isinstance(text, str) or not 0 < len(text) <= cosignature.LARGEST_REQUEST:
            raise RefusedError(
                f"answer is wanted, at most {cosignature.LARGEST_REQUEST} characters"
            )
        refusal, note = _parted(comparison.tidy(text))
        try:
            head = await self._own(note)
            if refusal is not None:
                return await self._refused(each, head, *refusal)
            kept = await self._witnesses.keeping.kept(each, head, note.partition("\n\n")[2])
        except (RecordError, LinkError) as err:
            raise RefusedError(str(err)) from err
        told = "kept with the record" if kept else "seen; that segment is closed already"
        return {
            "witness": each.witness.name,
            "origin": head.origin,
            "size": head.size,
            "kept": kept,
            "told": told,
        }

    async def _refused(
        self, each: Standing, head: Checkpoint, status: int, said: str
    ) -> Mapping[str, Json]:
        told = f"{each.witness.name} did not sign: {status} {said}"
        conflict = status == Status.CONFLICT and cosignature.SIZE.fullmatch(said) is not None
        if conflict and int(said) < head.size:
            each.known[head.origin] = int(said)
            told = f"{each.witness.name} knows {said} entries; make a new request, it begins there"
        elif conflict and int(said) > head.size:
            told = f"{each.witness.name} knows {said} entries already; compare its head (ispsd compare)"
        elif conflict or status == Status.NOT_GROWN:
            await self._witnesses.keeping.refusal(each, head, said)
        return {
            "witness": each.witness.name,
            "origin": head.origin,
            "size": head.size,
            "kept": False,
            "told": told,
        }

    async def _own(self, note: str) -> Checkpoint:
        """Return our own checkpoint that an answer is about."""
        compared = await comparison.compare(self._record, note, self._record.ship())
        if compared.found is not Found.OURS:
            raise RecordError(compared.sentence)
        head = compared.head
        segment = witness.segment(head.origin)
        own = await self._record.ask(partial(growth.sealed_note, segment, head.size))
        if own is None:
            raise RecordError(f"{head.origin} was never sealed at {head.size} entries here")
        return checkpoint.unverified(own)

    def _standing(self, name: str | None) -> Standing:
        each = self._witnesses.standing(name)
        if each is None:
            known = ", ".join(s.witness.name for s in self._witnesses.standings) or "none"
            raise RefusedError(f"witness is wanted, one of: {known}")
        return each


def _parted(text: str) -> tuple[tuple[int, str] | None, str]:
    """Return what a refusal says, if it is one, and the checkpoint."""
    if not text.startswith(REFUSED):
        return None, text
    head, _, note = text.partition("\n\n")
    number, _, said = head.removeprefix(REFUSED).partition("\n")
    if not (number.isascii() and number.isdigit() and len(number) == 3):  # noqa: PLR2004 (as HTTP has them)
        raise RefusedError("not an answer of a witness: want refused <number>, or the signed head")
    return (int(number), said.replace("\n", " ")[:200]), note
