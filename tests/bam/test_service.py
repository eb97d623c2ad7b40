"""The port running: what befalls the line is logged once and tried again, and what comes in cannot break anything."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import structlog

from daemon.alerts.alert import AlertChange
from daemon.bam.port import Port
from daemon.bam.service import MOST_ACTS_AT_ONCE, Service
from daemon.bam.wire import STUCK_S
from daemon.errors import RefusedError
from daemon.model import AlertState
from simulators.central_alert_panel import CentralAlertPanel
from simulators.panel_sentences import written
from tests.bam.rig import Line, alert, section
from tests.clocks import FixedEntropy, ManualClock
from tests.soon import BREATH_S, soon

if TYPE_CHECKING:
    from daemon.alerts.alert import Alert
    from daemon.bam.commands import Do


class Desk:
    """Takes down what is asked for."""

    def __init__(self) -> None:
        self.done: list[Do] = []
        self.handed_back = 0
        self.refuses = self.breaks = self.hangs = False

    async def carry_out(self, do: Do) -> bool:
        self.done.append(do)
        if self.hangs:
            await asyncio.Event().wait()
        if self.refuses:
            raise RefusedError("not now")
        if self.breaks:
            raise ZeroDivisionError
        return True

    def hand_back(self) -> bool:
        self.handed_back += 1
        if self.breaks:
            raise ZeroDivisionError
        return True


class Rig:
    """A running port over alerts that are put here, and a panel at the other end."""

    def __init__(self, path: str, *, panel: CentralAlertPanel | None, clock: ManualClock) -> None:
        self.clock = clock
        self.panel = panel
        self.desk = Desk()
        self.alerts: dict[str, Alert] = {}
        self.looks = 0
        self.port = Port(
            section(port=path),
            alerts=lambda: list(self.alerts.values()),
            progress=self._progress,
            now_s=clock.now_s(),
        )
        self.service = Service(
            section(port=path),
            port=self.port,
            desk=self.desk,  # type: ignore[arg-type]
            clock=clock,
            entropy=FixedEntropy(),  # type: ignore[arg-type]
        )

    def _progress(self) -> int:
        self.looks += 1
        return self.looks

    async def pass_time(self, seconds: float) -> None:
        """Let time pass from one sleeper's moment to the next; what is sent arrives before the next."""
        end_s = self.clock.now_s() + seconds
        while self.clock.now_s() < end_s:
            due_s = self.clock.next_due_s()
            to_s = end_s if due_s is None else min(max(due_s, self.clock.now_s()), end_s)
            await self.clock.advance(to_s - self.clock.now_s())
            await asyncio.sleep(BREATH_S)  # the kernel moves bytes in its own time


@asynccontextmanager
async def running(path: str | None = None, **panels):
    clock = ManualClock()
    panel = None if path else CentralAlertPanel("bam", panels, clock)
    if panel is not None:
        await panel.start()
    rig = Rig(path or panel.endpoint, panel=panel, clock=clock)
    task = asyncio.ensure_future(rig.service.run())
    try:
        yield rig
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if panel is not None:
            await panel.stop()


def told(rig: Rig, changed: Alert) -> None:
    """Announce a change, as the watch does."""
    if changed.state.value == "N":
        rig.alerts.pop(changed.id)
    else:
        rig.alerts[changed.id] = changed
    rig.service.changed(AlertChange(changed, "condition_true", 1))  # type: ignore[arg-type]


async def test_a_storm_over_a_real_line_ends_with_the_panel_showing_what_stands():
    """200 alerts that go on changing, at 4800 Bd, with a panel that asks for whatever it missed."""
    async with running() as rig:
        await rig.pass_time(1.0)
        chance = random.Random(6)
        for n in range(1, 201):
            told(rig, alert(n, priority=chance.choice("WA"), detail=f"line {n}, $!"))
        for _ in range(30):
            for was in chance.sample(list(rig.alerts.values()), 12):
                to = {"V": "S", "S": "A", "A": "N"}[was.state.value]
                told(rig, replace(was, state=AlertState(to), revision=was.revision % 99 + 1))
            await rig.pass_time(1.0)
        await rig.pass_time(150.0)
        stands = {(a.instance, a.state.value, a.revision) for a in rig.alerts.values()}
        shown = {(a.instance, a.state, a.revision) for a in rig.panel.alerts.values()}
        assert shown == stands
        assert len(stands) > 50
        assert all(a.description.startswith("STRG GEAR ESC") for a in rig.panel.alerts.values())
        assert rig.panel.faults == {}


async def test_a_port_that_is_not_there_is_logged_once_and_tried_ever_more_seldom(tmp_path):
    structlog.reset_defaults()  # a level that another test has set would leave out what is of the lowest
    with structlog.testing.capture_logs() as logs:
        async with running(str(tmp_path / "nothing")) as rig:
            await soon(lambda: logs)
            async with asyncio.timeout(
                20
            ):  # a thread tries it, which the ship's time does not hurry
                while sum(each["event"] == "bam.down" for each in logs) < 3:
                    await rig.pass_time(1.0)
    down = [each for each in logs if each["event"] == "bam.down"]
    assert [each["log_level"] for each in down] == ["warning"] + ["debug"] * (len(down) - 1)
    assert "No such file" in down[0]["reason"]


