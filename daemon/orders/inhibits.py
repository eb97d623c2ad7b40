"""Which alert is not told for a time, because a person said so? One alert of one source, with an end and a reason.

Not at security level 3, never longer than the table of people allows, and never what tells of ispsd itself. When it
ends and its condition holds, the alert is told anew.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.alerts.alert import alert_id
from daemon.alerts.rules.openings import WHEN_OPEN, when_open
from daemon.errors import RefusedError
from daemon.model import Classification, SecurityLevel
from daemon.orders.ordering import MINUTE_S
from daemon.people import authority
from daemon.people.authority import Act
from daemon.record.entry import SYSTEM, Draft
from daemon.record.waiting import let_go
from daemon.ship.ordered import Inhibit
from daemon.testing.worklist import Item, ItemState

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Mapping

    from daemon.model import Json, Person
    from daemon.orders.ordering import Ordering
    from daemon.people.claims import By
    from daemon.record.entry import Actor, Entry

MOST: Final = 20
"""So many alerts are inhibited at once: whoever needs more takes equipment out of service."""


class Inhibits:
    """Gives and ends inhibits."""

    def __init__(self, ordering: Ordering, *, sources: Mapping[str, str]) -> None:
        """Put the parts together; ``sources`` has the short name of everything that an alert can be about."""
        self._ordering = ordering
        self._ship = ordering.ship
        self._sources = sources

    def give(self, alert: str, by: By, *, minutes: int, reason: str) -> asyncio.Future[Entry]:
        """Inhibit one alert, open or not, for a time; one that is inhibited already is given anew.

        Raises:
            RefusedError: The person may not, not this alert, not for so long, not now, or no reason is given.
        """
        by.must_be(authority.roles(Act.INHIBIT), Act.INHIBIT.value)
        key, source = self._parted(alert)
        if self._ship.level is SecurityLevel.THREE:
            raise RefusedError("nothing is inhibited at security level 3")
        longest_min = _longest_min(by.person)
        if not 1 <= minutes <= longest_min:
            raise RefusedError(
                f"{by.person.name} may inhibit for 1 to {longest_min} min, not {minutes}"
            )
        if not reason.strip():
            raise RefusedError("a reason is wanted")
        if alert not in self._ship.inhibits and len(self._ship.inhibits) >= MOST:
            raise RefusedError(f"{MOST} alerts are inhibited already")
        seconds, clock = minutes * MINUTE_S, self._ordering.clock
        given = Inhibit(
            alert=alert,
            key=key,
            source=source,
            name=self._sources[source],
            title=self._ordering.watch.engine.catalogue[key].title,
            reason=reason,
            minutes=minutes,
            ends_utc=clock.utc() + timedelta(seconds=seconds),
            ends_s=clock.now_s() + seconds,
            by=by.person.name,
        )
        self._ship.inhibits[alert] = given
        self._ordering.watch.reconsider()
        said = {**_body(given), "ends": forms.utc(given.ends_utc), "minutes": minutes}
        return self._write("inhibit.given", given, said, by.actor(), reason)

    def end(self, alert: str, by: By, *, reason: str = "") -> asyncio.Future[Entry]:
        """End an inhibit before its time: whoever may give one may.

        Raises:
            RefusedError: The person may not, or there is none.
        """
        by.must_be(authority.roles(Act.INHIBIT), Act.INHIBIT.value)
        given = self._ship.inhibits.pop(alert, None)
        if given is None:
            raise RefusedError(f"{alert[:80]} is not inhibited")
        self._ordering.watch.reconsider()
        said = {**_body(given), "how": "by a person"}
        return self._write("inhibit.ended", given, said, by.actor(), reason)

    def look(self) -> None:
        """End what is over; at security level 3 everything is."""
        now_s = self._ordering.clock.now_s()
        is_three = self._ship.level is SecurityLevel.THREE
        over = [i for i in self._ship.inhibits.values() if is_three or i.ends_s <= now_s]
        for given in over:
            del self._ship.inhibits[given.alert]
        if over:
            self._ordering.watch.reconsider()
        for given in over:
            how = "its time is over" if given.ends_s <= now_s else "security level 3"
            let_go(self._write("inhibit.ended", given, {**_body(given), "how": how}, SYSTEM, ""))

    def to_do(self) -> Iterator[Item]:
        """Yield what is inhibited."""
        for given in self._ship.inhibits.values():
            until = f"inhibited until {given.ends_utc:%H%M} UTC by {given.by}"
            text = f"{given.title} {given.name}: {until}: {given.reason}"
            state = ItemState.INHIBITED
            yield Item(given.alert, given.source, text, state, None, given.ends_utc)

    def _parted(self, alert: str) -> tuple[str, str]:
        """Return key and source of an alert's id.

        Raises:
            RefusedError: There is no such alert, or nobody may inhibit it.
        """
        for key, kind in self._ordering.watch.engine.catalogue.items():
            source = alert.removeprefix(f"{key}.")
            if source == alert or source not in self._sources:
                continue
            if not kind.may_inhibit:
                raise RefusedError(f"{kind.title} cannot be inhibited")
            if kind.show is Classification.SSO:
                break
            self._must_come_of(key, source)
            return key, source
        raise RefusedError(f"there is no alert {alert[:80]!r}: {self._meant(alert)}")

    def _must_come_of(self, key: str, source: str) -> None:
        """Refuse what its source never gives, such as a hatch as a store: the hatch would be believed quiet.

        Raises:
            RefusedError: What is found open there has another alert, which is told.
        """
        own = when_open(self._ordering.openings.get(source))
        if key in WHEN_OPEN and key != own:
            title, name = self._ordering.watch.engine.catalogue[key].title, self._sources[source]
            instead = "" if own is None else f": {alert_id(own, source)}"
            raise RefusedError(f"{name} never gives {title}{instead}")

    def _meant(self, about: str) -> str:
        """Return in words which alerts a person may have meant by something that is no alert's id."""
        if about not in self._sources:
            return "its id is wanted: what comes, and of what, as door.store.open.d17"
        ids = [a.id for a in self._ordering.watch.engine.alerts() if a.source.id == about]
        own = when_open(self._ordering.openings.get(about))
        if own is not None and alert_id(own, about) not in ids:
            ids.append(alert_id(own, about))
        return f"{self._sources[about]} has {', '.join(ids) or 'none open'}"

    def _write(
        self,
        type_: str,
        given: Inhibit,
        said: Mapping[str, Json],
        actor: Actor,
        reason: str,
    ) -> asyncio.Future[Entry]:
        """Write it; the reason may tell of a sensor's weakness, so it is the SSO's to read (invariant 14)."""
        return self._ordering.journal.submit(
            Draft(
                kind="system",
                type=type_,
                subject=given.source,
                classification=Classification.WATCH,
                actor=actor,
                open=said,
                parts={Classification.SSO: {"reason": reason}} if reason else {},
            )
        )


def _body(given: Inhibit) -> dict[str, Json]:
    return {
        "alert": given.alert,
        "key": given.key,
        "source": given.source,
        "name": given.name,
        "title": given.title,
        "by": given.by,
    }


def _longest_min(person: Person) -> int:
    cells = authority.cells(Act.INHIBIT, person.roles)
    return max(cell.limit_min for cell in cells if cell.limit_min is not None)
