"""Brokers that die, hang, forget and come back."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from blockbuster import blockbuster_ctx

from tests.brokers import address
from tests.mqtt.harness import FAST, POINT, TOPICS, WITHIN_S, dashboard, publishing

if TYPE_CHECKING:
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
            async with asyncio.timeout(WITHIN_S):
                await running.publisher.stop()
        finally:
            os.kill(broker.pid, signal.SIGCONT)
