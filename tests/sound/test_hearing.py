"""What a sounder believes: the present session, fresh heartbeats, alerts that name its station."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.alerts.annunciation import Voice
from daemon.mqtt.topics import Topics
from daemon.mqtt.wire import Message
from daemon.sound.conductor import Sounding
from daemon.sound.hearing import MOST_ALERTS, STALE_S, Hearing
from daemon.sound.tones import Signal

TOPICS = Topics("9999993")
NOW_S = 500.0
ALERT = {
    "id": "door.escape.open.d12",
    "instance": 7,
    "title": "ESC HATCH OPEN",
    "name": "STRG GEAR ESC",
    "action": "Send two to check.",
    "priority": "W",
    "state": "V",
    "sounding": True,
    "sounds_at": ["gangway", "office"],
}
HATCH = Sounding("door.escape.open.d12", 7, Signal.WARNING)
STATION = {
    "sounds": True,
    "tones": 2,
    "volume_floor": 45,
    "warning_every_s": 90,
    "test_sound": None,
}


def says(
    hearing: Hearing,
    name: str,
    body: dict[str, Any] | None,
    *,
    at_s: float = NOW_S,
    session: str = "s1",
) -> None:
    payload = (
        b"" if body is None else json.dumps({"session": session, "up": 1000.0, **body}).encode()
    )
    hearing.take(message(name, payload), at_s)


def message(name: str, payload: bytes, *, too_long: bool = False) -> Message:
    return Message(
        topic=f"{TOPICS.root}/{name}",
        payload=payload,
        retained=True,
        qos=1,
        expiry_s=None,
        too_long=too_long,
    )


def hearing(*, station: str = "gangway") -> Hearing:
    """One that has heard all is well, just now."""
    heard = Hearing(station, TOPICS, NOW_S - 100.0)
    says(heard, "status", {"state": "ready"})
    says(heard, "heartbeat", {})
    says(heard, f"station/{station}", STATION)
    return heard


def alert(heard: Hearing, *, session: str = "s1", **changed: Any) -> None:
    says(heard, f"alert/{ALERT['id']}", {**ALERT, **changed}, session=session)


def test_an_alert_that_names_the_station_sounds_there_and_no_other_does():
    heard = hearing()
    alert(heard)
    assert heard.sounding() == {HATCH}
    assert heard.words(HATCH) == "WARNING ESC HATCH OPEN · STRG GEAR ESC · Send two to check."
    bridge = hearing(station="bridge")
    alert(bridge)
    assert bridge.sounding() == frozenset(), "in port the bridge is silent"
    alert(bridge, sounds_at=["gangway", "bridge"], priority="A")
    assert {each.signal for each in bridge.sounding()} == {Signal.ALARM}


@pytest.mark.parametrize(
    "changed",
    [
        {"sounding": False, "sounds_at": []},
        {"priority": "C"},
        {"sounds_at": "gangway"},
        {"sounds_at": None},
        {"instance": "7"},
        {"priority": ["W"]},
        {"priority": "w"},
    ],
)
def test_what_is_quiet_a_caution_or_unreadable_does_not_sound(changed):
    heard = hearing()
    alert(heard, **changed)
    assert heard.sounding() == frozenset()


def test_an_alert_of_another_session_is_of_no_account():
    heard = hearing()
    alert(heard, session="s0")
    assert heard.sounding() == frozenset()
    alert(heard)
    says(heard, "status", {"state": "starting"}, session="s2")
    assert heard.sounding() == frozenset(), "it was of the session before"
    alert(heard, session="s2")
    assert heard.sounding() == {HATCH}


def test_an_alert_that_comes_before_the_status_of_its_session_counts_when_that_comes():
    heard = Hearing("gangway", TOPICS, NOW_S)
    alert(heard)
    assert heard.sounding() == frozenset()
    says(heard, "status", {"state": "ready"})
    assert heard.sounding() == {HATCH}


def test_a_snapshot_drops_what_is_left_of_other_sessions():
    heard = hearing()
    alert(heard, session="s0")
    says(heard, "snapshot", {"count": 1})
    assert heard._alerts == {}


def test_what_is_cleared_is_gone_and_what_cannot_be_read_clears_nothing():
    heard = hearing()
    alert(heard)
    topic = f"alert/{ALERT['id']}"
    for wrong in (b"{", b"[]", b"\xff", b"[" * 5000):
        heard.take(message(topic, wrong), NOW_S)
    heard.take(message(topic, b"", too_long=True), NOW_S)
    assert heard.unreadable == 5
    assert heard.sounding() == {HATCH}
    says(heard, topic, None)
    assert heard.sounding() == frozenset()


def test_a_topic_of_another_ship_or_of_no_contract_is_nothing():
    heard = hearing()
    alert(heard)
    for topic in ("ispsd/1/v1/status", "ispsd/9999993/v1/x/y/z", "hello"):
        heard.take(Message(topic=topic, payload=b"{}", retained=False, qos=1, expiry_s=None), NOW_S)
    assert heard.sounding() == {HATCH}


def test_alerts_without_end_are_bounded():
    heard = hearing()
    for number in range(MOST_ALERTS + 10):
        says(heard, f"alert/x.{number}", {**ALERT, "instance": number})
    assert len(heard.sounding()) == MOST_ALERTS


def test_what_makes_no_sound_takes_no_room_and_an_alarm_goes_before_warnings():
    heard = hearing()
    for number in range(MOST_ALERTS + 10):
        says(heard, f"alert/c.{number}", {**ALERT, "priority": "C", "sounding": False})
    alert(heard)
    assert heard.sounding() == {HATCH}, "cautions without end hide no warning"
    for number in range(MOST_ALERTS + 10):
        says(heard, f"alert/x.{number}", {**ALERT, "instance": number})
    says(heard, "alert/alarm", {**ALERT, "priority": "A", "instance": 99})
    assert Sounding("alarm", 99, Signal.ALARM) in heard.sounding()
    assert len(heard.sounding()) == MOST_ALERTS


def test_no_message_takes_more_memory_than_an_alert_does():
    heard = hearing()
    alert(heard, title="x" * 200_000, more=["y" * 200] * 1000)
    assert len(heard.words(HATCH)) < 300
    assert all("y" not in repr(held) for held in heard._alerts.values())


def test_words_that_steer_a_terminal_are_not_shown():
    heard = hearing()
    alert(heard, title="\x1b[2JALL WELL\r\n", name="\ud800\u202e", action="Łódź")
    assert heard.words(HATCH) == "WARNING ?[2JALL WELL?? · ?? · Łódź"


def test_without_a_heartbeat_nothing_is_fresh_and_after_fifteen_seconds_it_is_said():
    heard = hearing()
    assert heard.fresh(NOW_S + STALE_S)
    assert not heard.stale(NOW_S + STALE_S)
    assert not heard.fresh(NOW_S + STALE_S + 0.1)
    assert heard.stale(NOW_S + STALE_S + 0.1)


def test_a_heartbeat_of_another_session_proves_nothing():
    heard = hearing()
    says(heard, "heartbeat", {}, at_s=NOW_S + 14.0, session="s0")
    assert heard.stale(NOW_S + 16.0)


def test_peers_19_a_late_will_of_an_old_session_changes_nothing_and_that_of_ours_is_believed():
    heard = hearing()
    says(heard, "status", {"state": "offline"}, session="s0")
    assert heard.fresh(NOW_S)
    says(heard, "status", {"state": "offline"})
    assert not heard.fresh(NOW_S)
    says(heard, "status", {"state": "starting"}, session="s2")
    assert not heard.fresh(NOW_S), "until its first heartbeat"
    says(heard, "heartbeat", {}, session="s2")
    assert heard.fresh(NOW_S)


def test_a_daemon_that_stopped_in_order_is_lost_too():
    heard = hearing()
    says(heard, "status", {"state": "stopped"})
    assert not heard.fresh(NOW_S)
    assert heard.stale(NOW_S + STALE_S + 1.0)


def test_a_cabin_is_not_woken_because_the_broker_is_lost():
    heard = hearing(station="master")
    says(heard, "station/master", {**STATION, "sounds": False})
    assert heard.lost(NOW_S + 20.0)
    assert not heard.stale(NOW_S + 20.0)
    alert(heard, sounds_at=["bridge", "master"])
    assert heard.stale(NOW_S + 20.0), "but where it was called to"


def test_one_that_never_heard_anything_says_so():
    heard = Hearing("gangway", TOPICS, NOW_S)
    assert not heard.stale(NOW_S + STALE_S)
    assert heard.stale(NOW_S + STALE_S + 0.1)


def test_a_new_connection_forgets_what_the_broker_does_not_tell_again():
    heard = hearing()
    alert(heard)
    heard.connected_anew()
    says(heard, "status", {"state": "ready"})
    assert heard.sounding() == frozenset()
    assert not heard.fresh(NOW_S)
    assert not heard.stale(NOW_S + 10.0), "the heartbeat before still counts against the tone"


def test_behind_the_curtain_nothing_sounds_because_a_connection_came_back():
    """Boarders on the bridge hear no tone, until this connection tells that the curtain is raised."""
    heard = hearing()
    says(heard, "curtain", {"down": True})
    heard.connected_anew()
    assert heard.curtained
    assert not heard.stale(NOW_S + 20.0), (
        "ispsd was not heard of, and it is known why this place is dark"
    )
    says(heard, "curtain", {"down": True})
    says(heard, "snapshot", {"state": "complete"})
    assert heard.curtained
    heard.connected_anew()
    says(heard, "snapshot", {"state": "complete"})
    assert not heard.curtained, "it was raised meanwhile: all is told, and no curtain"


def test_a_test_sound_is_played_once_and_only_while_somebody_waits_for_it():
    heard = hearing()
    for nonce, asked_up, played in (("n1", 998.0, True), ("n2", 985.0, False), ("n3", 999.0, True)):
        said = {**STATION, "test_sound": {"nonce": nonce, "asked_up": asked_up}}
        says(heard, "station/gangway", said)
        assert heard.test_sound(NOW_S + 1.0) is played
        assert not heard.test_sound(NOW_S + 1.0), "once"


def test_a_test_sound_that_was_kept_from_another_session_is_not_played():
    heard = hearing()
    said = {**STATION, "test_sound": {"nonce": "n1", "asked_up": 1000.0}}
    says(heard, "station/gangway", said, session="s0")
    assert not heard.test_sound(NOW_S)


def test_tones_and_volume_are_the_ships():
    heard = Hearing("gangway", TOPICS, NOW_S)
    assert heard.voice() == Voice(1, 60, 60.0)
    assert hearing().voice() == Voice(2, 45, 90.0)
    says(heard, "station/gangway", {"tones": 9, "volume_floor": 1000, "warning_every_s": "x"})
    assert heard.voice() == Voice(1, 60, 60.0)


WORDS = st.sampled_from(
    ["s1", "s0", "ready", "offline", "stopped", "gangway", "A", "W", "C", "n1", "", "x" * 90]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.just(10**400)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=4,
)
MEMBERS = st.sampled_from(
    [
        *("session", "state", "up", "sounding", "sounds_at", "priority", "instance", "sounds"),
        *("tones", "volume_floor", "warning_every_s", "test_sound", "title", "name", "action"),
    ]
)
NAMES = st.sampled_from(
    ["status", "heartbeat", "snapshot", "alert/a", "alert/b", "station/gangway", "station/x"]
)


BODIES = st.dictionaries(MEMBERS, VALUES, max_size=8) | VALUES


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(NAMES, BODIES), max_size=8))
def test_whatever_a_message_says_it_is_listened_to_the_next(said):
    heard = Hearing("gangway", TOPICS, NOW_S)
    for name, body in said:
        heard.take(message(name, json.dumps(body).encode()), NOW_S)
        for each in heard.sounding():
            assert heard.words(each)
        heard.test_sound(NOW_S)
        assert heard.voice().tones in {1, 2}
        heard.stale(NOW_S + 20.0)
    for name, body in (("status", {"state": "ready"}), (f"alert/{ALERT['id']}", ALERT)):
        says(heard, name, body)
    assert HATCH in heard.sounding()
