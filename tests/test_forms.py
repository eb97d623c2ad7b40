"""What leaves ispsd keeps its form: moments to the millisecond, whole numbers in entries, no place of a door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from daemon import forms
from daemon.alerts.alert import Acknowledgement, Alert, Source
from daemon.alerts.annunciation import Voice
from daemon.alerts.forms import alert_entry, alert_from_entry, alert_message
from daemon.drivers.api import Health
from daemon.model import (
    AlertState,
    Classification,
    ContactState,
    LinkState,
    Priority,
    Provenance,
    Quality,
)
from daemon.record import codec
from daemon.stations.messages import driver_message, point_message, station_message
from daemon.stations.stations import LIVE_FOR_S, StationStatus
from daemon.supervision.supervise import DeviceStatus
from tests.makers import UTC_0210, reading


def alert(**changed: object) -> Alert:
    said: dict[str, object] = {
        "id": "door.escape.open.d12",
        "key": "door.escape.open",
        "instance": 7,
        "number": 10015,
        "title": "ESC HATCH OPEN",
        "source": Source("d12", "STRG GEAR ESC", "io1"),
        "priority": Priority.WARNING,
        "state": AlertState.ACTIVE_UNACKNOWLEDGED,
        "raised_utc": UTC_0210,
        "changed_utc": UTC_0210,
        "changed_s": 1000.0,
        "action": "Send two.",
        "detail": "found open",
    }
    return Alert(**{**said, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (UTC_0210, "2026-11-22T02:10:00.000Z"),
        (UTC_0210 + timedelta(microseconds=999), "2026-11-22T02:10:00.000Z"),
        (UTC_0210 + timedelta(microseconds=999_999), "2026-11-22T02:10:00.999Z"),
        (
            datetime(2026, 11, 22, 10, 10, tzinfo=timezone(timedelta(hours=8))),
            "2026-11-22T02:10:00.000Z",
        ),
    ],
)
def test_a_moment_is_utc_to_the_millisecond_and_never_later_than_it_was(moment, text):
    assert forms.utc(moment) == text
    read = forms.from_utc(text)
    assert read.utcoffset() == timedelta(0)
    assert timedelta(0) <= moment - read < timedelta(milliseconds=1)
    assert read.astimezone(UTC) == read


@pytest.mark.parametrize(("seconds", "shown"), [(1.0004, 1.0), (1.0006, 1.001), (0.0, 0.0)])
def test_seconds_are_shown_to_the_millisecond(seconds, shown):
    assert forms.milliseconds(seconds) == shown


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.UNKNOWN])
def test_what_is_not_known_has_no_value(quality):
    said = reading("d12", None, quality=quality, provenance=Provenance.SIMULATED)
    assert point_message(said, name="HATCH", valid_for_s=15.0) == {
        "value": None,
        "unit": None,
        "quality": quality.value,
        "provenance": "simulated",
        "valid_for": 15.0,
        "source": "d12",
        "name": "HATCH",
        "proved": None,
        "kind": None,
        "word": None,
    }


def test_a_contact_is_a_word():
    said = reading("d12", ContactState.LINE_FAULT)
    assert point_message(said, name=None, valid_for_s=15.0)["value"] == "line_fault"


def test_a_device_that_never_spoke_has_no_last_word():
    status = DeviceStatus("io1", LinkState.DOWN, 1000.0004, "refused")
    assert driver_message(status, Health()) == {
        "link": "down",
        "since_up": 1000.0,
        "last_good_up": None,
        "good": 0,
        "dropped": {},
        "noticed": {},
        "latency_ms": None,
        "reason": "refused",
    }


def test_a_devices_counters_are_copied_and_its_latency_is_in_milliseconds():
    health = Health(good=3, dropped={"checksum": 2}, last_good_s=0.0, latency_s=0.0012345)
    said = driver_message(DeviceStatus("io1", LinkState.UP, 1.0), health)
    health.drop("checksum")
    health.notice("TXT")
    assert (said["dropped"], said["noticed"], said["last_good_up"], said["latency_ms"]) == (
        {"checksum": 2},
        {},
        0.0,
        1.234,
    )


@pytest.mark.parametrize(("age_s", "live"), [(LIVE_FOR_S, True), (LIVE_FOR_S + 0.1, False)])
def test_a_station_is_live_as_long_as_its_proof_lasts(age_s, live):
    status = StationStatus(
        "gangway",
        person="L. Tupou",
        last_alive_s=1000.0,
        shown=True,
        shown_s=1000.0,
        fresh=True,
        said_armed=True,
        sounder_s=1000.0,
    )
    said = station_message(status, now_s=1000.0 + age_s, sounds=True, voice=Voice(2, 45))
    assert said == {
        "attended": True,
        "person": "L. Tupou",
        "since_up": None,
        "since_utc": None,
        "live": live,
        "sounds": True,
        "sounder": "program",
        "sound_armed": live,
        "lacks": [],
        "heard": None,
        "test_sound": None,
        "reply_wanted": None,
        "tones": 2,
        "volume_floor": 45,
        "warning_every_s": 60.0,
    }


def test_only_an_alert_that_sounds_names_where():
    sounding = alert_message(alert(), sounds_at=["gangway"], recorded=None)
    assert (sounding["sounding"], sounding["sounds_at"]) == (True, ["gangway"])
    for quiet in (
        alert(priority=Priority.CAUTION),
        alert(state=AlertState.ACTIVE_SILENCED),
        alert(state=AlertState.ACTIVE_ACKNOWLEDGED),
        alert(state=AlertState.RECTIFIED_UNACKNOWLEDGED),
    ):
        said = alert_message(quiet, sounds_at=["gangway"], recorded=3)
        assert (said["sounding"], said["sounds_at"], said["recorded"]) == (False, [], 3)


@pytest.mark.parametrize("person", ["L. Tupou", None])
def test_an_alert_comes_back_from_its_entry_as_it_was(person):
    by = Acknowledgement("gangway", person)
    for before in (
        alert(),
        alert(state=AlertState.ACTIVE_ACKNOWLEDGED, acknowledged_by=by, revision=99, escalation=9),
    ):
        body = alert_entry(before, "acknowledge")
        assert codec.canonical(body), "whole numbers only: it can be hashed"
        after = alert_from_entry(
            body, action=before.action, show=Classification.WATCH, now_s=before.changed_s
        )
        assert after == before
