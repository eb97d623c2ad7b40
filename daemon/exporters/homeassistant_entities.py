"""Which entities does Home Assistant get, and how does it read them from our topics? Pure: topics in, discovery out.

Unknown is not closed: what is null, in line fault, out of date or of a ship whose ispsd is lost is *unavailable* there,
never *off*. Each entity listens to its topic itself, so nothing is told twice and nothing can lag behind.

Source: Home Assistant, MQTT discovery, binary sensor and sensor (discovery by component, which every release knows).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.model import LinkState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daemon.exporters.feed import Shown
    from daemon.model import Ship
    from daemon.mqtt.topics import Topics

    Entities = Mapping[str, Mapping[str, Any]]

OPEN_IS_ON: Final = {
    "door": "door",
    "side_door": "door",
    "seal": "tamper",
    "lock": "lock",
    "motion": "motion",
    "tamper": "tamper",
    "battery": "battery",
}
"""Device class by the kind of a contact whose ``open`` is what the class calls on: open, unlocked, moving, low."""
CLOSED_IS_ON: Final = {"light": "light", "mains": "power"}
"""The same of those whose ``closed`` is: lit, on mains."""
OWN_NAME: Final = {"lock": "lock", "tamper": "tamper loop", "battery": "battery"}
"""What is said behind the name of a part, which has its door's, its detector's or its UPS's."""
QUANTITIES: Final = {"V": "voltage"}
"""Device class by the unit of a measured value."""
LINK_ON: Final = (LinkState.UP.value,)
LINK_OFF: Final = (LinkState.DOWN.value, LinkState.QUARANTINED.value)
ALERTS: Final = "alerts"
STATUS: Final = "status"
LINK: Final = "link"
WORST_FIRST: Final = "AWC"
UNACKNOWLEDGED: Final = frozenset("VSU")
MOST_TITLES: Final = 20


@dataclass(frozen=True, slots=True)
class Naming:
    """How the ship and its parts are called at Home Assistant.

    Attributes:
        prefix: The discovery prefix, ``homeassistant`` unless it is told otherwise there.
    """

    ship: Ship
    topics: Topics
    software: str
    prefix: str
    demo: bool = False

    @property
    def node(self) -> str:
        """Return the part of every discovery topic that is this ship's."""
        return f"ispsd_{self.ship.imo_number}"

    def config(self, component: str, object_: str) -> str:
        """Return the discovery topic of an entity."""
        return f"{self.prefix}/{component}/{self.node}/{object_}/config"

    @property
    def alerts(self) -> str:
        """Return the topic on which we count alerts."""
        return f"{self.prefix}/sensor/{self.node}/{ALERTS}/state"

    def ours(self) -> str:
        """Return the filter of every discovery topic of this ship."""
        return self.config("+", "+")

    def device(self, unit: str | None = None) -> dict[str, Any]:
        """Return a unit as a device, on board of the ship, which is one too."""
        name = f"DEMO {self.ship.name}" if self.demo else self.ship.name
        made = {"manufacturer": "ispsd", "sw_version": self.software}
        if unit is None:
            return {"identifiers": [self.node], "name": name, "model": "ship", **made}
        return {
            "identifiers": [f"{self.node}_{unit}"],
            "name": f"{name} {unit}",
            "model": "unit",
            "via_device": self.node,
            **made,
        }


def object_of(id_: str) -> str:
    """Return an id as part of a discovery topic, which knows no dot; our ids have no capitals."""
    return id_.replace(".", "P")


def known_objects(ids: Iterable[str]) -> frozenset[str]:
    """Return the objects that there may be of a ship with these points and devices."""
    return frozenset(
        [ALERTS, STATUS, *(f"{kind}_{object_of(id_)}" for id_ in ids for kind in ("point", LINK))]
    )


def object_in(topic: str) -> str:
    """Return the object of a discovery topic."""
    return topic.split("/")[-2]


def entities(shown: Shown, naming: Naming) -> Entities:
    """Return the discovery topics that a topic gives rise to, with what they say; none where nothing is shown of it."""
    if shown.body is None:
        return {}
    match shown.kind:
        case "status":
            return _ship(naming)
        case "driver":
            return _link(shown.id, naming)
        case "point":
            return _point(shown.id, shown.body, naming)
        case _:
            return {}


