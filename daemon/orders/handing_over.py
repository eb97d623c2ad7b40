"""What has whoever takes the watch to know? What is open, inhibited, permitted, out of service, and what ends soon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.model import Classification

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from daemon.alerts.alert import Alert
    from daemon.model import Json, Opening
    from daemon.ship.state import ShipState

MOST: Final = 40
"""Alerts that are named; a page has them all."""
WATCH_S: Final = 4 * 3600.0
"""A watch at sea; what ends within it is this watch's to see to."""


def handed_over(
    ship: ShipState, alerts: Iterable[Alert], openings: Iterable[Opening], *, now_s: float
) -> dict[str, Json]:
    """Return it, for a watch station: of equipment the bare fact, and nothing of what is covert (invariant 14)."""
    names = {opening.id: opening.name for opening in openings}
    told: dict[str, Json] = {
        "open": [
            f"{alert.title} {alert.source.name}"
            for alert in alerts
            if alert.show is Classification.WATCH
        ][:MOST],
        "inhibited": [
            {
                "alert": given.alert,
                "title": given.title,
                "name": given.name,
                "ends_utc": forms.utc(given.ends_utc),
            }
            for given in ship.inhibits.values()
        ],
        "permits": [
            {
                "door": permit.door,
                "name": names.get(permit.door, permit.door),
                "person": permit.person,
                "ends_utc": forms.utc(permit.ends_utc),
            }
            for permit in ship.permits.values()
        ],
        "out_of_service": [
            taken.name for taken in ship.out_of_service.values() if not taken.covert
        ],
        "expires": list(_expires(ship, names, now_s + WATCH_S)),
    }
    return {name: said for name, said in told.items() if said}


def _expires(ship: ShipState, names: dict[str, str], until_s: float) -> Iterator[str]:
    """Yield what ends in this watch; the ends of what is out of service are the SSO's to know."""
    for given in ship.inhibits.values():
        if given.ends_s <= until_s:
            yield f"{given.ends_utc:%H%M}Z inhibit {given.title} {given.name}"
    for permit in ship.permits.values():
        if permit.ends_s <= until_s:
            name = names.get(permit.door, permit.door)
            yield f"{permit.ends_utc:%H%M}Z permit {name}, {permit.person}"
    if ship.blackout is not None and ship.blackout.ends_s <= until_s:
        yield f"{ship.blackout.ends_utc:%H%M}Z planned blackout"
    if ship.interference is not None and ship.interference.ends_s <= until_s:
        yield f"{ship.interference.ends_utc:%H%M}Z interference area {ship.interference.name}"
