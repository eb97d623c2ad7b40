"""Discovery over a real Mosquitto: what stands there, what is cleared, and what comes again at its birth."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from daemon.computer.clock import SystemClock
from daemon.errors import LinkError
from daemon.exporters.homeassistant import EXPORTER, HomeAssistant, HomeAssistantConfig
from tests.brokers import address, mosquitto
from tests.exporters.rig import ALERT, DOOR, DRIVER, STATUS, TOPICS, Told
from tests.mqtt.harness import Dashboard, connected
from tests.soon import soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from daemon.mqtt.embedded import EmbeddedBroker

CONFIG = HomeAssistantConfig(kind="homeassistant")
DOOR_CONFIG = "homeassistant/binary_sensor/ispsd_9999993/point_d12/config"
LINK_CONFIG = "homeassistant/binary_sensor/ispsd_9999993/link_io1/config"
STRANGER = "homeassistant/binary_sensor/ispsd_9999993/point_d99/config"
ANOTHERS = "homeassistant/binary_sensor/ispsd_9074729/point_d99/config"
NOT_SHOWN_YET = "homeassistant/sensor/ispsd_9999993/point_u1Pvoltage/config"
COUNT = "homeassistant/sensor/ispsd_9999993/alerts/state"


@asynccontextmanager
async def listening(broker: EmbeddedBroker, name: str = "first") -> AsyncIterator[Dashboard]:
    async with connected(address(broker), name) as connection:
        page = Dashboard(connection)
        collecting = asyncio.create_task(page.collect())
        await connection.subscribe("homeassistant/#")
        try:
            yield page
        finally:
            collecting.cancel()


@asynccontextmanager
async def exporting(told: Told, broker: EmbeddedBroker) -> AsyncIterator[HomeAssistant]:
    exporter = HomeAssistant(CONFIG, told.context(address(broker)))
    running = asyncio.ensure_future(exporter.run())
    try:
        yield exporter
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def lively() -> Told:
    told = Told(SystemClock())
    told.put(TOPICS.status(), STATUS)
    told.put(TOPICS.point("d12"), DOOR)
    told.put(TOPICS.driver("io1"), DRIVER)
    told.whole()
    return told


async def test_a_door_is_found_and_stands_there_for_whoever_comes_later():
    told = lively()
    async with mosquitto() as broker, exporting(told, broker) as exporter:
        async with listening(broker) as first:
            await first.until(lambda: first.newest(DOOR_CONFIG) and first.newest(LINK_CONFIG))
        async with listening(broker, "later") as later:
            said = await later.until(lambda: later.newest(DOOR_CONFIG))
            assert said["state_topic"] == TOPICS.point("d12")
            assert all(m.retained for m in later.seen if m.topic == DOOR_CONFIG)
        assert exporter.tally.sent >= 4


async def test_what_the_ship_has_not_is_cleared_and_nothing_else():
    told = lively()
    async with mosquitto() as broker, listening(broker) as page:
        for topic in (STRANGER, ANOTHERS, NOT_SHOWN_YET):
            await page.connection.deliver(topic, b'{"name":"old"}', retain=True)
        async with exporting(told, broker):
            await page.until(lambda: page.bodies(STRANGER)[-1:] == [{}])
        async with listening(broker, "later") as later:
            await later.until(lambda: later.newest(DOOR_CONFIG))
            await later.connection.subscribe("fence")
            await later.connection.deliver("fence", b"")
            await later.until(lambda: any(m.topic == "fence" for m in later.seen))
            assert later.bodies(STRANGER) == []
            assert later.newest(ANOTHERS) == {"name": "old"}
            assert later.newest(NOT_SHOWN_YET) == {"name": "old"}


async def test_home_assistants_birth_brings_everything_again():
    told = lively()
    async with mosquitto() as broker, exporting(told, broker), listening(broker) as page:
        await page.until(lambda: page.newest(LINK_CONFIG) and page.newest(COUNT))
        before = len(page.bodies(DOOR_CONFIG))
        # Home Assistant may be told to retain its birth.
        await page.connection.deliver("homeassistant/status", b"online", retain=True)
        await page.until(lambda: len(page.bodies(DOOR_CONFIG)) > before)
        await page.until(lambda: len(page.bodies(COUNT)) > 1)


async def test_open_alerts_are_counted_for_whoever_finds_the_count_later():
    told = lively()
    async with mosquitto() as broker, exporting(told, broker), listening(broker) as page:
        await page.until(lambda: page.newest(COUNT).get("open") == 0)
        told.put(TOPICS.alert("a"), ALERT)
        await page.until(lambda: page.newest(COUNT).get("open") == 1)
        assert page.newest(COUNT)["titles"] == ["ESC HATCH OPEN: STRG GEAR ESC"]
        told.remove(TOPICS.alert("a"))
        await page.until(lambda: page.newest(COUNT).get("open") == 0)
        async with listening(broker, "later") as later:
            await later.until(lambda: later.newest(COUNT).get("open") == 0)


async def test_behind_the_curtain_nothing_is_found():
    told = lively()
    async with mosquitto() as broker, exporting(told, broker), listening(broker) as page:
        await page.until(lambda: page.newest(DOOR_CONFIG) and page.newest(LINK_CONFIG))
        told.curtain(down=True)
        gone = (DOOR_CONFIG, LINK_CONFIG, COUNT)
        await page.until(lambda: all({} in page.bodies(topic) for topic in gone))
        async with listening(broker, "later") as later:
            await later.connection.subscribe("fence")
            await later.connection.deliver("fence", b"")
            await later.until(lambda: any(m.topic == "fence" for m in later.seen))
            assert [m.topic for m in later.seen if m.payload] == []
        told.curtain(down=False)
        await page.until(lambda: page.newest(DOOR_CONFIG))


async def test_what_an_earlier_run_left_is_cleared_behind_the_curtain_too():
    told = lively()
    told.curtain(down=True)
    async with mosquitto() as broker, listening(broker) as page:
        await page.connection.deliver(DOOR_CONFIG, b'{"name":"STRG GEAR ESC"}', retain=True)
        async with exporting(told, broker):
            await page.until(lambda: page.bodies(DOOR_CONFIG)[-1:] == [{}])


async def test_a_broker_that_is_not_there_is_worth_another_try():
    async with mosquitto() as broker:
        pass
    exporter = HomeAssistant(CONFIG, lively().context(address(broker)))
    with pytest.raises(LinkError):
        await exporter.run()


async def test_a_broker_that_is_lost_ends_it_and_everything_is_told_to_the_next():
    told = lively()
    async with mosquitto() as broker:
        exporter = HomeAssistant(CONFIG, told.context(address(broker)))
        running = asyncio.ensure_future(exporter.run())
        await soon(lambda: exporter.tally.sent >= 5)
        await broker.stop()
        with pytest.raises(LinkError):
            await running
        await broker.start()
        async with exporting(told, broker):
            pass
        running = asyncio.ensure_future(exporter.run())
        async with listening(broker) as page:
            await page.until(lambda: page.newest(DOOR_CONFIG))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_it_needs_the_right_to_write_there_and_nothing_more():
    rights = EXPORTER.rights(CONFIG, "9999993")
    assert rights.owner == (
        "topic readwrite homeassistant/+/ispsd_9999993/+/config",
        "topic write homeassistant/sensor/ispsd_9999993/alerts/state",
        "topic read homeassistant/status",
    )
    assert json.dumps(rights.readers) == json.dumps(
        {"homeassistant": ["topic read homeassistant/#", "topic write homeassistant/status"]}
    )
