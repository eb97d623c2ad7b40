"""The table of the first boot: whatever is wrong with the store or its key, the watch is kept, and the log says why.

Real processes, under a user of their own as the service has it. Each row: what is wrong, what the daemon says, and that
it goes on recording as soon as it was put right, without a restart.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from daemon.control import control
from daemon.errors import IspsdError
from tests.processes.berth import HATCH, alongside
from tests.processes.rig import PATIENCE_S, verified, witness
from tests.setup.rig import run_words

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable

    from tests.processes.berth import Berth

SERVICE = 61184
"""The first user id that systemd gives to services with DynamicUser=."""
HATCH_ALERT = "alert/door.escape.open.d12"
AS_ROOT = os.geteuid() == 0


@dataclass(slots=True)
class Boot:
    """A ship's computer whose daemon may be started.

    Attributes:
        state: What systemd gives to the service.
    """

    berth: Berth
    state: Path
    log: Path
    socket: Path

    @property
    def key(self) -> Path:
        return self.state / "record-key.pem"

    @property
    def record(self) -> Path:
        return self.state / "record"

    def own(self, path: Path) -> None:
        """Give something to the service's user."""
        if AS_ROOT:
            os.chown(path, SERVICE, SERVICE)

    @asynccontextmanager
    async def daemon(self) -> AsyncIterator[Process]:
        """Run the daemon as the service's user, in its own folder and with nobody's rights."""
        who = (f"--reuid={SERVICE}", f"--regid={SERVICE}", "--clear-groups") if AS_ROOT else ()
        with self.log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *("setpriv", *who, "--no-new-privs", "--pdeathsig", "KILL"),
                *run_words(self.berth.config),
                cwd="/",
                stderr=errors,
                env={**os.environ, "CREDENTIALS_DIRECTORY": str(self.state.parent / "credentials")},
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def asks(self, request: dict[str, Any]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return await control.ask(self.socket, request)
                except IspsdError:
                    await asyncio.sleep(0.05)

    async def log_has(self, words: str) -> dict[str, Any]:
        """Return the first event of the log with these words, as soon as it is there."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for each in self.said():
                    if words in str(each):
                        return each
                await asyncio.sleep(0.05)

    def said(self) -> list[dict[str, Any]]:
        """Return the log, an event each."""
        lines = self.log.read_text("utf-8").splitlines() if self.log.exists() else []
        assert not any("Traceback" in line for line in lines), lines
        return [json.loads(line) for line in lines]


@asynccontextmanager
async def computer(edit: Callable[[str], str] = lambda text: text) -> AsyncIterator[Boot]:
    """Make a computer with its devices and broker; nothing of the daemon is there but its file."""
    if AS_ROOT and not _can_run():
        pytest.skip(f"user {SERVICE} cannot run {sys.executable}")
    with TemporaryDirectory(prefix="ispsd-boot-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        async with alongside(folder) as berth:
            state, run = folder / "state", folder / "run"
            boot = Boot(berth, state, folder / "daemon.log", run / "control.sock")
            for each in (state, run):
                each.mkdir(mode=0o700)
                boot.own(each)
            text = berth.config.read_text("utf-8")
            text = text.replace(f"{folder}/record", f"{state}/record")
            berth.config.write_text(edit(text.replace(f"{folder}/control", f"{run}/control")))
            yield boot


def _can_run() -> bool:
    who = (f"--reuid={SERVICE}", f"--regid={SERVICE}", "--clear-groups")
    words = ("setpriv", *who, sys.executable, "-c", "import daemon.cli")
    return subprocess.run(words, check=False).returncode == 0


async def keeps_the_watch(boot: Boot) -> None:
    """Fail unless a hatch that opens is told, and can be acknowledged, though nothing can be recorded."""
    async with witness(boot.berth.broker) as seen:
        alert = await opened(boot, seen)
        assert (alert["title"], alert["recorded"]) == ("ESC HATCH OPEN", None)
        asked = {name: alert[name] for name in ("instance", "priority")}
        reply = await seen.ask("gangway", "ack", alert=alert["id"], person="L. Tupou", **asked)
        assert (reply["accepted"], reply["recorded"]) == (True, None)
        await seen.until(lambda: seen.newest[HATCH_ALERT]["state"] == "A")


async def opened(boot: Boot, seen: Any) -> dict[str, Any]:
    """Open the hatch, once the daemon has seen it shut, and return its alert."""
    await seen.until(lambda: _is_shut_now(seen.newest))
    await boot.berth.devices.do("io1", "set", input=HATCH, on=False)
    alert: dict[str, Any] = await seen.until(lambda: seen.newest.get(HATCH_ALERT))
    return alert


def _is_shut_now(newest: dict[str, dict[str, Any]]) -> bool:
    """Return whether a living daemon says so, and not the broker's memory of an earlier one.

    On a ship's record nothing is proved yet, and it says no more than that the unit answers.
    """
    status, point = newest.get("status", {}), newest.get("point/d12", {})
    lives = status.get("state") in {"starting", "ready", "degraded"}
    if not lives or point.get("session") != status["session"]:
        return False
    answers = newest.get("driver/io1", {}).get("link") == "up"
    return point["value"] == "closed" or (point["proved"] is False and answers)


async def records_what_happened(boot: Boot) -> None:
    """Fail unless all that was told meanwhile comes to stand in a record that verifies."""
    async with witness(boot.berth.broker) as seen:
        alert = await seen.until(lambda: _recorded(seen.newest.get(HATCH_ALERT)))
        answer = await boot.asks({"do": "log", "type": "alert.changed", "count": 100})
        states = [
            (said["seq"], said["open"]["state"])
            for said in map(json.loads, answer["entries"])
            if said["subject"] == "d12"
        ]
        assert max(states) == (alert["recorded"], "A")
        assert [state for _, state in sorted(states)][:2] == ["V", "A"]


def _recorded(alert: dict[str, Any] | None) -> dict[str, Any] | None:
    return alert if alert and alert["recorded"] is not None else None


async def stops_in_order(process: Process) -> None:
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE_S):
        assert await process.wait() == 0


async def sailed_before(boot: Boot) -> None:
    """Leave a record behind, as of an earlier day."""
    async with boot.daemon() as process:
        await boot.asks({"do": "status"})
        await stops_in_order(process)
    boot.log.unlink()


async def test_without_key_and_record_both_are_made_and_nobody_else_reads_them() -> None:
    async with computer() as boot, boot.daemon() as process:
        async with witness(boot.berth.broker) as seen:
            await seen.session()
        await stops_in_order(process)
        assert stat.S_IMODE(boot.key.stat().st_mode) == 0o600
        assert not any(each["level"] == "error" for each in boot.said())
        first = await boots_again(boot)
        assert first["reason"] == "first start"
        code, words = await verified(boot.record, boot.state / "record-key.pub")
        assert code == 2, words  # no anchor yet
        assert "FAIL" not in words


async def boots_again(boot: Boot) -> dict[str, Any]:
    """Return what the record's first entry says, as a second start reads it."""
    async with boot.daemon() as process:
        answer = await boot.asks({"do": "log", "type": "segment.opened"})
        await stops_in_order(process)
    [entry] = map(json.loads, answer["entries"])
    said: dict[str, Any] = entry["open"]
    return said


def key_is_gone(boot: Boot) -> Callable[[], None]:
    backup = boot.state.parent / "backup.pem"
    boot.key.rename(backup)
    return lambda: _put_back(boot, backup)


def _put_back(boot: Boot, backup: Path) -> None:
    backup.rename(boot.key)


def key_is_readable_by_others(boot: Boot) -> Callable[[], None]:
    boot.key.chmod(0o640)
    return lambda: boot.key.chmod(0o600)


def key_is_another_users(boot: Boot) -> Callable[[], None]:
    os.chown(boot.key, SERVICE + 1, SERVICE + 1)
    return lambda: boot.own(boot.key)


def key_is_a_link(boot: Boot) -> Callable[[], None]:
    elsewhere = boot.key.rename(boot.state / "elsewhere.pem")
    boot.key.symlink_to(elsewhere)

    def mend() -> None:
        boot.key.unlink()
        elsewhere.rename(boot.key)

    return mend


def key_is_no_key(boot: Boot) -> Callable[[], None]:
    right = boot.key.read_bytes()
    boot.key.write_bytes(right[:40])

    def mend() -> None:
        boot.key.write_bytes(right)

    return mend


def state_is_another_users(boot: Boot) -> Callable[[], None]:
    os.chown(boot.state, 0, 0)
    return lambda: boot.own(boot.state)


def record_is_another_users(boot: Boot) -> Callable[[], None]:
    for each in (boot.record, *boot.record.iterdir()):
        os.chown(each, 0, 0)
    boot.record.chmod(0o700)

    def mend() -> None:
        for each in (boot.record, *boot.record.iterdir()):
            boot.own(each)

    return mend


def record_is_read_only(boot: Boot) -> Callable[[], None]:
    _writable(boot.record, 0o500, 0o400)
    return lambda: _writable(boot.record, 0o700, 0o600)


def _writable(folder: Path, folder_mode: int, file_mode: int) -> None:
    folder.chmod(0o700)
    for each in folder.iterdir():
        each.chmod(file_mode)
    folder.chmod(folder_mode)


ROOTS_ONLY = pytest.mark.skipif(not AS_ROOT, reason="only root can give files to other users")
WITH_A_RECORD = [
    pytest.param(key_is_gone, "the key is missing", id="the key is gone"),
    pytest.param(key_is_readable_by_others, "others may read the key", id="others read the key"),
    pytest.param(
        key_is_another_users, "cannot open the key", id="key of another", marks=ROOTS_ONLY
    ),
    pytest.param(key_is_a_link, "no links are followed", id="the key is a link"),
    pytest.param(key_is_no_key, "not a private key", id="the key is torn"),
    pytest.param(state_is_another_users, "cannot see", id="state of another", marks=ROOTS_ONLY),
    pytest.param(record_is_another_users, "cannot see", id="record of another", marks=ROOTS_ONLY),
    pytest.param(record_is_read_only, "readonly", id="the record is read-only"),
]


@pytest.mark.timeout("90")
@pytest.mark.parametrize(("spoil", "words"), WITH_A_RECORD)
async def test_the_watch_is_kept_without_its_record_and_recorded_when_that_is_put_right(
    spoil: Callable[[Boot], Callable[[], None]], words: str
) -> None:
    async with computer() as boot:
        await sailed_before(boot)
        before = boot.key.read_bytes()
        mend = spoil(boot)
        async with boot.daemon() as process:
            await keeps_the_watch(boot)
            [told] = [each for each in boot.said() if each["event"] == "record.not_open"]
            assert words in told["reason"]
            assert str(boot.state) in told["reason"]
            shown = await boot.asks({"do": "status"})
            assert words in json.dumps(shown, ensure_ascii=False)
            mend()
            await records_what_happened(boot)
            await stops_in_order(process)
        assert boot.key.read_bytes() == before, "never a second key"


def there_is_no_state(boot: Boot) -> Callable[[], None]:
    boot.state.rmdir()

    def mend() -> None:
        boot.state.mkdir(mode=0o700)
        boot.own(boot.state)

    return mend


def state_is_read_only(boot: Boot) -> Callable[[], None]:
    boot.state.chmod(0o500)
    return lambda: boot.state.chmod(0o700)


def state_is_a_file(boot: Boot) -> Callable[[], None]:
    boot.state.rmdir()
    boot.state.write_text("")

    def mend() -> None:
        boot.state.unlink()
        boot.state.mkdir(mode=0o700)
        boot.own(boot.state)

    return mend


@pytest.mark.timeout("90")
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(there_is_no_state, "cannot write a new key", id="no state directory"),
        pytest.param(state_is_read_only, "cannot write a new key", id="state is read-only"),
        pytest.param(state_is_a_file, "cannot see", id="state is a file"),
        pytest.param(state_is_another_users, "cannot see", id="of another", marks=ROOTS_ONLY),
    ],
)
async def test_the_very_first_watch_is_kept_though_nothing_can_be_written(
    spoil: Callable[[Boot], Callable[[], None]], words: str
) -> None:
    async with computer() as boot:
        mend = spoil(boot)
        async with boot.daemon() as process:
            await keeps_the_watch(boot)
            [told] = [each for each in boot.said() if each["event"] == "record.not_open"]
            assert words in told["reason"]
            mend()
            await records_what_happened(boot)
            await stops_in_order(process)
        assert stat.S_IMODE(boot.key.stat().st_mode) == 0o600


