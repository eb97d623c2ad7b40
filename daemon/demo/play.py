"""Set the stage, tell the story, verify the record, and clear everything away."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from daemon import config
from daemon.demo import crew
from daemon.demo.gangway import gangway
from daemon.demo.history import write_history
from daemon.demo.second import second_computer
from daemon.demo.ssas import MASTER, PINS, SSO, set_pins
from daemon.demo.story import Story
from daemon.demo.words import told, utc_now
from daemon.errors import IspsdError, LinkError
from daemon.mqtt.embedded import DEMO_USERS, embedded_broker, mosquitto_program
from daemon.mqtt.wire import Broker
from daemon.record import keys
from daemon.record.checkpoint import verifier_key
from daemon.simulate import processes

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from daemon.config import Config
    from daemon.demo.gangway import Gangway
    from daemon.mqtt.embedded import EmbeddedBroker

SHIP = "9999993"
MQTT_PORT = 1883
LEFT_DUE = ("t-uhf",)
"""What the SSO finds to do in the morning."""
FORGED = (b'L. Tupou","proof"', b'J. Tupou","proof"')
"""What a forger changes: who acknowledged, in place."""
DEMO_BAND = "DEMO · simulated devices, shortened times, a record that is marked demo · DEMO"


async def run(*, state: Path | None, keep: bool) -> int:
    """Run the demo; return the exit code.

    Args:
        state: The folder of its record; None for a temporary one that is removed.
        keep: Go on after the story, until Ctrl-C.
    """
    task = asyncio.ensure_future(_run(state, keep=keep))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        _say("", "stopped; nothing is left running")
        return 130


async def _run(state: Path | None, *, keep: bool) -> int:
    if state is not None:
        return await _play(state, keep=keep)
    with tempfile.TemporaryDirectory(prefix="ispsd-demo-") as folder:
        return await _play(Path(folder), keep=keep)


async def _play(state: Path, *, keep: bool) -> int:
    began_s = time.monotonic()
    _say("", DEMO_BAND)
    async with AsyncExitStack() as stage:
        broker = await _broker(stage)
        ship = crew.muster(state)
        devices = await stage.enter_async_context(ship.simulators())
        await ship.begin(devices)
        second = await stage.enter_async_context(second_computer(state / "second-computer"))
        ws_port = await _page_port(stage, broker) if keep else None
        path = ship.write_config(devices, broker, second.section(), ws_port=ws_port)
        loaded = config.load(path)
        await _history(loaded)
        second.trust(_vkey(loaded))
        process = await stage.enter_async_context(
            processes.daemon_process(path, state / "daemon.log")
        )
        _tell_how_to_watch(broker, state)
        if keep:
            await _serve_page(stage, broker, loaded, path)
        station = await stage.enter_async_context(gangway(_as_station(broker, state), SHIP))
        living = await _until_ready(station, process, state)
        stage.callback(living.cancel)
        if keep:
            await set_pins(state / "control.sock")
            _tell_of_sso_pages(loaded)
        try:
            story = Story(ship, devices, station, broker, state / "control.sock", _say)
            await story.quiet_watch()
            _say("", f"a true picture {time.monotonic() - began_s:.1f} s after the start")
            await story.tell()
        except IspsdError as err:
            _say("", f"THE STORY BROKE OFF: {err}; the daemon's log is {state / 'daemon.log'}")
            return 1
        if keep:
            _say("", "going on; Ctrl-C ends it")
            await asyncio.Event().wait()
        living.cancel()
        await processes.finish(process)
        return await _verified(state, station, second.key)


def _vkey(loaded: Config) -> str:
    """Return the public key of the record, as it is carried to a second computer."""
    section = loaded.record
    prefix = f"{section.origin}/{loaded.ship.imo_number}"
    return verifier_key(prefix, keys.load(section.key_file).public_key())


async def _history(loaded: Config) -> None:
    """Write fourteen months of the ship's life into a record that is new."""
    _say("HISTORY", "fourteen months of it are generated, and marked as such")
    written = await write_history(
        loaded,
        until_utc=datetime.now(UTC),
        software=version("ispsd"),
        left_due=LEFT_DUE,
    )
    _say("", f"{written} entries" if written else "the record is there already")


