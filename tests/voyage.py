"""The sample ship under way: her own file, stand-ins for all devices, the real daemon, record and broker, no real time.

She is derived as ``ispsd simulate`` derives her. A scenario is played; what came of it is told from the record:
every alert with the times at which it was raised and ended, every other entry by its type.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
import tomllib
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest.mock import patch

from jsonschema_rs import Draft202012Validator

from daemon import config
from daemon.app import Daemon
from daemon.assets import asset
from daemon.bam.settings import BamSection
from daemon.computer import logs
from daemon.control import control
from daemon.drivers.modbus_line import TcpLine
from daemon.fitting import equipment
from daemon.model import LinkState, Situation, Sounder
from daemon.mqtt import topics
from daemon.mqtt.connection import Connection
from daemon.mqtt.contract import schema_for
from daemon.simulate import lines, toml
from daemon.simulate.derive import derived
from daemon.simulate.scenario import Scenario, load
from daemon.simulate.standins import planned, with_names
from simulators.outlets import SerialOutlet
from simulators.plan import spec_of
from tests.brokers import address, mosquitto
from tests.clocks import FixedEntropy
from tests.pins import FAST, give_pins, with_pins
from tests.soon import PATIENCE_S, soon
from tests.strides import StridingClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from daemon.mqtt.wire import Message
    from daemon.record.entry import Entry
    from daemon.simulate.expected import ExpectedAlert
    from daemon.simulate.standins import Command, Plan
    from daemon.supervision.supervise import Supervisor
    from tests.brokers import EmbeddedBroker

    Answered: TypeAlias = tuple[Callable[[], Awaitable[None]] | None, str]

ROOT = "ispsd/9999993/v1/"
SAMPLE = "ispsd.toml"
STORIES = Path(__file__).parents[1] / "simulators" / "scenarios"
"""Those in it can be played by ``python -m simulators`` too; those of the sample ship lie in her folder."""
BEGINS_UTC = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)
"""1010 ship's time of the sample ship."""
HEAD_START_S = 10.0
"""How long before a scenario begins the daemon is started, and everybody is there."""
LONG_UP_S = 10_000.0
"""Long after the computer's boot: nothing settles any more."""
FINE_S = 0.1
"""Strides for a while after each step of a scenario."""
FINE_FOR_S = 4.0
COARSE_S = 2.0
"""Strides otherwise, but for the moments at which an alert is due."""
ALIVE_S = 10.0
"""How often a station proves that it is alive."""
PERSON_S = 1.0
"""A person needs that much before an answer is given."""
SLOW_ALIVE_S = 4.0
"""Where strides are longer than that: before each, but for the shortest."""
AWAKE = {"shown": True, "fresh": True, "sound_armed": True, "touched_s": 0.0}
CREW = {"bridge": "M. Petrov", "gangway": "L. Tupou", "office": "J. Santos"}
"""In every situation one of these is attended."""
USUAL_ALERTS = frozenset({"SIMULATED DATA"})
"""What stands in every simulated watch."""
USUAL_ENTRIES = frozenset(
    {
        "segment.opened",
        "crew.listed",
        "daemon.started",
        "daemon.stopped",
        "watch.taken",
        "station.heard",
        "alert.changed",
        "tests.planned",
        "tests.altered",
        "test.result",
    }
)
"""What is written in every watch: its start, who has it and hears its sound, the tests in the plan, what the ship's
file has otherwise than the catalogue, and tests that run by themselves.

``alert.changed`` is told as alerts."""


@dataclass(slots=True)
class SeenAlert:
    """One alert as the record has it; times in seconds after the scenario's start."""

    title: str
    name: str
    priority: str
    raised_s: float
    ended_s: float | None = None
    then: list[str] = field(default_factory=list)
    detail: str = ""

    def __str__(self) -> str:
        ended = "stands" if self.ended_s is None else f"ended {self.ended_s:.2f}"
        then = "".join(f" then {each}" for each in self.then)
        words = f"{self.priority}{then} {self.title} {self.name}"
        return f"{words} raised {self.raised_s:.2f} {ended}: {self.detail}"

    def is_as(self, expected: ExpectedAlert) -> bool:
        """Return whether this is the alert that was expected."""
        low_s, high_s = expected.raised_s
        same = (self.title, self.name, self.priority, self.then) == (
            expected.title,
            expected.name,
            expected.priority.value,
            [each.value for each in expected.then],
        )
        if not same or not low_s <= self.raised_s <= high_s or expected.detail not in self.detail:
            return False
        if expected.ended_s is None or self.ended_s is None:
            return expected.ended_s is None and self.ended_s is None
        return expected.ended_s[0] <= self.ended_s <= expected.ended_s[1]


