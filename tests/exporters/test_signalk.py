"""Deltas over a real socket: at once, again, taken back at the end, and to nobody in particular without harm."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from daemon.errors import LinkError
from daemon.exporters.signalk import EXPORTER, SignalK, SignalKConfig
from daemon.exporters.signalk_deltas import OWN, path_of_alert
from tests.exporters.rig import ALERT, DOOR, STATUS, TOPICS, Told
from tests.soon import soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DOOR_PATH = "security.openings.d12.state"
ALERT_PATH = path_of_alert(ALERT["id"])


class Server(asyncio.DatagramProtocol):
    """What a Signal K server has heard."""

    def __init__(self) -> None:
        self.deltas: list[dict[str, Any]] = []

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.deltas.append(json.loads(data))

    def values(self, path: str) -> list[Any]:
        return [
            value["value"]
            for delta in self.deltas
            for update in delta["updates"]
            for value in update["values"]
            if value["path"] == path
        ]


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Server, int]]:
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        Server, local_addr=("127.0.0.1", 0)
    )
    try:
        yield server, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@asynccontextmanager
async def exporting(told: Told) -> AsyncIterator[tuple[Server, SignalK]]:
    async with listening() as (server, port):
        config = SignalKConfig(kind="signalk", port=port)
        exporter = SignalK(config, told.context())
        running = asyncio.ensure_future(exporter.run())
        try:
            yield server, exporter
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await soon(lambda: server.values(OWN)[-1]["state"] == "alarm")  # its last word


def lively() -> Told:
    told = Told()
    told.put(TOPICS.status(), STATUS)
    told.put(TOPICS.point("d12"), DOOR)
    told.whole()
    return told


async def passing(told: Told, seconds: float = 0.2) -> None:
    await told.clock.advance(seconds)  # type: ignore[attr-defined]


async def test_what_changes_is_told_at_once():
    told = lively()
    async with exporting(told) as (server, _):
        await passing(told)
        await soon(lambda: server.values(DOOR_PATH))
        told.put(TOPICS.point("d12"), {**DOOR, "value": "open"})
        told.put(TOPICS.alert(ALERT["id"]), ALERT)
        await passing(told)
        await soon(lambda: server.values(ALERT_PATH))
        assert server.values(DOOR_PATH)[-1] == "open"
        assert server.values(ALERT_PATH)[-1]["state"] == "warn"
        told.remove(TOPICS.alert(ALERT["id"]))
        await passing(told)
        await soon(lambda: server.values(ALERT_PATH)[-1]["state"] == "normal")


async def test_everything_is_told_again_for_a_server_that_was_started_anew():
    told = lively()
    async with exporting(told) as (server, _):
        await passing(told)
        await soon(lambda: server.values(DOOR_PATH))
        before = len(server.values(DOOR_PATH))
        await passing(told, 31.0)
        await soon(lambda: len(server.values(DOOR_PATH)) > before)
        metas = [
            update for delta in server.deltas for update in delta["updates"] if "meta" in update
        ]
        assert metas


async def test_behind_the_curtain_all_of_it_is_null_and_then_nothing_is_sent():
    told = lively()
    told.put(TOPICS.alert(ALERT["id"]), ALERT)
    async with exporting(told) as (server, exporter):
        await passing(told)
        await soon(lambda: server.values(ALERT_PATH))
        told.curtain(down=True)
        await passing(told)
        await soon(lambda: server.values(ALERT_PATH)[-1] is None)
        await soon(lambda: server.values(DOOR_PATH)[-1] is None)
        await soon(lambda: server.values(OWN)[-1] is None)
        sent = exporter.tally.sent
        told.put(TOPICS.point("d12"), {**DOOR, "value": "open"})
        await passing(told, 65.0)
        assert exporter.tally.sent == sent
        told.curtain(down=False)
        await passing(told)
        await soon(lambda: server.values(DOOR_PATH)[-1] == "open")


async def test_at_the_end_no_value_stands_as_if_it_were_current_and_no_alert_is_over():
    told = lively()
    told.put(TOPICS.alert(ALERT["id"]), ALERT)
    async with exporting(told) as (server, _):
        await passing(told)
        await soon(lambda: server.values(DOOR_PATH))
    assert server.values(DOOR_PATH)[-1] is None
    assert server.values(OWN)[-1]["state"] == "alarm"
    # A Signal K server makes "normal" of a notification that is null.
    assert server.values(ALERT_PATH)[-1]["state"] == "warn"


async def test_where_nobody_listens_it_is_worth_another_try_and_nothing_waits():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    told = lively()
    exporter = SignalK(SignalKConfig(kind="signalk", port=port), told.context())
    running = asyncio.ensure_future(exporter.run())

    async def until_lost() -> None:
        while not running.done():
            told.put(TOPICS.point("d12"), DOOR)
            await passing(told)

    async with asyncio.timeout(10):
        await until_lost()
    with pytest.raises(LinkError, match=f"127.0.0.1:{port}"):
        await running
    assert exporter.tally.refused >= 1


@pytest.mark.parametrize("host", ["239.192.0.1", "255.255.255.255", "0.0.0.0", "signalk.local"])
def test_it_is_sent_to_one_computer_by_its_number(host):
    with pytest.raises(ValidationError):
        SignalKConfig.model_validate({"kind": "signalk", "host": host, "port": 4123})


def test_its_address_is_what_is_held_against_the_devices():
    config = SignalKConfig.model_validate(
        {"kind": "signalk", "host": "192.168.60.40", "port": 4123}
    )
    assert EXPORTER.address(config) == ("192.168.60.40", 4123)
