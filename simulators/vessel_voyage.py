"""What people set on an AIS unit, and what it remembers of when it was off, from a scenario's command."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from simulators.api import only, whole
from simulators.voice import number, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from simulators.ships import Vessel


def bound(ship: Vessel, command: Mapping[str, object]) -> Vessel:
    """Return the ship with other voyage data; what is not named stays.

    Raises:
        ValueError: Names what is wrong.
    """
    only(command, "do", "draught_m", "destination", "eta")
    draught_m = number(command, "draught_m", low=0, high=25.5, default=ship.draught_m)
    destination = plain(command, "destination", most=20, default=ship.destination)
    eta = command.get("eta", ship.eta)
    if eta is None:
        return replace(ship, draught_m=draught_m, destination=destination)
    if not isinstance(eta, list | tuple) or len(eta) != 4 or any(type(n) is not int for n in eta):  # noqa: PLR2004
        raise ValueError(f"eta is month, day, hour and minute, not {eta!r}")
    month, day, hour, minute = eta
    return replace(
        ship, draught_m=draught_m, destination=destination, eta=(month, day, hour, minute)
    )


def off_periods(
    command: Mapping[str, object], utc: datetime
) -> list[tuple[datetime, datetime, int]]:
    """Return the one time in which the unit did not transmit; without ``for_min`` there was none.

    Raises:
        ValueError: Names what is wrong.
    """
    only(command, "do", "ago_min", "for_min", "reason")
    if "for_min" not in command:
        return []
    off = utc - timedelta(minutes=number(command, "ago_min", low=1, high=1e6))
    for_min = number(command, "for_min", low=1, high=1e6)
    reason = whole(command, "reason", low=1, high=5, default=1)
    return [(off, off + timedelta(minutes=for_min), reason)]
