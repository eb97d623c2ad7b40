"""What was ordered when the daemon last stopped? It goes on by the calendar, and never for longer than it was given.

What ended meanwhile is taken up as over: the first look at it makes its end happen once, with its entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon import forms
from daemon.errors import RecordError
from daemon.model import SecurityLevel
from daemon.orders.ordering import HOUR_S, MINUTE_S
from daemon.record import fold
from daemon.ship.ordered import (
    VISITOR_VIEW_S,
    Blackout,
    Inhibit,
    LevelCommand,
    OutOfService,
    Proposal,
    VisitorView,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from datetime import datetime

    from daemon.model import Json
    from daemon.ship.state import ShipState

    Body = Mapping[str, Json]
    State = Callable[[str], Awaitable[Mapping[str, Body]]]


async def take_up(
    state: State,
    ship: ShipState,
    *,
    alerts: Collection[str],
    equipment: Mapping[str, bool],
    now_s: float,
    now_utc: datetime,
) -> None:
    """Take up what was ordered.

    Args:
        state: The record's states of a kind.
        ship: Gets it.
        alerts: Keys of the catalogue; what is inhibited under another is forgotten.
        equipment: What can be out of service, and whether it is covert; the rest is forgotten.
        now_s: Seconds since boot.
        now_utc: The same moment by the calendar.

    Raises:
        RecordError: The record cannot be read.
    """
    for id_, said in (await state(fold.INHIBIT)).items():
        if said["key"] in alerts:
            ship.inhibits[id_] = _inhibit(said, now_s, now_utc)
    for id_, said in (await state(fold.OUT_OF_SERVICE)).items():
        if id_ in equipment:
            taken = _out_of_service(said, now_s, now_utc, covert=equipment[id_])
            ship.out_of_service[id_] = taken
    for id_, said in (await state(fold.PROPOSED)).items():
        if id_ in equipment:
            ship.proposals[id_] = _proposal(said, covert=equipment[id_])
    ordered = await state(fold.SHIP)
    if (port := ordered.get("port_level.changed")) is not None:
        ship.port_level = SecurityLevel(number(port["to"]))
    if (level := ordered.get("level.changed")) is not None and "acknowledged" in level:
        ship.level_command = _level(level, ordered.get("level.in_force"), now_s, now_utc)
    if (planned := ordered.get("blackout.planned")) is not None:
        ship.blackout = _blackout(planned, now_s, now_utc)
    _take_up_screens(ordered, ship, now_s, now_utc)


def _take_up_screens(
    ordered: Mapping[str, Body], ship: ShipState, now_s: float, now_utc: datetime
) -> None:
    """Take up what screens may show: a curtain that was down stays down."""
    if (curtain := ordered.get("curtain.changed")) is not None:
        ship.curtain = curtain["down"] is True
    if (view := ordered.get("visitor_view.changed")) is not None and view["on"] is True:
        ends_utc = forms.from_utc(str(view["ends"]))
        ends_s = now_s + left_s(ends_utc, now_utc, VISITOR_VIEW_S)
        ship.visitor_view = VisitorView(ends_utc, ends_s)


def number(said: Json) -> int:
    """Return a whole number that an entry says.

    Raises:
        RecordError: It is none.
    """
    if not isinstance(said, int) or isinstance(said, bool):
        raise RecordError(f"{said!r} stands where a number must")
    return said


def left_s(ends_utc: datetime, now_utc: datetime, given_s: float) -> float:
    """Return what is left of something by the calendar, which may have been set back; less than none: it is over."""
    return min((ends_utc - now_utc).total_seconds(), given_s)


def _inhibit(said: Body, now_s: float, now_utc: datetime) -> Inhibit:
    minutes, ends_utc = number(said["minutes"]), forms.from_utc(str(said["ends"]))
    return Inhibit(
        alert=str(said["alert"]),
        key=str(said["key"]),
        source=str(said["source"]),
        name=str(said["name"]),
        title=str(said["title"]),
        reason=str(said["reason"]),
        minutes=minutes,
        ends_utc=ends_utc,
        ends_s=now_s + left_s(ends_utc, now_utc, minutes * MINUTE_S),
        by=str(said["by"]),
    )


def _out_of_service(said: Body, now_s: float, now_utc: datetime, *, covert: bool) -> OutOfService:
    hours, ends_utc = number(said["hours"]), forms.from_utc(str(said["ends"]))
    return OutOfService(
        equipment=str(said["equipment"]),
        name=str(said["name"]),
        reason=str(said["reason"]),
        measure=str(said["measure"]),
        hours=hours,
        ends_utc=ends_utc,
        ends_s=now_s + left_s(ends_utc, now_utc, hours * HOUR_S),
        by=str(said["by"]),
        with_master=None if said["with_master"] is None else str(said["with_master"]),
        covert=covert,
    )


def _proposal(said: Body, *, covert: bool) -> Proposal:
    return Proposal(
        equipment=str(said["equipment"]),
        name=str(said["name"]),
        reason=str(said["reason"]),
        measure=str(said["measure"]),
        hours=number(said["hours"]),
        by=str(said["by"]),
        at_utc=forms.from_utc(str(said["at"])),
        covert=covert,
    )


def _level(said: Body, in_force: Body | None, now_s: float, now_utc: datetime) -> LevelCommand:
    acknowledged_utc = forms.from_utc(str(said["acknowledged"]))
    ago_s = max(0.0, (now_utc - acknowledged_utc).total_seconds())
    return LevelCommand(
        level=SecurityLevel(number(said["to"])),
        told_by=str(said["told_by"]),
        acknowledged_utc=acknowledged_utc,
        set_s=now_s - ago_s,
        notified_utc=None if said["notified"] is None else forms.from_utc(str(said["notified"])),
        in_force_utc=None if in_force is None else forms.from_utc(str(in_force["in_force"])),
    )


def _blackout(said: Body, now_s: float, now_utc: datetime) -> Blackout:
    begins_utc, ends_utc = (forms.from_utc(str(said[name])) for name in ("begins", "ends"))
    minutes = number(said["minutes"])
    to_begin_s = (begins_utc - now_utc).total_seconds()
    return Blackout(
        begins_utc=begins_utc,
        begins_s=now_s + to_begin_s,
        ends_utc=ends_utc,
        ends_s=now_s
        + min((ends_utc - now_utc).total_seconds(), max(0.0, to_begin_s) + minutes * MINUTE_S),
        minutes=minutes,
        by=str(said["by"]),
    )
