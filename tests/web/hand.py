"""A ship that is told by hand: what a page makes of words that no daemon would say, or says when a test wants."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from daemon.mqtt.connection import Connection
from tests.brokers import address, mosquitto
from tests.web.rig import FRESH, opened, served, soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

    from tests.brokers import EmbeddedBroker
    from tests.web.rig import Screen

ROOT = "ispsd/9999993/v1/"
IDS = itertools.count()
UTC = "2026-11-22T02:10:00.000Z"
BEAT_S = 1.0


class Hand:
    """Says things as the daemon would."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.session = "s1"
        self.up = 1000.0

    async def send(self, name: str, payload: bytes, *, retain: bool = True) -> None:
        await self.connection.deliver(f"{ROOT}{name}", payload, retain=retain)

    async def tell(self, topic: str, /, *, retain: bool = True, **body: Any) -> None:
        said = {"session": self.session, "up": self.up, **body}
        await self.send(topic, json.dumps(said, separators=(",", ":")).encode(), retain=retain)

    async def beat(self, **body: Any) -> None:
        await self.tell("heartbeat", retain=False, utc=UTC, **body)

    async def begin(self, *stations: str) -> None:
        """Tell as much as a ship that has nothing to say."""
        await self.status("ready")
        await self.tell(
            "ship",
            situation="port",
            security_level=1,
            threat=False,
            ship_time_offset_min=480,
            ais_off_by=None,
            settling=False,
            interference_area=None,
            interference_ends_up=None,
            port_level=1,
            level_in_force=None,
            blackout=None,
            visitor_view_ends_up=None,
        )
        for station in stations:
            await self.station(station)
        await self.tell("snapshot", count=2)
        await self.beat()

    async def status(self, state: str, **body: Any) -> None:
        ship = {"name": "KESTREL STRAIT", "imo": 9999993}
        await self.tell("status", state=state, version="26.1", ship=ship, reasons=[], **body)

    async def station(self, id_: str, **body: Any) -> None:
        said = {
            "attended": True,
            "person": "L. Tupou",
            "since_up": 900.0,
            "since_utc": UTC,
            "live": True,
            "sounds": True,
            "sounder": "page",
            "sound_armed": True,
            "lacks": [],
            "heard": None,
            "test_sound": None,
            "reply_wanted": None,
            "tones": 1,
            "volume_floor": 60,
            "warning_every_s": 60.0,
            **body,
        }
        await self.tell(f"station/{id_}", **said)

    async def alert(self, id_: str, **body: Any) -> None:
        said = {
            "id": id_,
            "key": "door.escape.open",
            "instance": 1,
            "number": 10015,
            "title": "ESC HATCH OPEN",
            "source": "d12",
            "name": "STRG GEAR ESC",
            "priority": "W",
            "category": "B",
            "state": "V",
            "state_words": "active - unacknowledged",
            "raised_utc": UTC,
            "changed_utc": UTC,
            "acknowledged_by": None,
            "revision": 1,
            "escalation": 0,
            "sounding": True,
            "sounds_at": ["gangway"],
            "action": "Send two to check. Shut, do not lock. Inform SSO.",
            "detail": "",
            "recorded": 7,
            **body,
        }
        await self.tell(f"alert/{id_}", **said)

    async def point(self, id_: str, **body: Any) -> None:
        said = {
            "value": "closed",
            "unit": None,
            "quality": "good",
            "provenance": "live",
            "valid_for": 15.0,
            "source": "io1",
            "name": id_.upper(),
            "proved": True,
            "kind": "door",
            "word": None,
            **body,
        }
        await self.tell(f"point/{id_}", **said)


@asynccontextmanager
async def by_hand(broker: EmbeddedBroker, user: str | None = None) -> AsyncIterator[Hand]:
    """Connect to a broker that lets anybody say anything."""
    connection = Connection(address(broker, user), client_id=f"hand-{next(IDS)}")
    await connection.connect()
    try:
        yield Hand(connection)
    finally:
        await connection.abort()


@asynccontextmanager
async def answered(
    broker: EmbeddedBroker, verb: str, *says: dict[str, Any]
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the commands of one verb that the gangway has sent, answered with these in turn and then with yes."""
    heard: list[dict[str, Any]] = []

    async def answer(daemon: Hand) -> None:
        async for message in daemon.connection.messages():
            heard.append(json.loads(message.payload))
            said = says[len(heard) - 1] if len(heard) <= len(says) else {}
            reply = {"id": heard[-1]["id"], "verb": verb, "accepted": True, "recorded": 41, **said}
            await daemon.tell("reply/gangway", retain=False, **reply)

    async with by_hand(broker) as daemon:
        await daemon.connection.subscribe(f"{ROOT}cmd/gangway/{verb}")
        answering = asyncio.ensure_future(answer(daemon))
        try:
            yield heard
        finally:
            answering.cancel()


@asynccontextmanager
async def beating(hand: Hand) -> AsyncIterator[None]:
    """Beat meanwhile as often as the daemon: a page that hears nothing for 5 s is laid out anew, and takes no press."""

    async def beat() -> None:
        while True:
            await hand.beat()
            await asyncio.sleep(BEAT_S)

    living = asyncio.ensure_future(beat())
    try:
        yield
    finally:
        living.cancel()
        with suppress(asyncio.CancelledError):
            await living


@asynccontextmanager
async def shown(
    chromium: Browser, station: str | None = "gangway"
) -> AsyncIterator[tuple[Hand, Screen, EmbeddedBroker]]:
    """Yield a hand, a page that has heard of it, and their broker."""
    async with (
        mosquitto() as broker,
        by_hand(broker) as hand,
        served(broker) as page,
    ):
        await hand.begin(*filter(None, [station]))
        screen = await opened(chromium, page, station, paused=False)
        await soon(screen, "window.told", "the snapshot")
        await hand.beat()
        await soon(screen, FRESH, "a true picture")
        yield hand, screen, broker
        assert screen.faults == []
