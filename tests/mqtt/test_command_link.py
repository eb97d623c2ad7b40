"""Each station is heard over a connection of its own; who floods is not heard for a while, and all others are."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from daemon.mqtt.command_link import DEAF_S, FLOOD
from daemon.mqtt.commands import Ground
from tests.brokers import address
from tests.clocks import FixedEntropy, ManualClock
from tests.mqtt.harness import TOPICS, Dashboard, connected, dashboard, publishing
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from daemon.mqtt.embedded import EmbeddedBroker

ACK = {"alert": "d12", "instance": 1, "priority": "W"}


async def flood(page: Dashboard, station: str, session: str) -> None:
    body = json.dumps({"id": "f", "session": session, **ACK}).encode()
    for _ in range(FLOOD):
        await page.connection.room()
        page.connection.publish(
            TOPICS.command(station, "ack"), body, qos=1, retain=False, expiry_s=5
        )


async def heard_again(page: Dashboard, clock: ManualClock, session: str, id_: str) -> dict:
    """Ask again and again, as a page does that gets no reply."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await page.command("gangway", "ack", id=id_, session=session, **ACK)
            await clock.advance(0.0)
            found = [b for b in page.bodies(TOPICS.reply("gangway")) if b["id"] == id_]
            if found:
                return found[0]


async def test_who_floods_is_not_heard_for_as_long_as_a_command_may_live(
    broker: EmbeddedBroker,
) -> None:
    clock = ManualClock()
    async with (
        dashboard(address(broker)) as page,
        publishing(broker, clock=clock, entropy=FixedEntropy()) as running,
    ):
        session = await page.session()
        await flood(page, "gangway", session)
        gone = running.publisher._session
        assert gone is not None
        link = gone._links[-2]
        async with asyncio.timeout(PATIENCE_S):
            while link._connection is None or not link._connection.closed.done():
                await clock.advance(0.0)
        await page.command("gangway", "ack", id="deaf", session=session, **ACK)
        await page.command("bridge", "ack", id="mine", session=session, **ACK)
        assert (await page.reply("bridge", "mine"))["accepted"]
        await clock.advance(DEAF_S + 1.0)
        assert (await heard_again(page, clock, session, "later"))["accepted"]
        assert not [b for b in page.bodies(TOPICS.reply("gangway")) if b["id"] == "deaf"]
        assert page.newest(TOPICS.status())["session"] == session
        await clock.advance(1.0)
        await running.app.until(lambda: running.app.refusals)
        assert {refusal[:2] for refusal in running.app.refusals} == {("gangway", Ground.FLOOD)}


async def test_a_station_is_heard_from_the_moment_that_the_snapshot_is_told(
    broker: EmbeddedBroker,
) -> None:
    async with connected(address(broker)) as connection:
        page = Dashboard(connection)
        await connection.subscribe(TOPICS.everything())
        collecting = asyncio.create_task(page.collect())
        for number in range(3):
            page.seen.clear()
            async with publishing(broker):
                await page.until(lambda: page.newest(TOPICS.snapshot()))
                session = page.newest(TOPICS.snapshot())["session"]
                await page.command("gangway", "ack", id=f"k{number}", session=session, **ACK)
                assert (await page.reply("gangway", f"k{number}"))["accepted"]
        collecting.cancel()


@pytest.mark.parametrize("which", range(3))
async def test_a_lost_command_connection_is_a_new_session_that_hears_again(
    broker: EmbeddedBroker, which: int
) -> None:
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        first = await page.session()
        live = running.publisher._session
        assert live is not None
        connection = live._links[which]._connection
        assert connection is not None
        connection.give_up("cut by the test")
        await page.until(lambda: page.newest(TOPICS.status()).get("session") != first)
        session = await page.session()
        for station in ("bridge", "gangway"):
            await page.command(station, "ack", id="k1", session=session, **ACK)
            assert (await page.reply(station, "k1"))["accepted"]
