"""Deltas over a real Mosquitto: at once, again, taken back at the end, and by the command of the manual on to UDP."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from daemon.errors import LinkError
from daemon.exporters.signalk import EXPORTER, SignalK, SignalKConfig, topic
from daemon.exporters.signalk_deltas import OWN, path_of_alert
from daemon.mqtt.connection import Connection
from tests.brokers import address, mosquitto
from tests.exporters.rig import ALERT, DOOR, STATUS, TOPICS, Told
from tests.mqtt.harness import Dashboard, connected
from tests.needed import needs
from tests.soon import PATIENCE_S, soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from daemon.mqtt.embedded import EmbeddedBroker

DOOR_PATH = "security.openings.d12.state"
ALERT_PATH = path_of_alert(ALERT["id"])
TOPIC = topic("9999993")
MANUAL = Path(__file__).parents[2] / "docs" / "integrator.md"


def values_of(deltas: Iterable[dict[str, Any]], path: str) -> list[Any]:
    return [
        value["value"]
        for delta in deltas
        for update in delta["updates"]
        for value in update["values"]
        if value["path"] == path
    ]


class Server:
    """What a reader of the broker has heard."""

    def __init__(self, page: Dashboard) -> None:
        self._page = page

    @property
    def deltas(self) -> list[dict[str, Any]]:
        return [json.loads(m.payload) for m in self._page.seen if m.topic == TOPIC]

    def values(self, path: str) -> list[Any]:
        return values_of(self.deltas, path)


@asynccontextmanager
async def exporting(
    told: Told, broker: EmbeddedBroker | None = None
) -> AsyncIterator[tuple[Server, SignalK]]:
    if broker is None:
        async with mosquitto() as broker, exporting(told, broker) as both:  # noqa: PLR1704
            yield both
        return
    exporter = SignalK(SignalKConfig(kind="signalk"), told.context(address(broker)))
    async with listening(broker) as server, running(exporter, server):
        yield server, exporter


@asynccontextmanager
async def listening(broker: EmbeddedBroker) -> AsyncIterator[Server]:
    async with connected(address(broker), "reader") as connection:
        page = Dashboard(connection)
        collecting = asyncio.create_task(page.collect())
        await connection.subscribe(TOPIC)
        try:
            yield Server(page)
        finally:
            collecting.cancel()


@asynccontextmanager
async def running(exporter: SignalK, server: Server) -> AsyncIterator[None]:
    """Run it until the block ends, as a lost connection ends it too."""
    task = asyncio.ensure_future(exporter.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if server.values(DOOR_PATH):
            await soon(lambda: server.values(OWN)[-1]["state"] == "alarm")  # its last word


def lively() -> Told:
    told = Told()
    told.put(TOPICS.status(), STATUS)
    told.put(TOPICS.point("d12"), DOOR)
    told.whole()
    return told


async def passing(told: Told, seconds: float = 0.2) -> None:
    await told.clock.advance(seconds)  # type: ignore[attr-defined]


async def until(told: Told, is_so: Any) -> None:
    """Let time pass until a reader has heard it: what is told waits for the broker, not for the clock."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await passing(told)
            await asyncio.sleep(0)


async def test_what_changes_is_told_at_once():
    told = lively()
    async with exporting(told) as (server, _):
        await until(told, lambda: server.values(DOOR_PATH))
        told.put(TOPICS.point("d12"), {**DOOR, "value": "open"})
        told.put(TOPICS.alert(ALERT["id"]), ALERT)
        await until(told, lambda: server.values(ALERT_PATH))
        assert server.values(DOOR_PATH)[-1] == "open"
        assert server.values(ALERT_PATH)[-1]["state"] == "warn"
        told.remove(TOPICS.alert(ALERT["id"]))
        await until(told, lambda: server.values(ALERT_PATH)[-1]["state"] == "normal")


async def test_everything_is_told_again_for_a_server_that_was_started_anew():
    told = lively()
    async with exporting(told) as (server, _):
        await until(told, lambda: server.values(DOOR_PATH))
        before = len(server.values(DOOR_PATH))
        await until(told, lambda: len(server.values(DOOR_PATH)) > before)
        metas = [
            update for delta in server.deltas for update in delta["updates"] if "meta" in update
        ]
        assert metas


async def test_behind_the_curtain_all_of_it_is_null_and_then_nothing_is_sent():
    told = lively()
    told.put(TOPICS.alert(ALERT["id"]), ALERT)
    async with exporting(told) as (server, exporter):
        await until(told, lambda: server.values(ALERT_PATH))
        told.curtain(down=True)
        await until(told, lambda: server.values(ALERT_PATH)[-1] is None)
        await until(told, lambda: server.values(DOOR_PATH)[-1] is None)
        await until(told, lambda: server.values(OWN)[-1] is None)
        sent = exporter.tally.sent
        told.put(TOPICS.point("d12"), {**DOOR, "value": "open"})
        await passing(told, 65.0)
        assert exporter.tally.sent == sent
        told.curtain(down=False)
        await until(told, lambda: server.values(DOOR_PATH)[-1] == "open")


