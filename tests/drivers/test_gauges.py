"""A battery's voltage is shown as a figure, and low is told at its limit and ended above it, without a flutter."""

from __future__ import annotations

import pytest

from daemon.drivers.api import Contact, Gauge, Wiring
from daemon.drivers.gauges import OFTENEST_S, ToldFigures, figure, gauged_state, held_low
from daemon.model import ContactState
from simulators.io_unit import SIMULATOR
from tests.drivers.modbus_rig import Rig, told

BATTERY = Gauge("u1.voltage", "V", 0.0, 32.0, 23.0)
CONTACT = Contact("u1.battery", (0,), Wiring.LOOP_4_20_MA, BATTERY)
C, OUT, X = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT


def ma(volts: float) -> float:
    return 4.0 + volts / 2


@pytest.mark.parametrize(
    ("current_ma", "volts", "state"),
    [
        (0.0, None, X),
        (3.6, None, X),
        (21.0, None, X),
        (float("inf"), None, X),
        (4.0, 0.0, OUT),
        (ma(22.9), 22.9, OUT),
        (ma(23.0), 23.0, C),
        (ma(27.6), 27.6, C),
        (20.0, 32.0, C),
    ],
)
def test_a_current_is_a_figure_or_a_fault_of_its_line(current_ma, volts, state):
    said = figure(current_ma, BATTERY)
    assert said == (None if volts is None else pytest.approx(volts))
    assert gauged_state(current_ma, BATTERY) is state


@pytest.mark.parametrize(
    ("volts", "before", "held"),
    [
        (23.4, OUT, True),
        (23.5, OUT, False),
        (23.4, C, False),
        (23.4, None, False),
        (23.4, X, False),
    ],
)
def test_low_ends_two_per_cent_above_its_limit(volts, before, held):
    assert held_low(volts, BATTERY, before) is held


def test_a_figure_that_moves_is_told_once_a_second_and_its_end_at_once():
    figures = ToldFigures(repeat_after_s=5.0)
    assert figures.due("u1.voltage", 24.0, 0.0)
    assert not figures.due("u1.voltage", 24.1, OFTENEST_S / 2)
    assert figures.due("u1.voltage", 24.1, OFTENEST_S)
    assert figures.due("u1.voltage", None, OFTENEST_S + 0.1)
    assert figures.due("u1.voltage", 24.1, OFTENEST_S + 0.2)
    assert not figures.due("u1.voltage", 24.1, OFTENEST_S + 5.1)
    assert figures.due("u1.voltage", 24.1, OFTENEST_S + 5.3)


async def test_a_unit_tells_the_figure_and_whether_it_is_enough():
    unit = SIMULATOR.build("io4", {"analogue": 4})
    await unit.start()
    try:
        await unit.do({"do": "current", "input": 0, "ma": ma(25.0)})
        rig = Rig(unit.port, profile="moxa-iologik-e1242-loops", contacts=(CONTACT,))
        async with rig.running():
            assert told(rig.emitted) == [("u1.battery", C), ("u1.voltage", pytest.approx(25.0))]
            assert rig.emitted[-1].unit == "V"
            await unit.do({"do": "current", "input": 0, "ma": ma(22.0)})
            assert ("u1.battery", OUT) in told(await rig.poll())
            await unit.do({"do": "current", "input": 0, "ma": ma(23.2)})
            assert "u1.battery" not in dict(told(await rig.poll())), "in the dead band"
            await unit.do({"do": "current", "input": 0, "ma": ma(24.0)})
            assert ("u1.battery", C) in told(await rig.poll())
            await unit.do({"do": "current", "input": 0, "ma": 0.0})
            assert told(await rig.poll()) == [("u1.battery", X), ("u1.voltage", None)]
    finally:
        await unit.stop()


async def test_a_light_sensor_between_its_bands_is_not_known_and_its_cut_line_is_a_fault():
    unit = SIMULATOR.build("io4", {"analogue": 4})
    await unit.start()
    sensor = Contact("lt1", (0,), Wiring.LOOP_4_20_MA, has_between=True)
    bands = {"closed_ma": [15, 20], "open_ma": [4, 10]}
    try:
        await unit.do({"do": "current", "input": 0, "ma": 18.0})
        rig = Rig(unit.port, profile="moxa-iologik-e1242-loops", contacts=(sensor,), **bands)
        async with rig.running():
            assert told(rig.emitted) == [("lt1", C)]
            await unit.do({"do": "current", "input": 0, "ma": 12.0})
            assert told(await rig.poll()) == [("lt1", None)]
            await unit.do({"do": "current", "input": 0, "ma": 6.0})
            assert told(await rig.poll()) == [("lt1", OUT)]
            await unit.do({"do": "current", "input": 0, "ma": 0.0})
            assert told(await rig.poll()) == [("lt1", X)]
    finally:
        await unit.stop()
