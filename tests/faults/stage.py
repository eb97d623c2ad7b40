"""A ship with her devices, a broker, a daemon and a page that stands by; an officer who opens and acknowledges."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import apsw

from daemon import control
from daemon.errors import IspsdError
from daemon.mqtt.access import password_line
from daemon.mqtt.embedded import DEMO_USERS, embedded_broker, mosquitto_program
from daemon.mqtt.wire import Broker
from daemon.simulate import processes
from tests import thin
from tests.brokers import address
from tests.faults.capture import Capture, Look, Resources, Round, Truth
from tests.faults.injection import Knobs, small_disk
from tests.faults.network import RemoteBroker, network
from tests.faults.subscriber import Subscriber, now_s
from tests.needed import needs
from tests.pins import give_pins
from tests.processes.berth import GEN_ROOM, HATCH
from tests.processes.rig import verified

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable

    from daemon.mqtt.embedded import EmbeddedBroker
    from daemon.simulate.processes import Simulators
    from tests.faults.fault import Fault, Setting, Way
    from tests.faults.network import Network

LAUNCH = """\
import json, os, sys
os.execve(sys.executable, [sys.executable, *sys.argv[2:]], {**os.environ, **json.loads(sys.argv[1])})
"""
MORE_DEVICES = """
[device.io2]
kind = "modbus_tcp"
host = "127.0.0.1"
port = {io2_port}
profile = "moxa-iologik-e1210"
poll_s = 0.1

[device.compass]
kind = "nmea"
feed = "heading"
link = {{ kind = "serial", port = "{compass}" }}

