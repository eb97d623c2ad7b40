"""Keep one device running: silence noticed, failures retried with back-off, a driver's bug taken down loudly.

One dead device delays nobody (invariant 6): each supervisor is a task of its own that shares nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.computer import logs
from daemon.errors import LinkError
from daemon.model import LinkState, Quality, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.drivers.api import Driver, DriverSpec, Emit, Health
    from daemon.model import Provenance

FIRST_BACK_OFF_S = 1.0
LONGEST_BACK_OFF_S = 60.0
HEALTHY_AFTER_S = 30.0
"""Good for so long, and the next failure starts again at the first back-off."""
SILENCE_LOOK_S = 1.0
DRIVER_FAULT = "driver fault"


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """How a device's link stands.

    Attributes:
        since_s: Seconds since boot when it came to stand so.
        reason: Why it is down; None otherwise.
        may_be_ours: That may lie with this computer: its driver, a file of its own. It proves nothing of the device.
    """

    device: str
    link: LinkState
    since_s: float
    reason: str | None = None
    may_be_ours: bool = False

    @property
    def is_driver_fault(self) -> bool:
        """Whether not the device failed but our driver."""
        return self.reason is not None and self.reason.startswith(DRIVER_FAULT)


class Supervisor:
    """Runs one driver for as long as the daemon lives."""

    def __init__(
        self,
        *,
        device: str,
        driver: Driver,
        spec: DriverSpec,
        silent_after_s: float | None,
        lost_alert: str | None,
        provenance: Provenance,
        clock: Clock,
        entropy: Entropy,
        emit: Emit,
        on_status: Callable[[DeviceStatus], None],
        longest_back_off_s: float | None = None,
    ) -> None:
        self.device = device
        self.driver = driver
        self.spec = spec
        self.lost_alert = lost_alert
        self._silent_after_s = silent_after_s
        self._provenance = provenance
        self._clock = clock
        self._entropy = entropy
        self._emit = emit
        self._on_status = on_status
        self._longest_back_off_s = longest_back_off_s or LONGEST_BACK_OFF_S
        self._log = logs.get("device").bind(device=device)
        self._status = DeviceStatus(device, LinkState.CONNECTING, clock.now_s())
        self._held: str | None = None
        self._let_go = asyncio.Event()
        self._down_since_s: float | None = None
        self._is_explained = False
        """Whether the log has what is heard instead: once an outage, as the outage itself."""

    @property
    def status(self) -> DeviceStatus:
        """Return how the link stands now."""
        return self._status

    @property
    def health(self) -> Health:
        """Return the driver's own facts."""
        return self.driver.health

    def hold(self, reason: str) -> None:
        """Do not run this driver before a person lets it go; called before ``run``."""
        self._held = reason

    def let_go(self) -> bool:
        """Run a driver that was held; return whether it was."""
        was_held, self._held = self._held is not None, None
        self._let_go.set()
        return was_held

    async def run(self) -> None:
        """Run the driver, again and again, until cancelled."""
        if self._held is not None:
            self._went_down(self._held, may_be_ours=True)
            await self._let_go.wait()
        back_off_s = FIRST_BACK_OFF_S
        while True:
            began_s = self._clock.now_s()
            longest_s, may_be_ours = LONGEST_BACK_OFF_S, True
            try:
                await self._attempt(began_s)
                reason = "the driver ended"
            except LinkError as err:
                reason, may_be_ours = str(err), err.may_be_ours
                if not err.costs_others:
                    longest_s = err.retry_within_s or self._longest_back_off_s
            except Exception as err:  # noqa: BLE001 (a driver's bug takes down one driver, not the watch)
                reason = f"{DRIVER_FAULT}: {type(err).__name__}"
                if not self.spec.covert:
                    self._log.exception("driver.fault", error=repr(err))
            if self._was_healthy(began_s):
                back_off_s = FIRST_BACK_OFF_S
            self._went_down(reason, may_be_ours=may_be_ours)
            await self._clock.sleep(min(longest_s, back_off_s * (0.5 + self._entropy.jitter())))
            back_off_s = min(LONGEST_BACK_OFF_S, back_off_s * 2)

    async def _attempt(self, began_s: float) -> None:
        running = asyncio.ensure_future(self.driver.run(self._take))
        watching = asyncio.ensure_future(self._watch_silence(began_s))
        try:
            await asyncio.wait({running, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (running, watching):
                task.cancel()
            results = await asyncio.gather(running, watching, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, asyncio.CancelledError):
                raise result

    async def _watch_silence(self, began_s: float) -> None:
        """Raise LinkError when the device says nothing good for too long; note when it says something."""
        if self._silent_after_s is None:
            await asyncio.Event().wait()
            return
        look_s = min(SILENCE_LOOK_S, self._silent_after_s / 4)
        while True:
            await self._clock.sleep(look_s)
            last_s = self.driver.health.last_good_s
            if last_s is not None and last_s >= began_s:
                self._came_up()
            heard_s = max(began_s, last_s or began_s)
            if self._clock.now_s() - heard_s > self._silent_after_s:
                raise LinkError(self._silence())

    def _silence(self) -> str:
        """Return why a silent device counts as lost: asked while its port is open, which alone knows who came to it."""
        words = f"nothing good heard for {self._silent_after_s:g} s"
        return _explained(words, self._hint())

    def _hint(self) -> str | None:
        """Return what is heard instead; of a covert source nothing that it hears is told."""
        if self.spec.covert:
            return None
        try:
            return self.driver.health.hint()
        except Exception:  # noqa: BLE001 (outside of the attempt a driver's bug would end the watch)
            self._log.exception("driver.fault", what="its hint")
            return None

    def _take(self, reading: Reading) -> None:
        if self._status.link is not LinkState.UP:
            self._came_up()
        self._emit(reading)

    def _came_up(self) -> None:
        if self._status.link is LinkState.UP:
            return
        now_s = self._clock.now_s()
        if self._down_since_s is not None and not self.spec.covert:
            self._log.info("link.up", after_s=round(now_s - self._down_since_s, 1))
        self._down_since_s = None
        self._become(DeviceStatus(self.device, LinkState.UP, now_s))

    def _went_down(self, reason: str, *, may_be_ours: bool) -> None:
        now_s = self._clock.now_s()
        first = self._down_since_s is None
        if first:
            self._down_since_s, self._is_explained = now_s, False
        hint = self._hint()
        reason = _explained(reason, hint)
        if not self.spec.covert:
            explains = hint is not None and not self._is_explained
            self._is_explained |= explains
            (self._log.warning if first or explains else self._log.debug)(
                "link.down", reason=reason
            )
        since_s = now_s if first else self._status.since_s
        self._become(DeviceStatus(self.device, LinkState.DOWN, since_s, reason, may_be_ours))
        for point in self.driver.points():
            self._emit(
                Reading(
                    point=point.id,
                    value=None,
                    unit=point.unit,
                    quality=Quality.UNKNOWN,
                    provenance=self._provenance,
                    received_utc=self._clock.utc(),
                    received_s=now_s,
                    source=self.device,
                    classification=point.classification,
                )
            )

    def _was_healthy(self, began_s: float) -> bool:
        return (
            self._status.link is LinkState.UP
            and self._clock.now_s() - max(began_s, self._status.since_s) >= HEALTHY_AFTER_S
        )

    def _become(self, status: DeviceStatus) -> None:
        self._status = status
        self._on_status(status)


def _explained(reason: str, hint: str | None) -> str:
    return reason if hint is None or hint in reason else f"{reason}; {hint}"
