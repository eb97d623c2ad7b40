"""How does each witness of this ship stand: what has it signed, is it reached, does it refuse?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.testing.worklist import Item, ItemState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from daemon.record.checkpoint import Checkpoint
    from daemon.record.cosignature import Verifier
    from daemon.witness.post import Place

UNSIGNED_TOO_LONG_S: Final = 24 * 3600.0
TRIES: Final = 2
"""So often the end of a closed segment is tried, once before and once after what is written now."""
ID: Final = "witness"
EQUIPMENT: Final = "record"


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness, as it is configured.

    Attributes:
        name: As people on board call it.
        key: Its public key, and the name that it signs with.
        place: Where it is asked; None: by mail only.
        ca_file: Who vouches for its TLS certificate; None: those whom the system trusts.
    """

    name: str
    key: Verifier
    place: Place | None = None
    ca_file: Path | None = None


@dataclass(slots=True)
class Standing:
    """How one witness stands.

    Attributes:
        known: By origin, the size that it is thought to know.
        signed: By origin, the size under which its signature was kept.
        put_off: By origin, how often the end of a closed segment could not be signed; what is written now goes first.
        passed: Logs whose end is not asked for any more: they are closed, and it cannot be signed.
        last_s: When it last signed, in seconds since boot; None: never, as far as the record tells.
        last_utc: The same moment by the calendar.
        down_since_s: Since when it is not reached.
        refuses: It says that our history is not its own.
    """

    witness: Witness
    known: dict[str, int] = field(default_factory=dict)
    signed: dict[str, int] = field(default_factory=dict)
    put_off: dict[str, int] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    last_s: float | None = None
    last_utc: datetime | None = None
    down_since_s: float | None = None
    refuses: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def wants(self, heads: Iterable[Checkpoint]) -> Checkpoint | None:
        """Return the head that it is asked to sign next: the oldest, but first what was not put off."""
        unsigned = (
            head
            for head in heads
            if self.signed.get(head.origin, 0) < head.size and head.origin not in self.passed
        )
        return min(unsigned, key=lambda head: self.put_off.get(head.origin, 0), default=None)

    def put_by(self, origin: str) -> None:
        """Put off the end of a closed segment that could not be signed now; after the second time, let go of it."""
        self.put_off[origin] = self.put_off.get(origin, 0) + 1
        if self.put_off[origin] == TRIES:
            self.passed.add(origin)


def to_do(
    standings: Sequence[Standing], *, now_s: float, since_s: float, since_utc: datetime
) -> list[Item]:
    """Return the lines of the SSO's list.

    Args:
        standings: Of every witness.
        now_s: Seconds since boot.
        since_s: Since when a witness could have signed, where none ever did.
        since_utc: The same moment by the calendar.
    """
    items = [
        Item(
            ID,
            EQUIPMENT,
            f"witness {each.witness.name} knows another history of this record: tell Master and CSO",
            ItemState.DEFECT,
            None,
            None,
        )
        for each in standings
        if each.refuses
    ]
    if not standings:
        return items
    signed = [(each.last_s, each.last_utc) for each in standings if each.last_s is not None]
    last_s, last_utc = max(signed, key=lambda pair: pair[0]) if signed else (since_s, since_utc)
    if now_s - last_s > UNSIGNED_TOO_LONG_S:
        names = ", ".join(each.witness.name for each in standings)
        when = "" if last_utc is None else f" since {forms.utc(last_utc)}"
        items.append(
            Item(
                ID,
                EQUIPMENT,
                f"no witness has signed the record{when} ({names})",
                ItemState.OVERDUE,
                last_utc,
                None,
            )
        )
    return items
