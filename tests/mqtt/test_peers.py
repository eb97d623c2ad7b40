"""Complaints about other systems, turned into promises of ours (reference/peers.md 8): those about the broker.

18: a broker that lost its retained set stays empty. 19: a late will leaves the page offline for ever. 20: what was
never sent is logged as sent, or comes out of order. 21, a retained command that is obeyed at start, needs a broker as a
ship has it and is in ``broker/test_writing``; 19 is also beside the page (``web/test_page_truth``) and the sounder
(``sound/test_hearing``), 20 with the whole ship in ``test_ship_broker``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from daemon.mqtt.session import Timing
from daemon.mqtt.wire import Broker
from tests.brokers import address, mosquitto
from tests.clocks import FixedEntropy, ManualClock
from tests.mqtt.harness import (
    FAST,
    POINT,
    TOPICS,
    Running,
    connected,
    dashboard,
    publishing,
)
from tests.soon import PATIENCE_S, soon

if TYPE_CHECKING:
    from tests.brokers import EmbeddedBroker

POINTS = 50
REPUBLISHED_S = 10.0
EVERYTHING = {TOPICS.point(f"p{number}") for number in range(POINTS)}


async def told_again(running: Running, clock: ManualClock, *, than: str | None) -> float:
    """Return how much time passed until another session had told everything; none passes while bytes do."""
    began_s = clock.now_s()
    async with asyncio.timeout(PATIENCE_S):
        while (facts := running.publisher.facts()).session == than or not facts.connected:
            await clock.advance(0.1 if facts.session is None else 0.0)
            await asyncio.sleep(0.001)
    await running.drained()
    return clock.now_s() - began_s


async def test_peers_18_a_broker_that_comes_back_empty_has_everything_within_10_s(
    broker: EmbeddedBroker,
) -> None:
    clock = ManualClock()
    async with publishing(broker, clock=clock, entropy=FixedEntropy(), timing=Timing()) as running:
        for number in range(POINTS):
            running.publisher.put(TOPICS.point(f"p{number}"), POINT, 1.0)
        await running.drained()
        before = running.publisher.facts().session
        await broker.kill()
        await running.until(lambda facts: facts.session is None)
        await broker.start()
        assert await told_again(running, clock, than=before) <= REPUBLISHED_S
        session = running.publisher.facts().session
        async with dashboard(address(broker), "late") as late:
            held = EVERYTHING | {TOPICS.status(), TOPICS.snapshot()}
            await late.until(lambda: all(late.newest(topic) for topic in held))
            assert {late.newest(topic)["session"] for topic in EVERYTHING} == {session}


async def test_peers_18_what_somebody_wiped_from_a_living_broker_is_back_within_10_s() -> None:
    """As ``mosquitto_sub --remove-retained`` wipes it, where no access list forbids it."""
    clock = ManualClock()
    async with (
        mosquitto() as broker,
        publishing(broker, clock=clock, entropy=FixedEntropy(), timing=Timing()) as running,
        dashboard(address(broker)) as page,
        connected(address(broker), "wiper") as wiper,
    ):
        for number in range(POINTS):
            running.publisher.put(TOPICS.point(f"p{number}"), POINT, 1.0)
        await running.drained()
        await page.until(lambda: all(page.newest(topic) for topic in EVERYTHING))
        for topic in sorted(EVERYTHING):
            await wiper.deliver(topic, b"", retain=True)
        live = running.publisher._session
        assert live is not None
        await soon(lambda: len(live._foreign) == POINTS)
        await clock.advance(Timing().repair_s)
        assert Timing().repair_s <= REPUBLISHED_S
        await running.until(lambda facts: facts.overwritten == POINTS)
        await running.drained()
        async with dashboard(address(broker), "late") as late:
            await late.until(lambda: all(late.newest(topic) for topic in EVERYTHING))


class HalfOpen:
    """A cable whose far end does not notice that it was cut: no FIN, no RST, as a switch without power leaves it."""

    def __init__(self, to_port: int) -> None:
        self._to = to_port
        self._near: list[asyncio.StreamWriter] = []
        self._far: list[asyncio.StreamWriter] = []
        self._pouring: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._visit, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._pouring, return_exceptions=True)
        for end in self._far:
            end.transport.abort()

    def cut(self) -> None:
        """Cut what is connected now; whoever connects from now on comes through."""
        for task in tuple(self._pouring):
            task.cancel()
        for end in self._near:
            end.transport.abort()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self._near.append(writer)
        self._far.append(back)
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.ensure_future(self._pour(source, sink))
            self._pouring.add(task)
            task.add_done_callback(self._pouring.discard)

    async def _pour(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)


async def test_peers_19_a_late_will_of_the_session_before_does_not_leave_the_ship_offline() -> None:
    """The broker notices the dead connection after the daemon is back: the will is the newest that it was told."""
    async with (
        mosquitto() as broker,
        HalfOpen(broker.port) as cable,
        dashboard(address(broker)) as page,
        publishing(Broker(port=cable.port), timing=FAST),
    ):
        first = await page.session()
        cable.cut()
        await page.until(lambda: page.newest(TOPICS.status()).get("session") != first)
        second = await page.session()
        status = TOPICS.status()

        def late_will() -> list[int]:
            return [
                at
                for at, body in enumerate(page.bodies(status))
                if (body.get("state"), body.get("session")) == ("offline", first)
            ]

        await page.until(late_will)
        await page.until(lambda: page.bodies(status)[late_will()[-1] + 1 :])
        assert page.newest(status)["state"] == "ready"
        assert page.newest(status)["session"] == second
        assert page.states().index("offline") > page.states().index("ready"), "it came late"
        async with dashboard(address(broker), "viewer") as viewer:
            assert viewer.newest(status)["state"] == "ready"


async def test_peers_20_what_waits_for_a_broker_is_never_sent_grows_old_and_comes_in_order(
    broker: EmbeddedBroker,
) -> None:
    await broker.stop()
    async with publishing(broker) as running:
        running.record.commit(40)
        await running.until(lambda facts: facts.progress >= 3 and facts.oldest_unsent_s > 0)
        running.record.commit(40)
        assert running.publisher._outbox.cursor == 0
        assert running.record.cursor == 0
        await broker.start()
        async with dashboard(address(broker)) as page:
            await running.drained()
            await running.until(lambda _: running.publisher._outbox.cursor == 80)
            await page.until(lambda: page.newest(TOPICS.event()).get("bseq") == 80)
            numbers = [body["bseq"] for body in page.bodies(TOPICS.event())]
            assert numbers == sorted(numbers)
        assert running.publisher.facts().oldest_unsent_s == 0
