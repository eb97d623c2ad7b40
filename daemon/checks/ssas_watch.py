"""What an SSAS unit shows while it is tested, through the readings of an inbox: its test lamp, its test message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.checks.lamp_patterns import LampReader
from daemon.model import LampState, SsasMessage

if TYPE_CHECKING:
    from daemon.checks.api import CheckContext, Inbox
    from daemon.checks.lamp_patterns import LampProfile, Phase
    from daemon.model import Reading


class LampWatch:
    """One lamp, from now on. What does not count as evidence is as if it had not been polled."""

    def __init__(self, inbox: Inbox, ctx: CheckContext, profile: LampProfile) -> None:
        self.states: set[LampState] = set()
        """Every state that was seen."""
        self.phase: Phase | None = None
        """What the newest reading showed; None while it is not clear."""
        self._inbox = inbox
        self._ctx = ctx
        self._reader = LampReader(profile)

    async def until(self, *phases: Phase, until_s: float) -> Reading | None:
        """Return the reading that makes one of these phases clear; None when ``until_s`` has come."""
        while (reading := await self._inbox.next(until_s=until_s)) is not None:
            state = reading.value if self._ctx.accepts(reading) else None
            if not isinstance(state, LampState):
                continue
            self.states.add(state)
            self.phase = self._reader.see(state, reading.received_s)
            if self.phase in phases:
                return reading
        return None

    def was_in_sight(self) -> bool:
        """Return whether the lamp could be seen all the time until now."""
        return not self._reader.is_blind(self._ctx.clock.now_s())


async def message_until(
    inbox: Inbox, ctx: CheckContext, point: str, *, since_s: float, until_s: float
) -> tuple[Reading | None, bool]:
    """Return the reading that carries a test message, and whether its port was listened to from ``since_s`` until then.

    That a port is lost says itself; one to which nobody ever came, or whose driver does not run, says nothing.
    """
    was_there = not point or _listens(ctx, point, since_s)
    while (reading := await inbox.next(until_s=until_s)) is not None:
        if isinstance(reading.value, SsasMessage) and ctx.accepts(reading):
            return reading, was_there
        was_there &= reading.value is not None
    return None, was_there and (not point or _listens(ctx, point, since_s))


def _listens(ctx: CheckContext, point: str, since_s: float) -> bool:
    listens_since_s = ctx.services.listens_since_s
    began_s = None if listens_since_s is None else listens_since_s(point)
    return began_s is not None and began_s <= since_s