class Voyage:
    """A running ship."""

    def __init__(self, clock: StridingClock, folder: Path, plan: Plan, scenario: Scenario) -> None:
        self.clock = clock
        self.folder = folder
        self.plan = plan
        self.scenario = scenario
        self.crew: dict[str, str] = dict(CREW)
        self.devices: dict[str, Any] = {}
        self.broker: EmbeddedBroker
        self.daemon: Daemon
        self.entries: list[Entry] = []
        self.heard: list[Message] = []
        self.newest: dict[str, dict[str, Any]] = {}
        self.faults: list[str] = []
        self.log = io.StringIO()
        self.began_s = clock.now_s() + HEAD_START_S
        self.coarse_s = COARSE_S
        self.keeps_messages = True
        self.on_message: Callable[[str, Any], None] = lambda _name, _body: None
        """Told of everything that the subscriber hears: topic below the ship's, and body; None where it is cleared."""
        self.awaits_disk = True
        """Whether time waits for entries: not while their disk is full."""
        self._alive_s = float("-inf")
        self.topics: tuple[str, ...] = ("#",)
        self._connection: Connection
        self._listening: asyncio.Future[None]
        self._waited: dict[str, str] = {}
        self._ids = 0

    # Time

    @property
    def at_s(self) -> float:
        """Return how long the scenario has been going."""
        return self.clock.now_s() - self.began_s

    async def sail(self, seconds: float, *, grain_s: float | None = None) -> None:
        """Let time pass."""
        end_s = self.clock.now_s() + seconds
        while self.clock.now_s() < end_s:
            await self._stations_say_that_they_live()
            due_s = self.daemon.engine.next_due_s()
            # Alerts come when they are due, however long a stride would be.
            until_s = end_s
            if due_s is not None:
                until_s = min(end_s, max(due_s, self.clock.now_s() + FINE_S))
            await self.clock.stride(until_s, grain_s=grain_s or self.coarse_s)
            await self._on_disk()
            await self._verified()
        await self.settle()

    async def _verified(self) -> None:
        """Give the verifier, a program of its own, the real time that it needs."""
        tests = [t for t in self.daemon.tests.tests.values() if t.spec.kind == "record_verify"]
        async with asyncio.timeout(PATIENCE_S):
            while any(test.session is not None for test in tests):  # noqa: ASYNC110 (no event to wait for)
                await asyncio.sleep(0.01)

    async def play(self) -> None:
        """Let the scenario happen, to its end."""
        for step in self.scenario.steps:
            await self._until(step.at_s)
            for command in step.commands:
                await self.tell(command)
            if step.request is not None:
                await self.ask(step.request)
            if step.clock_by_s:
                self.clock.step_utc(step.clock_by_s)
        await self._until(self.scenario.lasts_s)

    async def until(self, condition: Callable[[], Any], *, for_s: float = 60.0) -> Any:
        """Let time pass in fine strides until it is so; fail when it does not come."""
        end_s = self.clock.now_s() + for_s
        while not (found := condition()):
            assert self.clock.now_s() < end_s, f"it did not come: {self._how_it_stands()}"
            await self.sail(FINE_S, grain_s=FINE_S)
        return found

    def _how_it_stands(self) -> str:
        """Return what a busy computer may have undone: the broker's connection, a device, a test that was led."""
        lost = [
            each.status for each in self.daemon.supervisors if each.status.link is not LinkState.UP
        ]
        led = {name: said for name, said in self.newest.items() if name.startswith("test/")}
        return f"broker {self.daemon.publisher.facts().connected}, not heard {lost}, tests {led}"

    async def settle(self) -> None:
        """Return when entries are on disk and the broker and its subscriber are up to date.

        Twice, since what arrives may have consequences: an alert that is normal is cleared after it was told.
        """
        for _ in range(2):
            await self._on_disk()
            await self.clock.rest()
            if not self.daemon.publisher.facts().connected:
                return
            async with asyncio.timeout(PATIENCE_S):
                await self.daemon.publisher.drained()
                await self.barrier()

    # What happens

    async def move(self, verb: str, door: str) -> None:
        """Open, close or cut a door, seal, lock or detector."""
        for command in lines.moves(verb, door, self.plan):
            await self.tell(command)

    async def type(self, line: str) -> None:
        """Do what would be typed while ``ispsd simulate`` runs."""
        for command in lines.commands(line, self.plan):
            await self.tell(command)

    async def tell(self, command: Command) -> None:
        """Tell a stand-in."""
        unit, said = command
        await self.devices[unit].do(said)

    async def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Ask over the control socket; time stands still meanwhile."""
        return await control.ask(self.folder / "control.sock", with_pins(request))

    async def order(self, verb: str, by: str, **said: Any) -> dict[str, Any]:
        """Give an order about the ship, over the control socket."""
        return await self.ask({"do": "order", "verb": verb, "said": said, "by": by})

    async def station(self, station: str, verb: str, **arguments: Any) -> dict[str, Any]:
        """Send a command as a station does, and return the reply; time stands still meanwhile."""
        await self._replied()
        return await self._reply(station, await self._command(station, verb, arguments))

    async def take_watch(self, station: str, person: str) -> None:
        """Somebody takes the watch at a station and stays there."""
        self.crew[station] = person
        self._alive_s = float("-inf")
        reply = await self.station(station, "take_watch", person=person)
        assert reply["accepted"], reply
        await self._stations_say_that_they_live()

    async def lead(
        self,
        test: str,
        person: str,
        *answers: Answered,
        item: str | None = None,
        pin: str | None = None,
    ) -> dict[str, Any]:
        """Have a person led through a test from the gangway; return what the record says of it.

        Each answer is what the person does when the step is shown, if anything, and the words that are given then.
        """
        more = {k: v for k, v in (("item", item), ("pin", pin)) if v is not None}
        before = len(self.of_type("test.result"))
        reply = await self.station("gangway", "start_test", person=person, test=test, **more)
        assert reply["accepted"], reply
        for step, (act, text) in enumerate(answers, start=1):
            await self.until(lambda step=step: self._is_at(test, step))
            await self.sail(PERSON_S, grain_s=FINE_S)
            words = {"text": text} if text else {}
            said = await self.station(
                "gangway", "answer", person=person, test=test, step=step, **words
            )
            assert said["accepted"], said
            if act is not None:
                await act()
        await self.until(lambda: self._result(test, before))
        return self._result(test, before)

    def _is_at(self, test: str, step: int) -> bool:
        shown = self.newest.get(f"test/{test}", {})
        return (shown.get("step"), shown.get("state")) == (step, "waiting")

    def _result(self, test: str, after: int) -> Any:
        results = [e.open for e in self.of_type("test.result")[after:] if e.open["test"] == test]
        return next((said for said in results if said["mode"] != "automatic"), None)

    # What came of it

    def alerts(self) -> list[SeenAlert]:
        """Return every alert since the daemon's start, as the record has them."""
        open_now: dict[tuple[str, str], SeenAlert] = {}
        seen: list[SeenAlert] = []
        for entry in self.entries:
            if entry.type != "alert.changed" or entry.open["title"] in USUAL_ALERTS:
                continue
            said: Any = entry.open
            key, at_s = (said["id"], said["instance"]), self._at_s(entry)
            is_raised = said["event"] == "condition_true" or (
                key not in open_now and said["event"] == "reprioritise"
            )
            if is_raised:
                alert = SeenAlert(
                    said["title"], said["name"], said["priority"], at_s, detail=said["detail"]
                )
                open_now[key] = alert
                seen.append(alert)
            elif said["event"] in {"reprioritise", "promote"}:
                open_now[key].then.append(said["priority"])
            elif said["event"] == "condition_false":
                open_now.pop(key).ended_s = at_s
            elif (
                said["event"] == "mute" and key in open_now
            ):  # of a rectified one that has been said
                open_now.pop(key).ended_s = at_s
        return seen

    def entry_types(self) -> dict[str, int]:
        """Return how many entries of each type there are, beside the usual ones."""
        types = Counter(entry.type for entry in self.entries)
        return {type_: count for type_, count in types.items() if type_ not in USUAL_ENTRIES}

    def of_type(self, type_: str) -> list[Entry]:
        """Return the entries of one type, oldest first."""
        return [entry for entry in self.entries if entry.type == type_]

    def judge(self) -> None:
        """Hold what came against what the scenario expects: exactly that, and nothing else."""
        left = self.alerts()
        missing = []
        for expected in self.scenario.alerts:
            found = next((alert for alert in left if alert.is_as(expected)), None)
            if found is None:
                missing.append(str(expected))
            else:
                left.remove(found)
        said = [str(alert) for alert in left]
        assert (missing, said) == ([], []), f"not as expected: {missing}; not expected: {said}"
        assert "alert/data.simulated.ispsd" in self.newest, "it is not said that all is simulated"
        for device in self.scenario.devices:
            differs = device.differs(self.newest[f"driver/{device.device}"])
            assert differs is None, differs
        types = self.entry_types()
        assert types == dict(self.scenario.entries), f"entries: {types}"
        gives = equipment.gives(self.daemon.watch._judging.rules)
        told = {(e.open["key"], e.open["source"]) for e in self.of_type("alert.changed")}
        undeclared = [each for each in told if not gives(*each)]
        assert undeclared == [], "a rule speaks of what it does not declare"

    def _at_s(self, entry: Entry) -> float:
        return round(entry.stamp.up_ms / 1000 - self.began_s, 2)

    # Inside

    async def _until(self, at_s: float) -> None:
        """Sail to a time of the scenario: finely after the last step, then in longer strides."""
        fine_s = min(FINE_FOR_S, max(0.0, at_s - self.at_s))
        if fine_s:
            await self.sail(fine_s, grain_s=FINE_S)
        if (rest_s := at_s - self.at_s) > 0:
            await self.sail(rest_s)

    async def _on_disk(self) -> None:
        if self.awaits_disk and self.daemon.record.health().oldest_pending_s is not None:
            await self.daemon.record.drained()

    async def _stations_say_that_they_live(self) -> None:
        now_s = self.clock.now_s()
        if (
            now_s - self._alive_s < (SLOW_ALIVE_S if self._is_slow else ALIVE_S)
            or not self.daemon.publisher.facts().connected
        ):
            return
        self._alive_s = now_s
        await self._replied()
        for station in list(self.crew):
            self._waited[station] = await self._command(station, "alive", AWAKE)
        if self._is_slow:
            await self._replied()  # before time goes on by more than proofs of life may be late

    @property
    def _is_slow(self) -> bool:
        return self.coarse_s >= ALIVE_S

    async def _replied(self) -> None:
        """Return when every station has its reply: the last proofs had all the time since."""
        for station, id_ in self._waited.items():
            await self._reply(station, id_)
        self._waited.clear()

    async def _reply(self, station: str, id_: str) -> dict[str, Any]:
        await soon(lambda: self.newest.get(f"reply/{station}", {}).get("id") == id_)
        return self.newest[f"reply/{station}"]

    async def _command(self, station: str, verb: str, arguments: Mapping[str, Any]) -> str:
        self._ids += 1
        id_ = f"v{self._ids}"
        session = self.daemon.publisher.facts().session
        body = json.dumps({"id": id_, "session": session, **arguments}).encode()
        await self._connection.deliver(f"{ROOT}cmd/{station}/{verb}", body, expiry_s=10)
        return id_

    async def hear(self) -> None:
        """Subscribe, as a station does."""
        self._connection = Connection(
            address(self.broker), client_id="everything", inbox_limit=100_000
        )
        await self._connection.connect()
        for topic in self.topics:
            await self._connection.subscribe(topic)
        self._listening = asyncio.ensure_future(self._listen())

    async def hear_no_more(self) -> None:
        """Leave the broker."""
        self._listening.cancel()
        with suppress(asyncio.CancelledError):
            await self._listening
        await self._connection.disconnect()

    async def lose_broker(self) -> None:
        """Stop the broker, as when its computer fails; return when the daemon has noticed."""
        await self._replied()
        await self.hear_no_more()
        await self.broker.stop()
        await soon(lambda: not self.daemon.publisher.facts().connected)

    async def regain_broker(self) -> None:
        """Start the broker again; return when the daemon has told it everything."""
        await self.broker.start()
        await self.hear()
        await self.until(lambda: self.daemon.publisher.facts().connected)

    async def _listen(self) -> None:
        async for message in self._connection.messages():
            if self.keeps_messages or message.topic == "barrier":
                self.heard.append(message)
            name = message.topic.removeprefix(ROOT)
            if not message.payload or message.topic == "barrier":
                self.newest.pop(name, None)
                if message.topic != "barrier":
                    self.on_message(name, None)
                continue
            self.newest[name] = json.loads(message.payload)
            self.on_message(name, self.newest[name])
            for wrong in _validator(message.topic).iter_errors(self.newest[name]):
                self.faults.append(f"{message.topic}: {wrong.message}")

    async def barrier(self) -> None:
        """Return when the subscriber has everything that the broker had before."""
        self._ids += 1
        mark = f"{self._ids}".encode()
        await self._connection.deliver("barrier", mark)
        await soon(lambda: any(m.topic == "barrier" and m.payload == mark for m in self.heard))
        self.heard = [m for m in self.heard if m.topic != "barrier"]


