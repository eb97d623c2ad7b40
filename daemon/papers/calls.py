"""Where was she? Port calls as entered, so that each test and drill can say in which port it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from daemon.papers import amendments, moments
from daemon.papers.words import number, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from daemon.papers.amendments import Amendment
    from daemon.papers.source import Found


ENTRIES: Final = ("port.call", "port.arrived", "port.departed")
"""A call is one entry, or one on arrival and one at departure."""
DEPARTED: Final = "port.departed"


@dataclass(frozen=True, slots=True)
class Call:
    """One port call, as its newest entry has it."""

    seq: int
    port: str
    facility: str
    arrived: datetime
    departed: datetime | None
    ship_level: int | None
    port_level: int | None
    found: Found
    left: Found | None = None
    """The departure, where it is an entry of its own."""


class Calls:
    """All of them, oldest first, as they were amended last."""

    def __init__(
        self, found: Sequence[Found], amended: Mapping[int, Sequence[Amendment]] | None = None
    ) -> None:
        newest: dict[tuple[str, datetime], Call] = {}
        for each in found:
            call = _call(each, amendments.now(each, (amended or {}).get(each.seq, ())))
            if each.entry.type != DEPARTED:
                newest[call.port, call.arrived] = call  # entered on arrival, and again at departure
            elif (begun := _begun(newest.values(), call)) is not None:
                newest[begun.port, begun.arrived] = replace(
                    begun, departed=call.departed, left=each
                )
        self.calls = sorted(newest.values(), key=lambda call: call.arrived)

    def port_at(self, moment: datetime) -> str:
        """Return the port in which she was; "" for none."""
        for call in reversed(self.calls):
            if call.arrived <= moment and (call.departed is None or moment < call.departed):
                return call.port
        return ""


def _begun(calls: Iterable[Call], left: Call) -> Call | None:
    """Return the call that a departure ends: the newest of that port that has not ended, and began before it."""
    port, departed = left.port.casefold(), left.departed
    open_now = [
        call
        for call in calls
        if call.port.casefold() == port
        and call.departed is None
        and departed is not None
        and call.arrived <= departed
    ]
    return max(open_now, key=lambda call: call.arrived, default=None)


def _call(found: Found, said: Mapping[str, Any]) -> Call:
    return Call(
        found.seq,
        text(said, "port"),
        text(said, "facility"),
        moments.read(said.get("arrived")) or found.at,
        moments.read(said.get("departed")),
        number(said.get("ship_level")),
        number(said.get("port_level")),
        found,
    )
