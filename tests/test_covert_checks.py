"""Invariant 1, where other checks look at the unit that carries the test lamp, and where an SSAS test waits ashore.

As in ``test_covert``: the same voyage with the SSAS unit silent and with it sending in earnest, compared to the byte;
here with a light, a UPS and every continuous check on the lamp's own unit, the log at its most talkative, and all that
anybody may ask of the daemon read before and after. It must fail with the gate taken away.
"""

from __future__ import annotations

import json
from functools import partial

import pytest

from daemon.computer import logs
from tests.ship import LAMP, ROOT, Ship, ssas_ports_opened
from tests.soon import soon
from tests.test_covert import (
    CONFIRMED,
    NoGate,
    answer,
    both,
    differences,
    start_ssas_test,
    with_short_waits,
)

MORE = """
[[light]]
id = "lt1"
name = "DECK LTS P"
place = "upper deck, port"
circuit = "deck"
device = "io1"
input = 10

[[ups]]
id = "u1"
name = "UPS"
place = "wheelhouse locker"
device = "io1"
mains_input = 11
battery_input = 12
rated_min = 30

[[test]]
kind = "contact_supervision"
id = "t-sensor"
equipment = "sensors"
name = "SENSOR LINES"
ssp_paragraph = "7.3"
every = "day"

[[test]]
kind = "equipment_state"
id = "t-state"
equipment = "units"
name = "UNITS"
ssp_paragraph = "7.6"
every = "day"
units = [{ name = "UPS", contact = "u1", most_min = 60 }]

[[test]]
kind = "own_computer"
id = "t-computer"
equipment = "computer"
name = "CLOCK AND DISK"
ssp_paragraph = "7.9"
every = "day"
"""
ASKED = (
    {"do": "status"},
    {"do": "status", "sso": True},
    {"do": "tests"},
    {"do": "worklist"},
    {"do": "defects"},
    {"do": "ssas"},
    {"do": "log", "count": 50},
)


@pytest.fixture(autouse=True)
def talkative(monkeypatch):
    """Let everything that is written to the log at all be compared."""
    monkeypatch.setattr(logs, "configure", partial(logs.configure, level="debug"))


async def asked(ship: Ship, told: list[str]) -> None:
    told += [json.dumps(await ship.control(each), sort_keys=True) for each in ASKED]


def a_day(told: list[list[str]]):
    """Return a story in which ship's midnight comes soon after, so that each check says how its day was."""

    async def story(ship: Ship, ssas) -> None:
        told.append([])
        await ship.pass_time(2.0)
        await asked(ship, told[-1])
        await ssas(ship)
        await ship.pass_time(2.0)
        await asked(ship, told[-1])
        for id_ in ("t-ssas-e-p1", "t-none"):
            reply = await ship.ask("gangway", "start_test", test=id_, person="R. Menon")
            assert reply["reason"] == f"there is no test {id_!r}"
        await ship.ask("gangway", "out_of_service", equipment="ssas", person="R. Menon", hours=1)

    return story


async def test_covert_checks_on_the_lamps_own_unit_and_all_that_can_be_asked_say_the_same(tmp_path):
    told: list[list[str]] = []
    quiet, real = await both(tmp_path, a_day(told), edit=lambda text: text + MORE)
    # The panel's bytes are test_covert's matter: on a loaded computer its line is read in other pieces here.
    assert [each for each in differences(quiet, real) if each != "bam"] == []
    assert told[0] == told[1]
    assert any("UPS" in each for each in told[0])
    assert quiet.mqtt[f"{ROOT}equipment/units"]


async def test_covert_the_comparison_with_other_checks_fails_without_the_gate(tmp_path):
    quiet, real = await both(tmp_path, a_day([]), gate=NoGate, edit=lambda text: text + MORE)
    assert f"{ROOT}sso/point/ssas.lamp" in differences(quiet, real)


async def ashore(ship: Ship, ssas) -> None:
    """A test that is reset waits for its confirmations, its window closed, when the real alert goes out."""
    with ssas_ports_opened() as opened:
        await start_ssas_test(ship)
        await soon(lambda: opened or isinstance(ship.daemon.gate, NoGate))  # then it is open always
        await ship.pass_time(1.0)
    await ship.unit.set_input(LAMP, True)
    await ship.pass_time(4.0)
    assert at_step(ship) == 3
    await ship.ssas.do({"do": "test"})
    await soon(lambda: at_step(ship) == 4)  # no time passes until the port has given it
    await ship.unit.set_input(LAMP, False)
    await ship.pass_time(0.5)
    (_, released), *ashore = CONFIRMED
    await answer(ship, 4, released)
    await ship.pass_time(8.0)
    assert at_step(ship) == 6
    await ship.control({"do": "window.close", "by": ["R. Menon"]})
    await ship.pass_time(1.0)
    await ssas(ship)
    await ship.pass_time(1.0)
    for number, text in ashore:
        await answer(ship, number, text)
        await ship.pass_time(0.5)


def at_step(ship: Ship) -> int | None:
    session = ship.daemon.tests.tests["t-ssas-e-p1"].session
    return None if session is None or session.progress is None else session.progress.step


async def test_covert_a_real_alert_while_confirmations_are_waited_for_changes_not_one_byte(
    tmp_path,
):
    quiet, real = await both(tmp_path, ashore, edit=with_short_waits)
    assert differences(quiet, real) == []
    assert any('"outcome":"passed"' in row and "confirmed ashore" in row for row in quiet.record)


async def test_covert_the_comparison_ashore_fails_without_the_gate(tmp_path):
    quiet, real = await both(tmp_path, ashore, gate=NoGate, edit=with_short_waits)
    assert f"{ROOT}sso/point/ssas.lamp" in differences(quiet, real)
