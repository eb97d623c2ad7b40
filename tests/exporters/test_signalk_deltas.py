"""What Signal K reads: priorities, states and values, and that its own schemas take every delta."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime

import pytest

from daemon.exporters.signalk_deltas import (
    NOT_WATCHED,
    OWN,
    delta,
    over,
    path_of_alert,
    stopped,
    true_at,
    values,
    withdrawn,
)
from tests.dashboards.node import FOLDER, node
from tests.exporters.rig import ALERT, DOOR, DRIVER, STATUS, VOLTAGE, shown

NOW = datetime(2026, 11, 22, 2, 10, 0, 113000, tzinfo=UTC)
SHIP = {"situation": "port", "security_level": 2}
EVERYTHING = [
    shown("alert", ALERT["id"], ALERT),
    shown("alert", ALERT["id"], {**ALERT, "state": "N"}),
    shown("point", "d12", DOOR),
    shown("point", "d05.lock", {**DOOR, "value": None, "kind": "lock"}),
    shown("point", "u1.voltage", VOLTAGE),
    shown("driver", "io1", DRIVER),
    shown("ship", "", SHIP),
    shown("status", "", STATUS),
    shown("status", "", {**STATUS, "state": "degraded", "reasons": ["record not written"] * 90}),
]


def notified(body, *, sound=False):
    [told] = values(shown("alert", "a.b", body), sound=sound)
    return told.value


@pytest.mark.parametrize(("priority", "state"), [("A", "alarm"), ("W", "warn"), ("C", "alert")])
def test_priorities_are_told_as_signal_k_calls_them_and_never_as_an_emergency(priority, state):
    assert notified({**ALERT, "priority": priority})["state"] == state


@pytest.mark.parametrize("state", ["V", "S", "A", "O", "U"])
def test_an_alert_stands_until_it_is_normal_also_when_what_it_was_about_is_over(state):
    assert notified({**ALERT, "state": state})["state"] == "warn"
    assert notified({**ALERT, "state": "N"}) == {"state": "normal", "method": [], "message": "over"}


@pytest.mark.parametrize(
    ("state", "sounding", "method"),
    [("V", True, "sound"), ("V", False, None), ("A", True, None), ("S", True, None)],
)
def test_displays_sound_only_where_the_ship_says_so_and_nobody_has_acknowledged(
    state, sounding, method
):
    body = {**ALERT, "state": state, "sounding": sounding}
    assert notified(body)["method"] == ["visual"]
    assert notified(body, sound=True)["method"] == ["visual", *([method] if method else [])]


def test_the_message_says_what_where_and_what_to_do():
    assert notified(ALERT)["message"] == (
        "ESC HATCH OPEN: STRG GEAR ESC (active – unacknowledged). Send two to check."
    )


@pytest.mark.parametrize("value", ["closed", "open", "line_fault", None])
def test_unknown_is_not_closed_it_is_null(value):
    [told] = values(shown("point", "d12", {**DOOR, "value": value}), sound=False)
    assert (told.path, told.value) == ("security.openings.d12.state", value)
    assert told.meta["timeout"] == 15.0
    assert told.meta["displayName"] == "STRG GEAR ESC"


def test_the_battery_of_a_ups_is_where_signal_k_has_batteries():
    [told] = values(shown("point", "u1.voltage", VOLTAGE), sound=False)
    assert (told.path, told.value) == ("electrical.batteries.u1.voltage", 24.6)
    assert told.meta["units"] == "V"


def test_a_position_is_not_told():
    body = {**DOOR, "kind": None, "value": {"position": {"lat_deg": 1.0, "lon_deg": 2.0}}}
    assert values(shown("point", "gps1.fix", body), sound=False) == ()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("ready", "normal"),
        ("degraded", "warn"),
        ("starting", "alert"),
        ("stopped", "alarm"),
        ("offline", "alarm"),
    ],
)
def test_that_ispsd_does_not_watch_is_an_alarm_of_its_own(state, told):
    [said] = values(shown("status", "", {**STATUS, "state": state}), sound=False)
    assert said.path == OWN
    assert said.value["state"] == told
    assert (said.value["message"] == NOT_WATCHED) is (told == "alarm")


def test_no_two_alerts_have_one_path():
    ids = ["a.b.c", "a-b.c", "a_b.c", "a.b-c", "a.b_c", "ab.c"]
    paths = {path_of_alert(id_) for id_ in ids}
    assert len(paths) == len(ids)
    assert path_of_alert("door.escape.open.d12") == "notifications.security.door-escape-open-d12"


def test_a_value_is_dated_by_its_age_not_by_when_it_was_sent():
    assert true_at(NOW, now_s=1010.0, up_s=1000.0) == datetime(2026, 11, 22, 2, 9, 50, 113000, UTC)
    made = delta(withdrawn(["security.level"]), at_utc=NOW, with_meta=True, demo=True)
    [update] = made["updates"]
    assert update["timestamp"] == "2026-11-22T02:10:00.113Z"
    assert update["source"]["label"] == "ispsd-DEMO"
    assert update["values"] == [{"path": "security.level", "value": None}]


def test_signal_ks_own_schemas_take_every_delta_and_no_other():
    made = [
        delta(values(each, sound=True), at_utc=NOW, with_meta=with_meta, demo=False)
        for each in EVERYTHING
        for with_meta in (True, False)
    ]
    made.append(delta([over("a.b"), stopped()], at_utc=NOW, with_meta=False, demo=False))
    assert all(len(json.dumps(each)) < 1400 for each in made)  # one datagram
    wrong = [{"updates": [{"values": [{"value": 1}]}]}, _with_state(made[0], "shouting")]
    said = subprocess.run(
        [node("@signalk/signalk-schema"), FOLDER / "check_signalk.mjs"],
        input=json.dumps([*made, *wrong]),
        capture_output=True,
        check=True,
        text=True,
    )
    found = json.loads(said.stdout)
    assert found[: -len(wrong)] == [[] for _ in made]
    assert all(found[-len(wrong) :])


def _with_state(made, state):
    changed = json.loads(json.dumps(made))
    changed["updates"][0]["values"][0]["value"]["state"] = state
    return changed
