"""How does the ship's state reach the bridge, whatever the broker does?

One task that connects, serves a session and comes back after a pause, for ever. Everything else
writes to ``board`` whether there is a broker or not. Each connection is a session of its own with a
name of its own (docs/decisions/0003-mqtt-contract.md).
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.computer import logs
from daemon.errors import IspsdError, LinkError, RefusedError
from daemon.mqtt.board import Board
from daemon.mqtt.command_link import command_links
from daemon.mqtt.commands import LONGEST_EXPIRY_S, Reply, caller_id
from daemon.mqtt.connection import Connection
from daemon.mqtt.desk import AT_ONCE, LONGEST_BURST, Desk
from daemon.mqtt.mirror import render
from daemon.mqtt.outbox import Outbox
from daemon.mqtt.selftest import Selftest
from daemon.mqtt.session import Counters, Session, Timing
from daemon.mqtt.wire import PublishRefusedError, Will

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.model import Json
    from daemon.mqtt.board import Identity, State
    from daemon.mqtt.command_link import CommandLink
    from daemon.mqtt.commands import Command
    from daemon.mqtt.desk import Handle, Refused
    from daemon.mqtt.mirror import Listener
    from daemon.mqtt.outbox import EventSource
    from daemon.mqtt.topics import Topic, Topics
    from daemon.mqtt.wire import Broker, Message

INBOX_LIMIT = 5000
"""Retained topics that a broker may send us at once; a ship has some hundreds."""
ANSWERED_AT_ONCE = 2 * LONGEST_BURST
"""Commands of one station that are being answered; what it sends beyond is counted and not answered."""
TELL_REFUSALS_S = 1.0
FIND_CURTAIN_S = 2.0
"""How long a broker is asked whether it knows of a curtain that is down."""
CURTAIN = "curtain"
BEHIND_CURTAIN = frozenset({CURTAIN, "alive"})
"""What an open screen may still ask for while the curtain is down."""
CURTAIN_IS_DOWN = "the curtain is down: raise it first, or ask at a station of the citadel"
BROKER_LIMIT_S = 5.0
"""What has not come back from the broker by then never does."""
LOG = logs.get("mqtt.publisher")


@dataclass(frozen=True, slots=True)
class Facts:
    """How the publisher is.

    Attributes:
        connected: The broker has been told everything in this session.
        progress: Grows while the publisher lives: with every acknowledgement and every attempt.
        oldest_unsent_s: For how long the oldest change or event has waited for the broker.
        overwritten: How often somebody else wrote or cleared a topic of ours.
        refused: How many publications the broker refused.
        reason: Why the last session ended, or none began; None while one lasts.
    """

    connected: bool
    session: str | None
    progress: int
    oldest_unsent_s: float
    overwritten: int
    refused: int
    reason: str | None = None


def _note_in(payload: bytes | None) -> str | None:
    """Return the signed note of a message on ``record/head``; None where there is none."""
    try:
        note = json.loads(payload or b"{}").get("note")
    except (ValueError, AttributeError, RecursionError):
        return None
    return note if isinstance(note, str) else None


def backoff_s(attempt: int, jitter: float, timing: Timing) -> float:
    """Return the pause after the given number of failures in a row: doubled, less up to half."""
    longest_s = min(timing.first_retry_s * 2.0 ** min(attempt, 16), timing.longest_retry_s)
    return longest_s * (1.0 - jitter / 2.0)


class Publisher:
    """The ship's end of the MQTT contract."""

    def __init__(
        self,
        broker: Broker,
        identity: Identity,
        *,
        stations: Collection[str],
        citadel: Collection[str] = (),
        handle: Handle,
        refused: Refused,
        events: EventSource,
        clock: Clock,
        entropy: Entropy,
        timing: Timing | None = None,
    ) -> None:
        """Put the parts together; ``citadel`` are the stations for which the ship goes on behind the curtain."""
        self._broker = broker
        self._citadel = frozenset(citadel)
        self._find_curtain: Callable[[], None] | None = None
        self._clock = clock
        self._entropy = entropy
        self._timing = timing or Timing()
        self._handle = handle
        self._stations = tuple(stations)
        self._counters = Counters()
        self._board = Board(identity, clock)
        self._outbox = Outbox(events, topic=self._event_topic, clock=clock, progress=self._progress)
        self._desk = Desk(stations=stations, clock=clock, handle=self._do, refused=refused)
        self._selftest = Selftest(broker, self.topics, clock=clock, entropy=entropy)
        self._session: Session | None = None
        self._lost_s: float | None = None
        self._ended: str | None = None
        self._commands: set[asyncio.Task[None]] = set()
        self._asked: Counter[str] = Counter()
        self._replaying = asyncio.Lock()
        self._stop = asyncio.Event()
        self._stopped = asyncio.Event()

    @property
    def topics(self) -> Topics:
        """Return the names of the ship's topics."""
        return self._board.topics

    def put(self, topic: str, body: Mapping[str, Json], up_s: float, *, last: bool = False) -> None:
        """Set a retained topic to what was true ``up_s`` seconds after boot; at once.

        With ``last`` it is cleared as soon as the broker has it: an ending is told, then forgotten.

        Raises:
            ValueError: No such retained topic in the contract, or a body that cannot be JSON.
        """
        self._board.put(topic, body, up_s, last=last)

    def remove(self, topic: str) -> None:
        """Clear a retained topic."""
        self._board.remove(topic)

    def curtain(self, body: Mapping[str, Json] | None) -> None:
        """Let the curtain down, with what open screens may know meanwhile, or with None raise it; at once."""
        self._board.curtain(body)

    def show_palette(self, palette: str) -> None:
        """Tell every page how bright it is to be."""
        self.put(self.topics.palette(), {"palette": palette}, self._clock.now_s())

    def find_curtain(self, found: Callable[[], None]) -> None:
        """Ask the broker whether the curtain was down, before anything is told: nobody else knows."""
        self._find_curtain = found

    async def curtained(self, *, limit_s: float) -> bool:
        """Return whether the broker has cleared what the curtain hides; False where it has not in time."""
        over = asyncio.Event()
        clearing = asyncio.ensure_future(self._board.cleared())
        clearing.add_done_callback(lambda _: over.set())
        try:
            return await self._clock.wait(over, limit_s)
        finally:
            clearing.cancel()

    def on_set(self, listener: Listener) -> None:
        """Let somebody hear what each retained topic is set to; he may neither wait nor raise."""
        self._board.mirror.on_set(listener)

    def set_status(self, state: State, reasons: Sequence[str] = ()) -> None:
        """Say how ispsd is; the broker hears it once it has everything else."""
        self._board.set_status(state, reasons)

    def facts(self) -> Facts:
        """Return how the publisher is."""
        return Facts(
            connected=self._board.introduced,
            session=None if self._session is None else self._session.name,
            progress=self._counters.progress,
            oldest_unsent_s=max(
                self._board.mirror.oldest_waiting_s(at_s=self._clock.now_s()),
                self._outbox.oldest_waiting_s(),
            ),
            overwritten=self._counters.overwritten,
            refused=self._counters.refused,
            reason=None if self._board.introduced else self._ended,
        )

    async def round_trip_s(
        self, *, limit_s: float, sending: Callable[[str], None] | None = None
    ) -> float | None:
        """Send a synthetic alert; return after how many seconds it came back from the broker, None: not in time.

        ``sending`` is told its nonce just before it goes out.
        """
        session = self._session
        if session is None or not self._board.introduced:
            return None
        return await self._selftest.round_trip_s(session, limit_s=limit_s, sending=sending)

    async def head_at_broker(self, *, limit_s: float) -> str | None:
        """Return the signed head of the record that the broker holds; None where it holds none."""
        return _note_in(
            await self._selftest.held_by_broker(self._board.now.record_head(), limit_s=limit_s)
        )

    def foreign_head(self) -> str | None:
        """Return the newest head that the broker held before us, or that somebody else has put there; None: none."""
        return _note_in(self._board.foreign_head)

    async def head_heard(self) -> None:
        """Wait until such a head comes."""
        await self._board.head_heard.wait()

    async def drained(self) -> None:
        """Wait until the broker has all state put so far and every event of the record."""
        while not self._board.introduced:
            await self._board.progressed.wait()
        revision = self._board.mirror.revision
        while not (
            self._board.introduced
            and self._board.mirror.has_settled(revision)
            and self._outbox.is_clear()
        ):
            await self._board.progressed.wait()

    async def facts_changed(self) -> None:
        """Wait until facts have changed: an acknowledgement came, a connection came or went."""
        await self._board.progressed.wait()

    async def run(self) -> None:
        """Publish until ``stop``; a lost broker is tried again and again."""
        try:
            async with asyncio.TaskGroup() as group:
                helpers = [
                    group.create_task(self._outbox.keep_cursor()),
                    group.create_task(self._tell_refusals()),
                ]
                await self._keep_connected(group)
                for task in (*helpers, *self._commands):
                    task.cancel()
        finally:
            await self._selftest.close()
            self._stopped.set()

    async def stop(self) -> None:
        """Say ``stopped``, disconnect, and return when ``run`` is over; bounded in time."""
        self._stop.set()
        await self._stopped.wait()

    async def _keep_connected(self, group: asyncio.TaskGroup) -> None:
        attempt = 0
        while not self._stop.is_set():
            began_s = self._clock.now_s()
            reason = self._ended = await self._one_session(group)
            self._progress()
            if self._stop.is_set():
                return
            now_s = self._clock.now_s()
            if now_s - began_s >= self._timing.healthy_s:
                attempt = 0
            log = LOG.warning if self._lost_s is None else LOG.debug
            self._lost_s = now_s if self._lost_s is None else self._lost_s
            log("broker.lost", broker=self._broker.place, reason=reason)
            pause_s = backoff_s(attempt, self._entropy.jitter(), self._timing)
            await self._clock.wait(self._stop, pause_s)
            attempt += 1

    async def _one_session(self, group: asyncio.TaskGroup) -> str:
        """Serve one session; return why it ended."""
        await self._look_for_curtain()
        name = self._entropy.token()
        connection = Connection(
            self._broker,
            client_id=f"ispsd-{self._entropy.token()}",
            will=Will(self.topics.status(), self._board.will(name)),
            keepalive_s=self._timing.keepalive_s,
            connect_s=self._timing.connect_s,
            inbox_limit=INBOX_LIMIT,
        )

        def on_command(session: Session, topic: Topic, message: Message) -> None:
            if self._asked[topic.id] >= ANSWERED_AT_ONCE or len(self._commands) >= 8 * AT_ONCE:
                self._desk.drop(topic)
                return
            task = group.create_task(self._answer(session, topic, message))
            self._commands.add(task)
            self._asked[topic.id] += 1
            task.add_done_callback(functools.partial(self._answered, topic.id))

        self._session = Session(
            name,
            connection,
            board=self._board,
            outbox=self._outbox,
            on_command=on_command,
            on_introduced=self._introduced,
            links=self._links,
            clock=self._clock,
            timing=self._timing,
            counters=self._counters,
        )
        try:
            return await self._session.run(self._stop)
        except (LinkError, PublishRefusedError) as err:
            return str(err)
        finally:
            self._session = None

    async def _look_for_curtain(self) -> None:
        if self._find_curtain is None:
            return
        topic = self.topics.curtain()
        if await self._selftest.held_by_broker(topic, limit_s=FIND_CURTAIN_S):
            self._find_curtain()

    def _links(self, note: Callable[[Message], None]) -> list[CommandLink]:
        return command_links(
            self._broker,
            self.topics,
            stations=self._stations,
            hear=note,
            timing=self._timing,
            clock=self._clock,
            entropy=self._entropy,
        )

    def _answered(self, station: str, task: asyncio.Task[None]) -> None:
        self._commands.discard(task)
        self._asked[station] -= 1
        if not self._asked[station]:
            del self._asked[station]

    def _introduced(self) -> None:
        self._find_curtain = None
        outage_s = 0.0 if self._lost_s is None else self._clock.now_s() - self._lost_s
        self._lost_s = None
        LOG.info("broker.up", broker=self._broker.place, outage_s=round(outage_s, 1))

    async def _answer(self, session: Session, topic: Topic, message: Message) -> None:
        """Have a command done and reply; outlives the connection, for an act is done once begun."""
        reply = await self._desk.take(topic, message, session=session.name)
        is_hidden = self._board.is_curtained
        inside = is_hidden and topic.id in self._citadel
        if is_hidden and not inside and topic.verb not in BEHIND_CURTAIN:
            # What was asked for before names doors; what is answered now is read by whoever stands there.
            reason = None if reply.accepted else CURTAIN_IS_DOWN
            reply = Reply(accepted=reply.accepted, reason=reason)
        body = render(reply.body(id_=caller_id(message.payload), verb=topic.verb))
        try:
            await session.reply(topic.id, body, expiry_s=LONGEST_EXPIRY_S, citadel=inside)
        except (LinkError, PublishRefusedError) as err:
            LOG.debug("reply.lost", station=topic.id, verb=topic.verb, reason=str(err))

    async def _do(self, command: Command) -> Reply:
        is_open = command.station not in self._citadel
        if is_open and self._board.is_curtained and command.verb not in BEHIND_CURTAIN:
            raise RefusedError(CURTAIN_IS_DOWN)
        match command.verb:
            case "refresh":
                self._board.touch_all()
                await self._board.told()
                await self._board.tell_snapshot()
                return Reply(accepted=True)
            case "replay":
                return await self._replay(command)
            case _:
                return await self._handle(command)

    async def _replay(self, command: Command) -> Reply:
        session = self._session
        if session is None or self._replaying.locked():
            raise RefusedError("a replay is running; ask again when it is over")
        async with self._replaying:
            try:
                count = await self._outbox.replay(
                    session.connection,
                    session.name,
                    int(str(command.arguments["from_bseq"])),
                    int(str(command.arguments["limit"])),
                )
            except IspsdError as err:
                raise RefusedError(f"the events cannot be brought back now: {err}") from err
        return Reply(accepted=True, extra={"count": count})

    async def _tell_refusals(self) -> None:
        while True:
            await self._clock.sleep(TELL_REFUSALS_S)
            try:
                await self._desk.tell_refusals()
            except IspsdError as err:
                LOG.warning("refusals.not_told", reason=str(err))

    def _event_topic(self) -> str:
        return self._board.now.event()

    def _progress(self) -> None:
        self._counters.progress += 1
        self._board.progressed.fire()
