"""A real Home Assistant finds the ship, and never says *off* of what is not known. By hand: ``make home-assistant``."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from daemon.computer.clock import SystemClock
from daemon.computer.entropy import Entropy
from daemon.exporters.feed import Feed
from daemon.exporters.homeassistant import HomeAssistant, HomeAssistantConfig
from daemon.mqtt.board import Identity
from daemon.mqtt.publisher import Publisher
from tests.brokers import address, mosquitto
from tests.exporters.rig import ALERT, DOOR, DRIVER, SHIP, TOPICS, VOLTAGE, context
from tests.mqtt.harness import FAST, App, Record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from daemon.mqtt.embedded import EmbeddedBroker

FOLDER = Path(__file__).parent
PYTHON = FOLDER / ".homeassistant/bin/python"
"""Not installed on CI: it takes minutes, and pins half of what we use to other versions."""
DOOR_ENTITY = "binary_sensor.kestrel_strait_io1_strg_gear_esc"
BLIND_ENTITY = "binary_sensor.kestrel_strait_io1_co2_room"
LINK_ENTITY = "binary_sensor.kestrel_strait_io1_link"
VOLTAGE_ENTITY = "sensor.kestrel_strait_io1_ups"
ALERTS_ENTITY = "sensor.kestrel_strait_open_alerts"
STATUS_ENTITY = "sensor.kestrel_strait_status"
WITHIN_S = 25.0


class Home:
    """What Home Assistant says."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self._news = asyncio.Event()

    async def read(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            self.states = json.loads(line)
            self._news.set()

    async def until(self, **wanted: str | None) -> None:
        """Wait until these entities are in these states; None: until they are gone."""
        named = {globals()[f"{name.upper()}_ENTITY"]: state for name, state in wanted.items()}
        async with asyncio.timeout(WITHIN_S):
            while any(self.states.get(entity) != state for entity, state in named.items()):
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def home_assistant(broker: EmbeddedBroker) -> AsyncIterator[Home]:
    program = await asyncio.create_subprocess_exec(
        *(PYTHON, FOLDER / "home_assistant.py", str(broker.port)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert program.stdout is not None
    assert program.stdin is not None
    home = Home()
    reading = asyncio.create_task(home.read(program.stdout))
    try:
        yield home
    finally:
        program.stdin.close()
        await program.wait()
        await reading


@pytest.mark.skipif(
    not PYTHON.exists(), reason="Home Assistant is not installed: make home-assistant"
)
@pytest.mark.timeout(120)
async def test_a_real_home_assistant_shows_what_is_known_and_nothing_else():
    async with mosquitto() as broker:
        clock = SystemClock()
        publisher = Publisher(
            address(broker),
            Identity("9999993", SHIP, "26.1"),
            stations=("bridge",),
            handle=App().handle,
            refused=App().refused,
            events=Record(),
            clock=clock,
            entropy=Entropy(),
            timing=FAST,
        )
        feed = Feed(publisher.topics, clock)
        publisher.on_set(feed.hear)
        exporter = HomeAssistant(
            HomeAssistantConfig(kind="homeassistant"), context(feed, clock, address(broker))
        )

        def put(topic: str, body: Any) -> None:
            publisher.put(topic, body, clock.now_s())

        def door(value: str | None) -> None:
            put(TOPICS.point("d12"), {**DOOR, "valid_for": 4.0, "value": value})

        publisher.set_status("ready")
        door("closed")
        put(TOPICS.point("d13"), {**DOOR, "name": "CO2 ROOM", "value": None})
        put(TOPICS.point("u1.voltage"), VOLTAGE)
        put(TOPICS.driver("io1"), DRIVER)
        running = [asyncio.ensure_future(each) for each in (publisher.run(), exporter.run())]
        async with home_assistant(broker) as home:
            await told(home, door)
            put(TOPICS.alert("a"), ALERT)
            await home.until(alerts="1")
            publisher.curtain({"ship_time_offset_min": 480})
            await home.until(door=None, blind=None, link=None, alerts=None, status=None)
            publisher.curtain(None)
            await home.until(link="on", alerts="1", blind="unavailable")
            lost = publisher._session
            assert lost is not None
            running[0].cancel()
            await lost.connection.abort()  # as when its computer is lost: the broker tells its will
            await home.until(status="offline", link="unavailable", alerts="unavailable")
            assert set(home.states.values()) <= {"offline", "unavailable", "0"}  # 0: people at home
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def told(home: Home, door: Callable[[str | None], None]) -> None:
    """Show a door as it is closed, opened, cut, shut, and then not told of any more."""
    await home.until(link="on", voltage="24.6", blind="unavailable", alerts="0", status="ready")
    for value, state in (
        ("closed", "off"),
        ("open", "on"),
        ("line_fault", "unavailable"),
        ("closed", "off"),
        (None, "unavailable"),
        ("open", "on"),
    ):
        door(value)
        await home.until(door=state)
    await home.until(door="unavailable")  # 4 s without a word
