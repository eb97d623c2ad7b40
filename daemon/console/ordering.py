"""What people have ordered that ends by itself: how it is gathered for ``ispsd status``, and how it reads there.

Of equipment that is out of service whoever is not the SSO learns the bare fact, and of the SSAS nothing (invariant 14).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from daemon import forms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.model import Json
    from daemon.ship.ordered import OutOfService
    from daemon.ship.state import ShipState


def ordered(ship: ShipState, *, now_s: float, sso: bool) -> Json:
    """Return how it stands now."""
    command, blackout = ship.level_command, ship.blackout
    return {
        "inhibits": [
            {
                "title": given.title,
                "name": given.name,
                "by": given.by,
                "ends": forms.utc(given.ends_utc),
                **({"reason": given.reason} if sso else {}),
            }
            for given in ship.inhibits.values()
        ],
        "out_of_service": [
            _service(taken, sso=sso)
            for taken in ship.out_of_service.values()
            if sso or not taken.covert
        ],
        "blackout": None
        if blackout is None
        else {
            "begins": forms.utc(blackout.begins_utc),
            "ends": forms.utc(blackout.ends_utc),
            "by": blackout.by,
            "runs": blackout.runs(now_s),
        },
        "curtain": ship.curtain,
        "visitor_view": None
        if ship.visitor_view is None
        else forms.utc(ship.visitor_view.ends_utc),
        "port_level": None if ship.port_level is None else int(ship.port_level),
        "level": None
        if command is None
        else {
            "told_by": command.told_by,
            "notified": _moment(command.notified_utc),
            "acknowledged": forms.utc(command.acknowledged_utc),
            "in_force": _moment(command.in_force_utc),
            "owed": command.is_owed,
        },
    }


def lines(said: Mapping[str, Any] | None) -> Iterator[tuple[str, bool]]:
    """Yield it in words, each with whether it stands out."""
    if said is None:
        return
    yield from _screens(said)
    if (level := said["level"]) is not None:
        words = f", in force {_clock(level['in_force'])}" if level["in_force"] else ""
        if level["owed"]:
            words = ", MEASURES NOT SAID TO BE IN FORCE"
        told = f" told {_clock(level['notified'])}" if level["notified"] else ""
        yield (
            f"level by {level['told_by']}:{told} acknowledged {_clock(level['acknowledged'])}{words}",
            level["owed"],
        )
    if said["port_level"] is not None:
        yield f"port's security level {said['port_level']}", False
    if (blackout := said["blackout"]) is not None:
        day = datetime.fromisoformat(blackout["begins"])  # it may be tomorrow
        until = f"{day:%d %b} {_clock(blackout['begins'])} to {_clock(blackout['ends'])}"
        yield f"PLANNED BLACKOUT {until}, {blackout['by']}", blackout["runs"]
    for given in said["inhibits"]:
        why = f": {given['reason']}" if given.get("reason") else ""
        yield (
            f"inhibited until {_clock(given['ends'])}: {given['title']} {given['name']}, "
            f"{given['by']}{why}",
            True,
        )
    for taken in said["out_of_service"]:
        more = ""
        if "ends" in taken:
            until = f"{taken['ends'][:10]} {_clock(taken['ends'])}"
            more = f" until {until}: {taken['reason']}; instead: {taken['measure']}"
        yield f"OUT OF SERVICE: {taken['name']}{more}", True


def _screens(said: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    if said["curtain"]:
        yield "CURTAIN DOWN: screens show a clock, and alerts sound in the citadel only", True
    if said["visitor_view"] is not None:
        yield f"visitor view until {_clock(said['visitor_view'])}", False


def _service(taken: OutOfService, *, sso: bool) -> Json:
    if not sso:
        return {"name": taken.name}
    return {
        "name": taken.name,
        "reason": taken.reason,
        "measure": taken.measure,
        "by": taken.by,
        "ends": forms.utc(taken.ends_utc),
    }


def _moment(at_utc: datetime | None) -> str | None:
    return None if at_utc is None else forms.utc(at_utc)


def _clock(at: str) -> str:
    return f"{datetime.fromisoformat(at):%H%M}Z"
