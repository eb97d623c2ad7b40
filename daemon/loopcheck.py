"""Who moves contacts on purpose now, to see that each is wired to what it is said to be? The loop check.

The electro-technical officer starts it, the watch agrees, it ends by itself. While it is on, every change of what it
covers is told at once with its tag, is marked *test*, and raises no door alert; all other doors go on as ever. At its
end everything is judged as if it were seen for the first time, so what really stands open alerts. One entry at the
start, one at the end with what was seen and how it is wired. It dies with the process, and no SSAS channel is ever part
of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.alerts.alert import Source
from daemon.errors import RefusedError
from daemon.model import Classification, ContactState, Json, OpeningKind, Role, SecurityLevel
from daemon.mqtt.contract import value_of
from daemon.people import authority
from daemon.people.authority import COMMAND, Act
from daemon.record.entry import Actor, Draft
from daemon.record.waiting import let_go

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from daemon.clock import Clock
    from daemon.mqtt.topics import Topics
    from daemon.people.claims import By
    from daemon.picture import Board
    from daemon.points import Change
    from daemon.record.entry import Entry
    from daemon.watch import Journal, Watch

ALERT: Final = "maint.loop_check"
SOURCE: Final = Source("ispsd", "ISPSD", "ispsd")
ALL: Final = "all"
LONGEST_MIN: Final = 120
MINUTE_S: Final = 60.0
WAITS_S: Final = 600.0
"""How long a loop check waits for the watch to agree."""
TOLD: Final = 10
"""The newest changes that stand in each message: none is missed where two come at once."""
KEPT: Final = 200
"""The newest changes that are kept for whoever asks."""
MOST_NAMES: Final = 500
LOOK_S: Final = 1.0
GUARDED: Final = frozenset(
    {OpeningKind.DOOR, OpeningKind.SEAL, OpeningKind.MOTION, OpeningKind.TAMPER}
)
"""What alerts when no loop check is on."""
AGREEING: Final = COMMAND | {Role.OFFICER}
"""Who agrees for the watch (the table: officer *agrees*, SSO and Master *yes*)."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One thing that a loop check covers.

    Attributes:
        inputs: As the module prints them where that is known; empty for what is wired to no input.
    """

    point: str
    name: str
    kind: str
    device: str
    place: str = ""
    inputs: str = ""
    wiring: str = ""


@dataclass(slots=True)
class _Run:
    """One loop check, from the moment that it was asked for."""

    scope: str
    tags: Mapping[str, Tag]
    by: By
    minutes: int
    waits_until_s: float
    agreed_by: By | None = None
    ends_s: float = 0.0
    number: int = 0
    newest: deque[dict[str, Json]] = field(default_factory=lambda: deque(maxlen=KEPT))
    seen: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_on(self) -> bool:
        return self.agreed_by is not None


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
        self._run: _Run | None = None

    # What the watch and the proving ask

    def covers(self, point: str) -> bool:
        """Return whether a point is under check now."""
        run = self._run
        return run is not None and run.is_on and point in run.tags

    def tests(self, point: str) -> str | None:
        """Return who checks a point now; None: nobody does."""
        return self._run.by.person.name if self._run is not None and self.covers(point) else None

    def hear(self, change: Change) -> None:
        """Tell of a change of a point that is under check."""
        run, reading, before = self._run, change.reading, change.previous
        if run is None or (before is not None and before.value == reading.value):
            return
        is_contact = isinstance(reading.value, ContactState)
        if not is_contact and reading.value is not None and not change.baseline:
            return  # a measured value that goes on: that it came, and that it went, is told
        tag = run.tags[reading.point]
        is_seen = reading.value is not None
        words = str(value_of(reading.value)) if is_contact else "seen"
        said = words if is_seen else "not_seen"
        states = run.seen.setdefault(tag.point, [])
        if said not in states:
            states.append(said)
        run.number += 1
        run.newest.appendleft(
            {
                "number": run.number,
                "tag": tag.point,
                "name": tag.name,
                "kind": tag.kind,
                "state": said,
                "device": tag.device,
                "inputs": tag.inputs,
                "wiring": tag.wiring,
                "place": tag.place,
                "up": forms.milliseconds(reading.received_s),
            }
        )
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
        self._run = _Run(scope, tags, by, minutes, waits_until_s)
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
        return self._write(
            "loop_check.started",
            {
                "scope": run.scope,
                "minutes": run.minutes,
                "by": run.by.person.name,
                "agreed_by": by.person.name,
                "not_guarded": self._names(run),
            },
            by.actor(),
        )

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
        detail = "" if run is None else f"not guarded: {', '.join(self._names(run))}"
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
        return {**self._message(run), "changes": list(run.newest)}

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
        seen: dict[str, Json] = {
            state: sorted(run.tags[p].name for p, states in run.seen.items() if state in states)[
                :MOST_NAMES
            ]
            for state in (*ContactState, "seen", "not_seen")
        }
        wiring: list[Json] = [
            {
                "tag": tag.point,
                "device": tag.device,
                "inputs": tag.inputs,
                "wiring": tag.wiring,
                "seen": list(run.seen.get(tag.point, ())),
                **self._proof(tag.point),
            }
            for tag in run.tags.values()
        ]
        said: dict[str, Json] = {
            "scope": run.scope,
            "reason": reason,
            "by": run.by.person.name,
            "agreed_by": None if run.agreed_by is None else run.agreed_by.person.name,
            "changes": run.number,
            "seen": {state: names for state, names in seen.items() if names},
            "not_moved": sorted(t.name for t in run.tags.values() if t.point not in run.seen)[
                :MOST_NAMES
            ],
        }
        return self._write("loop_check.ended", said, by, {"wiring": wiring})

    def _proof(self, point: str) -> dict[str, Json]:
        proved = self._watch.proving.is_proved(point)
        return {} if proved is None else {"proved": proved}

    def _names(self, run: _Run) -> list[str]:
        names = (tag.name for tag in run.tags.values() if tag.kind in GUARDED)
        return [*dict.fromkeys(names)][:MOST_NAMES]

    def _show(self) -> None:
        """Show it: short names on the watch, tags, inputs and places to the SSO alone."""
        if (run := self._run) is None:
            return
        now_s = self._clock.now_s()
        newest = list(run.newest)[:TOLD]
        opened = ("number", "name", "kind", "state", "up")
        said = self._message(run)
        short: list[Json] = [{name: each[name] for name in opened} for each in newest]
        self._board.put(self._topics.loop_check(), {**said, "changes": short}, now_s)
        self._board.put(self._topics.sso_loop_check(), {**said, "changes": newest}, now_s)

    def _message(self, run: _Run) -> dict[str, Json]:
        return {
            "state": "on" if run.is_on else "waiting",
            "scope": run.scope,
            "by": run.by.person.name,
            "agreed_by": None if run.agreed_by is None else run.agreed_by.person.name,
            "ends_up": forms.milliseconds(run.ends_s if run.is_on else run.waits_until_s),
            "not_guarded": list(self._names(run)),
            "number": run.number,
        }

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
