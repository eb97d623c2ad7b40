"""Which clients of the stations have answered the synthetic alert, and which of them would have had to?

A client is a station's page or its sounder. Asked is each that speaks for a station which is attended and live when the
alert goes out. One that has answered before must answer; of one that never has (a page that is older, or another's)
nobody can tell. One that has not said a word since is not there any more, perhaps: that proves nothing for or against.
Pure: it is told the time. What it knows ends with the process.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from daemon.checks.api import Unanswered
from daemon.computer import logs
from daemon.stations.stations import LIVE_FOR_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.stations.stations import Stations, Teller

ANSWER_WITHIN_S = 5.0
"""What a station has not answered by then it never does."""
SPEAKS_WITHIN_S = 12.0
"""A client that lives says so each 10 s: with none of it for so long nobody knows whether it still does."""
LOG = logs.get("echoes")

Client: TypeAlias = "tuple[str, Teller | None]"


@dataclass(slots=True)
class _Awaited:
    """The synthetic alert whose answers count now; of ``asked`` each client, with whether it has answered before."""

    nonce: str
    sent_s: float
    asked: Mapping[Client, bool]
    answered_s: dict[Client, float] = field(default_factory=dict)


class Echoes:
    """The answers of all stations."""

    def __init__(self, stations: Stations) -> None:
        self._stations = stations
        self._spoke_s: dict[Client, float] = {}
        self._able: set[Client] = set()
        """Who has answered before."""
        self._awaited: _Awaited | None = None
        self.spoken = asyncio.Event()
        """Set whenever a client says that it is alive; whoever waits for it clears it."""
        self.ignored = 0
        """Answers that nobody was waiting for: old, foreign or repeated ones."""

    def expect(self, nonce: str, now_s: float) -> None:
        """Let only the answers to this nonce count from now on."""
        attended = self._stations.attended(now_s)
        asked = {
            client: client in self._able
            for client, spoke_s in self._spoke_s.items()
            if client[0] in attended and now_s - spoke_s <= LIVE_FOR_S
        }
        self._awaited = _Awaited(nonce, now_s, asked)

    def take(
        self, station: str, of: Teller | None, *, nonce: str | None = None, now_s: float
    ) -> None:
        """Take it that a client of a known station has spoken, and which synthetic alert it answers."""
        client, awaited = (station, of), self._awaited
        self._spoke_s[client] = now_s
        self.spoken.set()
        if nonce is None:
            return
        if awaited is None or nonce != awaited.nonce or client in awaited.answered_s:
            self.ignored += 1
            LOG.debug("answer.ignored", station=station, ignored=self.ignored)
            return
        awaited.answered_s[client] = now_s - awaited.sent_s
        self._able.add(client)

    def wait_s(self, now_s: float) -> float:
        """Return for how long there is still something to wait for; 0 where every client has settled."""
        if (awaited := self._awaited) is None:
            return 0.0
        missing = [client for client in awaited.asked if client not in awaited.answered_s]
        silent = [
            client
            for client in missing
            if awaited.asked[client] and self._spoke_s[client] <= awaited.sent_s
        ]
        limit_s = SPEAKS_WITHIN_S if silent else ANSWER_WITHIN_S if missing else 0.0
        return max(0.0, awaited.sent_s + limit_s - now_s)

    def settle(self) -> Mapping[str, float | str]:
        """Return after how many seconds each that was asked has answered, or why not; none counts any more."""
        awaited, self._awaited = self._awaited, None
        if awaited is None:
            return {}
        return {
            _in_words(client): self._of(client, awaited)
            for client in sorted(awaited.asked, key=str)
        }

    def _of(self, client: Client, awaited: _Awaited) -> float | str:
        if (answered_s := awaited.answered_s.get(client)) is not None:
            return round(answered_s, 3)
        if not awaited.asked[client]:
            return Unanswered.NEVER
        has_spoken = self._spoke_s[client] > awaited.sent_s
        return Unanswered.MISSED if has_spoken else Unanswered.SILENT


def _in_words(client: Client) -> str:
    station, of = client
    return station if of is None else f"{station} ({of})"
