"""What Home Assistant makes of a door: its templates, rendered as it renders them, over the payloads that come."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jinja2.sandbox import SandboxedEnvironment

from daemon.exporters.homeassistant_entities import (
    Naming,
    counted,
    entities,
    known_objects,
    object_in,
)
from daemon.mqtt.mirror import render, sealed
from tests.exporters.rig import ALERT, DOOR, DRIVER, SHIP, STATUS, TOPICS, VOLTAGE, shown

NAMING = Naming(SHIP, TOPICS, "26.1", "homeassistant")
JINJA = SandboxedEnvironment()
ON, OFF, UNKNOWN = "ON", "OFF", "None"


def only(kind: str, id_: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    [(topic, said)] = entities(shown(kind, id_, body), NAMING).items()
    return topic, dict(said)


def rendered(template: str, payload: bytes) -> str:
    """Render as Home Assistant does: ``value_json`` is there where the payload is JSON."""
    known: dict[str, Any] = {"value": payload.decode()}
    if payload:
        known["value_json"] = json.loads(payload)
    return JINJA.from_string(template).render(known)


def payload(body: dict[str, Any]) -> bytes:
    return sealed(render(body), session="s", up_s=1.0)


def seen(said: dict[str, Any], *, status: bytes, state: bytes) -> tuple[bool, str]:
    """Return whether the entity is available, all of its topics agreeing, and what its state is."""
    payloads = {TOPICS.status(): status, said["state_topic"]: state}
    available = [
        rendered(each["value_template"], payloads[each["topic"]]) == "online"
        for each in said["availability"]
    ]
    return all(available), rendered(said["value_template"], state)


@pytest.mark.parametrize(
    ("kind", "value", "device_class", "state"),
    [
        ("door", "open", "door", ON),
        ("door", "closed", "door", OFF),
        ("side_door", "open", "door", ON),
        ("seal", "open", "tamper", ON),
        ("seal", "closed", "tamper", OFF),
        ("lock", "closed", "lock", OFF),  # locked
        ("motion", "open", "motion", ON),
        ("tamper", "closed", "tamper", OFF),
        ("battery", "open", "battery", ON),  # low
        ("light", "closed", "light", ON),  # lit
        ("light", "open", "light", OFF),
        ("mains", "closed", "power", ON),
        ("mains", "open", "power", OFF),
    ],
)
def test_a_contact_is_on_as_its_class_says(kind, value, device_class, state):
    topic, said = only("point", "d12", {**DOOR, "kind": kind})
    assert topic == "homeassistant/binary_sensor/ispsd_9999993/point_d12/config"
    assert said["device_class"] == device_class
    told = payload({**DOOR, "kind": kind, "value": value})
    assert seen(said, status=payload(STATUS), state=told) == (True, state)


@pytest.mark.parametrize("value", [None, "line_fault"])
@pytest.mark.parametrize("kind", ["door", "seal", "light", "mains"])
def test_unknown_is_not_closed_it_is_not_available(kind, value):
    _, said = only("point", "d12", {**DOOR, "kind": kind})
    told = payload({**DOOR, "kind": kind, "value": value})
    assert seen(said, status=payload(STATUS), state=told) == (False, UNKNOWN)


def test_a_topic_that_is_cleared_is_not_available():
    for kind, id_, body in (
        ("point", "d12", DOOR),
        ("driver", "io1", DRIVER),
        ("point", "u1.voltage", VOLTAGE),
    ):
        _, said = only(kind, id_, body)
        assert seen(said, status=payload(STATUS), state=b"") == (False, UNKNOWN)


@pytest.mark.parametrize("state", ["starting", "stopped", "offline"])
def test_nothing_is_available_while_ispsd_does_not_watch(state):
    for kind, id_, body in (
        ("point", "d12", DOOR),
        ("driver", "io1", DRIVER),
        ("point", "u1.voltage", VOLTAGE),
    ):
        _, said = only(kind, id_, body)
        available, _ = seen(said, status=payload({**STATUS, "state": state}), state=payload(body))
        assert not available
    alerts = entities(shown("status", "", STATUS), NAMING)[NAMING.config("sensor", "alerts")]
    assert not seen(alerts, status=payload({**STATUS, "state": state}), state=b'{"open":1}')[0]


def test_without_a_new_message_it_expires_with_the_points_validity():
    _, said = only("point", "d12", {**DOOR, "valid_for": 2.5})
    assert said["expire_after"] == 3
    assert said["availability_mode"] == "all"


def test_a_unit_is_a_device_on_board_of_the_ship_and_its_link_an_entity():
    topic, said = only("driver", "io1", DRIVER)
    assert topic == "homeassistant/binary_sensor/ispsd_9999993/link_io1/config"
    assert said["device"]["identifiers"] == ["ispsd_9999993_io1"]
    assert said["device"]["via_device"] == "ispsd_9999993"
    told = [
        seen(said, status=payload(STATUS), state=payload({**DRIVER, "link": link}))
        for link in ("up", "down", "quarantined", "connecting")
    ]
    assert told == [(True, ON), (True, OFF), (True, OFF), (False, UNKNOWN)]


def test_a_voltage_is_a_sensor_with_its_unit():
    topic, said = only("point", "u1.voltage", VOLTAGE)
    assert topic == "homeassistant/sensor/ispsd_9999993/point_u1Pvoltage/config"
    assert (said["device_class"], said["unit_of_measurement"]) == ("voltage", "V")
    assert seen(said, status=payload(STATUS), state=payload(VOLTAGE)) == (True, "24.6")
    assert seen(said, status=payload(STATUS), state=payload({**VOLTAGE, "value": None})) == (
        False,
        UNKNOWN,
    )


def test_a_part_has_its_own_name_beside_its_doors():
    _, said = only("point", "d05.lock", {**DOOR, "kind": "lock", "name": "UPPER DK STBD"})
    assert said["name"] == "UPPER DK STBD lock"
    assert said["unique_id"] == "ispsd_9999993_point_d05.lock"


def test_what_has_no_place_there_is_not_told():
    position = {"position": {"lat_deg": 1.0, "lon_deg": 2.0}}
    assert (
        entities(shown("point", "gps1.fix", {**DOOR, "kind": None, "value": position}), NAMING)
        == {}
    )
    assert entities(shown("alert", "a", ALERT), NAMING) == {}
    assert entities(shown("point", "d12", None), NAMING) == {}


def test_a_demo_says_that_it_is_one():
    naming = Naming(SHIP, TOPICS, "26.1", "homeassistant", demo=True)
    [said] = entities(shown("point", "d12", DOOR), naming).values()
    assert said["device"]["name"] == "DEMO KESTREL STRAIT io1"


def test_alerts_are_counted_the_loudest_first():
    alerts = [
        {**ALERT, "id": "c", "priority": "C", "title": "AIS SILENT"},
        {**ALERT, "id": "w", "state": "A"},
        {**ALERT, "id": "a", "priority": "A", "title": "SEAL BROKEN"},
        {**ALERT, "id": "n", "state": "N"},
    ]
    assert counted(alerts) == {
        "open": 3,
        "unacknowledged": 2,
        "worst": "A",
        "titles": [
            "SEAL BROKEN: STRG GEAR ESC",
            "ESC HATCH OPEN: STRG GEAR ESC",
            "AIS SILENT: STRG GEAR ESC",
        ],
    }
    assert counted([]) == {"open": 0, "unacknowledged": 0, "worst": None, "titles": []}


def test_the_objects_of_a_ship_are_known_by_her_points_and_devices():
    known = known_objects({"d12", "d05.lock", "io1"})
    for kind, id_, body in (
        ("point", "d12", DOOR),
        ("point", "d05.lock", DOOR),
        ("driver", "io1", DRIVER),
    ):
        topic, _ = only(kind, id_, body)
        assert object_in(topic) in known
    assert object_in(NAMING.config("sensor", "alerts")) in known
    assert "point_d99" not in known