async def test_an_outage_has_two_lines_in_the_log(tmp_path):
    link = str(tmp_path / "panel")
    with structlog.testing.capture_logs() as logs:
        async with running(link=link) as rig:
            await soon(lambda: rig.panel.heard)
            await rig.pass_time(40.0)
            await rig.panel.do({"do": "unplug"})
            await soon(lambda: any(each["event"] == "bam.down" for each in logs))
            await rig.pass_time(10.0)
            await rig.panel.do({"do": "plug"})
            lists = rig.panel.list.lists
            for _ in range(100):
                await rig.pass_time(1.0)
            assert rig.panel.list.lists > lists
    seen = [each["event"] for each in logs if each["log_level"] in {"warning", "info"}]
    assert seen == ["bam.down", "bam.up"]


async def test_a_line_that_takes_nothing_is_given_up_and_opened_again(monkeypatch):
    async with running() as rig:
        await soon(lambda: rig.panel.heard)
        asyncio.get_running_loop().remove_reader(rig.panel.line.pty.unit)  # it reads no more
        with structlog.testing.capture_logs() as logs:
            for n in range(1, 400):
                told(rig, alert(n))
            for _ in range(100):
                await rig.pass_time(STUCK_S)
                if any(each["event"] == "bam.down" for each in logs):
                    break
        (first, *_) = [each for each in logs if each["event"] == "bam.down"]
        assert "takes nothing" in first["reason"]
        asyncio.get_running_loop().add_reader(rig.panel.line.pty.unit, rig.panel.line.read)


@pytest.mark.parametrize("how", ["refuses", "breaks"])
async def test_an_act_that_is_refused_is_answered_and_one_that_breaks_ends_nothing(how):
    async with running() as rig:
        told(rig, alert())
        await soon(lambda: rig.panel.heard)
        for _ in range(20):
            await rig.pass_time(0.5)
        await soon(lambda: rig.panel.list.waiting)
        setattr(rig.desk, how, True)
        with structlog.testing.capture_logs() as logs:
            await rig.panel.do({"do": "acknowledge"})
            await soon(lambda: rig.desk.done)
            await rig.pass_time(2.0)
        said = [each["event"] for each in logs]
        assert ("bam.refused" if how == "refuses" else "bam.fault") in said
        assert rig.panel.list.refused == ([(10011, "A")] if how == "refuses" else [])
        beats = rig.panel.heard["HBT"]
        await rig.pass_time(31.0)
        assert rig.panel.heard["HBT"] > beats


async def test_acts_that_hang_are_bounded_and_what_is_beyond_is_refused():
    async with running() as rig:
        for n in range(1, 41):
            told(rig, alert(n))
        await soon(lambda: rig.panel.heard)
        await rig.pass_time(20.0)
        rig.desk.hangs = True
        for n in range(1, 31):
            await rig.panel.do(
                {"do": "acknowledge", "number": 10011, "instance": n, "maker": "XXX"}
            )
        await soon(lambda: len(rig.desk.done) == MOST_ACTS_AT_ONCE)
        await rig.pass_time(5.0)
        assert len(rig.desk.done) == MOST_ACTS_AT_ONCE
        assert len(rig.panel.list.refused) == 30 - MOST_ACTS_AT_ONCE


async def test_what_was_dropped_is_logged_as_counts_and_seldom():
    with structlog.testing.capture_logs() as logs:
        async with running() as rig:
            await soon(lambda: rig.panel.heard)
            for _ in range(3):
                await rig.panel.do({"do": "raw", "text": "garbage\r\n" * 20})
                await rig.pass_time(5.0)
            await soon(lambda: rig.port.dropped["garbage"] == 60)
            await rig.pass_time(5.0)
    counted = [each for each in logs if each["event"] == "bam.dropped"]
    assert len(counted) == 1
    assert counted[0]["log_level"] == "warning"
    assert counted[0]["garbage"] >= 20


async def test_a_fault_in_the_port_itself_ends_neither_it_nor_anything_else(monkeypatch):
    async with running() as rig:
        await soon(lambda: rig.panel.heard)
        take = rig.port.take
        monkeypatch.setattr(rig.port, "take", lambda _: 1 / 0)
        with structlog.testing.capture_logs() as logs:
            await rig.pass_time(31.0)
        assert any(each["event"] == "bam.fault" for each in logs)
        monkeypatch.setattr(rig.port, "take", take)
        beats = rig.panel.heard["HBT"]
        await rig.pass_time(120.0)
        assert rig.panel.heard["HBT"] > beats


async def test_a_panel_that_is_lost_has_everything_taken_back_even_while_that_fails():
    with structlog.testing.capture_logs() as logs:
        async with running() as rig:
            await rig.panel.do({"do": "mute"})
            rig.desk.breaks = True
            await rig.pass_time(160.0)
            assert rig.service.panel_is_lost
            tried = rig.desk.handed_back
            assert tried
            rig.desk.breaks = False
            await rig.pass_time(3.0)
            assert rig.desk.handed_back > tried
    assert any(each["event"] == "bam.handed_back" for each in logs)


async def test_told_again_is_what_stands_now_and_not_what_stood_when_it_was_asked_for():
    line = Line(alert(1))
    line.run(10.0)
    asked = line.hear(written("CA", "ACN", "", "XXX", "10011", "1", "A", "C").strip())
    line.become(1, "A")
    line.run(11.0)
    line.port.tell_again(asked.do.alerts)
    assert [text[3:6] for text in line.run(12.0)] == ["ALF", "ALF"]
    assert ",A,XXX,10011,1,2," in line.sent[-2][1]