async def _verified(state: Path, station: Gangway, witness: str) -> int:
    """Verify the closed record against what others kept and signed, then a copy with one letter changed."""
    anchor = state / "kept-by-the-gangway.note"
    # The newest head that it saw: the later, the less of the record has no outside witness yet.
    anchor.write_text(station.heads[-1], "utf-8")
    record, key = state / "record", state / "record-key.pub"
    _say(
        "VERIFY",
        "by a program of its own, with the key, a head that the gangway's station kept, and the witness's key:",
    )
    known = ("--key", str(key), "--anchor", str(anchor), "--witness", witness)
    good = await _verify(record, *known)
    copy = state / "copy"
    shutil.copytree(record, copy)
    for segment in sorted(copy.glob("*.db")):
        # Wherever it stands: SQLite leaves old copies of a page's cells in its free space.
        segment.write_bytes(segment.read_bytes().replace(*FORGED))
    _say("", "the same record; in a copy somebody changed one letter of who acknowledged:")
    bad = await _verify(copy, *known)
    return 0 if (good, bad) == (0, 1) else 1


async def _verify(record: Path, *words: str) -> int:
    """Run the stand-alone verifier as anybody would: one file, isolated from this package."""
    program = Path(__file__).parents[1] / "record" / "verify.py"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(program), str(record), *words
    )
    return await process.wait()


async def _broker(stage: AsyncExitStack) -> EmbeddedBroker:
    """Start a broker on MQTT's own port, or on any free one where somebody has that."""
    users = DEMO_USERS if mosquitto_program() else ()
    try:
        return await stage.enter_async_context(embedded_broker(port=MQTT_PORT, users=users))
    except LinkError:
        return await stage.enter_async_context(embedded_broker(users=users))


def _as_station(broker: EmbeddedBroker, state: Path) -> Broker:
    password = broker.passwords.get("gangway")
    if password is None:
        return Broker(port=broker.port)
    secret = state / "gangway-password"
    secret.touch(mode=0o600)
    secret.write_text(password + "\n", "utf-8")
    return Broker(port=broker.port, user="gangway", password_file=secret)


async def _until_ready(station: Gangway, process: Process, state: Path) -> asyncio.Task[None]:
    """Wait for the daemon's first complete picture, then keep the station alive; return that task."""
    ended = asyncio.ensure_future(process.wait())
    ready = asyncio.ensure_future(station.until("the daemon", lambda: "snapshot" in station.newest))
    await asyncio.wait({ended, ready}, return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        ready.cancel()
        log = (state / "daemon.log").read_text("utf-8", errors="replace")
        raise IspsdError(f"the daemon ended at once:\n{log[-2000:]}")
    ended.cancel()
    ready.result()
    return asyncio.ensure_future(station.stay_alive())


def _tell_how_to_watch(broker: EmbeddedBroker, state: Path) -> None:
    what = "Mosquitto" if broker.kind == "mosquitto" else "iotcore: no ACL, loopback only"
    _say("", f"broker: {what}, 127.0.0.1:{broker.port}; to watch it from another terminal:")
    _say("", f"  mosquitto_sub -V 5 -p {broker.port} -v -t 'ispsd/#'")
    _say("", f"  ispsd status --socket {state / 'control.sock'}")


async def _page_port(stage: AsyncExitStack, broker: EmbeddedBroker) -> int:
    """Return where pages reach the broker: iotcore's own WebSocket speaks MQTT 3.1.1 only, its TCP port MQTT 5."""
    if broker.kind == "mosquitto":
        return broker.ws_port
    try:
        from daemon.web.tunnel import tunnel  # noqa: PLC0415 (aiohttp is an optional extra)
    except ImportError as err:
        raise IspsdError("the page needs the extra 'web': pip install 'ispsd[web]'") from err
    return await stage.enter_async_context(tunnel(broker.port))


async def _serve_page(
    stage: AsyncExitStack, broker: EmbeddedBroker, loaded: Config, path: Path
) -> None:
    """Serve the pages; say where that of the stations is."""
    log = path.with_name("web.log")
    web = await stage.enter_async_context(
        processes.child("-m", "daemon", "web", "--config", str(path), log=log)
    )
    if web.stdout is None or not await web.stdout.readline():  # it says where it is, once it is
        raise IspsdError(
            f"the page ended at once:\n{log.read_text('utf-8', errors='replace')[-2000:]}"
        )
    # Of this demo only, which is gone with it, and on loopback; iotcore knows no users.
    password = broker.passwords.get("bridge", "any")
    _say(
        "PAGE",
        f"http://127.0.0.1:{loaded.web.port}/ in a browser on this computer; it shows at once",
    )
    _say("", f"  to act there: station ..., bridge, password {password}")


def _tell_of_sso_pages(loaded: Config) -> None:
    """Say where SSO and Master log in; their PINs are invented as they are."""
    _say("", f"SSO and Master: http://127.0.0.1:{loaded.web.port}/sso")
    _say("", f"  {SSO}, PIN {PINS[SSO]}; {MASTER}, PIN {PINS[MASTER]}")


def _say(chapter: str, line: str) -> None:
    print(told(utc_now(), chapter, line), flush=True)
