"""What is ordered about AIS and GNSS: AIS off by the Master's order, and known interference areas."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.errors import RefusedError
from daemon.model import InterferenceArea
from daemon.orders.ordering import HOUR_S
from daemon.people import authority
from daemon.people.authority import Act

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.orders.ordering import Ordering
    from daemon.people.claims import By
    from daemon.record.entry import Entry

LONGEST_AREA_H: Final = 72
"""For so long a known interference area is entered at most."""


class NavigationOrders:
    """Carries out what is ordered about AIS and GNSS."""

    def __init__(self, ordering: Ordering) -> None:
        self._ordering = ordering
        self._ship = ordering.ship

    def ais_off(self, by: By, *, on: bool, master: str) -> asyncio.Future[Entry]:
        """Enter the Master's order that AIS is switched off, or its end.

        Raises:
            RefusedError: The person may not, or the Master is not named.
        """
        by.must_be(authority.roles(Act.AIS_OFF), "enter the Master's order")
        if on and not master:
            raise RefusedError("the Master who ordered it is wanted, by name")
        self._ship.order_ais_off(master if on else None, self._ordering.clock.utc())
        said: Mapping[str, Json] = {"off": on, "by_order_of": master or None}
        return self._ordering.ordered("ais.order", by, said)

    def interference_area(self, area: str, by: By, *, hours: int) -> asyncio.Future[Entry]:
        """Enter a known GNSS interference area for a time; 0 hours end it.

        Raises:
            RefusedError: The person may not, it is unnamed, too long, or there is none to end.
        """
        by.must_be(authority.roles(Act.INTERFERENCE), Act.INTERFERENCE.value)
        if not 0 <= hours <= LONGEST_AREA_H:
            raise RefusedError(f"an area is entered for 1 to {LONGEST_AREA_H} h, not {hours}")
        if hours and not area:
            raise RefusedError("the area is wanted, as the navigational warning names it")
        if not hours and self._ship.interference is None:
            raise RefusedError("there is no interference area to end")
        known, clock = self._ship.interference, self._ordering.clock
        ends_utc = clock.utc() + timedelta(hours=hours)
        ends_s = clock.now_s() + hours * HOUR_S
        self._ship.interference = (
            InterferenceArea(area, ends_utc, ends_s, by.person.name) if hours else None
        )
        said: Mapping[str, Json] = {
            "area": area if hours or known is None else known.name,
            "hours": hours,
            "ends": forms.utc(ends_utc),
            "by": by.person.name,
        }
        return self._ordering.ordered("interference_area.changed", by, said)
