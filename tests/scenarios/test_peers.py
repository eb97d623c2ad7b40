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
from tests.ship import HATCH as HATCH_INPUT
from tests.ship import Ship, afloat, ashore
from tests.ship import sailing as sailing_small
from tests.ship_talk import alerts, entries
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


HATCH = "door.escape.open.d12"


async def _inhibited(ship: Ship, minutes: int) -> None:
    said = {"alert": HATCH, "minutes": minutes, "reason": "contact loose"}
    await ship.control({"do": "order", "verb": "inhibit", "said": said, "by": "R. Menon"})


async def test_peers_14_an_inhibit_is_there_after_a_restart_with_the_same_end(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            await _inhibited(ship, 60)
            before = ship.state(f"inhibit/{HATCH}")
            await ship.unit.set_input(HATCH_INPUT, False)
            await ship.pass_time(2.0)
            assert ship.state(f"alert/{HATCH}") is None
        ship.clock.step_utc(600.0)  # ten minutes of them ispsd was off
        async with afloat(ship, broker, feeds):
            await ship.pass_time(2.0)
            after = ship.state(f"inhibit/{HATCH}")
            assert after["ends_utc"] == before["ends_utc"]
            assert before["ends_up"] - after["ends_up"] == pytest.approx(600.0)
            assert ship.state(f"alert/{HATCH}") is None
            assert ship.state("alert/door.blind_open.d12") is None, "it is known to be open"


async def test_peers_14_out_of_service_is_there_after_a_restart_and_looked_at_before_it_ends(
    tmp_path,
):
    out = {"do": "out_of_service", "equipment": "d12", "by": ["R. Menon"], "hours": 1}
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            await ship.control({**out, "reason": "contact loose", "measure": "patrol each hour"})
            before = ship.state("sso/out_of_service/d12")
            assert ship.state("equipment/d12")["readiness"] == "out of service"
        ship.clock.step_utc(2990.0)
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            assert ship.state("sso/out_of_service/d12")["ends_utc"] == before["ends_utc"]
            assert await entries(ship, "out_of_service.checked") == []
            await ship.pass_time(15.0)
            (checked,) = await entries(ship, "out_of_service.checked")
            assert (checked["open"]["found"], checked["open"]["healthy"]) == (
                "is seen closed",
                True,
            )


async def test_peers_15_when_an_inhibit_ends_what_stands_is_told_and_the_record_says_so(tmp_path):
    """State and history agree: what the page shows is the newest that the record has of that alert."""
    async with sailing_small(tmp_path) as ship:
        await ship.pass_time(1.0)
        await _inhibited(ship, 1)
        await ship.unit.set_input(HATCH_INPUT, False)
        await ship.pass_time(50.0)
        assert ship.state(f"alert/{HATCH}") is None
        await ship.pass_time(12.0)
        shown = ship.state(f"alert/{HATCH}")
        assert (shown["state"], shown["sounding"]) == ("V", True)
        assert ship.state(f"inhibit/{HATCH}") is None
        written = [e["open"] for e in await entries(ship, "alert.changed")]
        newest = [said for said in written if said["id"] == HATCH][-1]
        assert (newest["state"], newest["instance"]) == (shown["state"], shown["instance"])
        assert len(await entries(ship, "inhibit.ended")) == 1


async def test_an_end_that_passed_while_ispsd_was_off_happens_once_with_its_entry(tmp_path):
    """Not by hand: it was killed, and is started twice more."""
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            await _inhibited(ship, 5)
            await ship.unit.set_input(HATCH_INPUT, False)
            await ship.pass_time(2.0)
        ship.clock.step_utc(600.0)
        for _ in range(2):
            async with afloat(ship, broker, feeds):
                await ship.pass_time(3.0)
                # First seen open by this process: how it was opened nobody saw.
                assert alerts(ship) == {"door.blind_open.d12"}
                assert ship.state(f"inhibit/{HATCH}") is None
                (ended,) = await entries(ship, "inhibit.ended")
                assert ended["open"]["how"] == "its time is over"


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
