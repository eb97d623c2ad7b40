"""Complaints about other systems, turned into promises of ours (reference/peers.md 8): those that need a whole ship.

8: a watchdog that is fed from a bare timer. 17: a storm of tests after a time off.
25: an SSAS frame that is seen outside a window. 30: a demo that needs an
hour. Each has more tests beside its part: ``test_ship_broker``, ``test_covert``, ``processes/test_demo``.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import pytest

from daemon.computer import systemd
from tests.processes.rig import PATIENCE_S
from tests.ship import HATCH as HATCH_INPUT
from tests.ship import Ship, afloat, ashore
from tests.ship import sailing as sailing_small
from tests.ship_talk import alerts, entries
from tests.soon import soon
from tests.test_covert import both, differences, night
from tests.voyage import sailing

WATCHDOG_S = 8.0
FIRST_PICTURE_S = 60.0
STARTS_A_MINUTE = 60
"""Of ``ispsd --version``: no more than a second each on a computer that has little else to do."""


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


RECORD_TEST = """
[[test]]
use = "t-rec"
ssp_paragraph = "10.3"

[[test]]
use = "t-buzz"
ssp_paragraph = "7.9"
stations = ["bridge"]
"""
DAY_S = 86_400.0


@pytest.mark.timeout(60)
async def test_peers_17_off_over_three_due_dates_is_one_catch_up_and_three_missed_entries(tmp_path):
    """A real record: started, killed for four days, started, and started once more."""

    def edit(text: str) -> str:
        return text + RECORD_TEST

    async def results(ship: Ship) -> int:
        """Let the verifier, which is a real program, come to its end; count its results."""
        test = ship.daemon.tests.tests["t-rec"]
        await soon(lambda: test.session is None and not test.waits_for_disk)
        return len([e for e in await entries(ship, "test.result") if e["open"]["test"] == "t-rec"])

    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(3.0)
            assert await results(ship) == 1
        ship.clock.step_utc(4 * DAY_S)
        for _ in range(2):
            async with afloat(ship, broker, feeds, edit=edit):
                await ship.pass_time(10.0)
                assert await results(ship) == 2, "one catch-up"
                missed = await entries(ship, "test.missed")
                assert [
                    (e["open"]["test"], e["open"]["period_begins"][:13], e["open"]["reason"])
                    for e in missed
                ] == [
                    ("t-rec", f"2026-11-{day}T20", "not testable: power off")
                    for day in (22, 23, 24)
                ], "0400 ship's time, three times, and never twice"


@pytest.mark.timeout(60)
async def test_peers_17_how_often_a_test_is_due_after_a_restart_is_known_by_the_record_alone(
    tmp_path,
):
    """At level 2 the sound of the stations is tested each day (config/tests.toml, t-buzz)."""

    def edit(text: str) -> str:
        return text + RECORD_TEST

    async def row(ship: Ship) -> dict[str, Any]:
        rows = (await ship.control({"do": "tests"}))["tests"]
        return next(each for each in rows if each["test"] == "t-buzz")

    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(3.0)
            assert (await row(ship))["why"] == "never passed"
            level = {"level": 2, "told_by": "flag"}
            order = {"do": "order", "verb": "level", "said": level, "by": "R. Menon"}
            await ship.control(order)
            await ship.pass_time(2.0)
            assert (await row(ship))["rule"].startswith("once each day from 10:00 (port, level 2)")
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(3.0)
            found = await row(ship)
            assert found["rule"].startswith("once each day from 10:00 (port, level 2)")
            (held, _) = list(ship.daemon.tests.occasions.held(ship.daemon.engine.regime))
            assert int(held.level) == 2
            assert held.since_utc is not None


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


@pytest.mark.timeout(600)
async def test_peers_30_the_demo_shows_a_true_picture_within_a_minute(tmp_path):
    """One command, a folder that is not there yet."""
    await _shows_a_true_picture(tmp_path)


@pytest.mark.timeout(600)
async def test_peers_30_the_demo_needs_neither_root_nor_network(tmp_path):
    """No capability, no network but loopback."""
    apart = (*APART, "sh", "-c", POWERLESS, "demo")
    if not await _ends_well(*apart, "true"):
        pytest.skip("this computer gives nobody a network of his own")
    await _shows_a_true_picture(tmp_path, *apart)


async def _shows_a_true_picture(tmp_path, *apart: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(*apart, sys.executable, "-m", "daemon", "demo", "--state", str(tmp_path / "state")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        stdin=asyncio.subprocess.DEVNULL,
    )
    said: list[str] = []
    assert process.stdout is not None
    try:
        shown = asyncio.Event()
        minute = asyncio.ensure_future(_minute(shown))
        picture = asyncio.ensure_future(_picture(process.stdout, said))
        await asyncio.wait({minute, picture}, return_when=asyncio.FIRST_COMPLETED)
        picture.cancel()
        shown.set()
        await asyncio.gather(minute, picture, return_exceptions=True)
        assert said, "it said nothing"
        assert "BRIDGE INNER DR closed" in said[-1], "".join(said)
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            await process.communicate()


async def _picture(stdout: asyncio.StreamReader, said: list[str]) -> None:
    async for line in stdout:
        said.append(line.decode())
        if "BRIDGE INNER DR closed" in said[-1]:
            return


async def _minute(no_more: asyncio.Event) -> None:
    """Return after a minute; on a slow computer after a minute's work: so many starts, one by one."""
    began_s, starts = time.monotonic(), 0
    while not no_more.is_set() and (
        starts < STARTS_A_MINUTE or time.monotonic() - began_s < FIRST_PICTURE_S
    ):
        await _ends_well(sys.executable, "-m", "daemon", "--version")
        starts += 1


async def _ends_well(*words: str) -> bool:
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return False
    return await process.wait() == 0
