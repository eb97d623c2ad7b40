"""Brokers that die, hang, forget and come back."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from blockbuster import blockbuster_ctx

from daemon.errors import RecordError
from daemon.mqtt.publisher import backoff_s
from daemon.mqtt.session import Timing
from daemon.mqtt.wire import Broker
from tests.brokers import address
from tests.clocks import FixedEntropy, ManualClock
from tests.mqtt.harness import (
    FAST,
    POINT,
    TOPICS,
    Record,
    connected,
    dashboard,
    publishing,
)
from tests.soon import PATIENCE_S, soon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.mqtt.commands import Command, Reply
    from daemon.mqtt.embedded import EmbeddedBroker

D12 = TOPICS.point("d12")


async def test_a_broker_that_was_killed_and_forgot_everything_gets_everything_back(
    broker: EmbeddedBroker,
) -> None:
    async with publishing(broker) as running:
        for number in range(50):
            running.publisher.put(TOPICS.point(f"p{number}"), POINT, 1.0)
        await running.drained()
        before = running.publisher.facts().session
        await broker.kill()
        running.publisher.put(D12, {**POINT, "value": "open"}, 2.0)
        await broker.start()
        async with dashboard(address(broker)) as page:
            session = await page.session()
            await page.until(lambda: page.newest(TOPICS.snapshot()).get("count") == 51)
            assert session != before
            assert page.newest(D12) == {**POINT, "value": "open", "session": session, "up": 2.0}
            assert {page.newest(TOPICS.point(f"p{n}"))["session"] for n in range(50)} == {session}


async def test_what_changed_during_an_outage_is_told_once_and_never_as_it_was_before(
    broker: EmbeddedBroker,
) -> None:
    async with publishing(broker) as running:
        running.publisher.put(D12, {**POINT, "value": "closed"}, 1.0)
        await running.drained()
        await broker.kill()
        for number in range(100):
            running.publisher.put(D12, {**POINT, "value": float(number)}, 2.0)
        await broker.start()
        async with dashboard(address(broker)) as page:
            await page.session()
            await running.drained()
            assert [body["value"] for body in page.bodies(D12)] in ([99.0], [99.0, 99.0])


def _stands(pid: int) -> bool:
    """Return whether every thread of a process is stopped (proc_pid_stat(5): state T)."""
    stats = [each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


async def test_a_hung_broker_is_noticed_by_keepalive_while_everything_else_goes_on(
    broker: EmbeddedBroker,
) -> None:
    timing = replace(FAST, connect_s=0.5)
    async with publishing(broker, timing=timing) as running:
        await running.drained()
        first = running.publisher.facts().session
        pid = broker.pid
        with blockbuster_ctx("daemon"):
            os.kill(pid, signal.SIGSTOP)
            try:
                await soon(lambda: _stands(pid))  # on a busy computer a thread may answer still
                running.publisher.put(D12, POINT, 1.0)
                lost = await running.until(lambda facts: facts.session != first)
                assert not lost.connected
                assert lost.oldest_unsent_s > 0
            finally:
                os.kill(pid, signal.SIGCONT)
        await running.drained()
        assert running.publisher.facts().session not in {None, first}


async def test_a_broker_that_is_not_there_costs_no_more_than_a_try_now_and_then(
    broker: EmbeddedBroker,
) -> None:
    await broker.stop()
    async with publishing(broker) as running:
        tried = await running.until(lambda facts: facts.progress >= 3)
        assert not tried.connected
        await broker.start()
        await running.drained()
        assert running.publisher.facts().connected


async def test_stopping_is_bounded_where_the_broker_hangs(broker: EmbeddedBroker) -> None:
    timing = replace(FAST, stop_s=0.2, keepalive_s=30)
    async with publishing(broker, timing=timing) as running:
        await running.drained()
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await running.publisher.stop()
        finally:
            os.kill(broker.pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("attempt", "jitter", "pause_s"),
    [
        (0, 0.0, 1.0),
        (0, 1.0, 0.5),
        (1, 0.0, 2.0),
        (4, 0.0, 16.0),
        (5, 0.0, 30.0),
        (9999, 0.5, 22.5),
    ],
)
def test_the_pause_between_tries_doubles_from_1_to_30_s_less_up_to_half(
    attempt: int, jitter: float, pause_s: float
) -> None:
    assert backoff_s(attempt, jitter, Timing()) == pause_s


async def test_the_next_try_is_not_before_its_pause_and_not_after_it() -> None:
    tries = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    broker = Broker(port=server.sockets[0].getsockname()[1])
    clock = ManualClock()
    async with publishing(broker, clock=clock, entropy=FixedEntropy(), timing=Timing()) as running:
        for number, pause_s in enumerate((0.75, 1.5, 3.0), 1):
            await running.until(lambda facts, done=number: facts.progress >= done)
            await clock.advance(pause_s - 0.001)
            assert tries == number
            await clock.advance(0.001)
    server.close()


async def test_a_broker_that_answers_pings_but_acknowledges_nothing_is_left() -> None:
    async def half_dead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes.fromhex("2003000000"))
        asked = b""
        while chunk := await reader.read(4096):
            asked += chunk
            at = asked.find(b"\x82")  # SUBSCRIBE
            if at >= 0 and len(asked) >= at + 4:
                writer.write(b"\x90\x04" + asked[at + 2 : at + 4] + b"\x00\x01")
                asked = asked[at + 4 :].replace(b"\x82", b"")
        writer.close()

    server = await asyncio.start_server(half_dead, "127.0.0.1", 0)
    broker = Broker(port=server.sockets[0].getsockname()[1])
    timing = replace(FAST, acknowledge_s=0.2, keepalive_s=60)
    async with publishing(broker, timing=timing) as running:
        first = await running.until(lambda facts: facts.session)
        await running.until(lambda facts: facts.session not in {None, first.session})
        assert not running.publisher.facts().connected
    server.close()


async def test_a_record_that_fails_holds_back_its_events_and_nothing_else(
    broker: EmbeddedBroker,
) -> None:
    class Failing(Record):
        fails = True

        async def events(self, after_bseq: int, limit: int) -> Sequence[tuple[int, bytes]]:
            if self.fails:
                raise RecordError("disk")
            return await super().events(after_bseq, limit)

        async def store_cursor(self, bseq: int) -> None:
            if self.fails:
                raise RecordError("disk")
            await super().store_cursor(bseq)
            stored.set()

    clock, record, stored = ManualClock(), Failing(), asyncio.Event()
    async with (
        dashboard(address(broker)) as page,
        publishing(broker, record=record, clock=clock) as running,
    ):
        session = await page.session()
        record.commit(3)
        running.publisher.put(D12, POINT, 1.0)
        await page.until(lambda: page.newest(D12))
        await page.command("bridge", "replay", id="r", session=session, from_bseq=1, limit=9)
        assert "cannot be brought back now: disk" in (await page.reply("bridge", "r"))["reason"]
        assert page.bodies(TOPICS.event()) == []
        record.fails = False
        await clock.advance(5.0)
        await running.drained()
        await page.until(lambda: len(page.bodies(TOPICS.event())) >= 3)
        async with asyncio.timeout(PATIENCE_S):
            await stored.wait()
        assert record.cursor == 3


async def test_a_cursor_that_cannot_be_stored_is_stored_later(broker: EmbeddedBroker) -> None:
    stored, failed = asyncio.Event(), asyncio.Event()

    class Failing(Record):
        async def store_cursor(self, bseq: int) -> None:
            if not failed.is_set():
                failed.set()
                raise OSError("disk full")
            await super().store_cursor(bseq)
            stored.set()

    clock = ManualClock()
    async with publishing(broker, record=Failing(), clock=clock) as running:
        running.record.commit(2)
        await running.drained()
        async with asyncio.timeout(PATIENCE_S):
            await failed.wait()
            await clock.advance(5.0)
            await stored.wait()
        assert running.record.cursor == 2


async def test_an_act_is_done_once_begun_though_the_connection_breaks_and_its_reply_is_kept(
    broker: EmbeddedBroker,
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        handle = running.app.handle

        async def slow(command: Command) -> Reply:
            begun.set()
            await go_on.wait()
            return await handle(command)

        running.publisher._handle = slow
        session = await page.session()
        await page.command("bridge", "silence", id="k1", session=session)
        async with asyncio.timeout(PATIENCE_S):
            await begun.wait()
        current = running.publisher._session
        assert current is not None
        current.connection.give_up("cut by the test")
        await running.until(lambda facts: facts.connected and facts.session != session)
        go_on.set()
        await page.command("bridge", "silence", id="k1", session=session)
        assert (await page.reply("bridge", "k1"))["recorded"] == 1
        assert len(running.app.commands) == 1


async def test_a_page_of_another_ship_is_left_alone(broker: EmbeddedBroker) -> None:
    other = "ispsd/borealis/v1/point/d1"
    async with connected(address(broker), "other") as ship:
        await ship.deliver(other, b"{}", retain=True)
    async with publishing(broker) as running:
        await running.drained()
    async with connected(address(broker), "late") as late:
        await late.subscribe("ispsd/borealis/#")
        async with asyncio.timeout(PATIENCE_S):
            assert (await anext(late.messages())).topic == other
