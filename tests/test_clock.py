"""The computer's own clocks: one that nobody can set, one for the eye that says how far to trust it."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from daemon.computer import clock as clocks
from daemon.computer.clock import EARLIEST_PLAUSIBLE_UTC, SystemClock
from daemon.model import ClockStatus
from tests.clocks import StandingTimers
from tests.soon import PATIENCE_S


def test_ages_use_seconds_since_boot_which_count_suspended_time():
    before_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    now_s = SystemClock().now_s()
    assert before_s <= now_s <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_utc_knows_that_it_is_utc():
    before = datetime.now(UTC)
    now = SystemClock().utc()
    assert now.tzinfo is UTC
    assert before <= now <= datetime.now(UTC)


def test_a_boot_has_one_name():
    assert re.fullmatch(r"[0-9a-f]{8}", SystemClock().boot_id())
    assert SystemClock().boot_id() == SystemClock().boot_id()


@pytest.mark.parametrize(
    ("utc", "disciplined", "status"),
    [
        (EARLIEST_PLAUSIBLE_UTC - timedelta(microseconds=1), True, ClockStatus.UNSET),
        (datetime(1970, 1, 1, tzinfo=UTC), False, ClockStatus.UNSET),
        (EARLIEST_PLAUSIBLE_UTC, True, ClockStatus.SYNCED),
        (EARLIEST_PLAUSIBLE_UTC, False, ClockStatus.HOLDOVER),
    ],
)
def test_a_clock_that_lost_its_battery_is_unset_whatever_the_kernel_says(
    monkeypatch, utc, disciplined, status
):
    monkeypatch.setattr(SystemClock, "utc", lambda _: utc)
    monkeypatch.setattr(SystemClock, "_asks_the_kernel", lambda _: disciplined)
    assert SystemClock().status() is status


@pytest.mark.parametrize(
    ("answer", "synchronised"), [(0, True), (4, True), (clocks.TIME_ERROR, False), (-1, False)]
)
def test_the_kernel_is_asked_as_timedatectl_asks_it(monkeypatch, answer, synchronised):
    class Library:
        def adjtimex(self, buffer: object) -> int:
            assert bytes(buffer) == bytes(512), "all zero: nothing is set"  # type: ignore[call-overload]
            return answer

    monkeypatch.setattr(clocks.ctypes, "CDLL", lambda *_, **__: Library())
    assert SystemClock().status() is (ClockStatus.SYNCED if synchronised else ClockStatus.HOLDOVER)


def test_the_real_kernel_answers():
    assert SystemClock().status() in set(ClockStatus)


async def test_waiting_ends_with_the_event_or_with_the_time():
    clock, event = SystemClock(), asyncio.Event()
    assert await clock.wait(event, 0.0) is False
    waiting = asyncio.ensure_future(clock.wait(event, None))
    await clock.sleep(0.0)
    assert not waiting.done()
    event.set()
    async with asyncio.timeout(PATIENCE_S):
        assert await waiting is True
    assert await clock.wait(event, 0.0) is True


async def test_what_comes_while_the_computer_stands_still_has_come(monkeypatch):
    clock, event = SystemClock(), asyncio.Event()
    waiting = asyncio.ensure_future(clock.wait(event, 60.0))
    await clock.sleep(0.0)
    asyncio.get_running_loop().call_soon(event.set)
    await StandingTimers(monkeypatch).move(600.0)
    assert await waiting is True


def test_the_kernel_is_not_asked_for_every_entry(monkeypatch):
    asked = []
    now = [100.0]
    monkeypatch.setattr(SystemClock, "now_s", lambda _: now[0])
    monkeypatch.setattr(SystemClock, "_asks_the_kernel", lambda _: not asked.append(0))
    clock = SystemClock()
    for _ in range(50):
        assert clock.status() is ClockStatus.SYNCED
    assert len(asked) == 1
    now[0] += 2 * clocks.ASK_EVERY_S
    clock.status()
    assert len(asked) == 2
