"""What does Signal K read of our topics? Pure: topics in, deltas out.

Alerts become ``notifications.security.*`` (alarm → alarm, warning → warn, caution → alert; ispsd originates no
emergency), contacts ``security.openings.*``. Unknown is not closed: what is not known is null.

Source: Signal K specification 1.8.2, schemas of delta and notifications; ``security`` is a name of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.model import LinkState, OpeningKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from daemon.exporters.feed import Shown

CONTACTS: Final = frozenset(kind.value for kind in OpeningKind)
STATES: Final = {"A": "alarm", "W": "warn", "C": "alert"}
NORMAL: Final = "normal"
OVER: Final = "N"
UNACKNOWLEDGED: Final = frozenset("VU")
"""Alert states in which nobody has acknowledged or silenced it."""
OF_STATUS: Final = {"ready": NORMAL, "degraded": "warn", "starting": "alert"}
"""How ispsd itself is; whatever else it is, nothing is watched."""
OWN: Final = "notifications.security.ispsd"
NOT_WATCHED: Final = "ispsd does not watch: nothing that it told is current"
DRIVER_VALID_S: Final = 30.0
"""A device is told again each 5 s."""
OF_LINK: Final = {
    "description": "Link of a unit",
    "enum": [state.value for state in LinkState],
    "timeout": DRIVER_VALID_S,
}
LONGEST_TEXT: Final = 300
"""A delta goes on as one datagram, and one of Ethernet's size reaches everybody."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value on its path; ``meta`` says what it is, where that is not the specification's."""

    path: str
    value: Any
    meta: Mapping[str, Any] | None = None


def values(shown: Shown, *, sound: bool) -> tuple[Value, ...]:
    """Return what a topic says; nothing where it is gone or nothing for Signal K.

    With ``sound`` an alert that nobody has acknowledged asks the displays there to sound.
    """
    body = shown.body
    match shown.kind:
        case _ if body is None:
            return ()
        case "alert":
            return (Value(path_of_alert(shown.id), _notification(body, sound=sound)),)
        case "point":
            return _point(shown.id, body)
        case "driver":
            return (Value(f"security.units.{shown.id}.link", body["link"], OF_LINK),)
        case _:
            return _ship(body) if shown.kind == "ship" else _status(body)


def over(alert: str) -> Value:
    """Return that an alert is over."""
    return Value(path_of_alert(alert), {"state": NORMAL, "method": [], "message": "over"})


def withdrawn(paths: Iterable[str]) -> tuple[Value, ...]:
    """Return that nothing is known on these paths."""
    return tuple(Value(path, None) for path in paths)


def stopped() -> Value:
    """Return that ispsd stops."""
    return Value(OWN, {"state": "alarm", "method": ["visual"], "message": NOT_WATCHED})


def path_of_alert(id_: str) -> str:
    """Return the path of an alert's notification: one step, of letters, digits and dashes, no two the same.

    Our ids have no capitals: these stand for what the specification's pattern has not.
    """
    return f"notifications.security.{id_.replace('-', 'D').replace('_', 'U').replace('.', '-')}"


def delta(
    told: Iterable[Value], *, at_utc: datetime, with_meta: bool, demo: bool
) -> dict[str, Any]:
    """Return a delta of the ship that carries it, as it was at that time; a demonstration says that it is one."""
    told = tuple(told)
    update: dict[str, Any] = {
        "source": {"label": "ispsd-DEMO" if demo else "ispsd", "type": "ispsd"},
        "timestamp": f"{at_utc:%Y-%m-%dT%H:%M:%S}.{at_utc.microsecond // 1000:03d}Z",
        "values": [{"path": each.path, "value": each.value} for each in told],
    }
    meta = [{"path": each.path, "value": each.meta} for each in told if each.meta is not None]
    if with_meta and meta:
        update["meta"] = meta
    return {"context": "vessels.self", "updates": [update]}


def true_at(now_utc: datetime, *, now_s: float, up_s: float) -> datetime:
    """Return the time of day at which something was true, by the age that it has."""
    return now_utc - timedelta(seconds=max(0.0, now_s - up_s))


def _notification(alert: Mapping[str, Any], *, sound: bool) -> dict[str, Any]:
    if alert["state"] == OVER:
        return {"state": NORMAL, "method": [], "message": "over"}
    method = ["visual"]
    if sound and alert["sounding"] and alert["state"] in UNACKNOWLEDGED:
        method.append("sound")
    text = f"{alert['title']}: {alert['name']} ({alert['state_words']})"
    said = " ".join(filter(None, (f"{text}.", alert["action"])))
    return {
        "state": STATES[alert["priority"]],
        "method": method,
        "message": said[:LONGEST_TEXT],
    }


def _point(id_: str, body: Mapping[str, Any]) -> tuple[Value, ...]:
    name = body["name"] or id_
    if body["kind"] in CONTACTS:
        meta = {
            "displayName": name,
            "description": f"{name}: {body['kind'].replace('_', ' ')}",
            "enum": ["closed", "open", "line_fault"],
            "timeout": body["valid_for"],
        }
        return (Value(f"security.openings.{id_}.state", body["value"], meta),)
    ups, _, quantity = id_.rpartition(".")
    if body["unit"] == "V" and quantity == "voltage" and ups:
        meta = {
            "displayName": name,
            "description": f"Battery of {name}",
            "units": "V",
            "timeout": body["valid_for"],
        }
        return (Value(f"electrical.batteries.{ups}.voltage", body["value"], meta),)
    return ()


def _ship(body: Mapping[str, Any]) -> tuple[Value, ...]:
    return (
        Value(
            "security.level",
            body["security_level"],
            {"description": "Security level of the ship (ISPS Code A/4): 1, 2 or 3"},
        ),
        Value("security.situation", body["situation"], {"description": "What the ship is doing"}),
    )


def _status(body: Mapping[str, Any]) -> tuple[Value, ...]:
    state = OF_STATUS.get(body["state"], "alarm")
    message = "; ".join(body["reasons"]) or f"ispsd is {body['state']}"
    return (
        Value(
            OWN,
            {
                "state": state,
                "method": [] if state == NORMAL else ["visual"],
                "message": (message if body["state"] in OF_STATUS else NOT_WATCHED)[:LONGEST_TEXT],
            },
        ),
    )