[[door]]
id = "d05"
name = "PAINT LOCKER"
place = "forecastle"
class = "V"
device = "io2"
inputs = [1]
wiring = "no"
"""
START_S = 45.0
STOP_S = 15.0
PATIENCE_S = 8.0
"""How long an officer waits for what must come in a second."""
MORE_PATIENCE_S = 30.0
"""How much longer than promised normality is waited for, so that the report can say how late it was."""
ALIVE_S = 5.0
LOOK_S = 1.0
BETWEEN_ROUNDS_S = 28.0
"""A door that goes three times in a minute is an alert of its own, and there are two."""
DOORS = {
    "d12": ("door.escape.open.d12", HATCH, False),
    "d14": ("door.vital.open.d14", GEN_ROOM, True),
}
"""By point: its alert, its input, and how that stands while it is open."""
PASSING = ("alert/", "event", "heartbeat", "reply/", "selftest/", "status")
"""What is told and not held, or stands for itself."""
CREW = {"bridge": "J. Santos", "gangway": "L. Tupou", "office": "A. Lindqvist", "sso": "R. Menon"}
MOST_ACTS = 200
BETWEEN_ACTS_S = 0.05
GANGWAY = {"station": "gangway", "person": "L. Tupou"}


class Stage:
    """One ship, from quiet to quiet."""

    def __init__(
        self, folder: Path, broker: EmbeddedBroker | RemoteBroker, devices: Simulators, knobs: Knobs
    ) -> None:
        self.folder, self.broker, self.devices, self.knobs = folder, broker, devices, knobs
        self.state = folder / "state"
        self.config = folder / "ispsd.toml"
        self.socket = self.state / "control.sock"
        self.log = folder / "daemon.log"
        self.password_file = folder / "password-of-daemon"
        self.has_small_disk = False
        self.spoiler: Process | None = None
        self.network: Network | None = None
        self.capture = Capture()
        self.page = Subscriber(self.capture, self._listener, self._speaker)
        self.process: Process | None = None
        self.sabotage = ""
        """Python that the daemon runs before it begins: for a daemon that is broken on purpose."""
        self._life = AsyncExitStack()
        self._turn = 0
        self._usual: dict[str, Any] = {}
        self._died_s: float | None = None

    # The daemon's lives.

    async def start(self) -> None:
        """Run the daemon."""
        words = ["-m", "daemon", "run", "--config", str(self.config)]
        if self.sabotage:
            code = f"import sys\n{self.sabotage}\nfrom daemon.cli import main\nsys.exit(main(sys.argv[1:]))"
            words = ["-c", code, *words[2:]]
        environment = json.dumps(self.knobs.environment())
        self.process = await self._life.enter_async_context(
            processes.child("-c", LAUNCH, environment, *words, log=self.log)
        )
        if self._died_s is not None:
            self.capture.dead.append((self._died_s, now_s()))
            self._died_s = None

    async def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self._died_s = now_s()
        self.process.kill()
        await self.process.wait()
        await self._life.aclose()

    async def stop(self) -> None:
        """End it in good order."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self.process.wait()
        await self._life.aclose()

    # The fault.

    def begins(self) -> None:
        self.capture.begins_s = now_s()

    def ends(self) -> None:
        self.capture.ends_s = now_s()

    def note(self, words: str) -> None:
        """Put something into the report."""
        self.capture.notes.append(words)

    # What people do.

    async def move(self, point: str, *, is_open: bool) -> float:
        """Open or shut a door; return when it began to move."""
        _, number, on = DOORS[point]
        began_s = now_s()
        await self.devices.do("io1", "set", input=number, on=on if is_open else not on)
        state = "open" if is_open else "closed"
        self.capture.truth.append(Truth(point, state, began_s, now_s()))
        return began_s

    async def round(self, way: Way, when: str) -> Round:
        """Open a door, acknowledge its alert, shut it; everything is noted, nothing is judged."""
        self._turn += 1
        point = sorted(DOORS)[self._turn % 2]
        alert = DOORS[point][0]
        done = Round(alert, way, now_s(), when)
        self.capture.rounds.append(done)
        done.opened_s = await self.move(point, is_open=True)
        if await self._until(way, alert, lambda state: state in "VU"):
            done.told_s = done.asked_s = now_s()
            await self._acknowledge(way, alert, done)
            if done.accepted and await self._until(way, alert, lambda state: state == "A"):
                done.quiet_s = now_s()
        done.shut_s = await self.move(point, is_open=False)
        if done.told_s and await self._until(way, alert, lambda state: state == "N"):
            done.gone_s = now_s()
        return done

    async def rounds(self, lasts_s: float, way: Way = "page") -> None:
        """Go round for so long; once at least."""
        ends_s = now_s() + lasts_s
        while True:
            begun_s = now_s()
            await self.round(way, "during")
            if (next_s := begun_s + BETWEEN_ROUNDS_S) > ends_s - PATIENCE_S:
                break
            await asyncio.sleep(max(0.0, next_s - now_s()))
        await asyncio.sleep(max(0.0, ends_s - now_s()))

    async def _acknowledge(self, way: Way, alert: str, done: Round) -> None:
        if way == "page":
            body = self.page.newest.get(f"alert/{alert}", {})
            asked = {"alert": alert, "person": GANGWAY["person"]}
            asked |= {key: body.get(key) for key in ("instance", "priority")}
            said = await self.page.say("gangway", "ack", **asked)
        else:
            said = await self.ask(
                {"do": "ack", "alert": alert, "station": "gangway", "by": GANGWAY["person"]}
            )
            if said is not None and said.get("recorded") is not None:
                self.capture.confirmed.append((said["recorded"], f"acknowledgement of {alert}"))
        done.answered_s = now_s()
        done.accepted = said is not None and said.get("accepted", True)
        done.recorded = None if said is None else said.get("recorded")

    async def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Ask the control socket; None where it does not answer, or refuses."""
        with suppress(IspsdError, OSError, ValueError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                return await control.ask(self.socket, request)
        return None

    async def _until(self, way: Way, alert: str, holds: Callable[[str], bool]) -> bool:
        """Return whether an alert's state came in time; ``N`` where there is none."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                if way == "page":
                    await self._until_page(lambda: holds(self._state(alert)))
                    return True
                while not holds(await self._state_here(alert)):  # noqa: ASYNC110 (another process is asked)
                    await asyncio.sleep(0.1)
                return True
        return False

    async def _until_page(self, holds: Callable[[], Any]) -> None:
        while not holds():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.page.news(), 1.0)

    def _state(self, alert: str) -> str:
        return str(self.page.newest.get(f"alert/{alert}", {"state": "N"})["state"])

    async def _state_here(self, alert: str) -> str:
        said = await self.ask({"do": "status"})
        if said is None:
            return "?"
        return next((each["state"] for each in said["alerts"] if each["id"] == alert), "N")

    async def blind(self) -> None:
        """Unplug the unit that the doors are wired to."""
        began_s = now_s()
        await self.devices.do("io1", "unplug")
        self.capture.truth += [Truth(point, None, began_s, now_s()) for point in DOORS]

    async def seeing(self) -> None:
        """Plug it in again, its doors as they were: shut."""
        began_s = now_s()
        await self.devices.do("io1", "plug")
        self.capture.truth += [Truth(point, "closed", began_s, now_s()) for point in DOORS]

    def blind_to(self, point: str) -> None:
        """Say that nobody can know of a door from now on."""
        self.capture.truth.append(Truth(point, None, now_s(), now_s()))

    def seeing_again(self, point: str) -> None:
        """Say that its unit answers again; it was shut all the time."""
        self.capture.truth.append(Truth(point, "closed", now_s(), now_s()))

    async def spoil(self, word: str) -> int:
        """Have the lines poured full of rubbish, or clean; return how many bytes were poured so far."""
        assert self.spoiler is not None
        assert self.spoiler.stdin is not None
        assert self.spoiler.stdout is not None
        self.spoiler.stdin.write(word.encode() + b"\n")
        return int(json.loads(await self.spoiler.stdout.readline())["poured"])

    def cut(self) -> None:
        """Pull the cable between daemon and broker."""
        assert self.network is not None
        self.network.cut()

    def join(self) -> None:
        """Plug it in again."""
        assert self.network is not None
        self.network.join()

    async def use_up_room(self) -> None:
        """Have so much written that the room which the record's log has already is used up."""
        for _ in range(MOST_ACTS):
            said = await self.page.say("gangway", "take_watch", person=GANGWAY["person"])
            if said is not None and said["accepted"] and said["recorded"] is None:
                return
            await asyncio.sleep(BETWEEN_ACTS_S)

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Have stations and SSO ask as fast as they are answered."""
        async with _beside(*(self._for_ever(*who) for who in CREW.items()), self._seals()):
            yield

    async def _for_ever(self, station: str, person: str) -> None:
        while True:
            await self.page.say(station, "take_watch", person=person)
            await asyncio.sleep(BETWEEN_ACTS_S)

    async def _seals(self) -> None:
        """Do at the control socket what writes: the SSO's word on a seal, with what each answer confirmed."""
        number = 0
        while True:
            number += 1
            request = {"do": "order", "verb": "permit", "by": "J. Santos"}
            request["said"] = {
                "door": "d11",
                "worker": "D. Kovac",
                "work": "greasing",
                "minutes": number % 30,
            }
            said = await self.ask(request)
            if said is not None and said.get("recorded") is not None:
                self.capture.confirmed.append((said["recorded"], "permit"))
            await asyncio.sleep(BETWEEN_ACTS_S)

    def change_password(self, user: str, password: str) -> None:
        """Give a user another password at the broker, which reads it when it starts."""
        passwords = {**self.broker.passwords, user: password}
        lines = [password_line(*each) for each in passwords.items()]
        (self.broker.folder / "passwords").write_text("\n".join(lines) + "\n", "utf-8")

    async def complete(self) -> None:
        """Return when the page has the whole picture of a living session."""

        def whole() -> bool:
            status, snapshot = (self.page.newest.get(name, {}) for name in ("status", "snapshot"))
            alive = status.get("state") in {"ready", "degraded"}
            beats = self.page.newest.get("heartbeat", {}).get("session")
            return alive and status["session"] == snapshot.get("session") == beats

        async with asyncio.timeout(START_S):
            await self._until_page(whole)

    # Beside it all.

    async def alive(self) -> None:
        """Be a page at the gangway that is shown, fresh and sound-armed, and somebody who has the watch there."""
        while True:
            if self.page.newest.get("station/gangway", {}).get("attended") is False:
                await self.page.say("gangway", "take_watch", person=GANGWAY["person"])
            await self.page.say("gangway", "alive", shown=True, fresh=True, sound_armed=True)
            await asyncio.sleep(ALIVE_S)

    async def look(self) -> None:
        """Look at the ship's own computer each second."""
        while True:
            said = await self.ask({"do": "status"})
            alerts = None if said is None else tuple(each["id"] for each in said["alerts"])
            self.capture.looks.append(Look(now_s(), alerts))
            await asyncio.sleep(LOOK_S)

    def resources(self) -> Resources:
        """Return what the daemon holds."""
        assert self.process is not None
        home = Path(f"/proc/{self.process.pid}")
        said = dict(
            line.split(":", 1)
            for line in (home / "status").read_text("utf-8").splitlines()
            if ":" in line
        )
        return Resources(
            pid=self.process.pid,
            descriptors=len(list((home / "fd").iterdir())),
            threads=int(said["Threads"]),
            resident_kib=int(said["VmRSS"].split()[0]),
        )

    # Normality.

    def unlike(self) -> str:
        """Return what the page shows that is not as it was at rest; empty where all is."""
        newest = self.page.newest
        if not self._usual:
            return "not at rest yet"
        session = newest.get("status", {}).get("session")
        if session is None or newest.get("snapshot", {}).get("session") != session:
            return "no complete picture"
        now = self._picture()
        return "; ".join(
            f"{name} {now.get(name)!r}, was {self._usual.get(name)!r}"
            for name in sorted(now.keys() | self._usual.keys())
            # What is new and merely held came later, as a receiver's first report does.
            if now.get(name) != self._usual.get(name) and now.get(name) != "held"
        )

    def _picture(self) -> dict[str, Any]:
        """Return what counts as normal: status, devices, doors, alerts that stand and that they are on disk."""
        newest = self.page.newest
        found: dict[str, Any] = {"status": newest.get("status", {}).get("state")}
        for name, body in newest.items():
            if not name.startswith(PASSING):
                found.setdefault(name, "held")
            if name.startswith("driver/"):
                found[name] = body["link"]
            if name in {"point/d12", "point/d14"}:
                found[name] = body["value"]
            if name.startswith("alert/") and body["state"] != "N":
                found[name] = "stands" if body["recorded"] is not None else "not recorded"
        return found

    async def at_rest(self) -> None:
        """Return when the ship lies quiet; take that as what is normal."""

        def quiet() -> bool:
            found = self._picture()
            doors = [found.get(f"point/{point}") for point in DOORS]
            drivers = {v for k, v in found.items() if k.startswith("driver/")}
            alerts = {k for k in found if k.startswith("alert/")}
            return (
                (found["status"], drivers, alerts)
                == ("ready", {"up"}, {"alert/data.simulated.ispsd"})
                and doors == ["closed"] * len(DOORS)
                and self.page.newest.get("station/gangway", {}).get("person") == GANGWAY["person"]
                and "snapshot" in self.page.newest
                and "heartbeat" in self.page.newest
            )

        try:
            async with asyncio.timeout(START_S):
                await self._until_page(quiet)
        except TimeoutError:
            said = self.log.read_text("utf-8")[-2000:] if self.log.exists() else ""
            raise AssertionError(f"the ship never lay quiet: {self._picture()}\n{said}") from None
        self._usual = self._picture()
        self.capture.usual = frozenset(
            name.removeprefix("alert/") for name in self._usual if name.startswith("alert/")
        )

    async def normal(self, within_s: float) -> None:
        """Wait until everything is as before, while the officer acknowledges what comes; note when, or what is not."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s + MORE_PATIENCE_S):
                while self.unlike():
                    await self._acknowledge_what_is_over()
                    await asyncio.sleep(BETWEEN_ACTS_S)
                self.capture.normal_s = now_s()
        self.capture.left = self.unlike()

    async def _acknowledge_what_is_over(self) -> None:
        """Press at what is rectified and waits for that alone: a warning does not go before (MSC.302(87))."""
        for name, body in list(self.page.newest.items()):
            if name.startswith("alert/") and body["state"] == "U":
                asked = {key: body[key] for key in ("instance", "priority")}
                said = await self.page.say(
                    "gangway", "ack", alert=body["id"], person=GANGWAY["person"], **asked
                )
                if said is not None and said["accepted"]:
                    self.note(f"{body['title']} acknowledged after it was over")

    # Afterwards.

    async def told_to_the_end(self) -> None:
        """Return when the subscriber has the last entry, and the head over all of it; or after a while."""
        self.capture.entries = stored(self.state / "record")
        last = max(self.capture.entries)
        bodies = [json.loads(body) for body in self.capture.entries.values()]
        newest = max((b["bseq"] for b in bodies if b.get("bseq") is not None), default=0)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._until_page(
                    lambda: (
                        newest in self.page.notes.events
                        and max(self.page.notes.heads, default=0) >= last
                    )
                )

    async def verify(self) -> None:
        """Have the stand-alone verifier look, with the heads that the subscriber kept."""
        notes = {}
        for heard in self.capture.named("record/head"):
            if heard.payload:
                notes[heard.body["note"]] = heard.at_s
        before = [note for note, at_s in notes.items() if at_s <= self.capture.begins_s][-1:]
        anchors = list(dict.fromkeys([*before, *list(notes)[-1:]]))
        self.capture.verdict = await verified(
            self.state / "record", self.state / "record-key.pub", *anchors
        )

    def _listener(self) -> Broker:
        return self._login("sso")

    def _speaker(self) -> Broker:
        return self._login("gangway")

    def _login(self, user: str) -> Broker:
        if isinstance(self.broker, RemoteBroker):
            return Broker(host=self.broker.network.page_address, port=self.broker.port)
        return address(self.broker, user if self.broker.passwords else None)


def stored(record: Path) -> dict[int, bytes]:
    """Return every entry's bytes by its number, of all segments, read from a copy."""
    found: dict[int, bytes] = {}
    with TemporaryDirectory() as folder:
        shutil.copytree(record, folder, dirs_exist_ok=True)
        for segment in sorted(Path(folder).glob("segment-*.db")):
            database = apsw.Connection(str(segment), flags=apsw.SQLITE_OPEN_READWRITE)
            try:
                for seq, body in database.execute("SELECT seq, body FROM entry ORDER BY seq"):
                    found[int(str(seq))] = str(body).encode()
            finally:
                database.close()
    return found


