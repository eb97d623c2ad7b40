"""The page of a demo without Mosquitto: over the tunnel it shows, acts with what a command needs, and goes stale."""

from __future__ import annotations

import aiohttp
import pytest

from daemon.web.settings import WebSection
from daemon.web.tunnel import tunnel
from tests.brokers import address, free_port, iotcore
from tests.mqtt.harness import connected
from tests.web.hand import ROOT, Hand
from tests.web.rig import FACTS, FRESH, NO_SOCKET, STALE, opened, serving, soon

ALERTS = "document.querySelectorAll('ol.alerts > li').length"

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_page_shows_acts_and_goes_stale_over_iotcore(chromium):
    async with (
        iotcore() as broker,
        tunnel(broker.port) as port,
        connected(address(broker), "ship") as ship,
        serving(
            WebSection(port=free_port(), broker=f"ws://127.0.0.1:{port}"), FACTS, NO_SOCKET
        ) as page,
    ):
        hand = Hand(ship)
        await ship.subscribe(f"{ROOT}cmd/#")
        await hand.begin("bridge")
        screen = await opened(chromium, page, "bridge", password="any", paused=False)
        await soon(screen, "window.told", "the snapshot")
        await hand.beat()
        await hand.alert("a")
        await soon(screen, f"{ALERTS} === 1 && {FRESH}", "the alert")
        await screen.page.click("ol.alerts .ack")
        async for message in ship.messages():
            if message.topic == f"{ROOT}cmd/bridge/ack":
                assert message.expiry_s is not None
                assert 0 < message.expiry_s <= 10
                break
        await broker.stop()
        await soon(screen, STALE, "the banner")
        assert screen.faults == []


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", ""])
async def test_a_page_of_elsewhere_is_not_carried(origin):
    async with iotcore() as broker, tunnel(broker.port) as port, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(f"http://127.0.0.1:{port}/", origin=origin or None)
        assert caught.value.status == 403


async def test_what_is_no_websocket_is_told_so():
    async with tunnel(1) as port, aiohttp.ClientSession() as session:
        answer = await session.get(
            f"http://127.0.0.1:{port}/", headers={"Origin": "http://localhost"}
        )
        assert answer.status == 426


async def test_a_broker_that_is_not_there_ends_the_pages_connection():
    async with iotcore() as broker, tunnel(broker.port) as port, aiohttp.ClientSession() as session:
        await broker.stop()
        page = await session.ws_connect(f"http://127.0.0.1:{port}/", origin="http://127.0.0.1")
        assert (await page.receive()).type is aiohttp.WSMsgType.CLOSE
