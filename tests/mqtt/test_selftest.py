"""Does the alert path's own test tell a broker that delivers from one that does not?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.brokers import address
from tests.mqtt.harness import dashboard, publishing
from tests.soon import soon

if TYPE_CHECKING:
    from daemon.mqtt.embedded import EmbeddedBroker


async def test_a_synthetic_alert_comes_back_and_is_no_alert(broker: EmbeddedBroker) -> None:
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        await page.session()
        assert await running.publisher.round_trip_s(limit_s=10.0) is not None
        assert await running.publisher.round_trip_s(limit_s=10.0) is not None, "and again"
        await soon(lambda: sum("/selftest/" in m.topic for m in page.seen) == 2)
        assert not [m for m in page.seen if "/alert/" in m.topic]
        assert not [m for m in page.seen if "/selftest/" in m.topic and m.retained]


async def test_without_a_broker_nothing_comes_back(broker: EmbeddedBroker) -> None:
    async with publishing(broker) as running:
        await running.until(lambda facts: facts.connected)
        assert await running.publisher.round_trip_s(limit_s=10.0) is not None
        await broker.stop()
        await running.until(lambda facts: not facts.connected)
        assert await running.publisher.round_trip_s(limit_s=10.0) is None


async def test_a_listener_that_was_cut_off_listens_again(broker: EmbeddedBroker) -> None:
    async with publishing(broker) as running:
        await running.until(lambda facts: facts.connected)
        assert await running.publisher.round_trip_s(limit_s=10.0) is not None
        listener = running.publisher._selftest._listener
        assert listener is not None
        listener.give_up("cut by the test")
        await soon(listener.closed.done)
        assert await running.publisher.round_trip_s(limit_s=10.0) is not None
