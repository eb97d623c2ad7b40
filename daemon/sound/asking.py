"""Ask for one thing as a station, from its own computer: that the test sound is played, or that it was heard."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import IspsdError, LinkError
from daemon.mqtt.commands import LONGEST_EXPIRY_S
from daemon.mqtt.connection import Connection
from daemon.mqtt.topics import Topics
from daemon.mqtt.wire import PublishRefusedError
from daemon.sound.hearing import LONGEST_REASON, read, shown

if TYPE_CHECKING:
    from daemon.computer.entropy import Entropy
    from daemon.mqtt.wire import Broker

REPLY_S: Final = 10.0


async def ask_once(
    station: str, verb: str, *, broker: Broker, ship: str, entropy: Entropy, **members: str
) -> dict[str, Any]:
    """Send one command as a station, and return what it was answered.

    Raises:
        IspsdError: No broker, no daemon, no answer, or it is refused.
    """
    topics = Topics(ship)
    connection = Connection(broker, client_id=f"ispsd-sound-{entropy.token()}")
    await connection.connect()
    try:
        async with asyncio.timeout(REPLY_S):
            command = {"id": entropy.token(), **members}
            return await _asked(connection, topics, station, verb, command)
    except TimeoutError as err:
        raise IspsdError(f"{broker.place}: ispsd does not answer there") from err
    except PublishRefusedError as err:
        raise IspsdError(f"{broker.place}: {err}") from err
    finally:
        await connection.disconnect()


async def _asked(
    connection: Connection, topics: Topics, station: str, verb: str, command: dict[str, str]
) -> dict[str, Any]:
    for topic in (topics.status(), topics.reply(station)):
        await connection.subscribe(topic)
    is_sent = False
    async for message in connection.messages():
        body = read(message) or {}
        session = body.get("session")
        is_status = message.topic == topics.status() and body.get("state") != "offline"
        if is_status and not is_sent and isinstance(session, str):
            is_sent = True
            await connection.deliver(
                topics.command(station, verb),
                json.dumps({**command, "session": session}).encode(),
                expiry_s=LONGEST_EXPIRY_S,
            )
        elif body.get("id") == command["id"]:
            if body.get("accepted") is not True:
                raise IspsdError(f"refused: {shown(body.get('reason'), most=LONGEST_REASON)}")
            return {"recorded": None, **body}
    raise LinkError(connection.closed.result())
