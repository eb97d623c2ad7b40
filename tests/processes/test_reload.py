"""``ispsd reload`` and SIGHUP as a service manager sees them."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daemon import cli
from daemon.console import shipfile
from daemon.control import control
from daemon.errors import RefusedError
from tests.processes.berth import alongside
from tests.soon import PATIENCE_S, soon

if TYPE_CHECKING:
    from tests.processes.berth import Berth


FIRST_RELOADED = 2


async def reload(berth: Berth) -> int:
    """Run the command in this process, whose start takes longer than what it does."""
    given = cli._parser().parse_args(["reload", "--config", str(berth.config)])
    return await shipfile._reload(given)


@pytest.mark.timeout(90)
async def test_one_process_takes_file_after_file_and_tells_systemd_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    notified.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    loop = asyncio.get_running_loop()
    loop.add_reader(notified, lambda: said.append(notified.recv(4096).decode()))
    async with alongside(tmp_path) as berth, berth.daemon() as process:
        # Others say READY=1 too (a broker that links libsystemd); the daemon says what it is ready for.
        await soon(lambda: "READY=1\nSTATUS=keeping the watch" in said)
        assert await control.answers(tmp_path / "control.sock")
        log, lives = tmp_path / "daemon.log", 1
        for poll_s in ("0.15", "0.2", "0.25"):
            said.clear()
            text = berth.config.read_text("utf-8")
            now = text.partition("poll_s = ")[2].split()[0]
            berth.config.write_text(text.replace(f"poll_s = {now}", f"poll_s = {poll_s}"), "utf-8")
            assert await reload(berth) == cli.DONE
            out = capsys.readouterr().out
            assert "device io1: poll_s" in out
            assert "ispsd runs with it" in out
            assert "ispsd-web" not in out, "of a page nothing is another"
            await soon(lambda: any("READY=1" in each for each in said))
            first = next(n for n, each in enumerate(said) if "RELOADING=1" in each)
            assert "MONOTONIC_USEC=" in said[first]
            assert any("READY=1" in each for each in said[first + 1 :])
            assert not any("STOPPING=1" in each for each in said)
            lives += 1
            await soon(lambda lives=lives: log.read_text("utf-8").count("broker.up") == lives)
            if lives == FIRST_RELOADED:
                threads, descriptors = _held(process.pid)
        # What the first reload left is what the third may leave: it is waited for, not slept for.
        await soon(lambda: _held(process.pid)[0] <= threads + 1)
        await soon(lambda: _held(process.pid)[1] <= descriptors + 2)
        loop.remove_reader(notified)
    notified.close()


@pytest.mark.timeout(90)
async def test_a_wrong_file_leaves_the_process_as_it_is_and_a_right_one_is_taken_at_sighup(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "daemon.log"
    async with alongside(tmp_path) as berth, berth.daemon() as process:
        await listens(tmp_path / "control.sock")
        await soon(lambda: "broker.up" in log.read_text("utf-8"))
        assert await reload(berth) == cli.DONE
        assert "runs with it already" in capsys.readouterr().out
        good = berth.config.read_text("utf-8")
        berth.config.write_text(good.replace("[ship]", "[ship]\nsister = 1"), "utf-8")
        with pytest.raises(RefusedError, match=r"ship\.sister: there is no such setting"):
            await reload(berth)
        process.send_signal(signal.SIGHUP)
        await soon(lambda: log.read_text("utf-8").count("reload.refused") == 2)
        assert process.returncode is None
        berth.config.write_text(good.replace("poll_s = 0.1", "poll_s = 0.2"), "utf-8")
        process.send_signal(signal.SIGHUP)
        await soon(lambda: log.read_text("utf-8").count("broker.up") == 2)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0
        seen, stored = berth.witness, berth.stored()
        await seen.until(lambda: max(seen.notes.heads) == len(stored))
        await berth.verify(seen.notes.newest_head())


async def listens(path: Path) -> None:
    """Return when the control socket is there."""
    async with asyncio.timeout(PATIENCE_S):
        while not await control.answers(path):  # noqa: ASYNC110 (another process makes it)
            await asyncio.sleep(0.01)


def _held(pid: int) -> tuple[int, int]:
    """Return how many threads and descriptors a process has."""
    place = Path(f"/proc/{pid}")
    return len(list((place / "task").iterdir())), len(list((place / "fd").iterdir()))
