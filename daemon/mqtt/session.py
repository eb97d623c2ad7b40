"""What happens on one connection, from the first subscription to the last word?

Subscribe; ``status`` starting; all state; ``snapshot``; ``status`` as it is; then changes at once,
a heartbeat, events, commands. We stay subscribed to everything under our own name: what somebody
else wrote there, cleared there, or left there before us is put right once a second. Commands come over
connections of their own, one for each station.
"""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.computer import logs
from daemon.errors import LinkError
from daemon.mqtt.mirror import sealed
from daemon.mqtt.wire import PublishRefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from daemon.computer.clock import Clock
    from daemon.mqtt.board import Board
    from daemon.mqtt.command_link import CommandLink
    from daemon.mqtt.connection import Connection
    from daemon.mqtt.mirror import Change
    from daemon.mqtt.outbox import Outbox
    from daemon.mqtt.topics import Topic
    from daemon.mqtt.wire import Message

    OnCommand = Callable[["Session", Topic, Message], None]

FOREIGN_LIMIT = 2000
"""Topics of others that are remembered until the next repair."""
LOG = logs.get("mqtt.session")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long things take, in seconds; tests shorten them."""

    heartbeat_s: float = 4.0
    """Under the 5 s of the contract, so that one that is late is not yet missing."""
    repair_s: float = 1.0
    acknowledge_s: float = 10.0
    """A broker that acknowledges nothing for so long is lost, even if it answers pings."""
    stop_s: float = 2.0
    connect_s: float = 5.0
    keepalive_s: int = 5
    first_retry_s: float = 1.0
    longest_retry_s: float = 30.0
    healthy_s: float = 30.0
    """A connection that lasted so long starts the back-off anew."""


@dataclass(slots=True)
class Counters:
    """What the publisher has seen since it was made."""

    progress: int = 0
    """Grows with every acknowledgement and every round of the publisher's own."""
    overwritten: int = 0
    """Our topics that somebody else wrote or cleared."""
    orphans: int = 0
    """Topics under our name that were not ours."""
    refused: int = 0
    """Publications that the broker refused."""


