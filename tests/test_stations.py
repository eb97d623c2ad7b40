from __future__ import annotations

import pytest

from daemon.errors import RefusedError
from daemon.model import Situation, Station
from daemon.stations import LIVE_FOR_S, Stations

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
