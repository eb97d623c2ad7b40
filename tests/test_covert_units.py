"""Invariant 1, for a ship with two SSAS units: a JRC that prints and a tracker whose modem is listened to.

As in ``test_covert``: the same voyage with the units silent and with both sending in earnest, compared to the byte,
and the comparison must fail with the gate taken away and with one counter left on. A plug that is pulled inside a
window proves nothing, and shows nowhere but with the SSO.
"""

from __future__ import annotations

import io
import json
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from daemon.computer import logs
from daemon.drivers.ssas_listening import SsasPortDriver
from simulators.ssas_modem import SsasModem
from simulators.ssas_unit import SsasUnitSimulator
from tests.clocks import ManualClock
from tests.ship import ROOT, Everything, Ship, afloat, ashore, fresh
from tests.soon import soon
from tests.test_covert import NoGate, differences, nothing, taken

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = {"ssas": "t-ssas-e-p1", "tracker": "t-ssas-e-p2"}
TRACKER = """
[device.tracker]            # the modem's line of a tracker-type SSAS
kind = "ssas_at"
profile = "iridium-sbd"
link = {{ kind = "serial", port = "{path}" }}
"""
TRACKERS_TEST = """
[[test]]
kind = "ssas_end_to_end"
id = "t-ssas-e-p2"
equipment = "tracker"
name = "SSAS P2"
ssp_paragraph = "8.4"
flag_profile = "singapore"
unit_profile = "iridium-sbd"
every = "year"
activation_point = "P2"
addressees = [{ name = "MPA", kind = "administration" }]
message = "tracker.message"
lamp = ""
"""
WAITS = "\nactivation_s = 5\nsending_s = 5\nanswer_s = 5\nreset_s = 5\nquiet_s = 5"


class Units:
    """The tracker beside the ship's own unit, and the file that names both."""

    def __init__(self, folder) -> None:
        self.modem = SsasModem("tracker", {"link": str(folder / "tracker")})
        self.link = folder / "jrc"
        self.listened: set[str] = set()
        """The devices whose port was opened since this was cleared; what comes is thrown away for a moment."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Notice when a port is open; nothing else can tell."""
        let_settle = SsasPortDriver._let_settle

        async def noticed(driver: SsasPortDriver, source) -> None:
            self.listened.add(driver._context.device)
            await let_settle(driver, source)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SsasPortDriver, "_let_settle", noticed)
            yield

    def edit(self, text: str) -> str:
        text = text.replace(
            "[device.ssas]", TRACKER.format(path=self.modem.endpoint) + "[device.ssas]"
        )
        text = text.replace('lamp = "ssas.lamp"', 'lamp = ""') + TRACKERS_TEST
        text = text.replace('lamp = ""', 'lamp = ""' + WAITS)
        return text.replace("poll_s = 0.1", "poll_s = 0.25")

    async def in_earnest(self, ship: Ship) -> None:
        """Everything that no test may make of it: real alerts, what cannot be told, and scraps of tests."""
        for command in ({"do": "alert"}, {"do": "cut", "after": 60}, {"do": "noise"}):
            await ship.ssas.do(command)
            await self.modem.do(command)
        for command in ({"do": "binary"}, {"do": "ring"}, {"do": "alert", "failures": 2}):
            await self.modem.do(command)
        await ship.pass_time(0.5)


async def both(tmp_path, story, *, gate=None) -> list[Everything]:
    """Sail twice over the same water; only the SSAS units differ."""
    found = []
    async with ashore(tmp_path) as (ship, broker, feeds):
        units = Units(tmp_path)
        await units.modem.start()
        with units.watched():
            for says in (nothing, units.in_earnest):
                fresh(tmp_path)
                units.listened.clear()
                ship.clock = ManualClock()
                log = io.StringIO()
                how = {"gate": gate, "edit": units.edit, "log": log}
                async with afloat(ship, broker, feeds, **how, answers_at_once=("io1",)):
                    await story(ship, units, says)
                found.append(taken(ship, log))
        await units.modem.stop()
    return found


async def a_watch(ship: Ship, units: Units, says) -> None:
    await ship.pass_time(1.0)
    await says(ship)
    await ship.pass_time(3.0)


async def open_window(ship: Ship, units: Units) -> None:
    await ship.pass_time(1.0)
    await ship.give_notice()
    await ship.control({"do": "window.open", "by": ["R. Menon", "A. Lindqvist"]})
    # A port is opened in a thread, which no clock of ours waits for.
    await soon(lambda: units.listened >= {"ssas", "tracker"})
    await ship.pass_time(1.0)


async def answer(ship: Ship, test: str, step: int, text: str = "") -> None:
    said = {"test": test, "step": step, "text": text, "by": "R. Menon"}
    await ship.control({"do": "test.answer", **said})


async def start(ship: Ship, test: str) -> None:
    """Start a test and say that the button was pressed."""
    await ship.control({"do": "test.start", "test": test, "by": "R. Menon"})
    await ship.until(lambda: step(ship) == 1)
    await answer(ship, test, 1, "yes")
    await ship.until(lambda: step(ship) == 2)
    await answer(ship, test, 2)
    await ship.until(lambda: step(ship) == 3)