class Session:
    """One connection's life."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        *,
        board: Board,
        outbox: Outbox,
        on_command: OnCommand,
        on_introduced: Callable[[], None],
        links: Callable[[Callable[[Message], None]], Sequence[CommandLink]],
        clock: Clock,
        timing: Timing,
        counters: Counters,
    ) -> None:
        self.name = name
        self.connection = connection
        self._board = board
        self._outbox = outbox
        self._on_command = on_command
        self._on_introduced = on_introduced
        self._links = links(self._note)
        self._clock = clock
        self._timing = timing
        self._counters = counters
        self._foreign: dict[str, bytes] = {}

    async def run(self, stop: asyncio.Event) -> str:
        """Connect and serve until the connection is lost or ``stop`` is set; return why it ended.

        Raises:
            LinkError: The connection could not be made.
            PublishRefusedError: The broker does not let us subscribe.
        """
        stopped = False
        try:
            await self.connection.connect()
            self._board.begin(self.name)
            for each in self._board.topics.state_filters():
                await self.connection.subscribe(each, no_local=True)
            for link in self._links:
                await link.open()
            async with asyncio.TaskGroup() as group:
                workers = [group.create_task(self._work(work)) for work in self._workers()]
                await _first(self.connection.closed, stop)
                if stop.is_set():
                    stopped = await self._say_stopped()
                for worker in workers:
                    worker.cancel()
        finally:
            self._board.end()
            for link in self._links:
                await link.close()
            await (self.connection.disconnect() if stopped else self.connection.abort())
        return self.connection.closed.result()

    async def reply(
        self, station: str, body: bytes, *, expiry_s: int, citadel: bool = False
    ) -> None:
        """Publish a reply to a station; in the ``citadel`` where it may say what is behind the curtain.

        Raises:
            LinkError: The connection is over.
            PublishRefusedError: The broker said no.
        """
        topics = self._board.topics
        topic = (topics.citadel() if citadel else topics).reply(station)
        await self.connection.deliver(topic, self._sealed(body), expiry_s=expiry_s)

    def _workers(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        return (
            self._send_state,
            self._introduce,
            self._beat,
            self._repair,
            self._listen,
            functools.partial(self._outbox.run, self.connection, self.name),
            *(link.run for link in self._links),
        )

    async def _work(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (LinkError, PublishRefusedError) as err:
            self.connection.give_up(str(err))

    async def _introduce(self) -> None:
        turns = self._board.turns
        await self._board.introduce()
        self._on_introduced()
        while True:
            if turns == self._board.turns:
                await self._board.turned.wait()
            turns = self._board.turns
            await self._board.told()
            await self._board.tell_snapshot()

    async def _send_state(self) -> None:
        mirror = self._board.mirror
        while True:
            await self.connection.room()
            if (change := mirror.take()) is None:
                await self._board.changed.wait()
                continue
            done = self.connection.publish(change.topic, change.payload, qos=1, retain=True)
            done.add_done_callback(functools.partial(self._state_answered, change))

    def _state_answered(self, change: Change, done: asyncio.Future[None]) -> None:
        match None if done.cancelled() else done.exception():
            case PublishRefusedError() as err:
                self._counters.refused += 1
                LOG.warning("state.refused", topic=change.topic, reason=str(err))
                if change.topic == self._board.topics.status():
                    self.connection.give_up(str(err))  # who may not say that much says nothing
                    return
            case None:
                self._counters.progress += 1
            case _:
                return  # the connection is over; the next session tells it again
        self._board.mirror.settled(change, at_s=self._clock.now_s())
        self._board.changed.fire()
        self._board.progressed.fire()

    async def _beat(self) -> None:
        expiry_s = max(round(self._timing.heartbeat_s), 1)
        while True:
            payload = b'{"session":"%b","up":%.3f,"utc":"%b"}' % (
                self.name.encode(),
                self._clock.now_s(),
                self._clock.utc().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3].encode() + b"Z",
            )
            beat = self._board.topics.heartbeat()
            topics = (beat, self._board.now.heartbeat()) if self._board.is_curtained else (beat,)
            for topic in topics:
                await self.connection.deliver(topic, payload, expiry_s=expiry_s)
            self._counters.progress += 1
            await self._clock.sleep(self._timing.heartbeat_s)

    async def _listen(self) -> None:
        async for message in self.connection.messages():
            self._note(message)

    def _note(self, message: Message) -> None:
        topic = self._board.topics.parse(message.topic)
        if topic is not None and topic.kind == "cmd" and (message.payload or message.too_long):
            self._on_command(self, topic, message)
        if message.topic == self._board.now.record_head() and not message.too_long:
            self._board.hear_head(message.payload)
        mirror = self._board.mirror
        if self._board.hides(message.topic):
            # Nothing is waited for here, not even our own introduction.
            if (message.payload or message.too_long) and not mirror.is_pending(message.topic):
                self._counters.orphans += 1
                self._board.hide(message.topic)
            return
        if mirror.is_pending(message.topic):
            # Ours is still on its way there and will be the newer one.
            self._foreign.pop(message.topic, None)
            return
        is_state = topic is not None and topic.retained
        if not is_state and not message.retained:
            return
        snapshots = (self._board.topics.snapshot(), self._board.now.snapshot())
        if message.topic in snapshots and not self._board.introduced:
            return  # of a session before ours; ours follows
        if len(self._foreign) < FOREIGN_LIMIT or message.topic in self._foreign:
            self._foreign[message.topic] = b"?" if message.too_long else message.payload

    async def _repair(self) -> None:
        """Put right what others did; once a second, so that two who quarrel do not make a storm.

        A broker without no-local sends us our own publications back: they are what it should hold.
        """
        while True:
            await self._clock.sleep(self._timing.repair_s)
            if self.connection.oldest_flight_s() > self._timing.acknowledge_s:
                raise LinkError("the broker acknowledges nothing")
            if self._board.introduced:
                self._put_right()

    def _put_right(self) -> None:
        overwritten = orphans = 0
        mirror = self._board.mirror
        for topic, payload in self._foreign.items():
            if mirror.is_pending(topic):
                continue
            if not mirror.holds(topic):
                if payload:
                    orphans += 1
                    self._board.bury(topic)
            elif payload != mirror.payload(topic):
                overwritten += 1
                self._board.touch(topic)
        self._foreign.clear()
        if overwritten or orphans:
            self._counters.overwritten += overwritten
            self._counters.orphans += orphans
            LOG.warning("retained.repaired", overwritten=overwritten, orphans=orphans)

    async def _say_stopped(self) -> bool:
        """Say that we stop; return whether the broker has it."""
        self._board.set_status("stopped")
        told = asyncio.ensure_future(self._board.told())
        over = asyncio.Event()
        told.add_done_callback(lambda _: over.set())
        try:
            return await self._clock.wait(over, self._timing.stop_s)
        finally:
            told.cancel()

    def _sealed(self, body: bytes) -> bytes:
        return sealed(body, session=self.name, up_s=self._clock.now_s())


async def _first(closed: asyncio.Future[str], stop: asyncio.Event) -> None:
    """Wait for the end of the connection or for the order to stop."""
    stopping = asyncio.ensure_future(stop.wait())
    waiting: set[asyncio.Future[Any]] = {closed, stopping}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
