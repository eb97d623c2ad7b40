"""Where do commands go, and what becomes of the ones that are refused?

Every command gets a reply. A repeated id gets the reply that it got before, and the act is not done
again: a station that lost the reply may ask twice. Each station may ask so often and no more; what
is refused unread, whatever the ground, is told to the app (for the record) at once, and from then on
once a minute with a count, so that a flood is one entry.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from daemon.computer import logs
from daemon.errors import RefusedError
from daemon.mqtt.commands import Command, Ground, Refusal, Reply, caller_id, parse_command

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from daemon.computer.clock import Clock
    from daemon.mqtt.topics import Topic
    from daemon.mqtt.wire import Message

    Handle = Callable[[Command], Awaitable[Reply]]
    Refused = Callable[[str, Ground, int], Awaitable[None]]
    """Told ``(station, ground, count)``; the station is "" for stations that are not configured."""

LONGEST_BURST = 20
BURST_S = 10.0
REPLIES_KEPT = 64
"""For each station; a page repeats a command within seconds or not at all."""
AT_ONCE = 32
"""Commands that may wait for the app at the same time."""
TELL_EVERY_S = 60.0
ALIVE = "alive"
BUSY = Reply(accepted=False, reason="too many commands, try again in a moment")
LOG = logs.get("mqtt.desk")


class Rates:
    """How often each station has asked lately. Pure."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, bool], deque[float]] = {}

    def allow(self, station: str, now_s: float, *, is_alive: bool = False) -> bool:
        """Count a command; return whether it is within the burst that a station may send.

        Proofs of life are counted apart: a page that sends them without end keeps nobody from acknowledging.
        """
        asked = self._asked.setdefault((station, is_alive), deque(maxlen=LONGEST_BURST))
        if len(asked) == LONGEST_BURST and now_s - asked[0] < BURST_S:
            return False
        asked.append(now_s)
        return True


class Tally:
    """Refusals that the record is to know of: the first at once, then one a minute. Pure."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, Ground], int] = {}
        self._told_s: dict[tuple[str, Ground], float] = {}

    def note(self, station: str, ground: Ground) -> None:
        """Count a refusal."""
        self._counts[station, ground] = self._counts.get((station, ground), 0) + 1

    def due(self, now_s: float) -> list[tuple[str, Ground, int]]:
        """Return what is to be told now, and forget it."""
        told: list[tuple[str, Ground, int]] = []
        for key, count in list(self._counts.items()):
            if now_s - self._told_s.get(key, -TELL_EVERY_S) >= TELL_EVERY_S:
                self._told_s[key] = now_s
                del self._counts[key]
                told.append((*key, count))
        return told


class Desk:
    """Takes commands, has them done, keeps the replies."""

    def __init__(
        self, *, stations: Collection[str], clock: Clock, handle: Handle, refused: Refused
    ) -> None:
        self._stations = frozenset(stations)
        self._clock = clock
        self._handle = handle
        self._refused = refused
        self._rates = Rates()
        self._tally = Tally()
        self._replies: dict[str, OrderedDict[str, asyncio.Future[Reply]]] = {}
        self._at_work = 0

    async def take(self, topic: Topic, message: Message, *, session: str) -> Reply:
        """Have a command done, or refuse it; the reply says which."""
        station = topic.id if topic.id in self._stations else ""
        if not message.retained:
            is_alive = topic.verb == ALIVE
            if not self._rates.allow(station, self._clock.now_s(), is_alive=is_alive):
                self._tally.note(station, Ground.FLOOD)
                return BUSY
            if (id_ := caller_id(message.payload)) and (kept := self._kept(station).get(id_)):
                return await asyncio.shield(kept)
        command = parse_command(topic, message, session=session, stations=self._stations)
        if isinstance(command, Refusal):
            return self._refuse(command, station)
        if self._at_work >= AT_ONCE:
            return BUSY
        return await self._do(command)

    def drop(self, topic: Topic) -> None:
        """Count a command that there is no time for, not even for a reply."""
        self._tally.note(topic.id if topic.id in self._stations else "", Ground.FLOOD)

    async def tell_refusals(self) -> None:
        """Tell the app of refusals that are due; to be called every second or so."""
        for station, ground, count in self._tally.due(self._clock.now_s()):
            LOG.warning("command.refused", station=station, ground=ground, count=count)
            await self._refused(station, ground, count)

    def _refuse(self, refusal: Refusal, station: str) -> Reply:
        self._tally.note(station, refusal.ground)
        LOG.debug("command.refused", station=station, verb=refusal.verb, reason=refusal.reason)
        return Reply(accepted=False, reason=refusal.reason)

    async def _do(self, command: Command) -> Reply:
        promise: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        kept = self._kept(command.station)
        kept[command.id] = promise
        while len(kept) > REPLIES_KEPT:
            kept.popitem(last=False)
        self._at_work += 1
        try:
            reply = await self._handle(command)
        except RefusedError as err:
            extra = {"wants": err.wants} if err.wants else None
            reply = Reply(accepted=False, reason=str(err), extra=extra)
        except Exception:
            LOG.exception("command.failed", station=command.station, verb=command.verb)
            reply = Reply(accepted=False, reason="failed inside ispsd; see its log")
        except asyncio.CancelledError:
            kept.pop(command.id, None)
            promise.cancel()
            raise
        finally:
            self._at_work -= 1
        promise.set_result(reply)
        return reply

    def _kept(self, station: str) -> OrderedDict[str, asyncio.Future[Reply]]:
        return self._replies.setdefault(station, OrderedDict())
