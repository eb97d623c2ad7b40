"""How does what the stations are shown look in a message?

Nothing of class ``sso`` goes into a form for watch stations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.forms import milliseconds, offset_min, utc
from daemon.mqtt.contract import value_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.alerts.annunciation import Voice
    from daemon.drivers.api import Health
    from daemon.model import Json, Permit, Person, Reading
    from daemon.ship.ordered import Blackout, Inhibit, OutOfService
    from daemon.ship.state import ShipState
    from daemon.stations.stations import StationStatus
    from daemon.supervision.supervise import DeviceStatus


def point_message(
    reading: Reading,
    *,
    name: str | None,
    valid_for_s: float,
    proved: bool | None = None,
    kind: str | None = None,
    word: str | None = None,
) -> dict[str, Json]:
    """Return the body of ``point/<id>``."""
    return {
        "value": value_of(reading.value),
        "unit": reading.unit,
        "quality": reading.quality.value,
        "provenance": reading.provenance.value,
        "valid_for": valid_for_s,
        "source": reading.source,
        "name": name,
        "proved": proved,
        "kind": kind,
        "word": word,
    }


def crew_message(persons: Iterable[Person]) -> dict[str, Json]:
    """Return the body of ``crew``: names and ranks, and no word of who may do what or has a PIN."""
    return {"persons": [{"name": person.name, "rank": person.rank} for person in persons]}


def driver_message(status: DeviceStatus, health: Health) -> dict[str, Json]:
    """Return the body of ``driver/<id>``."""
    return {
        "link": status.link.value,
        "since_up": milliseconds(status.since_s),
        "last_good_up": None if health.last_good_s is None else milliseconds(health.last_good_s),
        "good": health.good,
        "dropped": dict(health.dropped),
        "noticed": dict(health.noticed),
        "latency_ms": None if health.latency_s is None else milliseconds(health.latency_s * 1000),
        "reason": status.reason or health.remark,
    }


def ship_message(ship: ShipState, *, settling: bool) -> dict[str, Json]:
    """Return the body of ``ship``."""
    return {
        "situation": ship.situation.value,
        "security_level": int(ship.level),
        "threat": ship.threat,
        "ship_time_offset_min": offset_min(ship.ship_time),
        "ais_off_by": ship.ais_off_by,
        "settling": settling,
        "interference_area": None if ship.interference is None else ship.interference.name,
        "interference_ends_up": None
        if ship.interference is None
        else milliseconds(ship.interference.ends_s),
        "port_level": None if ship.port_level is None else int(ship.port_level),
        "level_in_force": None if ship.level_command is None else not ship.level_command.is_owed,
        "blackout": None if ship.blackout is None else blackout_message(ship.blackout),
        "visitor_view_ends_up": None
        if ship.visitor_view is None
        else milliseconds(ship.visitor_view.ends_s),
    }


def blackout_message(blackout: Blackout) -> dict[str, Json]:
    """Return the planned blackout as it stands in ``ship``."""
    return {
        "begins_utc": utc(blackout.begins_utc),
        "begins_up": milliseconds(blackout.begins_s),
        "ends_utc": utc(blackout.ends_utc),
        "ends_up": milliseconds(blackout.ends_s),
        "by": blackout.by,
    }


def inhibit_message(given: Inhibit) -> dict[str, Json]:
    """Return the body of ``inhibit/<alert>``; the reason may tell of a sensor's weakness, and stays in the record."""
    return {
        "alert": given.alert,
        "key": given.key,
        "source": given.source,
        "title": given.title,
        "name": given.name,
        "by": given.by,
        "ends_utc": utc(given.ends_utc),
        "ends_up": milliseconds(given.ends_s),
    }


def service_message(taken: OutOfService) -> dict[str, Json]:
    """Return the body of ``sso/out_of_service/<id>``."""
    return {
        "equipment": taken.equipment,
        "name": taken.name,
        "reason": taken.reason,
        "measure": taken.measure,
        "by": taken.by,
        "with_master": taken.with_master,
        "ends_utc": utc(taken.ends_utc),
        "ends_up": milliseconds(taken.ends_s),
    }


def permit_message(permit: Permit, *, name: str) -> dict[str, Json]:
    """Return the body of ``permit/<door>``."""
    return {
        "door": permit.door,
        "name": name,
        "person": permit.person,
        "work": permit.work,
        "ends_utc": utc(permit.ends_utc),
        "ends_up": milliseconds(permit.ends_s),
    }


def station_message(
    status: StationStatus,
    *,
    now_s: float,
    sounds: bool,
    voice: Voice,
    asked_s: float | None = None,
    answer_s: float = 0.0,
) -> dict[str, Json]:
    """Return the body of ``station/<id>``.

    Args:
        status: How it stands.
        now_s: Seconds since boot.
        sounds: Whether alerts sound there at once in this situation.
        voice: How it sounds.
        asked_s: Since when a reply of the gangway is wanted there; None where it is not.
        answer_s: How long that is waited for, in seconds.
    """
    return {
        "attended": status.person is not None,
        "person": status.person,
        "since_up": None if status.since_s is None else milliseconds(status.since_s),
        "since_utc": None if status.since_utc is None else utc(status.since_utc),
        "live": status.live(now_s),
        "sounds": sounds,
        "sounder": status.sounder.value,
        "sound_armed": status.sound_armed(now_s),
        "lacks": [lack.value for lack in status.lacks(now_s)],
        "heard": None
        if status.heard is None
        else {
            "person": status.heard.person,
            "utc": utc(status.heard.at_utc),
            "ends_up": milliseconds(max(0.0, status.heard.ends_s)),
        },
        "test_sound": None
        if status.test_sound is None
        else {
            "nonce": status.test_sound.nonce,
            "asked_up": milliseconds(status.test_sound.asked_s),
        },
        "reply_wanted": None
        if asked_s is None
        else {
            "asked_up": milliseconds(asked_s),
            "answer_by_up": milliseconds(asked_s + answer_s),
        },
        "tones": voice.tones,
        "volume_floor": voice.volume_floor,
        "warning_every_s": voice.warning_every_s,
    }
