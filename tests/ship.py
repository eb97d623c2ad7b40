"""A whole ship for a test: real broker, real devices on loopback and a pty, the real daemon, a hand-moved clock."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import shutil
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema_rs import Draft202012Validator

from daemon import config
from daemon.app import Daemon, keep
from daemon.computer import logs
from daemon.control import control
from daemon.drivers.ssas_listening import SsasPortDriver
from daemon.errors import RefusedError
from daemon.model import LinkState
from daemon.mqtt.connection import Connection
from daemon.mqtt.contract import schema_for
from simulators.io_unit import IoUnit
from simulators.ssas_unit import SsasUnitSimulator
from simulators.vessel import VesselSimulator
from tests import thin
from tests.brokers import address, mosquitto
from tests.clocks import FixedEntropy, ManualClock
from tests.pins import FAST, OFFICERS, PIN, give_pins
from tests.soon import PATIENCE_S, soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from daemon.gate import CovertGate
    from daemon.mqtt.wire import Message
    from tests.brokers import EmbeddedBroker

ALL_SHUT = [2, 3, 4, 6]
HATCH, GEAR_CLOSED, GEAR_OPEN, SEAL_CLOSED, SEAL_OPEN, LAMP = 3, 4, 5, 6, 7, 14
ROOT = "ispsd/9999993/v1/"


@functools.cache
def _validator(topic: str) -> Draft202012Validator:
    return Draft202012Validator(schema_for(topic))


@dataclass(slots=True)
class Everything:
    """What a daemon let out: every byte of MQTT by topic in order, of its log, its record, and to the panel."""

    mqtt: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    log: str = ""
    record: list[str] = field(default_factory=list)
    bam: bytes = b""


class Ship:
    """A running ship."""

    def __init__(self, clock: ManualClock, folder: Path) -> None:
        self.clock = clock
        self.folder = folder
        self.unit = IoUnit()
        self.ssas = SsasUnitSimulator("ssas", {}, clock)
        self.daemon: Daemon
        self.heard: list[Message] = []
        self.newest: dict[str, dict[str, Any]] = {}
        self.faults: list[str] = []
        self._connection: Connection
        self._ids = iter(range(1, 10_000))

    def is_run_by(self, daemon: Daemon) -> None:
        """Take the daemon that another file made."""
        self.daemon = daemon

    async def pass_time(self, seconds: float) -> None:
        """Let time pass from one sleeper's moment to the next; before each, all has come to rest."""
        end_s = self.clock.now_s() + seconds
        while True:
            due_s = self.clock.next_due_s()
            to_s = end_s if due_s is None else min(due_s, end_s)
            await self.clock.advance(max(0.0, to_s - self.clock.now_s()))
            await self.settle()
            if to_s >= end_s:
                return

    async def settle(self) -> None:
        """Return when devices are answered, entries on disk, and the broker and its subscriber up to date.

        Twice, since what arrives may have consequences: an alert that is normal is cleared after it was told.
        """
        for _ in range(2):
            await self.daemon.record.drained()
            await soon(lambda: not self.daemon._sealing)
            async with asyncio.timeout(PATIENCE_S):
                await self.daemon.publisher.drained()
                # A heartbeat comes so long after the one before was acknowledged.
                await soon(self._nothing_in_flight)
                await self._barrier()

    def _nothing_in_flight(self) -> bool:
        session = self.daemon.publisher._session
        return session is None or not session.connection._flights

    async def until(self, condition: Callable[[], Any], *, for_s: float = 60.0) -> Any:
        """Let time pass until it is so; fail when it does not come."""
        end_s = self.clock.now_s() + for_s
        while not (found := condition()):
            assert self.clock.now_s() < end_s, "it did not come"
            await self.pass_time(0.25)
        return found

    async def ask(self, station: str, verb: str, **arguments: Any) -> dict[str, Any]:
        """Send a command as a station does, and return the reply."""
        id_ = f"c{next(self._ids)}"
        if verb == "start_test" and arguments.get("person") in OFFICERS:
            arguments = {"pin": PIN, **arguments}
        body = {"id": id_, "session": self.newest["status"]["session"], **arguments}
        await self._connection.deliver(
            f"{ROOT}cmd/{station}/{verb}", json.dumps(body).encode(), expiry_s=10
        )

        def replied() -> bool:
            said = self.newest.get(f"reply/{station}")
            return said is not None and said["id"] == id_

        await self._stand_still_until(replied)
        reply = self.newest[f"reply/{station}"]
        await self.settle()
        return reply

    async def control(self, request: dict[str, Any], *, pins: bool = True) -> dict[str, Any]:
        """Ask over the control socket, as the SSO does; time stands still meanwhile.

        With ``pins``, who is asked for his PIN gives it, as a person at a terminal would.
        """
        try:
            return await self._control(request)
        except RefusedError as err:
            given = {"pin": PIN} if "pin" in err.wants else {}
            given |= {"pins": [PIN for _ in err.wants["pins"]]} if "pins" in err.wants else {}
            if not pins or not given:
                raise
            return await self._control({**request, **given})

    async def _control(self, request: dict[str, Any]) -> dict[str, Any]:
        asking = asyncio.ensure_future(control.ask(self.folder / "control.sock", request))
        await self._stand_still_until(asking.done)
        await self.settle()
        return await asking

    async def _stand_still_until(self, condition: Callable[[], object]) -> None:
        """Return when it is so; no time passes, and whoever is due now wakes."""
        await soon(condition, turn=functools.partial(self.clock.advance, 0.0))

    async def give_notice(self) -> None:
        """Enter that the flag was told of an SSAS test yesterday."""
        sent = self.clock.utc() - timedelta(days=1)
        await self.control(
            {
                "do": "notice",
                "flag": "singapore",
                "sent": sent.isoformat(),
                "to": "MPA",
                "reference": "mail of yesterday, subject TEST",
                "by": "R. Menon",
            }
        )

    def state(self, name: str) -> dict[str, Any] | None:
        """Return the newest retained message of a topic; None where it is cleared or never was."""
        return self.newest.get(name)

    async def listen(self, connection: Connection) -> None:
        self._connection = connection
        async for message in connection.messages():
            self.heard.append(message)
            name = message.topic.removeprefix(ROOT)
            if not message.payload or message.topic == "barrier":
                self.newest.pop(name, None)
                continue
            self.newest[name] = json.loads(message.payload)
            if message.topic.startswith(ROOT):  # what else is there an exporter tells
                self._judge(message)

    def _judge(self, message: Message) -> None:
        """Hold every message that anybody sends against the contract's schemas."""
        said = self.newest[message.topic.removeprefix(ROOT)]
        wrong = list(_validator(message.topic).iter_errors(said))
        if wrong:
            self.faults.append(f"{message.topic}: {wrong[0].message}")

    async def _barrier(self) -> None:
        """Return when the subscriber has everything that the broker had before."""
        mark = f"{next(self._ids)}".encode()
        await self._connection.deliver("barrier", mark)
        await soon(lambda: any(m.topic == "barrier" and m.payload == mark for m in self.heard))
        self.heard = [m for m in self.heard if m.topic != "barrier"]


