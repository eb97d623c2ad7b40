"""Where was she? Port calls as entered, so that each test and drill can say in which port it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.papers import amendments, moments
from daemon.papers.words import number, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from daemon.papers.amendments import Amendment
    from daemon.papers.source import Found


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


class Calls:
    """All of them, oldest first, as they were amended last."""

    def __init__(
        self, found: Sequence[Found], amended: Mapping[int, Sequence[Amendment]] | None = None
    ) -> None:
        newest: dict[tuple[str, datetime], Call] = {}
        for each in found:
            call = _call(each, amendments.now(each, (amended or {}).get(each.seq, ())))
            newest[call.port, call.arrived] = call  # entered on arrival, and again at departure
        self.calls = sorted(newest.values(), key=lambda call: call.arrived)

    def port_at(self, moment: datetime) -> str:
        """Return the port in which she was; "" for none."""
        for call in reversed(self.calls):
            if call.arrived <= moment and (call.departed is None or moment < call.departed):
                return call.port
        return ""


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
