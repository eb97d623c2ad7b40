"""What does a piece of equipment say of itself: which of its alerts stand, is it in order?

Source: IEC 61162-1 ALR (the older layout: one alert, condition and acknowledgement), ALF and ALC (IEC
62923: one alert; the list of those that stand), HBT. They are mirrored: what an AIS unit, a BNWAS or
a VDR annunciates itself is shown, never sounded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from daemon.drivers.alert_layouts import AlcEntry, alc_of, alf_of, alr_of, entries_of
from daemon.drivers.api import PointSpec
from daemon.drivers.nmea_words import (
    A_OR_V,
    HIGHEST_ALERT_NUMBER,
    HIGHEST_INSTANCE,
    plain_text,
    read_hbt,
)
from daemon.drivers.sentences import Dropped, SentenceError, whole
from daemon.model import EquipmentAlert, EquipmentReport, Quality

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.drivers.nmea_reader import Read, Seen
    from daemon.drivers.sentences import Sentence

REPORT_VALID_S = 120.0
"""Heartbeats, and the list of no alerts, come at least once a minute."""
MOST_ALERTS = 100
"""Beyond so many the oldest is forgotten."""
USUAL_HEARTBEAT_S = 60.0
"""Of equipment that does not say how often it sends its own."""
MISSED_HEARTBEATS = 2.5
"""So many intervals without a heartbeat, and nothing is known of the equipment's order."""

_MOST_ALC = 99

_Key: TypeAlias = tuple[str, str, int, int | None]
"""Formatter, maker, number, instance: two makers may give one number to different alerts."""


class AlertsReader:
    """A piece of equipment that tells of its alerts and of its own order."""

    def __init__(self, device: str, valid_s: float = REPORT_VALID_S) -> None:
        self._point = f"{device}.alerts"
        self._alerts: dict[_Key, EquipmentAlert] = {}
        self._details: dict[_Key, str] = {}
        self._listed: set[_Key] = set()
        self._next_list = 1
        self._in_order: bool | None = None
        self._in_order_until_s = 0.0
        self.points = (PointSpec(self._point, valid_s),)
        self.reads: Mapping[str, Read] = {
            "ALR": self._read_alr,
            "ALF": self._read_alf,
            "ALC": self._read_alc,
            "HBT": self._read_hbt,
        }

    def _read_alr(self, sentence: Sentence, now_s: float) -> Sequence[Seen]:
        alr, text = alr_of(sentence)
        alert_number = whole(alr.number, HIGHEST_ALERT_NUMBER)
        condition, acknowledged = A_OR_V.get(alr.condition), A_OR_V.get(alr.acknowledged)
        if condition is None or acknowledged is None:
            raise SentenceError(Dropped.MALFORMED)
        if alert_number is None:
            if condition or acknowledged:
                raise SentenceError(Dropped.MALFORMED)
            # The keep-alive of a unit that has no alert.
            for key in [key for key in self._alerts if key[0] == sentence.formatter]:
                self._forget(key)
            return self._report(now_s)
        key = sentence.formatter, "", alert_number, None
        if not condition and acknowledged:
            self._forget(key)
        else:
            said = plain_text(text)
            self._keep(key, EquipmentAlert(alert_number, None, said, condition, acknowledged, None))
        return self._report(now_s)

    def _read_alf(self, sentence: Sentence, now_s: float) -> Sequence[Seen]:
        alf, said = alf_of(sentence)
        alert_number = whole(alf.number, HIGHEST_ALERT_NUMBER)
        instance = _instance(alf.instance)
        if alf.total not in {"1", "2"} or alert_number is None:
            raise SentenceError(Dropped.MALFORMED)
        key = sentence.formatter, alf.maker, alert_number, instance
        text = plain_text(said)
        if (alf.total, alf.part) == ("2", "2"):
            if key not in self._alerts:
                raise SentenceError(Dropped.INCOMPLETE)
            self._details[key] = text
            return self._report(now_s)
        priority, state = alf.priority, alf.state
        if alf.part not in _FIRST or priority not in _PRIORITIES or state not in _STATES:
            raise SentenceError(Dropped.MALFORMED)
        if state == _NORMAL:
            self._forget(key)
        else:
            active = state != _RECTIFIED
            self._keep(
                key,
                EquipmentAlert(
                    alert_number, instance, text, active, state == _ACKNOWLEDGED, priority
                ),
            )
        return self._report(now_s)

    def _read_alc(self, sentence: Sentence, now_s: float) -> Sequence[Seen]:
        """Forget what the whole list does not name: the sentence that it is normal was lost."""
        head, entries = alc_of(sentence)
        total, part, count = (
            whole(field, _MOST_ALC) for field in (head.total, head.part, head.entries)
        )
        if not total or not part or part > total or count is None:
            raise SentenceError(Dropped.MALFORMED)
        if len(entries) != count * len(AlcEntry._fields):
            raise SentenceError(Dropped.MALFORMED)
        listed = {_listed(entry) for entry in entries_of(entries)}
        if part == 1:
            self._listed.clear()
        elif part != self._next_list:
            self._next_list = 1
            raise SentenceError(Dropped.INCOMPLETE)
        self._listed |= listed
        self._next_list = part + 1
        if part == total:
            self._next_list = 1
            for key in [key for key in self._alerts if key[0] == "ALF" and key not in self._listed]:
                self._forget(key)
        return self._report(now_s)

    def _read_hbt(self, sentence: Sentence, now_s: float) -> Sequence[Seen]:
        heartbeat = read_hbt(sentence)
        every_s = heartbeat.every_s or USUAL_HEARTBEAT_S
        self._in_order = heartbeat.in_order
        self._in_order_until_s = now_s + every_s * MISSED_HEARTBEATS
        return self._report(now_s)

    def _keep(self, key: _Key, alert: EquipmentAlert) -> None:
        if key not in self._alerts and len(self._alerts) >= MOST_ALERTS:
            self._forget(next(iter(self._alerts)))
        self._alerts[key] = alert

    def _forget(self, key: _Key) -> None:
        self._alerts.pop(key, None)
        self._details.pop(key, None)

    def _report(self, now_s: float) -> Sequence[Seen]:
        alerts = [self._whole(key) for key in self._alerts]
        alerts.sort(key=lambda alert: (alert.number, alert.instance or 0))
        in_order = self._in_order if now_s <= self._in_order_until_s else None
        return ((self._point, EquipmentReport(in_order, tuple(alerts)), Quality.GOOD),)

    def _whole(self, key: _Key) -> EquipmentAlert:
        """Return an alert with what its second sentence adds to the title."""
        alert = self._alerts[key]
        details = self._details.get(key)
        return replace(alert, text=f"{alert.text}: {details}") if details else alert


def _listed(entry: AlcEntry) -> _Key:
    """Return the alert of one entry of ALC."""
    alert_number = whole(entry.number, HIGHEST_ALERT_NUMBER)
    if alert_number is None:
        raise SentenceError(Dropped.MALFORMED)
    return "ALF", entry.maker, alert_number, _instance(entry.instance)


def _instance(text: str) -> int | None:
    """Return the instance; an alert that has only one is sent with none, or with 0."""
    return whole(text, HIGHEST_INSTANCE) or None


_FIRST = frozenset({"1", "0"})
"""Some makers count a sentence that stands alone from 0."""
_PRIORITIES = frozenset("EAWC")
_STATES = frozenset("ASNOUV")
_NORMAL, _RECTIFIED, _ACKNOWLEDGED = "N", "U", "A"
