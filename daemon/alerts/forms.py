"""How does an alert look in a message and in an entry, and how is it taken from an entry again?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from daemon.alerts.alert import Acknowledgement, Alert, Source
from daemon.alerts.lifecycle import words
from daemon.forms import from_utc, utc
from daemon.model import AlertState, Priority

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.model import Classification, Json


def alert_message(
    alert: Alert, *, sounds_at: Sequence[str], recorded: int | None
) -> dict[str, Json]:
    """Return the body of ``alert/<id>``."""
    return {
        "id": alert.id,
        "key": alert.key,
        "instance": alert.instance,
        "number": alert.number,
        "title": alert.title,
        "source": alert.source.id,
        "name": alert.source.name,
        "priority": alert.priority.value,
        "category": "B",
        "state": alert.state.value,
        "state_words": words(alert.state, alert.priority),
        "raised_utc": utc(alert.raised_utc),
        "changed_utc": utc(alert.changed_utc),
        "acknowledged_by": _acknowledged(alert.acknowledged_by),
        "revision": alert.revision,
        "escalation": alert.escalation,
        "sounding": alert.sounding,
        "sounds_at": list(sounds_at) if alert.sounding else [],
        "action": alert.action,
        "detail": alert.detail,
        "recorded": recorded,
    }


def alert_entry(alert: Alert, event: str) -> dict[str, Json]:
    """Return an alert's whole state as the open part of an ``alert.changed`` entry."""
    return {
        "id": alert.id,
        "key": alert.key,
        "instance": alert.instance,
        "number": alert.number,
        "title": alert.title,
        "source": alert.source.id,
        "name": alert.source.name,
        "device": alert.source.device,
        "priority": alert.priority.value,
        "state": alert.state.value,
        "event": event,
        "raised": utc(alert.raised_utc),
        "acknowledged_by": _acknowledged(alert.acknowledged_by),
        "known": None
        if alert.known is None
        else {"priority": alert.known[0].value, "by": _acknowledged(alert.known[1])},
        "revision": alert.revision,
        "escalation": alert.escalation,
        "detail": alert.detail,
    }


def alert_from_entry(
    body: Mapping[str, Json], *, action: str, show: Classification, now_s: float
) -> Alert:
    """Return the alert that ``alert_entry`` wrote; what the catalogue says of it is given."""
    text = {key: str(said) for key, said in body.items()}
    number = {key: said for key, said in body.items() if isinstance(said, int)}
    alert = Alert(
        id=text["id"],
        key=text["key"],
        instance=number["instance"],
        number=number["number"],
        title=text["title"],
        source=Source(text["source"], text["name"], text["device"]),
        priority=Priority(text["priority"]),
        state=AlertState(text["state"]),
        raised_utc=from_utc(text["raised"]),
        changed_utc=from_utc(text["raised"]),
        changed_s=now_s,
        action=action,
        detail=text["detail"],
        show=show,
        acknowledged_by=_person(body["acknowledged_by"]),
        revision=number["revision"],
        escalation=number["escalation"],
    )
    known = body.get("known")
    if not isinstance(known, dict):
        return alert
    return replace(alert, known=(Priority(str(known["priority"])), _person(known["by"])))


def _acknowledged(by: Acknowledgement | None) -> Json:
    return None if by is None else {"station": by.station, "person": by.person}


def _person(said: Json) -> Acknowledgement | None:
    """Return who acknowledged, as ``_acknowledged`` wrote it."""
    if not isinstance(said, dict):
        return None
    return Acknowledgement(str(said["station"]), cast("str | None", said["person"]))
