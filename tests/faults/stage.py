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

from daemon.mqtt.access import password_line
from daemon.mqtt.embedded import mosquitto_program
from daemon.mqtt.wire import Broker
from daemon.simulate import processes
from tests import thin
from tests.brokers import address
from tests.faults.capture import Capture, Resources, Truth
from tests.faults.injection import Disk, Knobs, small_disk
from tests.faults.network import RemoteBroker
from tests.faults.subscriber import Subscriber, now_s
from tests.needed import needs
from tests.pins import give_pins
from tests.processes.rig import verified

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from daemon.mqtt.embedded import EmbeddedBroker
    from daemon.simulate.processes import Simulators
    from tests.faults.fault import Fault, Setting
    from tests.faults.network import Network

from tests.faults.building import broker_for, devices_for, write_config
from tests.faults.people import BETWEEN_ACTS_S, DOORS, GANGWAY, PATIENCE_S, START_S, People, beside

LAUNCH = """\
import json, os, sys
os.execve(sys.executable, [sys.executable, *sys.argv[2:]], {**os.environ, **json.loads(sys.argv[1])})
"""
STOP_S = 15.0
MORE_PATIENCE_S = 30.0
"""How much longer than promised normality is waited for, so that the report can say how late it was."""
PASSING = ("alert/", "event", "heartbeat", "reply/", "selftest/", "status")
"""What is told and not held, or stands for itself."""


class Stage(People):
    """One ship, from quiet to quiet."""

    def __init__(
        self, folder: Path, broker: EmbeddedBroker | RemoteBroker, devices: Simulators, knobs: Knobs
    ) -> None:
        capture = Capture()
        page = Subscriber(capture, self._listener, self._speaker)
        super().__init__(capture, page, devices, folder / "state" / "control.sock")
        self.folder, self.broker, self.knobs = folder, broker, knobs
        self.state = folder / "state"
        self.config = folder / "ispsd.toml"
        self.log = folder / "daemon.log"
        self.password_file = folder / "password-of-daemon"
        self.has_small_disk = False
        self.spoiler: Process | None = None
        self.network: Network | None = None
        self.process: Process | None = None
        self.sabotage = ""
        """Python that the daemon runs before it begins: for a daemon that is broken on purpose."""
        self._life = AsyncExitStack()
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
        self.dead = self.page.newest.get("status", {}).get("session")
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

    def mend_disk(self) -> None:
        """Have the disk be healthy again; note how many calls were spoilt."""
        self.knobs.disk(Disk.HEALTHY)
        self.capture.spoilt = self.knobs.met()
        if self.capture.spoilt:
            self.note(f"{self.capture.spoilt} calls spoilt")

    def cut_off_since(self, begins_s: float) -> None:
        """Say that until now nothing of the daemon could come through to the page."""
        self.capture.cut_off.append((begins_s, now_s()))

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

    async def spoil(self, word: str) -> dict[str, int]:
        """Have the lines poured full of rubbish, or clean; return how many bytes were poured so far into each."""
        assert self.spoiler is not None
        assert self.spoiler.stdin is not None
        assert self.spoiler.stdout is not None
        self.spoiler.stdin.write(word.encode() + b"\n")
        poured: dict[str, int] = json.loads(await self.spoiler.stdout.readline())
        return poured

    def cut(self) -> None:
        """Pull the cable between daemon and broker."""
        assert self.network is not None
        self.network.cut()

    def join(self) -> None:
        """Plug it in again."""
        assert self.network is not None
        self.network.join()

    def change_password(self, user: str, password: str) -> None:
        """Give a user another password at the broker, which reads it when it starts."""
        passwords = {**self.broker.passwords, user: password}
        lines = [password_line(*each) for each in passwords.items()]
        (self.broker.folder / "passwords").write_text("\n".join(lines) + "\n", "utf-8")

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
                await self.until_page(quiet)
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

    async def still_normal(self, within_s: float) -> None:
        """Look once more: what is otherwise now was only not noticed before, and normality begins when that is over."""
        if self.capture.normal_s is not None and self.unlike():
            self.capture.normal_s = None
            await self.normal(within_s)

    # Afterwards.

    async def told_to_the_end(self) -> None:
        """Return when the subscriber has the last entry, and the head over all of it; or after a while."""
        self.capture.entries = stored(self.state / "record")
        last = max(self.capture.entries)
        bodies = [json.loads(body) for body in self.capture.entries.values()]
        newest = max((b["bseq"] for b in bodies if b.get("bseq") is not None), default=0)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self.until_page(
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
        broker = await broker_for(setting, folder, stack)
        devices = await stack.enter_async_context(
            processes.simulators(devices_for(setting, folder))
        )
        made = Stage(folder, broker, devices, Knobs(folder / "knobs", state))
        made.sabotage = sabotage
        if isinstance(broker, RemoteBroker):
            made.network = broker.network
        if setting.small_disk_mib:
            made.has_small_disk = stack.enter_context(small_disk(state, mib=setting.small_disk_mib))
        await devices.do("io1", "inputs", on=thin.ALL_SHUT)
        give_pins(state / "persons.json")
        await write_config(made, setting, stack)
        for point in DOORS:
            made.capture.truth.append(Truth(point, "closed", now_s(), now_s()))
        stack.push_async_callback(made.page.close)
        async with beside(made.page.stand(), made.alive(), made.look()):
            await made.start()
            try:
                yield made
            finally:
                await made.stop()


async def play(fault: Fault, *, full: bool, sabotage: str = "") -> Capture:
    """Play one fault from quiet to quiet; return what was captured."""
    async with stage(fault.setting, sabotage=sabotage) as ship:
        await ship.at_rest()
        await ship.round("page", "before")
        ship.capture.before = ship.resources()
        await fault.play(ship, fault.full_s if full else fault.short_s)
        await ship.normal(fault.back_within_s)
        await ship.round("page", "after")
        await ship.still_normal(fault.back_within_s)
        await ship.ask_again()
        ship.capture.after = ship.resources()
        await ship.stop()
        await ship.told_to_the_end()
        await ship.verify()
        ship.capture.log = ship.log.read_text("utf-8", errors="replace")
        return ship.capture
