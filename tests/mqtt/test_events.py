"""The event stream: in order, without a gap, at least once, whatever the broker does."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tests.brokers import address
from tests.clocks import ManualClock
from tests.mqtt.harness import FAST, TOPICS, Record, dashboard, publishing

if TYPE_CHECKING:
    from daemon.mqtt.embedded import EmbeddedBroker
    from tests.mqtt.harness import Dashboard


def bseqs(page: Dashboard) -> list[int]:
    return [body["bseq"] for body in page.bodies(TOPICS.event())]


async def test_events_come_in_order_and_the_cursor_says_how_far(broker: EmbeddedBroker) -> None:
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        await page.session()
        for _ in range(10):
            running.record.commit(20)
        await running.drained()
        await page.until(lambda: len(bseqs(page)) >= 200)
        assert bseqs(page) == list(range(1, 201))
        assert not any(m.retained for m in page.seen if m.topic == TOPICS.event())
    assert running.record.cursor == 200


async def test_events_go_on_behind_the_cursor_after_an_outage_without_a_gap(
    broker: EmbeddedBroker,
) -> None:
    clock, record = ManualClock(), Record()
    record.commit(60)
    record.cursor = 50
    async with publishing(broker, record=record, clock=clock) as running:
        await running.drained()
        assert record.cursor == 60
        await broker.kill()
        await running.until(lambda facts: facts.session is None)
        record.commit(40)
        await broker.start()
        async with dashboard(address(broker)) as page:
            await clock.advance(FAST.first_retry_s)
            await running.drained()
            await page.until(lambda: len(bseqs(page)) >= 40)
    assert bseqs(page) == list(range(61, 101))
    assert record.cursor == 100


async def test_a_connection_that_breaks_again_and_again_repeats_events_but_loses_none(
    broker: EmbeddedBroker,
) -> None:
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        for _ in range(5):
            await running.until(lambda facts: facts.connected)
            running.record.commit(60)
            session = running.publisher._session
            assert session is not None
            already = len(bseqs(page))
            await page.until(lambda seen=already: len(bseqs(page)) > seen)
            session.connection.give_up("cut by the test")
            await running.until(lambda facts, cut=session.name: facts.session != cut)
        await running.drained()
        await page.until(lambda: bseqs(page)[-1:] == [300])
    told = bseqs(page)
    # In the order of their numbers, but for the few in flight at each cut, which come twice.
    assert sorted(set(told)) == list(range(1, 301))
    assert all(later - earlier <= 1 for earlier, later in pairwise(told))
    assert len(told) <= 300 + 5 * 10


async def test_a_replay_brings_older_events_back_once_and_says_how_many(
    broker: EmbeddedBroker,
) -> None:
    record = Record()
    record.commit(120)
    record.cursor = 120
    async with dashboard(address(broker)) as page, publishing(broker, record=record) as running:
        session = await page.session()
        await running.drained()
        await page.command("bridge", "replay", id="r1", session=session, from_bseq=31, limit=70)
        reply = await page.reply("bridge", "r1")
        assert (reply["accepted"], reply["extra"]) == (True, {"count": 70})
        await page.until(lambda: len(bseqs(page)) >= 70)
        assert bseqs(page) == list(range(31, 101))
        await page.command("bridge", "replay", id="r2", session=session, from_bseq=115, limit=1000)
        assert (await page.reply("bridge", "r2"))["extra"] == {"count": 6}