def step(ship: Ship) -> int | None:
    running = [body for name, body in ship.newest.items() if name.startswith("sso/test/")]
    return running[0]["step"] if running else None


def outcome(ship: Ship, equipment: str) -> tuple[str, str] | None:
    last = (ship.state(f"sso/equipment/{equipment}") or {}).get("last")
    return None if last is None else (last["outcome"], last["reason"])


async def both_tests(ship: Ship, units: Units, says) -> None:
    """Both units are tested, and neither says anything of a test."""
    await open_window(ship, units)
    for equipment, test in TESTS.items():
        await start(ship, test)
        await says(ship)
        await ship.pass_time(12.0)  # nobody says that the button is released
        assert outcome(ship, equipment) == (
            "failed",
            "activation seen; no test message was sent in time",
        )


async def test_covert_real_alerts_of_two_units_change_not_one_byte(tmp_path):
    quiet, real = await both(tmp_path, a_watch)
    assert differences(quiet, real) == []
    assert f"{ROOT}sso/equipment/tracker" in quiet.mqtt


async def test_covert_real_alerts_of_two_units_inside_a_window_change_not_one_byte(tmp_path):
    quiet, real = await both(tmp_path, both_tests)
    assert differences(quiet, real) == []
    assert sum('"outcome":"failed"' in row for row in quiet.record) >= 2


async def test_covert_the_comparison_of_two_units_fails_without_the_gate(tmp_path):
    seen = ("sso/point/ssas.message", "sso/point/tracker.message")

    async def story(ship: Ship, units: Units, says) -> None:
        await soon(lambda: units.listened >= {"ssas", "tracker"})
        await ship.pass_time(1.0)
        await says(ship)
        if says is not nothing:
            await ship.until(lambda: all(map(ship.state, seen)))

    quiet, real = await both(tmp_path, story, gate=NoGate)
    assert {ROOT + topic for topic in seen} <= {*differences(quiet, real)}


async def test_covert_the_comparison_of_two_units_fails_with_one_counter_left_on(
    tmp_path, monkeypatch
):
    """Somebody counts the frames that the gate did not admit, and logs the count."""
    take, counted = SsasPortDriver._take, []

    def counting(driver, frames, emit):
        before = driver.health.good
        take(driver, frames, emit)
        if len(frames) > driver.health.good - before:
            counted.append(frames)
            logs.get("device").info("frames.dropped", count=len(counted))

    async def story(ship: Ship, units: Units, says) -> None:
        counted.clear()
        await open_window(ship, units)
        await says(ship)
        if says is not nothing:
            await soon(lambda: counted)

    monkeypatch.setattr(SsasPortDriver, "_take", counting)
    quiet, real = await both(tmp_path, story)
    assert differences(quiet, real) == ["log"]


@pytest.mark.parametrize("equipment", TESTS)
async def test_covert_a_plug_pulled_inside_a_window_proves_nothing_and_shows_only_to_the_sso(
    tmp_path, equipment
):
    test, log = TESTS[equipment], io.StringIO()
    async with ashore(tmp_path) as (ship, broker, feeds):
        units = Units(tmp_path)
        await ship.ssas.stop()
        ship.ssas = SsasUnitSimulator("ssas", {"link": str(units.link)}, ship.clock)
        for each in (ship.ssas, units.modem):
            await each.start()
        unit = {"ssas": ship.ssas, "tracker": units.modem}[equipment]
        async with AsyncExitStack() as stack:
            stack.enter_context(units.watched())
            await stack.enter_async_context(afloat(ship, broker, feeds, edit=units.edit, log=log))
            await open_window(ship, units)
            await start(ship, test)
            units.listened.clear()
            await unit.do({"do": "cut", "after": 60})
            await unit.do({"do": "unplug"})
            await ship.until(lambda: ship.state(f"sso/driver/{equipment}")["open"] is False)
            await unit.do({"do": "plug"})
            await unit.do({"do": "test"})  # before ispsd listens again
            await ship.pass_time(12.0)
            assert outcome(ship, equipment) == (
                "inconclusive",
                "activation seen; sending was not seen",
            )
            # Plugged in again it is read again, and a whole test is what proves.
            await ship.until(lambda: equipment in units.listened, for_s=300.0)
            await ship.pass_time(1.0)
            await start(ship, test)
            await unit.do({"do": "test"})
            await soon(lambda: ship.daemon.points.newest(f"{equipment}.message").value)
            await ship.until(lambda: step(ship) == 4)
            open_topics = {m.topic for m in ship.heard if "/sso/" not in m.topic}
            said = b"".join(m.payload for m in ship.heard if "/sso/" not in m.topic).lower()
        for each in (ship.ssas, units.modem):
            await each.stop()
    for name in (b"ssas", b"tracker", str(tmp_path).encode()):
        assert name not in said
        assert not any(name.decode() in topic for topic in open_topics)
    assert not [row for row in map(json.loads, log.getvalue().splitlines()) if "ssas" in str(row)]
    assert "tracker" not in log.getvalue()