def counted(alerts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is told of all open alerts together; the loudest first."""
    standing = sorted(
        (alert for alert in alerts if alert["state"] != "N"),
        key=lambda alert: (
            WORST_FIRST.index(alert["priority"]),
            alert["state"] not in UNACKNOWLEDGED,
            alert["id"],
        ),
    )
    return {
        "open": len(standing),
        "unacknowledged": sum(alert["state"] in UNACKNOWLEDGED for alert in standing),
        "worst": standing[0]["priority"] if standing else None,
        "titles": [f"{alert['title']}: {alert['name']}" for alert in standing[:MOST_TITLES]],
    }


def _ship(naming: Naming) -> Entities:
    status = naming.topics.status()
    return {
        naming.config("sensor", STATUS): {
            **_common(STATUS, "Status", naming),
            "state_topic": status,
            "value_template": "{{ value_json.state if value_json is defined else None }}",
            "entity_category": "diagnostic",
        },
        naming.config("sensor", ALERTS): {
            **_common(ALERTS, "Open alerts", naming),
            "state_topic": naming.alerts,
            "value_template": "{{ value_json.open }}",
            "json_attributes_topic": naming.alerts,
            "availability": [_in_order(naming)],
            "state_class": "measurement",
            "icon": "mdi:alert",
        },
    }


def _link(device: str, naming: Naming) -> Entities:
    topic = naming.topics.driver(device)
    return {
        naming.config("binary_sensor", f"{LINK}_{object_of(device)}"): {
            **_common(f"{LINK}_{device}", "Link", naming, unit=device),
            "state_topic": topic,
            "value_template": _on_or_off("link", on=LINK_ON, off=LINK_OFF),
            "availability": [_in_order(naming), _is_one_of(topic, "link", *LINK_ON, *LINK_OFF)],
            "availability_mode": "all",
            "device_class": "connectivity",
            "entity_category": "diagnostic",
        }
    }


def _point(id_: str, body: Mapping[str, Any], naming: Naming) -> Entities:
    kind, topic = body["kind"], naming.topics.point(id_)
    name = " ".join(filter(None, (body["name"] or id_, OWN_NAME.get(kind or ""))))
    told = {
        **_common(f"point_{id_}", name, naming, unit=body["source"]),
        "state_topic": topic,
        # Without a new message for so long it is unavailable: a point is told again well within its validity.
        "expire_after": math.ceil(body["valid_for"]),
        "availability_mode": "all",
    }
    if (device_class := OPEN_IS_ON.get(kind) or CLOSED_IS_ON.get(kind)) is not None:
        on, off = ("open", "closed") if kind in OPEN_IS_ON else ("closed", "open")
        return {
            naming.config("binary_sensor", f"point_{object_of(id_)}"): told
            | {
                "value_template": _on_or_off("value", on=(on,), off=(off,)),
                "availability": [_in_order(naming), _is_one_of(topic, "value", on, off)],
                "device_class": device_class,
            }
        }
    if (quantity := QUANTITIES.get(body["unit"])) is not None:
        number = "value_json is defined and value_json.value is number"
        return {
            naming.config("sensor", f"point_{object_of(id_)}"): told
            | {
                "value_template": f"{{{{ value_json.value if {number} else None }}}}",
                "availability": [_in_order(naming), _available(topic, number)],
                "device_class": quantity,
                "unit_of_measurement": body["unit"],
                "state_class": "measurement",
            }
        }
    return {}


def _common(unique: str, name: str, naming: Naming, *, unit: str | None = None) -> dict[str, Any]:
    return {
        "unique_id": f"{naming.node}_{unique}",
        "name": name,
        "device": naming.device(unit),
        "origin": {"name": "ispsd", "sw_version": naming.software},
    }


def _in_order(naming: Naming) -> dict[str, str]:
    """Return that ispsd keeps the watch; its will says when it does not."""
    return _is_one_of(naming.topics.status(), "state", "ready", "degraded")


def _is_one_of(topic: str, member: str, *words: str) -> dict[str, str]:
    return _available(topic, f"value_json is defined and value_json.{member} in {list(words)}")


def _available(topic: str, condition: str) -> dict[str, str]:
    """Return an availability; what cannot be read, an empty payload above all, is not available."""
    return {
        "topic": topic,
        "value_template": f"{{{{ 'online' if {condition} else 'offline' }}}}",
    }


def _on_or_off(member: str, *, on: tuple[str, ...], off: tuple[str, ...]) -> str:
    """Return the template of a state; ``None`` is what Home Assistant takes for not known."""
    value = f"value_json.{member}"
    return (
        f"{{{{ None if value_json is not defined else 'ON' if {value} in {list(on)} "
        f"else 'OFF' if {value} in {list(off)} else None }}}}"
    )
