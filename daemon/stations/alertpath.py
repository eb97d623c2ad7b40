"""Send a synthetic alert the way that an alert goes, and see what becomes of it: back from the broker, answered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from daemon.checks.api import AlertTrip
from daemon.mqtt.publisher import BROKER_LIMIT_S

if TYPE_CHECKING:
    from daemon.computer.clock import Clock
    from daemon.mqtt.publisher import Publisher
    from daemon.stations.echoes import Echoes


class AlertPath:
    """The path from ispsd to its stations and back; one synthetic alert at a time."""

    def __init__(self, publisher: Publisher, echoes: Echoes, *, clock: Clock) -> None:
        self._publisher = publisher
        self._echoes = echoes
        self._clock = clock
        self._alone = asyncio.Lock()

    async def send(self) -> AlertTrip:
        """Send one; return when it was back, and answered by every station that must, or too late for that."""
        async with self._alone:
            try:
                back_s = await self._publisher.round_trip_s(
                    limit_s=BROKER_LIMIT_S, sending=self._sending
                )
                # Of one that the broker lost no station can be asked why it did not answer.
                while back_s is not None and await self._is_awaited():
                    pass
            finally:
                answers = self._echoes.settle()
            return AlertTrip(back_s, answers if back_s is not None else {})

    def _sending(self, nonce: str) -> None:
        self._echoes.expect(nonce, self._clock.now_s())

    async def _is_awaited(self) -> bool:
        """Wait until a station speaks or it is too late; return whether anything is left to wait for."""
        self._echoes.spoken.clear()
        wait_s = self._echoes.wait_s(self._clock.now_s())
        if wait_s > 0.0:
            await self._clock.wait(self._echoes.spoken, wait_s)
        return wait_s > 0.0