def write_config(
    ship: Ship, broker: EmbeddedBroker, *, feeds: dict[str, str], edit: Callable[[str], str]
) -> Path:
    """Write the demo's configuration for this ship, without the feeds that are not there."""
    text = thin.text(
        state=ship.folder,
        mqtt_port=broker.port,
        io1_port=ship.unit.port,
        gps1_port=feeds.get("gps1", "1"),
        ais_port=feeds.get("ais", "1"),
        ssas_path=ship.ssas.endpoint,
    )
    if not feeds:
        before, _, rest = text.partition("[device.gps1]")
        text = before + "[device.ssas]" + rest.partition("[device.ssas]")[2]
        before, _, rest = text.partition('[[test]]\nkind = "ais_own_report"')
        text = before + "[[test]]" + rest.partition("[[test]]")[2]
    path = ship.folder / "ispsd.toml"
    path.write_text(edit(text), "utf-8")
    return path


@asynccontextmanager
async def ashore(
    folder: Path, *, feeds: bool = False
) -> AsyncIterator[tuple[Ship, EmbeddedBroker, dict[str, str]]]:
    """Start broker and devices; the daemon comes with ``afloat``."""
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(mosquitto())
        ship = Ship(clock, folder)
        ends: dict[str, str] = {}
        devices: list[Any] = [ship.unit, ship.ssas]
        if feeds:
            gps = VesselSimulator("gps1", {"sends": ["gnss"]}, clock)
            ais = VesselSimulator("ais", {"sends": ["ais"]}, clock)
            devices += [gps, ais]
        for device in devices:
            await device.start()
            stack.push_async_callback(device.stop)
        if feeds:
            ends = {"gps1": gps.endpoint.rpartition(":")[2], "ais": ais.endpoint.rpartition(":")[2]}
        await ship.unit.do({"do": "inputs", "on": ALL_SHUT})
        yield ship, broker, ends


