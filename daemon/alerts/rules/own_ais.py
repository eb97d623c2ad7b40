"""Does own AIS say what it must, often enough, and does it complain of itself?

Reporting intervals are those of ``ais_rates``, as if she never altered course: three of them are a minute at
least. VDO shows what the unit says to the ship, not what leaves the antenna: nothing here says *transmitting*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Said
from daemon.alerts.rules.voyage_data import faults
from daemon.model import AisIdentity, AisReport, EquipmentReport
from daemon.navigation.ais_rates import interval_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.alerts.rules.api import Holds, Moment
    from daemon.model import Reading, Ship
    from daemon.points.points import Change

SILENT = "ais.silent"
OFF_BY_ORDER = "ais.off_by_order"
IDENTITY = "ais.identity"
VOYAGE_DATA = "ais.voyage_data"
EQUIPMENT = "ais.equipment"
KEYS = (SILENT, OFF_BY_ORDER, IDENTITY, VOYAGE_DATA, EQUIPMENT)

REPORTS_MISSED = 3
REPORTS_BACK = 2
"""So many reports end the silence."""
WRONG_REPORTS = 2
SHORTEST_SILENCE_S = 60.0
LONGEST_DETAIL = 200


class OwnAisRule:
    """The ship's own AIS unit."""

    def __init__(self, device: str, *, ship: Ship, valid_for_s: float, holds: Holds) -> None:
        """Watch one AIS feed; ``valid_for_s`` is how long a report is believed at most."""
        self._ship = ship
        self._valid_for_s = valid_for_s
        self._source = Source(device, device.upper(), device)
        self._report_point = f"{device}.own_report"
        self._identity_point = f"{device}.own_identity"
        self._alerts_point = f"{device}.alerts"
        self.points = frozenset({self._report_point, self._identity_point, self._alerts_point})
        self.devices = frozenset({device})
        self.says = frozenset((key, device) for key in KEYS)
        self._up_s: float | None = None
        self._heard_s: float | None = None
        self._report: AisReport | None = None
        self._identity: AisIdentity | None = None
        self._is_current = False
        """Whether the last report may still be believed; its interval counts even when it may not."""
        self._is_silent = holds(SILENT, device)
        self._reports_back = 0
        self._wrong: dict[str, int] = {}
        if holds(IDENTITY, device):  # each must be heard right again before it ends
            self._wrong = dict.fromkeys((self._report_point, self._identity_point), WRONG_REPORTS)
        self._difference = ""
        self._said_by_itself: EquipmentReport | None = None

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> None:
        self._up_s = now_s if up else None
        self._heard_s = None

    def take(self, reading: Reading, change: Change | None) -> None:
        said = reading.value
        if reading.point == self._report_point:
            self._is_current = said is not None
        elif reading.point == self._identity_point and said is None:
            self._identity = None
        if isinstance(said, AisReport):
            self._heard_s, self._report = reading.received_s, said
            self._reports_back += 1
            self._compare(reading.point, _differences((("MMSI", said.mmsi, self._ship.mmsi),)))
        elif isinstance(said, AisIdentity):
            self._identity = said
            self._compare(reading.point, _differences(_register(said, self._ship)))
        elif isinstance(said, EquipmentReport):
            self._said_by_itself = said

    def _compare(self, point: str, difference: str) -> None:
        self._wrong[point] = self._wrong.get(point, 0) + 1 if difference else 0
        if difference:
            self._difference = difference

    def look(self, moment: Moment) -> Iterator[Said]:
        ordered = moment.ais_off_by is not None
        by = f"by order of {moment.ais_off_by}" if ordered else ""
        yield self._say(OFF_BY_ORDER, ordered, by)
        if ordered:
            self._is_silent = False
            yield self._say(SILENT, active=False)
        if self._up_s is None:
            return  # nothing is heard, so what stood goes on standing
        if ordered:
            # When the order ends the set has to be switched on first: silence counts from there.
            self._up_s, self._heard_s = moment.now_s, None
        else:
            yield self._silence(self._up_s, moment.now_s)
        yield from self._content(moment)

    def _content(self, moment: Moment) -> Iterator[Said]:
        """Say whether what AIS tells of the ship and of itself is right."""
        if self._wrong:
            is_wrong = max(self._wrong.values()) >= WRONG_REPORTS
            yield self._say(IDENTITY, is_wrong, self._difference)
        if self._report is not None and self._is_current:
            wrong = faults(
                self._report, self._identity, moment.regime.situation, now_utc=moment.now_utc
            )
            yield self._say(VOYAGE_DATA, bool(wrong), "; ".join(wrong)[:LONGEST_DETAIL])
        if self._said_by_itself is not None:
            texts = [a.text or str(a.number) for a in self._said_by_itself.alerts if a.active]
            yield self._say(EQUIPMENT, bool(texts), "; ".join(texts)[:LONGEST_DETAIL])

    def _silence(self, up_s: float, now_s: float) -> Said:
        """Return whether own report is missing; it counts from the last one, or from when the feed came back."""
        limit_s = self._valid_for_s
        if self._report is not None:
            missed_s = REPORTS_MISSED * interval_s(self._report)
            limit_s = min(limit_s, max(SHORTEST_SILENCE_S, missed_s))
        if now_s - (up_s if self._heard_s is None else self._heard_s) > limit_s:
            self._is_silent, self._reports_back = True, 0
        elif self._reports_back >= REPORTS_BACK:
            self._is_silent = False
        return self._say(SILENT, self._is_silent)

    def _say(self, key: str, active: bool, detail: str = "") -> Said:  # noqa: FBT001
        return Said(key, self._source, active, detail)


def _register(said: AisIdentity, ship: Ship) -> tuple[tuple[str, object, object], ...]:
    return (
        ("MMSI", said.mmsi, ship.mmsi),
        ("IMO number", said.imo_number, ship.imo_number),
        ("name", said.name, ship.name_sent),
        ("call sign", said.call_sign, ship.call_sign),
    )


def _differences(compared: tuple[tuple[str, object, object], ...]) -> str:
    """Return in words what differs; empty where nothing does."""
    return "; ".join(
        f"{what} {said}, register {register}"
        for what, said, register in compared
        if said != register
    )[:LONGEST_DETAIL]