@asynccontextmanager
async def stage(setting: Setting, *, sabotage: str = "") -> AsyncIterator[Stage]:
    """Set everything up; the ship lies quiet when it begins."""
    needs(mosquitto_program(), "mosquitto is not installed (Debian: apt install mosquitto)")
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="ispsd-faults-")))
        state = folder / "state"
        state.mkdir()
        broker = await _broker(setting, folder, stack)
        devices = await stack.enter_async_context(processes.simulators(_devices(setting, folder)))
        made = Stage(folder, broker, devices, Knobs(folder / "knobs", state))
        made.sabotage = sabotage
        if isinstance(broker, RemoteBroker):
            made.network = broker.network
        if setting.small_disk_mib:
            made.has_small_disk = stack.enter_context(small_disk(state, mib=setting.small_disk_mib))
        await devices.do("io1", "inputs", on=thin.ALL_SHUT)
        give_pins(state / "persons.json")
        await _write_config(made, setting, stack)
        for point in DOORS:
            made.capture.truth.append(Truth(point, "closed", now_s(), now_s()))
        stack.push_async_callback(made.page.close)
        async with _beside(made.page.stand(), made.alive(), made.look()):
            await made.start()
            try:
                yield made
            finally:
                await made.stop()


async def _broker(
    setting: Setting, folder: Path, stack: AsyncExitStack
) -> EmbeddedBroker | RemoteBroker:
    """Run the broker until the stack is unwound."""
    if setting.is_remote:
        remote = RemoteBroker(folder, stack.enter_context(network()))
        await remote.start()
        stack.push_async_callback(remote.kill)
        return remote
    users = () if setting.is_open else DEMO_USERS
    return await stack.enter_async_context(embedded_broker("mosquitto", users=users))