def _validator(topic: str) -> Draft202012Validator:
    name = topics.parse(topic)
    assert name is not None, f"{topic} is not in the contract"
    return _validator_of(f"{name.kind}/{name.verb}", topic)


_VALIDATORS: dict[str, Draft202012Validator] = {}


def _validator_of(kind: str, topic: str) -> Draft202012Validator:
    if kind not in _VALIDATORS:
        _VALIDATORS[kind] = Draft202012Validator(schema_for(topic))
    return _VALIDATORS[kind]


def _simulator(kind: str, id_: str, settings: Mapping[str, Any], clock: StridingClock) -> Any:
    """Return a stand-in on our clock, whether its maker takes one or not."""
    build: Any = spec_of(kind).build
    if isinstance(build, type):
        return build(id_, settings, clock)
    made = build(id_, settings)
    made._clock = clock
    return made


def _by_broker(clock: StridingClock, ask: Callable[..., Awaitable[Any]]) -> Any:
    """Have the clock know when something is asked of the broker."""

    async def asked(**how: Any) -> Any:
        clock.asks_broker = True
        try:
            return await ask(**how)
        finally:
            clock.asks_broker = False

    return asked


def _hoping(clock: StridingClock) -> AbstractContextManager[object]:
    """Have the clock know of each question that a Modbus unit is asked over TCP, whose time-out is not this clock's."""
    ask = TcpLine.ask

    async def asked(line: TcpLine, question: Any, *, timeout_s: float) -> Any:
        with clock.hoping(timeout_s):
            return await ask(line, question, timeout_s=timeout_s)

    return patch.object(TcpLine, "ask", asked)


