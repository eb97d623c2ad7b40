"""Complaints about other systems, turned into promises of ours (reference/peers.md 8): those that need a whole ship.

8: a watchdog that is fed from a bare timer. 25: an SSAS frame that is seen outside a window. 30: a demo that needs an
hour. Each has more tests beside its part: ``test_ship_broker``, ``test_covert``, ``processes/test_demo``.
"""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from daemon import systemd
from tests.processes.rig import PATIENCE_S
from tests.test_covert import both, differences, night
from tests.voyage import sailing

WATCHDOG_S = 8.0
FIRST_PICTURE_S = 60.0


@pytest.fixture
def fed(monkeypatch):
    """What systemd is told."""
    told: list[tuple[str, ...]] = []
    monkeypatch.setenv("WATCHDOG_USEC", str(int(WATCHDOG_S * 1e6)))
    monkeypatch.setattr(systemd, "notify", lambda *lines: bool(told.append(lines)) or True)
    return told


async def test_peers_8_a_loop_that_is_blocked_does_not_feed_the_watchdog(
    tmp_path, fed, monkeypatch
):
    """The watch hangs in one look, as a rule with an endless loop would have it; all other loops go on."""
    async with sailing(tmp_path) as ship:
        await ship.sail(2 * WATCHDOG_S)
        assert ("WATCHDOG=1",) in fed
        hangs = asyncio.Event()

        async def hang(*_: object) -> bool:
            return await hangs.wait()

        monkeypatch.setattr(ship.daemon.watch._clock, "wait", hang)
        await ship.sail(2 * WATCHDOG_S, grain_s=1.0)
        meals = fed.count(("WATCHDOG=1",))
        await ship.sail(5 * WATCHDOG_S, grain_s=1.0)
        assert fed.count(("WATCHDOG=1",)) == meals


@pytest.mark.timeout(60)
async def test_peers_25_a_real_alert_outside_a_window_is_byte_for_byte_as_if_none_had_been(
    tmp_path,
):
    quiet, real = await both(tmp_path, night)
    assert differences(quiet, real) == []


APART = ("unshare", "--user", "--map-root-user", "--net", "--")
"""A network of its own with nothing but loopback; a root that is none outside of it."""
POWERLESS = (
    'ip link set lo up && exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"'
)


@pytest.mark.timeout(120)
async def test_peers_30_the_demo_shows_a_true_picture_within_a_minute(tmp_path):
    """One command, a folder that is not there yet."""
    await _shows_a_true_picture(tmp_path)


@pytest.mark.timeout(120)
async def test_peers_30_the_demo_needs_neither_root_nor_network(tmp_path):
    """No capability, no network but loopback."""
    apart = (*APART, "sh", "-c", POWERLESS, "demo")
    if not await _ends_well(*apart, "true"):
        pytest.skip("this computer gives nobody a network of his own")
    await _shows_a_true_picture(tmp_path, *apart)


async def _shows_a_true_picture(tmp_path, *apart: str) -> None:
    began_s = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(*apart, sys.executable, "-m", "daemon", "demo", "--state", str(tmp_path / "state")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        stdin=asyncio.subprocess.DEVNULL,
    )
    said: list[str] = []
    assert process.stdout is not None
    try:
        async with asyncio.timeout(FIRST_PICTURE_S):
            async for line in process.stdout:
                said.append(line.decode())
                if "BRIDGE INNER DR closed" in said[-1]:
                    break
        assert said, "it said nothing"
        assert "BRIDGE INNER DR closed" in said[-1], "".join(said)
        assert time.monotonic() - began_s < FIRST_PICTURE_S
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            await process.communicate()


async def _ends_well(*words: str) -> bool:
    try:
        process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.DEVNULL)
    except OSError:
        return False
    return await process.wait() == 0
