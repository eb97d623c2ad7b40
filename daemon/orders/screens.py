"""What may screens show to whoever stands before them? Curtain, visitor view and palette, as a person says.

Let down, the curtain leaves a clock on every screen but those of the citadel (invariant 14); the visitor view hides
places, ages and ends on all pages while alerts go on; the palette is how bright they are. None comes by itself, and
none follows an SSAS input.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from daemon import forms
from daemon.computer import logs
from daemon.errors import RefusedError
from daemon.model import Classification
from daemon.mqtt.commands import Reply
from daemon.people import authority
from daemon.people.authority import Act
from daemon.people.claims import By
from daemon.record.entry import SYSTEM, Actor, Draft
from daemon.record.waiting import let_go, on_disk
from daemon.ship.ordered import VISITOR_VIEW_S, VisitorView

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Mapping

    from daemon.model import Json
    from daemon.orders.order import Said
    from daemon.orders.ordering import Ordering
    from daemon.people.claims import Claim
    from daemon.people.people import People
    from daemon.record.entry import Entry

CLEARED_S: Final = 2.0
"""Within so many seconds the broker has forgotten what the curtain hides (invariant 14)."""
LOG = logs.get("curtain")


class Stage(Protocol):
    """Where the ship is told: the publisher."""

    def curtain(self, body: Mapping[str, Json] | None) -> None:
        """Let the curtain down, with what open screens may know meanwhile, or with None raise it; at once."""
        ...

    async def curtained(self, *, limit_s: float) -> bool:
        """Return whether the broker has cleared what the curtain hides; False where it has not in time."""
        ...

    def show_palette(self, palette: str) -> None:
        """Tell every page how bright it is to be."""
        ...


class Unseen:
    """A stage without an audience, for what tells nobody."""

    def curtain(self, body: Mapping[str, Json] | None) -> None:
        """Show nobody anything."""

    async def curtained(self, *, limit_s: float) -> bool:  # noqa: ARG002 (there is nothing to clear)
        return True

    def show_palette(self, palette: str) -> None:
        """Show nobody anything."""


class Screens:
    """What all screens may show."""

    def __init__(self, ordering: Ordering, *, people: People, stage: Stage | None = None) -> None:
        self._ordering = ordering
        self._ship = ordering.ship
        self._stations = ordering.watch.stations
        self._people = people
        self._stage = stage or Unseen()
        self._told: Mapping[str, Json] | None = None
        self.moved: list[Callable[[], None]] = []
        """Called when the curtain has moved."""
        self.acts: Mapping[str, Callable[[Said, Claim], Awaitable[Reply]]] = {
            "curtain": self.curtain,
            "visitor_view": self.visitor_view,
            "palette": self.palette,
        }

    async def curtain(self, said: Said, claim: Claim) -> Reply:
        """Let the curtain down, or raise it.

        Raises:
            RefusedError: The person may not, or has not proven himself.
        """
        down = said["down"] is True
        act = Act.CURTAIN_DOWN if down else Act.CURTAIN_UP
        on_guard = self._ordering.watch.engine.regime.on_guard
        claim = self._named(claim)
        has_watch = self._stations.has_watch(claim.station, claim.name)
        by = await self._people.prove(claim, act, on_guard=on_guard, has_watch=has_watch)
        if down is self._ship.curtain:
            return Reply(accepted=True, writes=False)
        self._move(down=down)
        written = self._ordering.ordered("curtain.changed", by, {"down": down})
        if not down:
            return Reply(accepted=True, recorded=await on_disk(written, self._ordering.clock))
        cleared = await self._stage.curtained(limit_s=CLEARED_S)
        if not cleared:
            LOG.warning("curtain.not_cleared", within_s=CLEARED_S)
        return Reply(
            accepted=True,
            recorded=await on_disk(written, self._ordering.clock),
            extra={
                "cleared": cleared,
                "heard": self._stations.one_is_attended(self._ordering.clock.now_s()),
            },
        )

    async def visitor_view(self, said: Said, claim: Claim) -> Reply:
        """Hide places, ages and ends on all pages for an hour, or show them again; nobody is asked for anything.

        Raises:
            RefusedError: The person named may not.
        """
        if claim.name:
            known = self._people.known(claim.name)
            has_watch = self._stations.has_watch(claim.station, known.name)
            By(authority.at_his_post(known, has_watch=has_watch)).must_be(
                authority.roles(Act.VISITOR_VIEW), Act.VISITOR_VIEW.value
            )
        on, clock = said["on"] is True, self._ordering.clock
        if not on and self._ship.visitor_view is None:
            return Reply(accepted=True, writes=False)
        name = claim.name or self._watchkeeper(claim)
        ends_utc = clock.utc() + timedelta(seconds=VISITOR_VIEW_S)
        view = VisitorView(ends_utc, clock.now_s() + VISITOR_VIEW_S) if on else None
        written = self._view(view, Actor(claim.station, name))
        return Reply(accepted=True, recorded=await on_disk(written, clock))

    async def palette(self, said: Said, claim: Claim) -> Reply:  # noqa: ARG002 (whoever it is)
        """Tell every page how bright it is to be; whoever stands before one may change that there."""
        self._stage.show_palette(said["palette"])
        return Reply(accepted=True, writes=False)

    def take_up(self) -> None:
        """Take up what the ship's state says, before anything is told of her."""
        if self._ship.curtain:
            self._move(down=True)

    def found_down(self) -> None:
        """Let the curtain be down, as the broker says of the last time: the record cannot be asked."""
        if not self._ship.curtain:
            LOG.warning("curtain.found_down")
            self._move(down=True)

    def look(self) -> None:
        """Lift the visitor view when its time is over; keep the clock behind the curtain to ship's time."""
        view = self._ship.visitor_view
        if view is not None and self._ordering.clock.now_s() >= view.ends_s:
            let_go(self._view(None, SYSTEM))
        if self._told is not None and self._told != self._clock_body():
            self._tell()

    def _move(self, *, down: bool) -> None:
        now_s, annunciator = self._ordering.clock.now_s(), self._ordering.watch.annunciator
        self._ship.curtain = down
        self._stations.draw_curtain(down=down, now_s=now_s)
        annunciator.look(now_s)  # others sound now
        annunciator.tell_stations()
        self._tell()
        for moved in self.moved:
            moved()

    def _tell(self) -> None:
        self._told = self._clock_body() if self._ship.curtain else None
        self._stage.curtain(self._told)

    def _clock_body(self) -> dict[str, Json]:
        """Return all that a clock has to know."""
        offset = self._ship.ship_time.utcoffset(None)
        return {"down": True, "ship_time_offset_min": int(offset.total_seconds() // 60)}

    def _view(self, view: VisitorView | None, by: Actor) -> asyncio.Future[Entry]:
        self._ship.visitor_view = view
        self._ordering.watch.show_ship()
        said = {"on": view is not None, "ends": None if view is None else forms.utc(view.ends_utc)}
        return self._ordering.journal.submit(
            Draft(
                kind="system",
                type="visitor_view.changed",
                subject="ship",
                classification=Classification.WATCH,
                actor=by,
                open=said,
            )
        )

    def _named(self, claim: Claim) -> Claim:
        """Return the claim with the name of whoever has the watch there, where none was said.

        Raises:
            RefusedError: Nobody has.
        """
        name = claim.name or self._watchkeeper(claim)
        if name is None:
            raise RefusedError("a name is wanted: nobody has the watch here", wants={"name": True})
        return replace(claim, name=name)

    def _watchkeeper(self, claim: Claim) -> str | None:
        return None if claim.station is None else self._stations.at(claim.station).person
