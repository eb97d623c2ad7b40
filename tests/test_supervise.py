"""Invariant 6: one dead device delays nobody, and a driver's bug takes down one driver, loudly."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog

from daemon.computer.secretfiles import read_secret
from daemon.drivers.api import DriverConfig, DriverSpec, Health, PointSpec
from daemon.errors import LinkError
from daemon.model import ContactState, LinkState, Provenance, Quality
from daemon.supervision.supervise import Supervisor
from tests.clocks import FixedEntropy, ManualClock
from tests.makers import reading


class Scripted:
    """A driver that does, on each attempt, what the test says."""

    def __init__(self, clock, *attempts):
        self.health = Health()
        self.clock = clock
        self.attempts = list(attempts)
        self.began_s: list[float] = []

    def points(self):
        return (PointSpec("d12", 15.0),)

    async def run(self, emit):
        self.began_s.append(self.clock.now_s())
        doing = self.attempts.pop(0) if self.attempts else self.forever
        await doing(self, emit)

    @staticmethod
    async def forever(driver, emit):  # noqa: ARG004
        await asyncio.Event().wait()


async def refuses(driver, emit):
    raise LinkError("connection refused")


async def crashes(driver, emit):
    raise ZeroDivisionError("a bug")


def speaks(for_s: float, then=refuses):
    async def doing(driver, emit):
        until_s = driver.clock.now_s() + for_s
        while driver.clock.now_s() < until_s:
            driver.health.frame(driver.clock.now_s())
            emit(reading("d12", ContactState.CLOSED, at_s=driver.clock.now_s()))
            await driver.clock.sleep(0.5)
        await then(driver, emit)

    return doing


@asynccontextmanager
async def supervised(*attempts, silent_after_s=5.0, covert=False, longest_back_off_s=None):
    clock = ManualClock()
    driver = Scripted(clock, *attempts)
    seen, statuses = [], []
    supervisor = Supervisor(
        device="io1",
        driver=driver,
        spec=DriverSpec("scripted", DriverConfig, lambda *_: driver, covert=covert),
        silent_after_s=silent_after_s,
        lost_alert="io.unit_lost",
        provenance=Provenance.LIVE,
        clock=clock,
        entropy=FixedEntropy(),  # jitter 0.5: the back-off as it is
        emit=seen.append,
        on_status=statuses.append,
        longest_back_off_s=longest_back_off_s,
    )
    task = asyncio.ensure_future(supervisor.run())
    try:
        yield clock, driver, seen, statuses
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_back_off_doubles_to_a_minute():
    async with supervised(*[refuses] * 9) as (clock, driver, _, _):
        await clock.advance(200.0)
        waits = [b - a for a, b in zip(driver.began_s, driver.began_s[1:], strict=False)]
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


async def costs_others(driver, emit):
    lost = LinkError("no answer")
    lost.costs_others = True
    raise lost


async def test_a_device_that_costs_nobody_anything_is_tried_as_often_as_its_driver_says():
    async with supervised(*[refuses] * 6, silent_after_s=999.0, longest_back_off_s=2.0) as (
        clock,
        driver,
        _,
        _,
    ):
        await clock.advance(30.0)
        waits = [b - a for a, b in zip(driver.began_s, driver.began_s[1:], strict=False)]
        assert waits == [1, 2, 2, 2, 2, 2]


async def test_a_device_on_a_line_that_others_need_is_tried_at_the_supervisors_own_pace():
    attempts = [costs_others] * 6 + [crashes, refuses]
    async with supervised(*attempts, silent_after_s=999.0, longest_back_off_s=2.0) as (
        clock,
        driver,
        _,
        _,
    ):
        await clock.advance(200.0)
        waits = [b - a for a, b in zip(driver.began_s, driver.began_s[1:], strict=False)]
        assert waits == [1, 2, 4, 8, 16, 32, 60, 2]


@pytest.mark.parametrize(("healthy_s", "wait_s"), [(29.0, 4.0), (31.0, 1.0)])
async def test_back_off_begins_again_only_after_30_s_of_health(healthy_s, wait_s):
    async with supervised(refuses, refuses, speaks(healthy_s)) as (clock, driver, _, _):
        await clock.advance(3.0 + healthy_s + wait_s - 0.6)
        assert len(driver.began_s) == 3
        await clock.advance(1.2)
        assert len(driver.began_s) == 4


async def test_a_lost_device_makes_its_points_unknown_at_once_and_says_why():
    async with supervised(speaks(2.0)) as (clock, _, seen, statuses):
        await clock.advance(2.0)
        assert seen[-1].value is None
        assert seen[-1].quality is Quality.UNKNOWN
        assert (statuses[-1].link, statuses[-1].reason) == (LinkState.DOWN, "connection refused")
        assert [s.link for s in statuses] == [LinkState.UP, LinkState.DOWN]


async def test_a_device_that_connects_and_says_nothing_is_lost():
    async with supervised(silent_after_s=5.0) as (clock, driver, _, statuses):
        await clock.advance(5.0)
        assert statuses == []
        await clock.advance(1.0)
        assert statuses[-1].reason == "nothing good heard for 5 s"
        await clock.advance(1.0)
        assert len(driver.began_s) == 2


async def test_a_driver_that_crashes_is_taken_down_loudly_and_tried_again():
    with structlog.testing.capture_logs() as logs:
        async with supervised(crashes, speaks(5.0, Scripted.forever)) as (clock, _, seen, statuses):
            await clock.advance(2.0)
            assert statuses[0].reason == "driver fault: ZeroDivisionError"
            assert statuses[-1].link is LinkState.UP
            assert seen[-1].value is ContactState.CLOSED
    assert [line["event"] for line in logs] == ["driver.fault", "link.down", "link.up"]
    assert logs[0]["log_level"] == "error"


async def lacks_a_file(driver, emit):
    read_secret(Path("/nowhere/password"))


@pytest.mark.parametrize(
    ("attempt", "may_be_ours"), [(refuses, False), (crashes, True), (lacks_a_file, True)]
)
async def test_what_may_be_a_fault_of_ours_is_told_from_one_of_the_device(attempt, may_be_ours):
    async with supervised(attempt) as (clock, _, _, statuses):
        await clock.advance(0.5)
        assert (statuses[-1].link, statuses[-1].may_be_ours) == (LinkState.DOWN, may_be_ours)


async def test_an_outage_is_two_lines_in_the_log_however_long():
    with structlog.testing.capture_logs() as logs:
        async with supervised(
            *[refuses] * 6, speaks(5.0, Scripted.forever), silent_after_s=1000.0
        ) as (clock, _, _, _):
            await clock.advance(100.0)
    told = [(line["event"], line["log_level"]) for line in logs if line["log_level"] != "debug"]
    assert told == [("link.down", "warning"), ("link.up", "info")]
    assert logs[-1]["after_s"] == 63.0


async def test_covert_a_covert_driver_leaves_no_line_in_the_log():
    with structlog.testing.capture_logs() as logs:
        async with supervised(refuses, crashes, speaks(1.0), covert=True, silent_after_s=None) as (
            clock,
            *_,
        ):
            await clock.advance(100.0)
    assert logs == []


def hears_another(driver):
    driver.health.hint = lambda: "hears AIS sentences (AIVDM), expected GNSS: cables swapped?"


async def test_what_is_heard_instead_is_in_the_reason_and_once_in_the_log():
    with structlog.testing.capture_logs() as logged:
        async with supervised(refuses, refuses, refuses) as (clock, driver, _, statuses):
            await clock.advance(0.5)
            hears_another(driver)
            await clock.advance(4.0)
            assert statuses[-1].reason == f"connection refused; {driver.health.hint()}"
    warned = [entry["reason"] for entry in logged if entry["log_level"] == "warning"]
    assert warned == ["connection refused", statuses[-1].reason]


async def test_what_a_covert_source_hears_is_told_nowhere():
    with structlog.testing.capture_logs() as logged:
        async with supervised(refuses, refuses, covert=True) as (clock, driver, _, statuses):
            hears_another(driver)
            await clock.advance(4.0)
            assert {status.reason for status in statuses} == {"connection refused"}
    assert logged == []


async def test_a_driver_that_cannot_say_what_it_hears_takes_nobody_along():
    def no_words() -> str:
        raise ZeroDivisionError("a bug")

    async with supervised(refuses, refuses) as (clock, driver, _, statuses):
        driver.health.hint = no_words
        await clock.advance(10.0)
        assert len(driver.began_s) == 3
        assert statuses[0].reason == "connection refused"
