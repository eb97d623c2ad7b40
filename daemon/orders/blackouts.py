"""When is a blackout planned, and what does it explain? One caution for the event instead of forty alerts.

What hangs on power is explained while it runs and for a minute after it (``daemon.alerts.muting``); a door that is seen
to open is an alert as ever. Behind that minute one entry says how everything stands.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.alerts.alert import Source
from daemon.alerts.muting import BLACKOUT
from daemon.errors import RefusedError
from daemon.model import Classification, SecurityLevel
from daemon.orders import times
from daemon.orders.ordering import MINUTE_S
from daemon.people import authority
from daemon.people.authority import Act
from daemon.record.entry import SYSTEM, Draft
from daemon.record.waiting import let_go
from daemon.ship.ordered import SETTLES_S, Blackout
from daemon.testing.worklist import Item, ItemState

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Mapping

    from daemon.model import Json
    from daemon.orders.ordering import Ordering
    from daemon.people.claims import By
    from daemon.record.entry import Actor, Entry

LONGEST_MIN: Final = 4 * 60
SHIP: Final = Source("ispsd", "SHIP", "ispsd")


class Blackouts:
    """Plans a blackout, and ends it."""

    def __init__(self, ordering: Ordering) -> None:
        self._ordering = ordering
        self._ship = ordering.ship
        self._phase: tuple[bool, bool] = False, False
        """Whether it ran and whether it settled when it was looked at last."""

    def plan(self, by: By, *, minutes: int, begins: str | None = None) -> asyncio.Future[Entry]:
        """Plan a blackout.

        Args:
            by: Who is responsible for it.
            minutes: How long it takes.
            begins: When, as ``02:10Z``, within a day (``times.coming``); None: now.

        Raises:
            RefusedError: The person may not, there is one already, not for so long, not now, or no such time.
        """
        by.must_be(authority.roles(Act.BLACKOUT), Act.BLACKOUT.value)
        if self._ship.level is SecurityLevel.THREE:
            raise RefusedError("no blackout is planned at security level 3")
        if not 1 <= minutes <= LONGEST_MIN:
            raise RefusedError(f"a blackout is planned for 1 to {LONGEST_MIN} min, not {minutes}")
        if (known := self._ship.blackout) is not None:
            raise RefusedError(f"one is planned until {known.ends_utc:%H%M} UTC; end it first")
        now_s, now_utc = self._ordering.clock.now_s(), self._ordering.clock.utc()
        begins_utc = now_utc if begins is None else times.coming(begins, now_utc)
        begins_s = now_s + (begins_utc - now_utc).total_seconds()
        planned = Blackout(
            begins_utc=begins_utc,
            begins_s=begins_s,
            ends_utc=begins_utc + timedelta(minutes=minutes),
            ends_s=begins_s + minutes * MINUTE_S,
            minutes=minutes,
            by=by.person.name,
        )
        self._ship.blackout = planned
        self.look()
        return self._ordering.ordered("blackout.planned", by, _body(planned))

    def end(self, by: By) -> asyncio.Future[Entry]:
        """End it before its time; one that has not begun is called off.

        Raises:
            RefusedError: The person may not, or there is none that could be ended.
        """
        by.must_be(authority.roles(Act.BLACKOUT), Act.BLACKOUT.value)
        planned, now_s = self._ship.blackout, self._ordering.clock.now_s()
        if planned is None or planned.ends_s <= now_s:
            raise RefusedError("no blackout is planned")
        if now_s < planned.begins_s:
            return self._over(planned, f"called off by {by.person.name}", by.actor())
        self._ship.blackout = replace(planned, ends_utc=self._ordering.clock.utc(), ends_s=now_s)
        self.look()
        return self._ordering.ordered("blackout.planned", by, _body(self._ship.blackout))

    def look(self) -> None:
        """Say whether it is on, let what it explained be judged again when it is not, and write how that stands."""
        planned, now_s = self._ship.blackout, self._ordering.clock.now_s()
        if planned is not None and self._ship.level is SecurityLevel.THREE:
            let_go(self._over(planned, "security level 3", SYSTEM))
        elif planned is not None and now_s >= planned.ends_s + SETTLES_S:
            let_go(self._over(planned, "its time is over", SYSTEM))
        planned = self._ship.blackout
        runs = planned is not None and planned.runs(now_s)
        settles = planned is not None and planned.settles(now_s)
        detail = "" if planned is None else f"{planned.by}, until {planned.ends_utc:%H%M} UTC"
        self._ordering.watch.engine.condition(
            BLACKOUT, SHIP, active=runs, now_s=now_s, detail=detail
        )
        if (runs, settles) != self._phase:
            self._phase = runs, settles
            self._ordering.watch.reconsider()

    def to_do(self) -> Iterator[Item]:
        """Yield the blackout that is planned."""
        if (planned := self._ship.blackout) is not None:
            begins_utc, ends_utc = planned.begins_utc, planned.ends_utc
            when = f"{begins_utc:%d %b %H%MZ} to {ends_utc:%H%MZ}"
            text = f"PLANNED BLACKOUT {when}, by {planned.by}"
            yield Item("blackout", "ship", text, ItemState.DUE, begins_utc, ends_utc)

    def _over(self, planned: Blackout, how: str, by: Actor) -> asyncio.Future[Entry]:
        """Forget it, and write how everything stands behind it."""
        self._ship.blackout = None
        self._ordering.watch.reconsider()
        said = {**_body(planned), "how": how, **self._ordering.watch.summary()}
        return self._ordering.journal.submit(
            Draft(
                kind="system",
                type="blackout.ended",
                subject="ship",
                classification=Classification.WATCH,
                actor=by,
                open=said,
            )
        )


def _body(planned: Blackout) -> dict[str, Json]:
    said: Mapping[str, Json] = {
        "begins": forms.utc(planned.begins_utc),
        "ends": forms.utc(planned.ends_utc),
        "minutes": planned.minutes,
        "by": planned.by,
    }
    return dict(said)
