"""Does each device answer, or is it heard? Its own driver looks, with its own link and its own decoding, once.

SSAS sources are left out before anything is built of them: they are not opened, not asked and not resolved, and of a
unit that carries a test lamp beside other contacts the lamp's input is wired to nothing here (invariant 1).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from daemon.computer.secretfiles import CREDENTIAL_PREFIX, credentials
from daemon.drivers.api import DriverContext, Shared
from daemon.errors import IspsdError, LinkError
from daemon.gate import CovertGate
from daemon.model import Provenance
from daemon.probing.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from daemon.computer.clock import Clock
    from daemon.config import Config, Device
    from daemon.drivers.api import Driver
    from daemon.drivers.links import Link

TRIES: Final = 2
"""RS-485 loses a frame now and then, and a server that has just lost a client may refuse the next."""
AGAIN_S: Final = 1.0
LOOK_S: Final = 0.1


def probed(config: Config) -> list[Device]:
    """Return the devices that may be looked at: no SSAS unit."""
    return [device for device in config.devices if not device.spec.covert]


class Prober:
    """Looks at devices; those on one bus, or on one port, share it as they do in the daemon."""

    def __init__(self, config: Config, *, within_s: float, secrets: Path, clock: Clock) -> None:
        """Touch nothing yet.

        Args:
            config: The ship's file.
            within_s: How long a device may take to say something, in seconds.
            secrets: Where secrets lie that systemd hands over to the service.
            clock: For time-outs.
        """
        self._within_s = within_s
        self._secrets = secrets
        self._clock = clock
        self._buses = config.buses
        self._shared = Shared()
        # Every driver is made before the first one looks, as in the daemon: units of a bus then know of each other.
        self._drivers: dict[str, Driver | Finding] = {
            device.id: self._driver(device) for device in probed(config)
        }

    async def look(self, device: Device) -> Finding:
        """Look at one device, at most ``within_s`` long and a little."""
        driver, what = self._drivers[device.id], _what(device, self._buses)
        if isinstance(driver, Finding):
            return driver
        wrong, seen = await self._tried(device, driver)
        # The place stands in its own column already.
        for place in (f"bus {device.bus}: ", f"{_line(device, self._buses)}: "):
            wrong = None if wrong is None else wrong.removeprefix(place)
        return Finding(device.id, what, wrong, seen=seen)

    async def _tried(self, device: Device, driver: Driver) -> tuple[str | None, str]:
        """Return what is wrong with a device, or None and what was seen of it."""
        silent_s = device.spec.silent_after_s(device.config) or self._within_s
        limit_s = min(silent_s, self._within_s)
        until_s = self._clock.now_s() + limit_s
        wrong = "nothing was tried"
        for attempt in range(TRIES):
            if attempt:
                await self._clock.sleep(AGAIN_S)
            try:
                seen = await self._once(driver, until_s, limit_s)
            except LinkError as err:
                wrong = _explained(str(err), driver)
            except Exception as err:  # noqa: BLE001 (a driver's bug is what is found at that device)
                return f"driver fault: {type(err).__name__}: {err}", ""
            else:
                return driver.health.remark, seen
            if self._clock.now_s() >= until_s:
                break
        return wrong, ""

    async def _once(self, driver: Driver, until_s: float, limit_s: float) -> str:
        """Run the driver until it has read something good; return what was seen.

        Raises:
            LinkError: It cannot be reached, or says nothing good in its time.
        """
        running = asyncio.ensure_future(driver.run(lambda _: None))
        try:
            while not _has_spoken(driver):
                if running.done():
                    running.result()
                    raise LinkError("the driver ended")
                if self._clock.now_s() >= until_s:
                    raise LinkError(_explained(f"nothing good heard for {limit_s:g} s", driver))
                await self._clock.sleep(LOOK_S)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return _seen(driver)

    def _driver(self, device: Device) -> Driver | Finding:
        context = DriverContext(
            device=device.id,
            clock=self._clock,
            gate=CovertGate(self._clock),
            provenance=Provenance.LIVE,
            contacts=device.contacts,
            side_doors=device.side_doors,
            buses=self._buses,
            shared=self._shared,
        )
        try:
            return device.spec.build(self._at_rest(device), context)
        except (ValueError, IspsdError) as err:
            return Finding(device.id, _what(device, self._buses), str(err))

    def _at_rest(self, device: Device) -> object:
        """Return the settings, with a secret where it lies while no service runs that it is handed over to."""
        path = getattr(device.config, "password_file", None)
        if path is None:
            return device.config
        return device.config.model_copy(update={"password_file": at_rest(path, self._secrets)})


def at_rest(path: Path, secrets: Path) -> Path:
    """Return where a secret lies that systemd hands over to a running service only."""
    # Not allowed to look: the service runs, and this is another user, whom the other place tells so by its name.
    with suppress(PermissionError):
        if path.parent != credentials() or path.exists():
            return path
    return secrets / path.name.removeprefix(CREDENTIAL_PREFIX)


def _has_spoken(driver: Driver) -> bool:
    """Return whether something good was read, or a unit refuses what is asked of it: an answer, too."""
    return driver.health.good > 0 or driver.health.remark is not None


def _seen(driver: Driver) -> str:
    dropped = sum(driver.health.dropped.values())
    words = "answers" if driver.health.latency_s is not None else "heard"
    return f"{words}, {dropped} unreadable before" if dropped else words


def _explained(reason: str, driver: Driver) -> str:
    hint = driver.health.hint()
    return reason if hint is None or hint in reason else f"{reason}; {hint}"


def _what(device: Device, buses: Mapping[str, Link]) -> str:
    """Return what a device is and where."""
    line = _line(device, buses)
    if device.bus is not None:
        return f"{device.spec.kind}, bus {device.bus} ({line}), unit {getattr(device.config, 'unit', '?')}"
    return f"{device.spec.kind}, {line}" if line else device.spec.kind


def _line(device: Device, buses: Mapping[str, Link]) -> str:
    """Return the name of the link that is opened for it; empty where it has none of its own."""
    link = device.port if device.bus is None else buses.get(device.bus)
    return "" if link is None else link.name