def _devices(setting: Setting, folder: Path) -> Path:
    """Return the file of her devices."""
    if not setting.is_spoilt:
        return thin.DATA / "thin_simulators.toml"
    made = folder / "simulators.toml"
    usual = (thin.DATA / "thin_simulators.toml").read_text("utf-8")
    made.write_text(usual + '\n[[unit]]\nid = "io2"\nkind = "io_unit"\n', "utf-8")
    return made


async def _write_config(made: Stage, setting: Setting, stack: AsyncExitStack) -> None:
    login = ""
    if made.broker.passwords:
        made.password_file.touch(mode=0o600)
        made.password_file.write_text(made.broker.passwords["ispsd"] + "\n", "utf-8")
        login = f'user = "ispsd"\npassword_file = "{made.password_file}"'
    ports = {f"{name}_port": made.devices.port(name) for name in ("io1", "gps1", "ais")}
    more = ""
    if setting.is_spoilt:
        places = await _spoilt(made, stack)
        ports |= {f"{name}_port": places[name] for name in ("gps1", "ais")}
        more = MORE_DEVICES.format(io2_port=places["io2"], compass=places["compass"])
    text = thin.text(
        state=made.state,
        mqtt_login=login,
        mqtt_port=made.broker.port,
        ssas_path=made.devices.endpoints["ssas"],
        **ports,
    )
    if made.network is not None:
        loopback = 'host = "127.0.0.1"'  # that of the broker comes first
        text = text.replace(loopback, f'host = "{made.network.daemon_address}"', 1)
    made.config.write_text(text + more, "utf-8")


