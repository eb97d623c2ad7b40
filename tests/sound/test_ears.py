"""A sounder behind the curtain: in the citadel it goes on, everywhere else it is silent, whatever becomes of ispsd."""

from __future__ import annotations

import json
from typing import Any

from daemon.sound.ears import Ears
from daemon.sound.hearing import STALE_S
from tests.sound.test_hearing import ALERT, HATCH, NOW_S, STATION, TOPICS, message

LATE_S = NOW_S + STALE_S + 1.0


def says(ears: Ears, name: str, body: dict[str, Any] | None, *, at_s: float = NOW_S) -> None:
    said = b"" if body is None else json.dumps({"session": "s1", "up": 1000.0, **body}).encode()
    ears.take(message(name, said), at_s)


def told(station: str) -> Ears:
    """Return the ears of a station that hears an alert that sounds at the gangway."""
    ears = Ears(station, TOPICS, NOW_S - 100.0)
    says(ears, "status", {"state": "ready"})
    says(ears, "heartbeat", {})
    says(ears, f"station/{station}", {**STATION, "sounds": station == "gangway"})
    says(ears, f"alert/{ALERT['id']}", ALERT)
    return ears


def let_down(ears: Ears, station: str, *, sounds: bool, at_s: float = NOW_S) -> None:
    """Say what a broker says that tells this station everything."""
    says(ears, "curtain", {"down": True}, at_s=at_s)
    for name in (f"station/{station}", f"alert/{ALERT['id']}"):
        says(ears, name, None, at_s=at_s)
    says(ears, "citadel/status", {"state": "ready"}, at_s=at_s)
    says(ears, f"citadel/station/{station}", {**STATION, "sounds": sounds}, at_s=at_s)
    says(ears, f"citadel/alert/{ALERT['id']}", {**ALERT, "sounds_at": ["muster"]}, at_s=at_s)


def test_behind_the_curtain_it_is_silent_and_stays_so_when_ispsd_falls_silent():
    ears = told("gangway")
    assert ears.now.sounding() == {HATCH}
    says(ears, "curtain", {"down": True})
    says(ears, f"alert/{ALERT['id']}", None)
    assert ears.now.sounding() == frozenset()
    assert not ears.now.stale(LATE_S)
    says(ears, "curtain", None, at_s=LATE_S)
    assert ears.now.stale(LATE_S), "as ever"


def test_in_the_citadel_it_goes_on_at_once_with_what_was_heard_before():
    ears = told("muster")
    let_down(ears, "muster", sounds=True)
    assert ears.now.sounding() == {HATCH}
    assert ears.now.fresh(NOW_S)
    assert not ears.now.lost(NOW_S), "no heartbeat of the citadel has come yet"
    says(ears, "status", {"state": "offline"})
    assert not ears.now.fresh(NOW_S), "the will is one"
    assert ears.now.stale(LATE_S)


def test_a_broker_that_tells_everybody_everything_makes_no_other_station_sound():
    ears = told("gangway")
    let_down(ears, "gangway", sounds=False)
    assert ears.now is ears.open
    assert ears.now.sounding() == frozenset()


def test_in_the_citadel_that_ispsd_is_lost_is_sounded_though_the_broker_has_forgotten_all():
    ears, elsewhere = told("muster"), told("gangway")
    let_down(ears, "muster", sounds=True)
    let_down(elsewhere, "gangway", sounds=False)
    for each in (ears, elsewhere):
        each.connected_anew()  # a broker that began anew, while ispsd is dead
    assert ears.now.stale(LATE_S)
    assert not elsewhere.now.stale(LATE_S)
    says(ears, "curtain", {"down": True}, at_s=LATE_S)
    assert ears.now.stale(LATE_S)
    says(ears, "citadel/status", {"state": "ready", "session": "s2"}, at_s=LATE_S)
    body = {**STATION, "sounds": False, "session": "s2"}
    says(ears, "citadel/station/muster", body, at_s=LATE_S)
    assert not ears.now.stale(LATE_S), "by now it is another station that sounds there"


def test_raised_it_hears_the_open_again():
    ears = told("muster")
    let_down(ears, "muster", sounds=True)
    says(ears, "curtain", None)
    assert ears.now is ears.open
    ears.connected_anew()
    assert ears.now.session is None
