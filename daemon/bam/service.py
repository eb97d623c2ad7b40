"""Keep the port of the bridge alert management running: opened, served, and opened again after whatever befell it.

Nothing here can disturb the watch (invariants 5 and 6): what goes wrong is logged, and tried again. The panel is looked
after while the port is closed too, since what was handed over to it must come back when it is lost.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from daemon.bam.wire import opened
from daemon.computer import logs
from daemon.drivers.line_splitter import OVERLONG, LineSplitter
from daemon.drivers.sentences import Dropped
from daemon.errors import LinkError, RefusedError
from daemon.model import LinkState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.alerts.alert import Alert, AlertChange
    from daemon.bam.desk import Desk
    from daemon.bam.port import Asked, Port
    from daemon.bam.settings import BamSection
    from daemon.bam.wire import Wire
    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.model import Json

FIRST_BACK_OFF_S: Final = 1.0
LONGEST_BACK_OFF_S: Final = 60.0
HEALTHY_AFTER_S: Final = 30.0
"""Open for so long, and the next failure is an outage of its own."""
LOOK_S: Final = 1.0
"""How often the panel is looked after."""
DROPPED_EVERY_S: Final = 600.0
"""What was dropped is told at most so often, as counts."""
MOST_ACTS_AT_ONCE: Final = 20
"""Acts that wait to hear that they are on disk."""
LONGEST_LINE_BYTES: Final = 256
"""A TAG block and a sentence."""


class Service:
    """The port, running."""

    def __init__(
        self,
        section: BamSection,
        *,
        port: Port,
        desk: Desk,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._section = section
        self._port = port
        self._desk = desk
        self._clock = clock
        self._entropy = entropy
        self._log = logs.get("bam")
        self._woken = asyncio.Event()
        self._acting: set[asyncio.Task[None]] = set()
        self._is_down = False
        self._opened_s: float | None = None
        self._since_s = clock.now_s()
        self._reason = "not open yet"
        self._told_dropped_s = float("-inf")
        self._told_dropped = 0

    @property
    def panel_is_lost(self) -> bool:
        """Return whether the panel cannot be relied on."""
        return self._port.panel.is_lost(self._clock.now_s())

    def shown(self) -> dict[str, Json]:
        """Return how the port stands, as the link of a device is shown."""
        now_s, heard_s = self._clock.now_s(), self._port.heard_s
        is_up = self._opened_s is not None and not self.panel_is_lost
        reason = self._reason if self._opened_s is None else "nothing is heard of the panel"
        return {
            "id": "bam",
            "link": (LinkState.UP if is_up else LinkState.DOWN).value,
            "age_s": round(now_s - self._since_s, 3),
            "last_good_age_s": None if heard_s is None else round(now_s - heard_s, 3),
            "good": self._port.heard,
            "dropped": self._port.dropped.total(),
            "noticed": {},
            "reason": None if is_up else reason,
        }

    def changed(self, change: AlertChange) -> None:
        """Take a change of an alert, as the watch announces it."""
        self._port.changed(change.alert)
        self._woken.set()

    def all_changed(self, alerts: Iterable[Alert]) -> None:
        """Take it that all of these are to be told anew: the curtain has moved."""
        for alert in alerts:
            self._port.changed(alert)
        self._woken.set()

    async def run(self) -> None:
        """Run until cancelled."""
        looking = asyncio.ensure_future(self._look_after_panel())
        try:
            await self._keep_open()
        finally:
            for task in (looking, *self._acting):
                task.cancel()
            await asyncio.gather(looking, *self._acting, return_exceptions=True)

    async def _keep_open(self) -> None:
        back_off_s = FIRST_BACK_OFF_S
        while True:
            reason = "ended"
            within_s = LONGEST_BACK_OFF_S
            try:
                async with opened(
                    self._section, clock=self._clock, dropped=self._port.dropped
                ) as wire:
                    self._opened_s = self._since_s = self._clock.now_s()
                    await self._serve(wire)
            except LinkError as err:
                reason = str(err)
                within_s = err.retry_within_s or LONGEST_BACK_OFF_S
            except Exception as err:  # noqa: BLE001 (a bug here takes down this port, not the watch)
                reason = f"fault: {type(err).__name__}"
                self._log.exception("bam.fault", error=repr(err))
            if self._was_healthy():
                back_off_s = FIRST_BACK_OFF_S
            self._went_down(reason)
            await self._clock.sleep(min(within_s, back_off_s * (0.5 + self._entropy.jitter())))
            back_off_s = min(LONGEST_BACK_OFF_S, back_off_s * 2)

    async def _serve(self, wire: Wire) -> None:
        """Send and read until one of the two fails.

        Raises:
            LinkError: The line is gone.
        """
        self._port.opened(self._clock.now_s())
        tasks = [asyncio.ensure_future(work) for work in (self._send(wire), self._read(wire))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _send(self, wire: Wire) -> None:
        while True:
            self._woken.clear()
            if lines := self._port.take(self._clock.now_s()):
                await wire.send(lines)
            wait_s = self._port.wake_s() - self._clock.now_s()
            await self._clock.wait(self._woken, max(0.0, wait_s))

    async def _read(self, wire: Wire) -> None:
        splitter = LineSplitter(LONGEST_LINE_BYTES)
        while True:
            for line in splitter.feed(await wire.read()):
                self._take(line)
            self._woken.set()

    def _take(self, line: bytes) -> None:
        if line == OVERLONG:
            self._port.dropped[Dropped.OVERLONG.value] += 1
        elif asked := self._port.hear(line, self._clock.now_s(), self._clock.utc()):
            if len(self._acting) >= MOST_ACTS_AT_ONCE:
                self._port.refuse(asked.command, self._clock.utc())
                return
            acting = asyncio.ensure_future(self._act(asked))
            self._acting.add(acting)
            acting.add_done_callback(self._acting.discard)

    async def _act(self, asked: Asked) -> None:
        try:
            if not await self._desk.carry_out(asked.do):
                self._port.tell_again(asked.do.alerts)
        except RefusedError as err:
            self._log.info("bam.refused", command=asked.command.command, reason=str(err))
            self._port.refuse(asked.command, self._clock.utc())
        except Exception as err:  # noqa: BLE001 (as above: nothing that comes in disturbs the watch)
            self._log.exception("bam.fault", error=repr(err))
        self._woken.set()

    async def _look_after_panel(self) -> None:
        """Take back what was handed over when the panel is lost; tell now and then what was dropped."""
        while True:
            try:
                if self.panel_is_lost and self._desk.hand_back():
                    self._log.warning("bam.handed_back")
            except Exception as err:  # noqa: BLE001 (as above)
                self._log.exception("bam.fault", error=repr(err))
            self._tell_dropped()
            if self._is_down and self._was_healthy():
                self._is_down = False
                self._log.info("bam.up")
            await self._clock.sleep(LOOK_S)

    def _tell_dropped(self) -> None:
        now_s, count = self._clock.now_s(), self._port.dropped.total()
        if count == self._told_dropped or now_s - self._told_dropped_s < DROPPED_EVERY_S:
            return
        self._told_dropped, self._told_dropped_s = count, now_s
        self._log.warning("bam.dropped", **self._port.dropped)

    def _was_healthy(self) -> bool:
        """Return whether the port has been open for long enough to count as up."""
        return (
            self._opened_s is not None and self._clock.now_s() - self._opened_s >= HEALTHY_AFTER_S
        )

    def _went_down(self, reason: str) -> None:
        if self._was_healthy():
            self._is_down = False  # an outage of its own
        (self._log.debug if self._is_down else self._log.warning)("bam.down", reason=reason)
        if self._opened_s is not None:
            self._since_s = self._clock.now_s()
        self._is_down, self._opened_s, self._reason = True, None, reason
