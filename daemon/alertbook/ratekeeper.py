"""Keep the ship's own look at her alerts: counted as they are told, written at most once a minute, for the SSO alone.

No part of the security record and none of the watch (MSC.1/Circ.1193 paragraph 3): a disk that is full, slow or gone
costs counts at most, and nobody is told of rates but who asks over the control socket.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.alertbook.ratefiles import KEPT_DAYS, RateFiles
from daemon.alerts.rate_report import STANDS_LONG_S, report
from daemon.alerts.rates import Counter, Day, Surroundings
from daemon.computer import logs
from daemon.control import fields
from daemon.errors import RefusedError
from daemon.model import ClockStatus
from daemon.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from daemon.alerts.alert import AlertChange
    from daemon.alerts.engine import Engine
    from daemon.computer.clock import Clock
    from daemon.model import Json
    from daemon.stations.stations import Stations

TICK_S: Final = 60.0
"""How often time is counted; also the shortest time between two writings."""
KEEP_S: Final = 900.0
"""Time alone, without an alert, is written so often."""
DISK_S: Final = 5.0
"""How long an answer waits for the disk."""
LAST_S: Final = 1.0
"""How long a stop does."""


class RateKeeper:
    """Counts, keeps and tells."""

    def __init__(self, folder: Path, *, engine: Engine, stations: Stations, clock: Clock) -> None:
        """Touch nothing yet; ``folder`` is made when there is something to keep."""
        self._files = RateFiles(folder)
        self._engine = engine
        self._stations = stations
        self._clock = clock
        self._counter = Counter()
        self._disk = Worker("alert-rates")
        self._one = asyncio.Lock()
        self._kept_s = clock.now_s()
        self._log = logs.get("rates")
        self._not_kept: str | None = None

    def hear(self, change: AlertChange) -> None:
        """Take a change of an alert that was just told."""
        self._counter.hear(change, self._around())

    async def run(self) -> None:
        """Count time and keep what was counted, until cancelled; a fault in it costs nobody the watch."""
        self._counter.take_up(self._engine.alerts(), self._around())
        keeping = asyncio.ensure_future(self._for_ever(self._keep_if_due))
        try:
            await self._for_ever(self._tick)
        finally:
            keeping.cancel()
            self._counter.stop(self._around())
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_S):
                    await self._keep()
            self._disk.finish()

    def requests(
        self,
    ) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]]]:
        """Return who answers which request of the control socket."""
        return {"rates": self._answer}

    async def _for_ever(self, act: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await act()
            except Exception:  # noqa: BLE001 (told in the log; the next minute is another)
                self._log.exception("rates.fault")
            await self._clock.sleep(TICK_S)

    async def _tick(self) -> None:
        self._counter.tick(self._around())

    async def _keep_if_due(self) -> None:
        is_due = self._clock.now_s() - self._kept_s >= KEEP_S
        if is_due or self._counter.has_news():
            await self._keep()

    async def _keep(self) -> None:
        """Write what was counted; what cannot be written is kept in memory, and tried again."""
        async with self._one:
            self._kept_s = self._clock.now_s()
            if not (days := self._counter.taken()):
                return
            today = self._clock.utc().date()
            is_known = self._clock.status() is ClockStatus.SYNCED
            try:
                await self._disk.call(
                    lambda: self._files.add(days, today=today if is_known else None)
                )
            except OSError as err:
                self._counter.give_back(days)
                if self._not_kept is None:
                    self._log.warning("rates.not_kept", reason=str(err))
                self._not_kept = err.strerror or str(err)
            except Exception:
                self._counter.give_back(days)
                raise
            else:
                self._not_kept = None

    async def _answer(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        count = fields.number(request, "days")
        if not 1 <= count <= KEPT_DAYS:
            raise RefusedError(f"days: 1 to {KEPT_DAYS}")
        around = self._around()
        self._counter.tick(around)
        today = around.now_utc.date()
        names = [f"{today - timedelta(days=back):%Y-%m-%d}" for back in reversed(range(count))]
        not_read: str | None = None
        days: dict[str, Day] = {}
        damaged: list[str] = []
        try:
            async with asyncio.timeout(DISK_S), self._one:
                days, damaged = await self._disk.call(
                    lambda: (self._files.read(names), self._files.damaged())
                )
        except OSError as err:  # TimeoutError is one
            not_read = err.strerror or str(err) or "the disk does not answer"
        for name, day in self._counter.counted().items():
            if name in names:
                days.setdefault(name, Day()).add(day)
        return {
            **report(
                days,
                standing=self._counter.standing(longer_than_s=STANDS_LONG_S, now_s=around.now_s),
                titles={key: kind.title for key, kind in self._engine.catalogue.items()},
            ),
            "from": names[0],
            "to": names[-1],
            "damaged": damaged,
            "not_read": not_read,
            "not_kept": self._not_kept,
        }

    def _around(self) -> Surroundings:
        now_s = self._clock.now_s()
        sounding = self._stations.sounding()
        return Surroundings(
            now_s=now_s,
            now_utc=self._clock.utc(),
            situation=self._engine.regime.situation,
            attended=tuple(
                status.id
                for status in self._stations.status()
                if status.id in sounding and status.person is not None and status.live(now_s)
            ),
        )
