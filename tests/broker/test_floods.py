"""Who floods: is he the only one who pays, and is it one entry? Others are heard, and the ship's state goes on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from daemon.control import control
from daemon.mqtt.desk import LONGEST_BURST
from tests.broker import packets
from tests.broker.rig import LISTENERS, ROOT, Siege, moored, told
from tests.setup.test_whole import daemon, station

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.broker.attacker import Attacker

FRESH = [("message_expiry", 10)]
TOPIC = f"{ROOT}/cmd/gangway/silence"
ASKED = LONGEST_BURST - 2


def small(qos: int) -> bytes:
    body = b'{"id":"f1","session":"of-yesterday"}'
    return b"".join(
        packets.publish(TOPIC, body, qos=qos, id_=number, properties=FRESH)
        for number in range(1, 401)
    )


FLOODS = {
    "qos 0": small(0),
    "qos 1": small(1),
    "huge": packets.publish(TOPIC, b"x" * 200_000, qos=0, properties=FRESH) * 10,
    "retained": packets.publish(TOPIC, b"{}" * 200, qos=0, retain=True) * 400,
    "thousand topics": b"".join(
        packets.publish(f"{ROOT}/cmd/gangway/v{number}", b"x" * 1000, qos=0, retain=True)
        for number in range(1000)
    ),
    "user properties": packets.publish(
        TOPIC, b"{}", qos=0, properties=[*FRESH, *[("user", ("k" * 100, "v" * 100))] * 400]
    )
    * 10,
    "subscriptions": b"".join(
        packets.subscribe([f"{ROOT}/+/{number}", f"$share/{number}/#"], id_=number)
        for number in range(1, 401)
    ),
}


@asynccontextmanager
async def flooding(one: Attacker, words: bytes) -> AsyncIterator[None]:
    """Send the words again and again, as fast as the broker takes them."""

    async def pour() -> None:
        while not one.is_out.is_set():
            await one.send(words)
            await asyncio.sleep(0)

    pouring = asyncio.ensure_future(pour())
    try:
        yield
    finally:
        pouring.cancel()
        await asyncio.gather(pouring, return_exceptions=True)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("flood", FLOODS)
async def test_who_floods_pays_alone(flood: str, listener: str) -> None:
    async with (
        moored() as (made, config),
        daemon(made, config),
        station(made, "bridge", tls=True) as bridge,
    ):
        session = await told(bridge)
        async with Siege(made).inside("gangway", listener) as thief, flooding(thief, FLOODS[flood]):
            for _ in range(ASKED):
                assert (await bridge.ask("bridge", "silence"))["accepted"]
        up = bridge.newest["heartbeat"]["up"]
        await bridge.until(lambda: bridge.newest["heartbeat"]["up"] > up)
        assert bridge.newest["status"]["session"] == session
        said = await control.ask(
            made.state / "control.sock", {"do": "log", "count": 100, "type": "command.refused"}
        )
        assert len(said["entries"]) == len(set(map(ground, said["entries"])))
        assert all('"station":"gangway"' in entry for entry in said["entries"])


def ground(entry: str) -> str:
    return entry.partition('"ground":"')[2].partition('"')[0]