@asynccontextmanager
async def afloat(
    ship: Ship,
    broker: EmbeddedBroker,
    feeds: dict[str, str],
    *,
    gate: Callable[[ManualClock], CovertGate] | None = None,
    edit: Callable[[str], str] = lambda text: text,
    log: io.StringIO | None = None,
    pins: bool = True,
    answers_at_once: tuple[str, ...] = (),
) -> AsyncIterator[Ship]:
    """Run the daemon until the block ends, then stop it in order.

    Before any time passes, the devices of ``answers_at_once`` are connected: of two runs neither polls later. With
    ``pins``, officers, SSO and Master have set theirs before; ``ask`` and ``control`` give them where wanted.
    """
    if pins and not (credentials := ship.folder / "persons.json").exists():
        give_pins(credentials)
    logs.configure(json=True, utc=ship.clock.utc, stream=log or io.StringIO())
    loaded = config.load(write_config(ship, broker, feeds=feeds, edit=edit))
    ship.heard, ship.newest, ship._ids = [], {}, iter(range(1, 10_000))
    ship.daemon = Daemon(
        loaded,
        clock=ship.clock,
        entropy=FixedEntropy(),  # type: ignore[arg-type]
        gate=gate(ship.clock) if gate is not None else None,
        hardness=FAST,
    )
    # The broker comes after the daemon has come to rest, so that it always finds the same picture to tell.
    await broker.stop()
    running = asyncio.ensure_future(keep(ship.daemon, became=ship.is_run_by))
    await soon(lambda: ship.daemon.publisher.facts().progress > 0 or running.done())
    _must_run(running)
    await ship.daemon.record.drained()
    asked = [each for each in ship.daemon.supervisors if each.device in answers_at_once]
    await soon(lambda: all(each.status.link is LinkState.UP for each in asked) or running.done())
    await broker.start()
    subscriber = Connection(address(broker), client_id="everything", inbox_limit=100_000)
    await subscriber.connect()
    await subscriber.subscribe("#")
    listening = asyncio.ensure_future(ship.listen(subscriber))
    try:
        while ship.daemon.publisher.facts().session is None:
            _must_run(running)
            due_s = ship.clock.next_due_s()
            await ship.clock.advance(0.0 if due_s is None else due_s - ship.clock.now_s())
            await ship.daemon.record.drained()
        await ship.settle()
        yield ship
    finally:
        ship.daemon.stop.set()
        async with asyncio.timeout(PATIENCE_S):
            await running
            await ship._barrier()
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await subscriber.disconnect()
        assert ship.faults == [], ship.faults[:3]


def _must_run(running: asyncio.Future[Any]) -> None:
    """Fail with what ended it where the daemon has ended."""
    if running.done():
        running.result()
        raise AssertionError("the daemon ended before it was afloat")


@asynccontextmanager
async def sailing(folder: Path, *, feeds: bool = False, **how: Any) -> AsyncIterator[Ship]:
    """Run a whole ship for the length of a block."""
    async with (
        ashore(folder, feeds=feeds) as (ship, broker, ends),
        afloat(ship, broker, ends, **how),
    ):
        yield ship


@contextmanager
def ssas_ports_opened() -> Iterator[set[str]]:
    """Notice which SSAS units' ports are opened: that is done in threads, which no clock of ours waits for."""
    let_settle, opened = SsasPortDriver._let_settle, set[str]()

    async def noticed(driver: SsasPortDriver, source: Any) -> None:
        opened.add(driver._context.device)
        await let_settle(driver, source)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SsasPortDriver, "_let_settle", noticed)
        yield opened


def fresh(folder: Path) -> None:
    """Forget the record, keep the key."""
    for name in ("record", "record.heads"):  # heads that are kept would tell of the record before
        shutil.rmtree(folder / name, ignore_errors=True)