async def test_at_the_end_no_value_stands_as_if_it_were_current_and_no_alert_is_over():
    told = lively()
    told.put(TOPICS.alert(ALERT["id"]), ALERT)
    async with exporting(told) as (server, _):
        await until(told, lambda: server.values(DOOR_PATH))
    assert server.values(DOOR_PATH)[-1] is None
    assert server.values(OWN)[-1]["state"] == "alarm"
    # A Signal K server makes "normal" of a notification that is null.
    assert server.values(ALERT_PATH)[-1]["state"] == "warn"


async def test_an_alert_that_ends_while_the_broker_is_away_is_over_when_it_is_back():
    """Else a Signal K server would show it for ever: nothing tells it of what nobody remembers."""
    told = lively()
    told.put(TOPICS.alert(ALERT["id"]), ALERT)
    async with mosquitto() as broker, listening(broker) as server:
        exporter = SignalK(SignalKConfig(kind="signalk"), told.context(address(broker)))
        async with running(exporter, server):
            await until(told, lambda: server.values(ALERT_PATH))
        told.remove(TOPICS.alert(ALERT["id"]))
        async with running(exporter, server):
            await until(told, lambda: server.values(ALERT_PATH)[-1]["state"] == "normal")


async def test_an_alert_that_ended_before_anybody_noticed_that_the_broker_is_gone_is_over_after_all(
    monkeypatch,
):
    told, deliver, ended = lively(), Connection.deliver, []
    told.put(TOPICS.alert(ALERT["id"]), ALERT)

    async def into_a_cable_that_is_out(self: Connection, topic: str, payload: bytes) -> None:
        if b'"over"' in payload and not ended:
            ended.append(payload)
            raise LinkError("connection lost")
        await deliver(self, topic, payload)

    monkeypatch.setattr(Connection, "deliver", into_a_cable_that_is_out)
    async with mosquitto() as broker, listening(broker) as server:
        exporter = SignalK(SignalKConfig(kind="signalk"), told.context(address(broker)))
        lost = asyncio.ensure_future(exporter.run())
        await until(told, lambda: server.values(ALERT_PATH))
        told.remove(TOPICS.alert(ALERT["id"]))
        await until(told, lost.done)
        assert isinstance(lost.exception(), LinkError)
        assert server.values(ALERT_PATH)[-1]["state"] == "warn"
        async with running(exporter, server):
            await until(told, lambda: server.values(ALERT_PATH)[-1]["state"] == "normal")


async def test_a_broker_that_is_lost_is_worth_another_try():
    told = lively()
    async with mosquitto() as broker:
        exporter = SignalK(SignalKConfig(kind="signalk"), told.context(address(broker)))
        running = asyncio.ensure_future(exporter.run())
        await until(told, lambda: exporter.tally.sent)
    async with asyncio.timeout(PATIENCE_S):
        while not running.done():
            await passing(told)
    with pytest.raises(LinkError):
        await running


def test_the_access_list_lets_ispsd_write_there_and_the_reader_read():
    rights = EXPORTER.rights(SignalKConfig(kind="signalk"), "9999993")
    assert rights.owner == (f"topic write {TOPIC}",)
    assert rights.readers == {"signalk": (f"topic read {TOPIC}",)}


def command() -> str:
    """Return the command of the manual that hands deltas on."""
    section = MANUAL.read_text("utf-8").partition("## Home Assistant and Signal K")[2]
    [found] = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return str(found)


async def test_the_command_of_the_manual_hands_each_delta_on_as_one_datagram():
    needs(shutil.which("mosquitto_sub"), "mosquitto_sub is not here (Debian: mosquitto-clients)")
    needs(shutil.which("bash"), "bash is not here")
    told = lively()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        async with mosquitto() as broker, exporting(told, broker) as (heard, _):
            words = command().replace("-p 1883", f"-p {broker.port}")
            words = words.replace("/4123", f"/{server.getsockname()[1]}")
            handing = await asyncio.create_subprocess_exec(
                "bash", "-c", words, start_new_session=True
            )
            try:
                loop = asyncio.get_running_loop()
                async with asyncio.timeout(PATIENCE_S):
                    receiving = asyncio.ensure_future(loop.sock_recv(server, 65536))
                    while not receiving.done():
                        await passing(told, 31.0)  # it is told again for whoever came late
                        await asyncio.sleep(0)
                    delta = json.loads(await receiving)
            finally:
                os.killpg(handing.pid, signal.SIGKILL)
                await handing.wait()
            assert delta in heard.deltas
