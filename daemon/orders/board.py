"""Show what is inhibited and what is out of service, each to those who may know it.

A watch station sees until when an alert is inhibited, and of equipment that it is out of service, as its readiness:
reason and end are the SSO's (invariant 14). Of the SSAS it sees nothing (invariant 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.model import Readiness
from daemon.stations.messages import inhibit_message, service_message

if TYPE_CHECKING:
    from collections.abc import Collection

    from daemon.computer.clock import Clock
    from daemon.model import Json
    from daemon.mqtt.showing import Board
    from daemon.mqtt.topics import Topics
    from daemon.ship.state import ShipState


class OrderBoard:
    """Puts it on the board, and takes it off."""

    def __init__(
        self,
        ship: ShipState,
        *,
        topics: Topics,
        board: Board,
        clock: Clock,
        tested: Collection[str],
    ) -> None:
        """Put the parts together; ``tested`` is the equipment whose readiness its tests show."""
        self._ship = ship
        self._topics = topics
        self._board = board
        self._clock = clock
        self._tested = tested
        self._shown: dict[str, dict[str, Json]] = {}

    def show(self) -> None:
        """Show what is so now, where it is another than was shown last."""
        wanted = self._wanted()
        for topic in self._shown.keys() - wanted.keys():
            self._board.remove(topic)
        now_s = self._clock.now_s()
        for topic, body in wanted.items():
            if self._shown.get(topic) != body:
                self._board.put(topic, body, now_s)
        self._shown = wanted

    def _wanted(self) -> dict[str, dict[str, Json]]:
        wanted = {
            self._topics.inhibit(given.alert): inhibit_message(given)
            for given in self._ship.inhibits.values()
        }
        for taken in self._ship.out_of_service.values():
            wanted[self._topics.out_of_service(taken.equipment)] = service_message(taken)
            if not taken.covert and taken.equipment not in self._tested:
                wanted[self._topics.equipment(taken.equipment)] = _out_of_service(taken.name)
        return wanted


def _out_of_service(name: str) -> dict[str, Json]:
    """Return how equipment that has no test stands while it is out of service."""
    return {
        "name": name,
        "readiness": Readiness.OUT_OF_SERVICE.value,
        "last": None,
        "next_due_utc": None,
        "reasons": [],
        "tests": [],
    }
