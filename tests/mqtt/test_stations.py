"""Commands over real brokers: asked, done, answered; or refused, told and cleared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from daemon.mqtt.commands import Ground
from tests.brokers import address
from tests.mqtt.harness import POINT, TOPICS, connected, dashboard, publishing

if TYPE_CHECKING:
    from daemon.mqtt.embedded import EmbeddedBroker

ACK = {"alert": "d12", "instance": 1, "priority": "W", "person": "2/O Berg"}
COMMAND = TOPICS.command("bridge", "ack")


async def test_an_acknowledgement_is_done_once_and_answered_each_time(
    broker: EmbeddedBroker,
) -> None:
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        session = await page.session()
        for count in (1, 2):
            await page.command("bridge", "ack", id="k1", session=session, **ACK)
            reply = await page.reply("bridge", "k1", count=count)
            assert (reply["verb"], reply["accepted"], reply["recorded"]) == ("ack", True, 1)
        assert [command.alert for command in running.app.commands] == ["d12"]


async def test_a_command_for_an_old_session_is_refused_and_told(broker: EmbeddedBroker) -> None:
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        await page.session()
        await page.command("bridge", "ack", id="k1", session="of-yesterday", **ACK)
        reply = await page.reply("bridge", "k1")
        assert (reply["accepted"], reply["recorded"]) == (False, None)
        assert "another session" in reply["reason"]
        await running.app.until(lambda: running.app.refusals)
        assert running.app.refusals == [("bridge", Ground.OLD, 1)]
        assert running.app.commands == []


async def test_a_command_without_a_short_expiry_is_refused(broker: EmbeddedBroker) -> None:
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        session = await page.session()
        for number, expiry_s in enumerate((None, 60)):
            await page.command(
                "bridge", "ack", id=f"k{number}", session=session, expiry_s=expiry_s, **ACK
            )
            assert not (await page.reply("bridge", f"k{number}"))["accepted"]
        assert running.app.commands == []


async def test_peers_21_a_retained_command_is_refused_told_and_cleared(
    broker: EmbeddedBroker,
) -> None:
    async with connected(address(broker), "earlier") as earlier:
        body = json.dumps({"id": "k1", "session": "s", **ACK}).encode()
        await earlier.deliver(COMMAND, body, retain=True)
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        reply = await page.reply("bridge", "k1")
        assert "retained" in reply["reason"]
        await page.until(lambda: page.bodies(COMMAND)[-1] == {})
        await running.app.until(lambda: running.app.refusals)
        assert running.app.refusals == [("bridge", Ground.RETAINED, 1)]
        assert running.app.commands == []


async def test_a_refresh_brings_all_state_and_a_snapshot_before_its_reply(
    broker: EmbeddedBroker,
) -> None:
    point = TOPICS.point("d12")
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        running.publisher.put(point, POINT, 5.0)
        session = await page.session()
        page.seen.clear()
        await page.command("gangway", "refresh", id="f1", session=session)
        assert (await page.reply("gangway", "f1"))["accepted"]
        told = [m.topic for m in page.seen]
        assert (
            told.index(point) < told.index(TOPICS.snapshot()) < told.index(TOPICS.reply("gangway"))
        )
        assert page.newest(point)["up"] == 5.0
        assert page.newest(TOPICS.snapshot())["count"] == 1


async def test_a_station_that_is_not_configured_is_told_so(broker: EmbeddedBroker) -> None:
    async with dashboard(address(broker)) as page, publishing(broker):
        session = await page.session()
        await page.command("crane", "ack", id="k1", session=session, **ACK)
        assert "no such station" in (await page.reply("crane", "k1"))["reason"]


async def test_a_flood_of_commands_is_bounded_and_state_goes_on(broker: EmbeddedBroker) -> None:
    point = TOPICS.point("d12")
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        session = await page.session()
        for number in range(300):
            await page.command("gangway", "ack", id=f"n{number}", session=session, **ACK)
        running.publisher.put(point, POINT, 5.0)
        await page.until(lambda: page.newest(point))
        await page.command("bridge", "ack", id="mine", session=session, **ACK)
        assert (await page.reply("bridge", "mine"))["accepted"]
        assert len(running.app.commands) <= 21
        await running.app.until(lambda: running.app.refusals)
        assert running.app.refusals[0][:2] == ("gangway", Ground.FLOOD)
