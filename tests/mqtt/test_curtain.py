"""The curtain at real brokers: one that is slow, one that is lost meanwhile, and what others have left there."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daemon.computer.clock import SystemClock
from daemon.model import Classification
from daemon.mqtt.board import Board
from daemon.mqtt.mirror import Mirror
from daemon.mqtt.topics import Topic, parse
from tests.brokers import address
from tests.mqtt.harness import FAST, IDENTITY, POINT, TOPICS, connected, dashboard, publishing
from tests.soon import soon

if TYPE_CHECKING:
    from daemon.mqtt.embedded import EmbeddedBroker

DOWN = {"down": True, "ship_time_offset_min": 480}
INSIDE = TOPICS.citadel()
D12, D13 = TOPICS.point("d12"), TOPICS.point("d13")
ALERT = TOPICS.alert("a1")
STAYS = {TOPICS.status(), TOPICS.snapshot(), TOPICS.curtain()}


async def held(broker: EmbeddedBroker, name: str) -> dict[str, bytes]:
    """Return what the broker remembers."""
    async with dashboard(address(broker), name) as late:
        return {m.topic: m.payload for m in late.seen if m.retained}


def stands_still(pid: int) -> bool:
    """Return whether every thread of a process that was stopped has stopped (proc(5): T)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)


@pytest.mark.parametrize(
    ("topic", "inside"),
    [
        (D12, Topic("citadel/point", "d12")),
        (TOPICS.status(), Topic("citadel/status")),
        (TOPICS.event(), Topic("citadel/event")),
        (TOPICS.record_head(), Topic("citadel/record/head")),
        (TOPICS.reply("muster"), Topic("citadel/reply", "muster")),
        (TOPICS.curtain(), None),
        (TOPICS.worklist(), None),
        (TOPICS.selftest("n1"), None),
        (TOPICS.command("bridge", "ack"), None),
        (INSIDE.point("d12"), None),
    ],
)
def test_every_open_topic_but_the_curtain_goes_on_in_the_citadel(
    topic: str, inside: Topic | None
) -> None:
    name = TOPICS.inside(topic)
    assert parse(name) == inside
    assert INSIDE.outside(name) == topic
    if inside is not None:
        open_name = TOPICS.parse(topic)
        assert INSIDE.parse(name) == open_name
        assert parse(name).retained is open_name.retained  # type: ignore[union-attr]


def test_the_curtain_and_what_it_clears_go_before_alerts_and_everything_else() -> None:
    mirror = Mirror()
    mirror.begin("s1", at_s=0.0)
    for topic in (D12, ALERT):
        mirror.put(topic, {"value": 1}, 1.0, at_s=1.0)
    mirror.put(TOPICS.curtain(), DOWN, 1.0, at_s=1.0)
    inside = {D12: TOPICS.inside(D12), ALERT: TOPICS.inside(ALERT)}
    mirror.move(inside.get, at_s=1.0, first=True)
    sent = []
    while (change := mirror.take()) is not None:
        sent.append((change.topic, bool(change.payload)))
    assert sent == [
        (TOPICS.curtain(), True),
        (D12, False),
        (ALERT, False),
        (inside[ALERT], True),
        (inside[D12], True),
    ]
    assert mirror.count(Classification.WATCH) == 1
    assert mirror.count(Classification.WATCH, citadel=True) == 2


def test_what_was_on_its_way_when_the_curtain_came_is_cleared_behind_it() -> None:
    mirror = Mirror()
    mirror.begin("s1", at_s=0.0)
    mirror.put(D12, {"value": 1}, 1.0, at_s=1.0)
    flying = mirror.take()
    assert flying is not None
    mirror.move({D12: INSIDE.point("d12")}.get, at_s=2.0, first=True)
    assert not mirror.hidden()
    assert mirror.take().topic == INSIDE.point("d12")  # type: ignore[union-attr]
    mirror.settled(flying, at_s=3.0)
    clearing = mirror.take()
    assert clearing is not None
    assert (clearing.topic, clearing.payload) == (D12, b"")
    mirror.settled(clearing, at_s=4.0)
    assert mirror.hidden()


def test_an_alert_that_has_just_ended_is_told_and_forgotten_inside() -> None:
    mirror = Mirror()
    mirror.begin("s1", at_s=0.0)
    mirror.put(ALERT, {"state": "N"}, 1.0, at_s=1.0, last=True)
    mirror.move({ALERT: INSIDE.alert("a1")}.get, at_s=2.0, first=True)
    sent = []
    while (change := mirror.take()) is not None:
        sent.append((change.topic, bool(change.payload)))
        mirror.settled(change, at_s=3.0)
    assert sent == [(ALERT, False), (INSIDE.alert("a1"), True), (INSIDE.alert("a1"), False)]