async def _spoilt(made: Stage, stack: AsyncExitStack) -> dict[str, str]:
    """Run what her lines pass; return where they are to be reached."""
    wanted = {
        "tcp": {name: int(made.devices.port(name)) for name in ("io2", "gps1", "ais")},
        "serial": ["compass"],
    }
    words = ("-m", "tests.faults.spoiler", json.dumps(wanted))
    made.spoiler = await stack.enter_async_context(processes.child(*words))
    assert made.spoiler.stdout is not None
    places: dict[str, str] = json.loads(await made.spoiler.stdout.readline())
    made.capture.truth.append(Truth("d05", "closed", now_s(), now_s()))
    return places


@asynccontextmanager
async def _beside(*works: Any) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        failed = [task.exception() for task in tasks if task.done() and not task.cancelled()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert failed == [], failed


async def play(fault: Fault, *, full: bool, sabotage: str = "") -> Capture:
    """Play one fault from quiet to quiet; return what was captured."""
    async with stage(fault.setting, sabotage=sabotage) as ship:
        await ship.at_rest()
        await ship.round("page", "before")
        ship.capture.before = ship.resources()
        await fault.play(ship, fault.full_s if full else fault.short_s)
        await ship.normal(fault.back_within_s)
        await ship.round("page", "after")
        ship.capture.after = ship.resources()
        await ship.stop()
        await ship.told_to_the_end()
        await ship.verify()
        ship.capture.log = ship.log.read_text("utf-8", errors="replace")
        return ship.capture
