from __future__ import annotations

from datetime import timedelta

import pytest

from daemon.alerts.annunciation import NOBODY, sounding_at
from daemon.errors import RefusedError
from daemon.model import Regime, SecurityLevel, Situation, Sounder, Station
from daemon.stations.stations import (
    BACK_WITHIN_S,
    HEARD_FOR_S,
    LIVE_FOR_S,
    Lack,
    Stations,
    StationStatus,
    Teller,
)
from tests.alerts.test_annunciation import WAITS
from tests.makers import UTC_0210

PORT, SEA = Situation.PORT, Situation.SEA


def stations(situation: Situation = PORT) -> Stations:
    return Stations(
        [
            Station("bridge", frozenset({SEA})),
            Station("gangway", frozenset({PORT})),
            Station("sso", frozenset(), sso=True),
        ],
        situation,
    )


def alive(known: Stations, station: str, now_s: float, **lacks: bool) -> None:
    known.alive(
        station, **{"shown": True, "fresh": True, "sound_armed": True, **lacks}, now_s=now_s
    )


def test_in_port_the_gangway_sounds_and_the_bridge_does_not():
    assert stations(PORT).sounding() == ("gangway",)
    assert stations(SEA).sounding() == ("bridge",)


def test_attended_means_live_and_somebody_took_the_watch():
    known = stations()
    assert not known.one_is_attended(0.0)
    alive(known, "gangway", 0.0)
    assert not known.one_is_attended(0.0)
    known.take_watch("gangway", "L. Tupou", since_s=0.0)
    assert known.one_is_attended(LIVE_FOR_S)
    assert not known.one_is_attended(LIVE_FOR_S + 0.1)


@pytest.mark.parametrize("lack", ["shown", "fresh", "sound_armed"])
def test_a_station_that_cannot_show_or_sound_is_not_live(lack):
    known = stations()
    known.take_watch("gangway", "L. Tupou", since_s=0.0)
    alive(known, "gangway", 0.0, **{lack: False})
    assert not known.one_is_attended(0.0)


def test_a_live_bridge_page_does_not_count_in_port():
    known = stations()
    known.take_watch("bridge", "J. Santos", since_s=0.0)
    alive(known, "bridge", 0.0)
    assert not known.one_is_attended(0.0)


def test_an_unknown_station_is_refused():
    with pytest.raises(RefusedError, match="no station 'crow'"):
        stations().take_watch("crow", "J. Santos", since_s=0.0)


def browser() -> Stations:
    page = Station("gangway", frozenset({PORT}), sounder=Sounder.PAGE)
    return Stations([page, Station("bridge", frozenset({SEA}))], PORT)


def said(known: Stations, now_s: float, **how: object) -> StationStatus:
    whole = {"shown": True, "fresh": True, "sound_armed": True, "now_s": now_s}
    return known.alive("gangway", **{**whole, **how})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("age_s", "armed"), [(0.0, True), (HEARD_FOR_S - 1.0, True), (HEARD_FOR_S, False)]
)
def test_a_page_is_armed_for_ten_days_after_somebody_heard_it(age_s, armed):
    known = browser()
    at_utc = UTC_0210 - timedelta(seconds=age_s)
    known.hear("gangway", "L. Tupou", at_utc=at_utc, now_utc=UTC_0210, now_s=5.0)
    assert said(known, 5.0, touched_s=4.0).sound_armed(5.0) is armed


def test_a_heard_test_of_the_future_counts_no_longer_than_any_other():
    known = browser()
    status = known.hear(
        *("gangway", "L. Tupou"),
        at_utc=UTC_0210 + timedelta(days=400),
        now_utc=UTC_0210,
        now_s=5.0,
    )
    assert status.heard is not None
    assert status.heard.ends_s == 5.0 + HEARD_FOR_S


def test_a_page_that_was_not_touched_or_not_heard_says_what_it_lacks():
    known = browser()
    assert said(known, 0.0).lacks(0.0) == (Lack.TOUCH, Lack.HEARD)
    assert said(known, 0.0, touched_s=0.0).lacks(0.0) == (Lack.HEARD,)
    assert not said(known, 0.0, touched_s=0.0).live(0.0)


def test_a_page_and_a_program_prove_each_its_own():
    known = stations()
    said(known, 0.0, of=Teller.PAGE, sound_armed=False)
    assert not known.at("gangway").live(0.0), "the page is not its sounder"
    said(known, 1.0, of=Teller.PROGRAM, shown=False)
    assert known.at("gangway").live(1.0)
    said(known, 20.0, of=Teller.PROGRAM, shown=False)
    assert known.at("gangway").live(25.0)
    assert not known.at("gangway").live(25.1), "its page is gone"
    said(known, 26.0, of=Teller.PAGE)
    assert known.at("gangway").live(26.0)
    said(known, 27.0, of=Teller.PROGRAM, fresh=False)
    assert not known.at("gangway").live(27.0), "it hears nothing new"
    assert not known.at("gangway").sound_armed(27.0)


def test_a_program_at_a_station_whose_page_is_its_sounder_proves_nothing():
    known = browser()
    known.hear("gangway", "L. Tupou", at_utc=UTC_0210, now_utc=UTC_0210, now_s=0.0)
    said(known, 0.0, of=Teller.PAGE, touched_s=0.0, sound_armed=False)
    said(known, 0.0, of=Teller.PROGRAM)
    assert not known.at("gangway").live(0.0)


@pytest.mark.parametrize("quiet_s", [0.0, LIVE_FOR_S + 1.0], ids=["start", "broker gone"])
def test_no_cabin_is_called_because_the_bridge_has_not_spoken_yet(quiet_s):
    known = stations(SEA)
    if quiet_s:
        alive(known, "bridge", 0.0)
        alive(known, "sso", 0.0)
    alive(known, "sso", quiet_s)

    def sounds(at_s: float) -> tuple[str, ...]:
        return sounding_at(WAITS, Regime(SEA, SecurityLevel.ONE), known.posts(at_s), NOBODY, at_s)

    assert sounds(quiet_s) == ("bridge",)
    known.alive(
        *("bridge",),
        shown=False,
        fresh=True,
        sound_armed=True,
        now_s=quiet_s + 2.0,
        of=Teller.PROGRAM,
    )
    assert sounds(quiet_s + BACK_WITHIN_S) == ("bridge",), "its page may still come"
    assert sounds(quiet_s + BACK_WITHIN_S + 0.1) == ("bridge", "sso"), "nobody is on the bridge"
    alive(known, "bridge", quiet_s + 20.0)
    assert sounds(quiet_s + 20.0) == ("bridge",)


def test_a_bridge_that_says_that_it_is_not_shown_is_not_waited_for():
    known = stations(SEA)
    alive(known, "sso", 0.0)
    alive(known, "bridge", 1.0, shown=False)
    assert sounding_at(WAITS, Regime(SEA, SecurityLevel.ONE), known.posts(1.0), NOBODY, 1.0) == (
        "bridge",
        "sso",
    )


def test_who_was_last_is_known_when_nobody_is_left():
    known = stations()
    assert known.nobody(0.0) == "gangway: nobody has the watch"
    known.take_watch("gangway", "L. Tupou", since_s=0.0)
    assert known.nobody(0.0) == "gangway: L. Tupou, not heard of"
    alive(known, "gangway", 0.0)
    assert known.one_is_attended(0.0)
    known.take_watch("gangway", "J. Santos", since_s=30.0)
    assert not known.one_is_attended(30.0)
    assert known.nobody(30.0) == "gangway: J. Santos, not live; last: L. Tupou at gangway"
