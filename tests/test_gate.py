"""Invariant 1: what the gate lets exist, to the second."""

from __future__ import annotations

import asyncio

import pytest

from daemon.errors import RefusedError
from daemon.gate import LONGEST_WINDOW_S, CovertGate
from tests.clocks import ManualClock

TWO = ("A. Lindqvist", "R. Menon")


@pytest.mark.parametrize(
    ("began_s", "ended_s", "is_test", "exists"),
    [
        (1000.0, 1001.0, True, True),
        (999.999, 1001.0, True, False),  # began before the window opened
        (1000.0, 1059.999, True, True),
        (1000.0, 1060.0, True, False),  # ended when it was over
        (1000.0, 1001.0, False, False),  # does not say that it is a test
    ],
)
def test_covert_only_a_test_wholly_inside_the_window_exists(began_s, ended_s, is_test, exists):
    gate = CovertGate(ManualClock())
    gate.open(duration_s=60.0, opened_by=TWO)
    assert gate.admits(began_s=began_s, ended_s=ended_s, is_test=is_test) is exists


def test_covert_nothing_exists_without_a_window():
    gate = CovertGate(ManualClock())
    assert not gate.is_open()
    assert not gate.admits(began_s=1000.0, ended_s=1000.0, is_test=True)


async def test_covert_a_window_closes_by_itself_at_its_second():
    clock = ManualClock()
    gate = CovertGate(clock)
    gate.open(duration_s=60.0, opened_by=TWO)
    closed = asyncio.ensure_future(gate.wait_closed())
    await clock.advance(59.9)
    assert gate.is_open()
    assert not closed.done()
    await clock.advance(0.1)
    assert not gate.is_open()
    assert closed.done()


async def test_covert_a_window_can_be_closed_early_and_opened_again():
    clock = ManualClock()
    gate = CovertGate(clock)
    opened = asyncio.ensure_future(gate.wait_open())
    await clock.advance(1.0)
    assert not opened.done()
    gate.open(duration_s=60.0, opened_by=TWO)
    await clock.advance(0.0)
    assert opened.done()
    gate.close()
    assert not gate.is_open()
    assert gate.open(duration_s=1.0, opened_by=TWO).opened_s == 1001.0


@pytest.mark.parametrize("duration_s", [0.0, -1.0, LONGEST_WINDOW_S + 0.1])
def test_covert_a_window_has_bounds(duration_s):
    with pytest.raises(RefusedError, match="at most 90 min"):
        CovertGate(ManualClock()).open(duration_s=duration_s, opened_by=TWO)


def test_covert_a_second_window_is_refused_while_one_is_open():
    gate = CovertGate(ManualClock())
    gate.open(duration_s=LONGEST_WINDOW_S, opened_by=TWO)
    with pytest.raises(RefusedError, match="open already"):
        gate.open(duration_s=60.0, opened_by=TWO)