async def test_a_curtain_that_goes_down_and_up_and_down_leaves_nothing_in_the_open() -> None:
    board = Board(IDENTITY, SystemClock())
    board.put(D12, POINT, 1.0)
    for body in (DOWN, None, DOWN):
        board.curtain(body)
        board.put(D13, POINT, 1.0)
    board.remove(D12)
    mirror = board.mirror
    assert [mirror.holds(topic) for topic in (D12, D13)] == [False, False]
    assert [mirror.holds(INSIDE.point(id_)) for id_ in ("d12", "d13")] == [False, True]


async def test_down_clears_the_brokers_memory_and_up_fills_it_again(
    broker: EmbeddedBroker,
) -> None:
    async with publishing(broker) as running:
        for number in range(40):
            running.publisher.put(TOPICS.point(f"d{number}"), POINT, 1.0)
        running.publisher.put(TOPICS.worklist(), {"items": []}, 1.0)
        await running.drained()
        before = await held(broker, "before")
        running.publisher.curtain(DOWN)
        assert await running.publisher.curtained(limit_s=10.0)
        open_ones = {t for t in await held(broker, "at-once") if "/sso/" not in t}
        assert {t for t in open_ones if "/citadel/" not in t} <= STAYS
        await running.drained()
        down = await held(broker, "down")
        assert {t for t in down if "/citadel/" not in t} == STAYS | {TOPICS.worklist()}
        assert len([t for t in down if t.startswith(f"{INSIDE.root}/point/")]) == 40
        assert json.loads(down[INSIDE.snapshot()])["count"] == 40
        assert json.loads(down[TOPICS.snapshot()])["count"] == 1
        running.publisher.curtain(None)
        await running.drained()
        up = await held(broker, "up")
        assert {*up} == {*before}
        assert json.loads(up[TOPICS.snapshot()])["count"] == 40


async def test_a_broker_that_hangs_when_it_comes_down_is_cleared_before_anything_else(
    broker: EmbeddedBroker,
) -> None:
    """It keeps what it had been told, and the connection is lost: the next one begins with what is to be forgotten."""
    timing = replace(FAST, connect_s=0.5)
    async with publishing(broker, timing=timing) as running:
        running.publisher.put(D12, POINT, 1.0)
        await running.drained()
        first = running.publisher.facts().session
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            await soon(lambda: stands_still(broker.pid))
            running.publisher.curtain(DOWN)
            running.publisher.put(D13, POINT, 2.0)
            assert not await running.publisher.curtained(limit_s=0.2)
            await running.until(lambda facts: facts.session != first)
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        await running.until(lambda facts: facts.connected and facts.session != first)
        await running.drained()
        assert {t for t in await held(broker, "late") if "/citadel/" not in t} == STAYS


async def test_what_others_leave_behind_the_curtain_is_cleared_and_does_not_come_back(
    broker: EmbeddedBroker,
) -> None:
    left = [TOPICS.point("old"), TOPICS.alert("door.forced.d12"), TOPICS.ship()]
    lie = b'{"session":"earlier","up":1.0}'
    async with connected(address(broker), "earlier") as earlier:
        for topic in left:
            await earlier.deliver(topic, lie, retain=True)
        async with publishing(broker) as running:
            running.publisher.curtain(DOWN)
            await running.drained()
            async with dashboard(address(broker)) as page:
                await page.until(lambda: all(not page.newest(topic) for topic in left))
                await earlier.deliver(D12, lie, retain=True)
                await page.until(lambda: page.bodies(D12)[-1:] == [{}])
            assert {t for t in await held(broker, "late") if "/citadel/" not in t} == STAYS


async def test_without_a_record_the_broker_says_whether_it_was_down(
    broker: EmbeddedBroker,
) -> None:
    async with connected(address(broker), "earlier") as earlier:
        body = json.dumps({**DOWN, "session": "earlier", "up": 1.0}).encode()
        await earlier.deliver(TOPICS.curtain(), body, retain=True)
        async with dashboard(address(broker)) as page, publishing(broker) as running:
            publisher = running.publisher
            publisher.put(D12, POINT, 1.0)
            publisher.find_curtain(lambda: publisher.curtain(DOWN))
            await page.until(lambda: page.newest(INSIDE.point("d12")))
            await running.drained()
            assert not any(page.bodies(D12)), "cleared, and never told"


def test_at_a_new_connection_the_curtain_and_what_it_clears_go_first() -> None:
    mirror = Mirror()
    mirror.begin("s1", at_s=0.0)
    mirror.put(TOPICS.status(), {"state": "starting"}, 1.0, at_s=1.0)
    mirror.put(D12, {"value": 1}, 1.0, at_s=1.0)
    mirror.put(TOPICS.curtain(), DOWN, 1.0, at_s=1.0)
    mirror.move({D12: INSIDE.point("d12")}.get, at_s=2.0, first=True)
    while mirror.take() is not None:
        pass  # on its way when the connection was lost
    mirror.begin("s2", at_s=3.0)
    sent = []
    while (change := mirror.take()) is not None:
        sent.append(change.topic)
    assert sent == [D12, TOPICS.curtain(), TOPICS.status(), INSIDE.point("d12")]
