"""Ready to secure? What stands in the way of a situation or a level that asks for more: named door by door. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.alerts.policy import Must
from daemon.model import ContactState, OpeningKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from daemon.alerts.policy import Policy
    from daemon.model import Json, Opening, Permit, Reading, Regime
    from daemon.ship.ordered import Inhibit

WHOLE: Final = {
    OpeningKind.SEAL: "seal broken",
    OpeningKind.TAMPER: "its case is open",
}
"""What must be whole in every situation, and the words for what is not."""
SEEN_TO: Final = frozenset({OpeningKind.DOOR, OpeningKind.MOTION, *WHOLE})
"""A side door has a system of its own, and a lock is its door's."""


@dataclass(frozen=True, slots=True)
class InTheWay:
    """One thing that is to be seen to first.

    Attributes:
        name: Its short name.
        why: In words.
    """

    id: str
    name: str
    why: str

    def message(self) -> dict[str, Json]:
        """Return it as a reply carries it."""
        return {"id": self.id, "name": self.name, "why": self.why}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the ship stands now.

    Attributes:
        newest: What a point says now, as people may see it.
        is_proved: Whether a contact is proved; None: it need not be.
        permits: The permits to open, by door.
        inhibits: The inhibits that run.
        out_of_service: What is out of service and may be named on the watch, by id.
    """

    openings: Iterable[Opening]
    newest: Callable[[str], Reading | None]
    is_proved: Callable[[str], bool | None]
    permits: Mapping[str, Permit]
    inhibits: Iterable[Inhibit]
    out_of_service: AbstractSet[str]
    now_s: float


def in_the_way(asked: Regime, policy: Policy, standing: Standing) -> Iterator[InTheWay]:
    """Yield what stands in the way of a regime: what is open or not seen, then what is inhibited."""
    for opening in standing.openings:
        if opening.kind in SEEN_TO and (why := _why(opening, asked, policy, standing)):
            yield InTheWay(opening.id, opening.name, why)
    for inhibit in standing.inhibits:
        why = f"{inhibit.title} inhibited until {inhibit.ends_utc:%H%M} UTC"
        yield InTheWay(inhibit.source, inhibit.name, why)


def _why(opening: Opening, asked: Regime, policy: Policy, standing: Standing) -> str:
    """Return why an opening is in the way; empty where it is not."""
    if standing.out_of_service & {opening.id, opening.of or opening.id}:
        return "out of service"
    reading = standing.newest(opening.id)
    if standing.is_proved(opening.id) is False:
        return "not proved"
    if reading is None or reading.value is None:
        return "not seen"
    if reading.value is ContactState.LINE_FAULT:
        return "line fault"
    if reading.value is not ContactState.OPEN:
        return ""
    return _why_open(opening, asked, policy, standing)


def _why_open(opening: Opening, asked: Regime, policy: Policy, standing: Standing) -> str:
    if opening.kind in WHOLE:
        return WHOLE[opening.kind]
    if opening.door_class is None:
        return ""  # a detector sees somebody now
    permit = standing.permits.get(opening.id)
    if permit is not None:
        return "" if standing.now_s < permit.ends_s else "open, its permit has ended"
    return "open" if policy.rule(opening.door_class, asked).must is Must.CLOSED else ""