def _heard_by(supervisor: Supervisor, outlet: SerialOutlet) -> Callable[[], bool]:
    """Return what tells whether the daemon has taken everything that was said on a serial line."""
    owed = 0

    def taken() -> int:
        return supervisor.health.good + sum(supervisor.health.dropped.values())

    def send(lines: Iterable[bytes], say: Any = outlet.send) -> None:
        nonlocal owed
        said = list(lines)
        say(said)
        owed = taken() + len(said) if supervisor.status.link is LinkState.UP else 0

    outlet.send = send  # type: ignore[method-assign]
    return lambda: taken() >= owed


def _udp_ports() -> Iterator[int]:
    """Yield UDP ports that nobody is given by chance: a device's port is bound some time after it was chosen."""
    for port in range(20_000 + os.getpid() * 16 % 12_000, 32_768):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


CCTV = frozenset({"rtsp_camera", "onvif_recorder"})


def _without_cameras(tree: dict[str, Any]) -> None:
    """Leave the cameras ashore: a process that takes real time decodes each picture, once a minute of any watch."""
    cameras = [name for name, each in tree["device"].items() if each["kind"] in CCTV]
    for name in cameras:
        del tree["device"][name]
    tests = tree.get("test", [])
    tree["test"] = [each for each in tests if not each.get("use", "").startswith("t-cctv")]