@pytest.mark.timeout("60")
async def test_a_watch_without_a_key_stops_in_order_and_says_what_was_lost() -> None:
    async with computer() as boot:
        await sailed_before(boot)
        shutil.move(boot.key, boot.state.parent / "backup.pem")
        async with boot.daemon() as process:
            await keeps_the_watch(boot)
            await stops_in_order(process)
        assert not boot.key.exists(), "no second key"
        [lost] = [each for each in boot.said() if each["event"] == "record.given_up"]
        assert lost["entries"] >= 4  # started, the hatch open, acknowledged, stopped
        assert "the key is missing" in lost["reason"]


@pytest.mark.timeout("60")
async def test_a_password_that_was_not_handed_over_is_told_and_the_doors_are_recorded() -> None:
    def with_login(text: str) -> str:
        login = 'user = "ispsd"\npassword_file = "credential:mqtt-password"'
        head, mqtt, rest = text.partition("[mqtt]")
        return head + mqtt + "\n" + login + rest

    async with computer(with_login) as boot, boot.daemon() as process:
        await boot.asks({"do": "status"})
        told = await boot.log_has("mqtt-password")
        assert told["level"] == "warning"
        answer = await boot.asks({"do": "log"})
        assert "daemon.started" in [json.loads(entry)["type"] for entry in answer["entries"]]
        await stops_in_order(process)


@pytest.mark.timeout("60")
async def test_the_sample_ships_number_on_a_real_record_is_told_and_the_watch_is_kept() -> None:
    def as_a_ship(text: str) -> str:
        text = text.replace('origin = "demo"', "").replace("[bus.", "[unused.")
        return re.sub(r"^(\[device\.\w+\].*)$", r'\1\nlocal = "a test"', text, flags=re.MULTILINE)

    async with computer(as_a_ship) as boot, boot.daemon() as process:
        async with witness(boot.berth.broker) as seen:
            alert = await opened(boot, seen)
            assert alert["title"] == "ESC HATCH OPEN"
        doubts = [each for each in boot.said() if each["event"] == "config.doubtful"]
        assert "9999993 is the sample ship's" in doubts[0]["reason"]
        assert {each["level"] for each in doubts} == {"warning"}
        await stops_in_order(process)
