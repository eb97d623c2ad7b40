"""Which alert is not to be told now, though its condition may hold? Inhibited, out of service, or without power.

The engine asks this for every condition; when an answer may have changed, ``Watch.reconsider`` has it asked again. What
stands when nothing mutes it any more is told anew: the state on every page matches what the record says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.alerts.alert import alert_id
from daemon.alerts.rules.openings import BLIND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from daemon.alerts.alert import Source
    from daemon.alerts.catalogue import AlertKind
    from daemon.model import Opening
    from daemon.ship.state import ShipState

BLACKOUT: Final = "blackout.planned"


class Muting:
    """Answers whether an alert is muted."""

    def __init__(
        self,
        ship: ShipState,
        *,
        kinds: Mapping[str, AlertKind],
        openings: Iterable[Opening],
        now_s: Callable[[], float],
    ) -> None:
        self._ship = ship
        self._kinds = kinds
        self._of = {o.id: o.of for o in openings if o.of is not None}
        self._now_s = now_s

    def covers(self, key: str, source: Source) -> bool:
        """Return whether the alert of that key and source is not to be told now."""
        if not self._kinds[key].may_inhibit:
            return False
        ship = self._ship
        if alert_id(key, source.id) in ship.inhibits:
            return True
        if ship.out_of_service.keys() & {source.id, self._of.get(source.id, source.id)}:
            return True
        return self._is_explained(key)

    def _is_explained(self, key: str) -> bool:
        """Return whether the planned blackout explains it.

        A door that was seen to open is no matter of power: it is told as ever, also in the minute after. Only what
        was blind and comes back open waits for the end of that minute, since contacts bounce as their power returns.
        """
        blackout, now_s = self._ship.blackout, self._now_s()
        if blackout is None:
            return False
        if key == BLIND:
            return blackout.settles(now_s)
        if self._kinds[key].in_blackout:
            return False
        return blackout.runs(now_s) or blackout.settles(now_s)