@asynccontextmanager
async def sailing(
    folder: Path,
    scenario: Path | None = None,
    *,
    change: Callable[[dict[str, Any]], object] = lambda _: None,
    up_s: float = LONG_UP_S,
    awaits_all: bool = True,
    topics: tuple[str, ...] = ("#",),
    pins: bool = False,
) -> AsyncIterator[Voyage]:
    """Run the sample ship for the length of a block.

    Args:
        pins: Whether officers, SSO and Master have set their PINs before; ``ask`` gives them to open a window.
        change: Changes her file as it was read, before she is derived.
        up_s: How long the computer has been up.
        awaits_all: Begin when every device is heard and the stations are manned.
        topics: What the subscriber hears.
    """
    if pins:
        give_pins(folder / "persons.json")
    own = folder / "own.toml"
    tree = tomllib.loads(asset(SAMPLE).read_text("utf-8"))
    _without_cameras(tree)
    change(tree)
    own.write_text(toml.written(tree), "utf-8")
    ship = config.load(own)
    played = Scenario() if scenario is None else load(scenario, planned(ship))
    if "situation" in played.watch:
        ship = replace(ship, situation=Situation(played.watch["situation"]))
    if played.bam is not None:
        ship = replace(ship, bam=BamSection.model_validate(played.bam))
        tree["bam"] = dict(played.bam)
    plan = planned(ship)
    utc = (played.utc or BEGINS_UTC) - timedelta(seconds=HEAD_START_S)
    clock = StridingClock(utc=utc, now_s=up_s)
    voyage = Voyage(clock, folder, plan, played)
    loop = asyncio.get_running_loop()
    loop.set_default_executor(clock.threads)
    with_names(plan, folder)
    ports = _udp_ports()
    async with AsyncExitStack() as stack:
        stack.callback(clock.close)
        voyage.broker = await stack.enter_async_context(mosquitto())
        for unit in plan.units:
            if "to" in unit:
                unit["to"] = f"127.0.0.1:{next(ports)}"
            settings = {key: value for key, value in unit.items() if key not in {"id", "kind"}}
            device = _simulator(unit["kind"], unit["id"], settings, clock)
            await device.start()
            stack.push_async_callback(device.stop)
            voyage.devices[unit["id"]] = device
        for command in plan.first:
            await voyage.tell(command)
        tree["watch"] |= played.watch
        tree["ais"] = {**tree.get("ais", {}), **played.ais}
        endpoints = {id_: device.endpoint for id_, device in voyage.devices.items()}
        tree["watch"].setdefault("settle_after_boot_s", 60)  # her clock says when she was booted
        made = derived(tree, plan, endpoints, state=folder, mqtt_port=voyage.broker.port)
        (folder / "derived.toml").write_text(toml.written(made), "utf-8")
        stack.enter_context(_hoping(clock))
        async with _afloat(voyage, topics=topics, awaits_all=awaits_all):
            yield voyage


