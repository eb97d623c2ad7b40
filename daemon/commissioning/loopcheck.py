"""Who moves contacts on purpose now, to see that each is wired to what it is said to be? The loop check.

The electro-technical officer starts it, the watch agrees, it ends by itself. While it is on, every change of what it
covers is told at once with its tag, is marked *test*, and raises no door alert; all other doors go on as ever. At its
end everything is judged as if it were seen for the first time, so what really stands open alerts. One entry at the
start, one at the end with what was seen and how it is wired. It dies with the process, and no SSAS channel is ever part
of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.alerts.alert import Source
from daemon.commissioning.looprun import LoopRun
from daemon.errors import RefusedError
from daemon.model import Classification, Role, SecurityLevel
from daemon.people import authority
from daemon.people.authority import COMMAND, Act
from daemon.record.entry import Actor, Draft
from daemon.record.waiting import let_go

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from daemon.commissioning.looprun import Tag
    from daemon.computer.clock import Clock
    from daemon.model import Json
    from daemon.mqtt.showing import Board
    from daemon.mqtt.topics import Topics
    from daemon.people.claims import By
    from daemon.points.points import Change
    from daemon.record.entry import Entry
    from daemon.record.journal import Journal
    from daemon.watch.watch import Watch

ALERT: Final = "maint.loop_check"
SOURCE: Final = Source("ispsd", "ISPSD", "ispsd")
ALL: Final = "all"
LONGEST_MIN: Final = 120
MINUTE_S: Final = 60.0
WAITS_S: Final = 600.0
"""How long a loop check waits for the watch to agree."""
LOOK_S: Final = 1.0
AGREEING: Final = COMMAND | {Role.OFFICER}
"""Who agrees for the watch (the table: officer *agrees*, SSO and Master *yes*)."""


class LoopCheck:
    """The loop check of the ship: at most one."""

    def __init__(
        self,
        *,
        watch: Watch,
        tags: Sequence[Tag],
        topics: Topics,
        board: Board,
        journal: Journal,
        clock: Clock,
    ) -> None:
        """Put the parts together; ``tags`` is everything that can be checked, no SSAS channel among it."""
        self._watch = watch
        self._tags = tuple(tags)
        self._topics = topics
        self._board = board
        self._journal = journal
        self._clock = clock
        self._run: LoopRun | None = None

    # What the watch and the proving ask

    def covers(self, point: str) -> bool:
        """Return whether a point is under check now."""
        run = self._run
        return run is not None and run.is_on and point in run.tags

    @property
    def is_on(self) -> bool:
        """Whether one is asked for, or on."""
        return self._run is not None

    def tests(self, point: str) -> str | None:
        """Return who checks a point now; None: nobody does."""
        return self._run.by.person.name if self._run is not None and self.covers(point) else None

    def hear(self, change: Change) -> None:
        """Tell of a change of a point that is under check."""
        if self._run is not None and self._run.take(change):
            self._show()

    # What people do

    def start(self, scope: str, by: By, *, minutes: int = LONGEST_MIN) -> None:
        """Ask for a loop check; it begins when the watch agrees.

        Raises:
            RefusedError: The person may not, one is on, or not now, not that, or not for so long.
        """
        by.must_be(authority.roles(Act.LOOP_CHECK), Act.LOOP_CHECK.value)
        self._must_be_allowed()
        if self._run is not None:
            raise RefusedError(f"a loop check of {self._run.scope} is asked for or on already")
        if not 1 <= minutes <= LONGEST_MIN:
            raise RefusedError(f"a loop check lasts 1 to {LONGEST_MIN} min, not {minutes}")
        tags = {t.point: t for t in self._tags if scope in {ALL, t.device}}
        if not tags:
            raise RefusedError(f"there is nothing to check on {scope[:40]!r}")
        waits_until_s = self._clock.now_s() + WAITS_S
        self._run = LoopRun(scope, tags, by, minutes, waits_until_s)
        self._show()

    def agree(self, by: By) -> asyncio.Future[Entry]:
        """Agree for the watch: it begins.

        Raises:
            RefusedError: None is asked for, the person may not, or not now.
        """
        run = self._run
        if run is None or run.is_on:
            raise RefusedError("no loop check waits for the watch to agree")
        by.must_be(AGREEING, "agree to a loop check for the watch")
        if by.person.name == run.by.person.name:
            raise RefusedError("whoever starts a loop check does not agree to it: two persons")
        self._must_be_allowed()
        run.agreed_by, run.ends_s = by, self._clock.now_s() + run.minutes * MINUTE_S
        self._watch.rest(run.tags.keys())
        self.look()
        self._show()
        return self._write("loop_check.started", run.started(), by.actor())

    def end(self, by: By) -> asyncio.Future[Entry] | None:
        """End it before its time; whoever may start or agree may. None where it had not begun.

        Raises:
            RefusedError: There is none, or the person may not.
        """
        by.must_be(AGREEING | {Role.ETO}, "end a loop check")
        if self._run is None:
            raise RefusedError("no loop check is on")
        return self._end(f"ended by {by.person.name}", by.actor())

    # What comes by itself

    async def run(self) -> None:
        """Look each second until cancelled; a loop check that is on ends with that."""
        try:
            while True:
                self.look()
                await self._clock.sleep(LOOK_S)
        finally:
            if self._run is not None:
                self._end("ispsd stopped", Actor())

    def look(self) -> None:
        """End what is over, and say whether it is on."""
        run, now_s = self._run, self._clock.now_s()
        if run is not None and not run.is_on and now_s >= run.waits_until_s:
            self._end("the watch did not agree", Actor())
        elif run is not None and run.is_on and self._watch.ship.level is SecurityLevel.THREE:
            self._end("security level 3", Actor())
        elif run is not None and run.is_on and now_s >= run.ends_s:
            self._end(f"{run.minutes} min are over", Actor())
        run = self._run
        is_on = run is not None and run.is_on
        detail = "" if run is None else f"not guarded: {', '.join(run.not_guarded())}"
        self._watch.engine.condition(
            ALERT, SOURCE, active=is_on, now_s=now_s, detail=_within(detail)
        )

    def left_on(self, body: Mapping[str, Json]) -> None:
        """Write the end of a loop check that an earlier process began and never ended."""
        said: dict[str, Json] = {
            "scope": body["scope"],
            "reason": "ispsd was off",
            "by": body["by"],
            "changes": None,
        }
        self._write("loop_check.ended", said, Actor())

    def state(self) -> dict[str, Json]:
        """Return how it stands, for whoever may read tags and places."""
        run = self._run
        if run is None:
            return {"state": "off", "changes": []}
        return {**run.message(), "changes": list(run.newest)}

    def _must_be_allowed(self) -> None:
        if self._watch.ship.level is SecurityLevel.THREE:
            raise RefusedError("no loop check at security level 3: every door is guarded")

    def _end(self, reason: str, by: Actor) -> asyncio.Future[Entry] | None:
        run = self._run
        if run is None:
            return None
        self._run = None
        for topic in (self._topics.loop_check(), self._topics.sso_loop_check()):
            self._board.remove(topic)
        if not run.is_on:
            return None
        self._watch.look_anew()
        self._watch.engine.condition(ALERT, SOURCE, active=False, now_s=self._clock.now_s())
        wiring = run.wiring(self._watch.proving.is_proved)
        return self._write("loop_check.ended", run.ended(reason), by, {"wiring": wiring})

    def _show(self) -> None:
        """Show it: short names on the watch, tags, inputs and places to the SSO alone."""
        if (run := self._run) is None:
            return
        now_s = self._clock.now_s()
        self._board.put(self._topics.loop_check(), run.for_the_watch(), now_s)
        self._board.put(self._topics.sso_loop_check(), run.for_the_sso(), now_s)

    def _write(
        self,
        type_: str,
        said: Mapping[str, Json],
        by: Actor,
        private: Mapping[str, Json] | None = None,
    ) -> asyncio.Future[Entry]:
        written = self._journal.submit(
            Draft(
                kind=".10",
                type=type_,
                subject="loop_check",
                classification=Classification.WATCH,
                actor=by,
                open=said,
                parts={} if private is None else {Classification.SSO: private},
            )
        )
        let_go(written)
        return written


def _within(detail: str, longest: int = 400) -> str:
    return detail if len(detail) <= longest else detail[: longest - 1] + "…"
