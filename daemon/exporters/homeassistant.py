"""Home Assistant finds the ship by itself: MQTT discovery over the ship's own broker.

Configurations are retained under ``homeassistant/…`` and sent anew when Home Assistant says that it has come up. What
the ship does not have any more is cleared, and everything is while the curtain is down.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from daemon.errors import LinkError
from daemon.exporters.api import ExporterConfig, ExporterContext, ExporterSpec, Rights, Tally
from daemon.exporters.homeassistant_entities import (
    Naming,
    counted,
    entities,
    known_objects,
    object_in,
)
from daemon.mqtt.connection import Connection
from daemon.mqtt.wire import PublishRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.mqtt.wire import Message

KIND: Final = "homeassistant"
BORN: Final = b"online"
"""What Home Assistant publishes on its status topic once it listens."""
INBOX_LIMIT: Final = 5000
"""Configurations that a broker may hold of this ship."""


class HomeAssistantConfig(ExporterConfig):
    """One Home Assistant at the ship's broker."""

    kind: Literal["homeassistant"]
    prefix: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,30}$")] = "homeassistant"
    """The discovery prefix, as Home Assistant's MQTT integration has it."""
    user: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")] = "homeassistant"
    """As whom it enters the broker; `ispsd init` makes its password and lets it read what is open."""


class HomeAssistant:
    """The exporter."""

    def __init__(self, config: HomeAssistantConfig, context: ExporterContext) -> None:
        self.tally = Tally()
        self._prefix = config.prefix
        self._context = context
        self._naming = Naming(
            context.ship, context.topics, context.software, config.prefix, context.demo
        )
        self._known = known_objects(context.objects)
        self._of: dict[tuple[str, str], Mapping[str, Mapping[str, Any]]] = {}
        """What each topic gave rise to."""
        self._alerts: dict[str, Mapping[str, Any]] = {}
        self._wanted: dict[str, bytes] = {}
        """Every configuration that is to stand at the broker."""
        self._counted: bytes | None = None
        """What was told last of how many alerts are open."""

    async def run(self) -> None:
        """Tell until cancelled.

        Raises:
            LinkError: The broker is lost, or does not let us.
        """
        connection = Connection(
            self._context.broker,
            client_id=f"ispsd-{KIND}-{self._context.entropy.token()}",
            inbox_limit=INBOX_LIMIT,
        )
        await connection.connect()
        try:
            # Without retain-as-published a birth that Home Assistant retains is told from an old one.
            await connection.subscribe(f"{self._prefix}/status", retain_as_published=False)
            await connection.subscribe(self._naming.ours())
            await self._serve(connection)
        except PublishRefusedError as err:
            raise LinkError(
                f"the broker refuses it: {err}; ispsd init writes its access list"
            ) from err
        finally:
            await connection.disconnect()

    async def _serve(self, connection: Connection) -> None:
        self._look()
        await self._tell_all(connection)
        reading = asyncio.ensure_future(self._read(connection))
        try:
            while not reading.done():
                watching = asyncio.ensure_future(self._context.feed.news())
                await asyncio.wait({reading, watching}, return_when=asyncio.FIRST_COMPLETED)
                watching.cancel()
                await self._tell_changes(connection)
        finally:
            reading.cancel()
        await reading  # what ended it

    async def _read(self, connection: Connection) -> None:
        """Answer Home Assistant's birth, and clear what is at the broker of things that the ship has not.

        Raises:
            LinkError: The connection is over.
        """
        async for message in connection.messages():
            if message.topic == f"{self._prefix}/status":
                if message.payload == BORN and not message.retained:
                    await self._tell_all(connection)
            elif self._is_foreign(message):
                await self._send(connection, message.topic, b"")
        raise LinkError(await connection.closed)

    def _is_foreign(self, message: Message) -> bool:
        """Return whether a configuration under the ship's name stands there for nothing that it has, or may show."""
        if not message.payload or message.topic in self._wanted:
            return False
        is_known = object_in(message.topic) in self._known
        # What the ship has but has not shown yet keeps its entity, with its history; behind the curtain it has none.
        return not is_known or self._context.feed.is_curtained

    async def _tell_all(self, connection: Connection) -> None:
        """Tell everything; the count first, so that no old one is there for whoever finds it."""
        self._counted = None
        await self._tell_count(connection)
        await self._tell(connection, self._wanted)

    async def _tell_changes(self, connection: Connection) -> None:
        before = dict(self._wanted)
        self._look()
        changed = {
            topic: self._wanted.get(topic, b"")
            for topic in before | self._wanted
            if before.get(topic) != self._wanted.get(topic)
        }
        await self._tell(connection, changed)
        await self._tell_count(connection)

    def _look(self) -> None:
        """Take what is news, and reckon what is to stand at the broker."""
        for shown in self._context.feed.take():
            if shown.kind == "alert":
                self._alerts.pop(shown.id, None)
                if shown.body is not None:
                    self._alerts[shown.id] = shown.body
                continue
            key = (shown.kind, shown.id)
            for topic in self._of.pop(key, {}):
                self._wanted.pop(topic, None)
            if made := entities(shown, self._naming):
                self._of[key] = made
                self._wanted |= {
                    topic: json.dumps(said, ensure_ascii=False).encode()
                    for topic, said in made.items()
                }

    async def _tell(self, connection: Connection, said: Mapping[str, bytes]) -> None:
        for topic, payload in list(said.items()):
            await self._send(connection, topic, payload)

    async def _tell_count(self, connection: Connection) -> None:
        """Say how many alerts are open, for as long as anybody may know it.

        Retained, since Home Assistant listens to it only after it has found the entity.
        """
        said = json.dumps(counted(self._alerts.values()), ensure_ascii=False).encode()
        payload = said if self._context.feed.is_open else b""
        if payload != self._counted:
            self._counted = payload
            await self._send(connection, self._naming.alerts, payload)

    async def _send(self, connection: Connection, topic: str, payload: bytes) -> None:
        try:
            await connection.deliver(topic, payload, retain=True)
        except PublishRefusedError:
            self.tally.refused += 1
            raise
        self.tally.count(self._context.clock.now_s())


def _rights(config: HomeAssistantConfig, ship: str) -> Rights:
    prefix, node = config.prefix, f"ispsd_{ship}"
    return Rights(
        owner=(
            f"topic readwrite {prefix}/+/{node}/+/config",
            f"topic write {prefix}/sensor/{node}/alerts/state",
            f"topic read {prefix}/status",
        ),
        readers={config.user: (f"topic read {prefix}/#", f"topic write {prefix}/status")},
    )


EXPORTER = ExporterSpec(kind=KIND, config=HomeAssistantConfig, build=HomeAssistant, rights=_rights)