@asynccontextmanager
async def _afloat(
    voyage: Voyage, *, topics: tuple[str, ...], awaits_all: bool
) -> AsyncIterator[None]:
    """Run the daemon until the block ends, then stop it in order."""
    clock = voyage.clock
    logs.configure(json=True, utc=clock.utc, stream=voyage.log)
    loaded = config.load(voyage.folder / "derived.toml")
    voyage.daemon = daemon = Daemon(
        loaded,
        clock=clock,
        entropy=FixedEntropy(),
        hardness=FAST,  # type: ignore[arg-type]
    )
    clock.patient = {
        daemon.watch._woken,
        daemon.record._scribe._work,
        daemon.publisher._stop,
    }
    daemon.publisher.round_trip_s = _by_broker(clock, daemon.publisher.round_trip_s)  # type: ignore[method-assign]
    daemon.record.on_commit(voyage.entries.append)
    for supervisor in daemon.supervisors:
        voice = getattr(voyage.devices.get(supervisor.device), "_voice", None)
        if voice is not None and isinstance(voice.outlet, SerialOutlet):
            clock.owed.append(_heard_by(supervisor, voice.outlet))
    voyage.topics = topics
    await voyage.hear()
    running = asyncio.ensure_future(daemon.run())
    try:
        await soon(lambda: daemon.publisher.facts().connected or running.done())
        if awaits_all:
            await _everybody_is_there(voyage)
        yield
        await voyage.settle()
    finally:
        daemon.stop.set()
        async with asyncio.timeout(PATIENCE_S):
            await running
            await voyage.barrier()
        await voyage.hear_no_more()
    assert voyage.faults == [], voyage.faults[:5]


async def _everybody_is_there(voyage: Voyage) -> None:
    """Return when every device is heard and people have the watch."""
    supervisors = [each for each in voyage.daemon.supervisors if not each.spec.covert]
    for station, person in CREW.items():
        if voyage.daemon.watch.stations.at(station).sounder is Sounder.PAGE:
            await voyage.station(station, "test_sound", person=person)
            await voyage.station(station, "heard", person=person)
        await voyage.take_watch(station, person)
    await voyage.sail(voyage.began_s - voyage.clock.now_s(), grain_s=FINE_S)
    unheard = [each.status for each in supervisors if each.status.link is not LinkState.UP]
    assert unheard == [], f"not heard: {unheard}"
