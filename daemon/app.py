"""Run the daemon as one group of supervised tasks, and stop it in order.

Stop order: no new readings, the last entry, the head signed, the stations told, the record closed.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from daemon.alerts import policy
from daemon.alerts.alert import alert_id
from daemon.alerts.engine import LAST_INSTANCE
from daemon.alerts.rules.gnss import SOURCE as GNSS
from daemon.alerts.rules.gnss import SUSPECT
from daemon.assets import asset
from daemon.computer import logs, systemd
from daemon.config.advice import advice
from daemon.config.changes import unchanged
from daemon.errors import IspsdError, RecordError
from daemon.fitting import equipment, rulebook
from daemon.fitting.fitted import Fitted
from daemon.fitting.restore import restore
from daemon.model import Classification, Priority
from daemon.record import fold
from daemon.record.entry import Draft
from daemon.record.reader import Query
from daemon.watch import timekeeper
from daemon.watch.episodes import BEGAN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from daemon.alerts.rules.api import Holds, Rule
    from daemon.computer.clock import Clock
    from daemon.config import Config
    from daemon.model import Json, Reading

LATELY = 5
"""Episodes of GNSS interference that may have begun in half an hour: one ends after ten quiet minutes."""
STOP_S = 1.0
"""How long stopping waits for broker and disk each."""
AGAIN_S = 1.0
"""How often a record that was not there at the start is looked for, in seconds."""
MOST_IN_VAIN = 3
"""How often in succession the watch begins anew for a record that it cannot read after all."""
READY_S = 1.0
"""How long the watch waits at most for whoever may ask: it is kept without them, too."""


class Daemon(Fitted):
    """A running ispsd."""

    _left: tuple[Reading, ...] = ()
    """What was seen last by the one that ran before, of devices that are as they were."""
    is_taken_up = False
    """Whether what the record keeps was read at the start."""
    in_vain = 0
    """How many before this one, without a break, could not read it and began anew."""

    def inherit(self, before: Fitted) -> None:
        """Take over what was seen last: a door that was closed is known to have been so."""
        if isinstance(before, Daemon) and not before.is_taken_up:
            self.in_vain = before.in_vain + 1
        same = unchanged(before.config, self.config)
        ids = frozenset(self.points.ids())
        self._left = tuple(
            reading
            for reading in before.points
            if reading.source in same
            and reading.point in ids
            and reading.classification is Classification.WATCH
            and reading.value is not None
        )

    async def run(self) -> None:
        """Run until ``stop`` is set, then stop in order.

        Raises:
            IspsdError: The control socket cannot be made.
        """
        systemd.notify("STATUS=opening the record")
        await self._open_record()
        self.screens.take_up()
        self.watch.become()
        self.watch.show_ship()
        rules = self._rules(self._is_known)
        self._suspicion = rulebook.suspicion(rules)
        resumed_s = self.clock.now_s() if self._gnss_is_loud() else None
        rulebook.recall(rules, self._alarmed, resumed_s=resumed_s)
        self.watch.follow(rules)
        for reading in self._left:
            self.watch.take(reading)
        for test in self.tests.tests.values():
            self._testboard.show(self.tests, test)
        self._write("daemon.started", self._what_runs())
        self._write_what_is_covert()
        self.testbook.write_differences()
        await self.isolation.begin()
        try:
            await self._run_until_stopped()
        except* IspsdError as group:
            raise group.exceptions[0] from None
        finally:
            # A disk that hangs must not keep systemd waiting; its threads do not hold the process.
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await self.record.stop()
            self.isolation.end()
            self._disk_room.close()
            await self.office.close(copy=self.reloading.successor is None)

    def _rules(self, holds: Holds) -> tuple[Rule, ...]:
        return tuple(
            rulebook.rules(
                self.config,
                policy=policy.load(asset("policy.toml")),
                points=tuple(self.points.ids()),
                valid_for_s=self.points.valid_for_s,
                holds=holds,
            )
        )

    def _is_known(self, key: str, source: str) -> bool:
        """Return whether a condition was known before the start: it was told then, or inhibited."""
        return self.engine.holds(key, source) or alert_id(key, source) in self.ship.inhibits

    async def _open_record(self) -> None:
        """Open the record and take up what was open; the watch is kept without it too (invariant 5)."""
        await self.office.open()
        try:
            await self.record.start()
            await restore(
                record=self.record,
                watch=self.watch,
                tests=self.tests,
                window=self.window,
                movements=self.movements,
                register=self.register,
                known=equipment.names(self.config),
                gives=equipment.gives(self._rules(lambda _key, _source: False)),
                equipment={id_: item.covert for id_, item in self._equipment.items()},
                now_s=self.clock.now_s(),
                now_utc=self.clock.utc(),
            )
            await self.commissioning.take_up()
            await self.office.take_up()
            self.station_acts.see_who_left()
            self.episodes.take_up((await self.record.state(fold.EPISODE)).get(GNSS))
            self._alarmed = await self._gnss_alarmed()
            self.is_taken_up = True
        except RecordError as err:
            self.publisher.find_curtain(self.screens.found_down)
            self._log.error("record.not_open", reason=str(err))
            # The numbers that were used cannot be read now; these begin where none was ever used.
            self.engine.last_instance = int(self.clock.utc().timestamp()) % LAST_INSTANCE

    async def _take_up_late(self) -> None:
        """Begin anew as soon as the record that was not there at the start is: what people ordered stands in it.

        What they do meanwhile is written first, so it is the newest there.
        """
        if self.is_taken_up or self.in_vain >= MOST_IN_VAIN:
            return
        while True:
            await self.clock.sleep(AGAIN_S)
            health = self.record.health()
            if not health.writable or health.pending:
                continue
            with suppress(RecordError):
                # One that is written and cannot be read is no help.
                await self.record.state(fold.SHIP)
                if self.reloading.begin_anew():
                    self._log.warning("record.late", reason="it is read now: the watch begins anew")
                    return

    def _gnss_is_loud(self) -> bool:
        """Return whether GNSS SUSPECT stands from before the start, louder than the rule's cap."""
        alert = self.engine.find(SUSPECT, GNSS)
        stands = self.engine.holds(SUSPECT, GNSS)
        return alert is not None and stands and alert.priority is not Priority.CAUTION

    async def _gnss_alarmed(self) -> list[tuple[list[str], float]]:
        """Return for what GNSS SUSPECT sounded lately, and when: it does not sound again too soon."""
        query = Query(type=BEGAN, newest_first=True, limit=LATELY)
        began = [entry.open for entry in await self.record.entries(query)]
        now_s, now_utc = self.clock.now_s(), self.clock.utc()
        return list(self.episodes.alarmed(began, now_s=now_s, now_utc=now_utc))

    async def _run_until_stopped(self) -> None:
        async with asyncio.TaskGroup() as group:
            running = [
                group.create_task(self.control.run()),
                group.create_task(self._tell_systemd()),
            ]
            # A driver that hangs the loop from its first moment must find the watchdog counting, which it does from
            # READY=1 on: a start that takes too long says nothing of which driver it was.
            with suppress(TimeoutError):
                async with asyncio.timeout(READY_S):
                    await self.ready.wait()
            running += [
                group.create_task(work)
                for work in (
                    *(supervisor.run() for supervisor in self.supervisors),
                    self.watch.run(),
                    self.tests.run(),
                    self.movements.run(),
                    self.commissioning.run(),
                    self.episodes.run(),
                    self.alertbook.run(),
                    timekeeper.run(self.clock, self.record),
                    self._watch_window(),
                    self._take_up_late(),
                    self.ourselves.tell_status(),
                    self.bam.run(),
                    self.exporters.run(),
                    *self.office.work(),
                )
            ]
            publishing = group.create_task(self.publisher.run())
            await self.stop.wait()
            with suppress(OSError):  # the stop is in order, whether systemd hears of it or not
                systemd.notify(*self._farewell())
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self.gate.close()  # a test window dies with who opened it; the one that comes has the same gate
            await self._finish(publishing)

    async def _tell_systemd(self) -> None:
        """Say that ispsd is ready when whoever asks it is answered, and then that it makes progress."""
        await self.control.listening.wait()
        systemd.notify("READY=1", "STATUS=keeping the watch")
        self.ready.set()
        await self.ourselves.feed_watchdog(self.watch)

    def _farewell(self) -> tuple[str, ...]:
        """Return what systemd is told at a stop: that it ends, or that it is on again soon (sd_notify(3))."""
        if self.reloading.successor is None:
            return ("STOPPING=1",)
        since_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        return ("RELOADING=1", f"MONOTONIC_USEC={since_us}", "STATUS=taking another file")

    async def _finish(self, publishing: asyncio.Task[None]) -> None:
        """Write the last entry, sign the head, tell the stations; a dead disk or broker cannot hold it up."""
        self.episodes.stop()
        self._write("daemon.stopped", {})
        with suppress(RecordError, TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self.record.drained()
                await self.office.before_seal()
                await self.record.seal()
                if self.publisher.facts().connected:
                    await self.publisher.drained()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self.publisher.stop()
        publishing.cancel()

    def _what_runs(self) -> dict[str, Json]:
        return {
            "software": self.software,
            "ship": {
                "name": self.config.ship.name,
                "call_sign": self.config.ship.call_sign,
                "mmsi": self.config.ship.mmsi,
            },
            "flag": self.flag(),
            "configuration": self.config.sha256,
            # Known from the record alone, once there is one.
            "situation": self.ship.situation.value if self.is_taken_up else None,
            "security_level": int(self.ship.level) if self.is_taken_up else None,
            "simulated": self.config.is_demo,
            "local_devices": self._local(covert=False),
        }

    def _local(self, *, covert: bool) -> dict[str, Json]:
        """Return what is at this very computer, and why: SSAS equipment, or all else."""
        of_ssas = {f"device.{device.id}" for device in self.config.devices if device.spec.covert}
        return {
            place.removeprefix("device."): why
            for place, why in self.config.local.items()
            if (place in of_ssas) is covert
        }

    def _write_what_is_covert(self) -> None:
        """Write for the SSO alone what ``daemon.started`` leaves out (invariant 1)."""
        if local := self._local(covert=True):
            self.record.submit(
                Draft(
                    kind="system",
                    type="devices.local",
                    subject="ssas",
                    classification=Classification.SSO,
                    open={"local_devices": local},
                )
            )

    async def _watch_window(self) -> None:
        """Show when the test window opens and closes; take off the board what it alone may show."""
        while True:
            await self.gate.wait_open()
            self.watch.window_changed()
            await self.gate.wait_closed()
            self.watch.forget(self.covert_points)
            self.watch.window_changed()


async def run(config: Config, *, clock: Clock, path: Path | None = None) -> int:
    """Run the daemon until SIGTERM or SIGINT; on SIGHUP read the file again; return the exit code."""
    for text in advice(config):
        logs.get("config").warning("config.doubtful", reason=text)
    now = Daemon(config, clock=clock)
    loop = asyncio.get_running_loop()
    reading: set[asyncio.Task[None]] = set()

    def became(daemon: Daemon) -> None:
        nonlocal now
        now = daemon

    def hang_up() -> None:
        if path is not None:
            task = loop.create_task(now.reloading.hang_up(path))
            reading.add(task)
            task.add_done_callback(reading.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: _end(now))
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    await keep(now, became=became)
    return 0


def _end(daemon: Daemon) -> None:
    """Stop for good, in the middle of a reload too."""
    daemon.reloading.successor = None
    daemon.stop.set()


async def keep(daemon: Daemon, *, became: Callable[[Daemon], None]) -> None:
    """Run a daemon, and after it the one that another file made in its place, until one stops for good.

    Raises:
        IspsdError: The control socket cannot be made.
    """
    while True:
        await daemon.run()
        successor = daemon.reloading.successor
        if not isinstance(successor, Daemon):
            return
        successor.inherit(daemon)
        became(successor)
        daemon = successor
        # What has stopped holds itself in cycles, with sockets of its broker's connections in them.
        gc.collect()
