"""Which answers count, and whose."""

from __future__ import annotations

import pytest

from daemon.checks.api import Unanswered
from daemon.model import Situation, Sounder, Station
from daemon.stations.echoes import ANSWER_WITHIN_S, SPEAKS_WITHIN_S, Echoes
from daemon.stations.stations import LIVE_FOR_S, Stations, Teller


def made(*stations: str) -> Echoes:
    """Return those of a ship in port, with somebody at each of these stations from the start."""
    known = Stations(
        [
            Station(id_, attended_in=frozenset({Situation.PORT}), sounder=Sounder.PROGRAM)
            for id_ in ("gangway", "office")
        ],
        Situation.PORT,
    )
    for id_ in stations:
        known.take_watch(id_, "L. Tupou", since_s=0.0)
    for id_ in ("gangway", "office"):
        known.alive(id_, shown=True, fresh=True, sound_armed=True, now_s=0.0)
    return Echoes(known)


def able() -> Echoes:
    """Return those in which the gangway has answered once."""
    echoes = made("gangway")
    echoes.take("gangway", None, now_s=0.0)
    echoes.expect("n0", 0.0)
    echoes.take("gangway", None, nonce="n0", now_s=0.25)
    assert echoes.settle() == {"gangway": 0.25}
    return echoes


def test_only_a_client_of_an_attended_live_station_is_asked():
    echoes = made("gangway")
    echoes.take("gangway", None, now_s=0.0)
    echoes.take("office", None, now_s=0.0)
    echoes.expect("n1", 1.0)
    assert echoes.settle() == {"gangway": Unanswered.NEVER}, "nobody has the watch at the office"
    echoes.expect("n2", LIVE_FOR_S + 1.0)
    assert echoes.settle() == {}


def test_a_page_and_a_sounder_of_one_station_answer_each_for_itself():
    echoes = made("gangway")
    for of in Teller:
        echoes.take("gangway", of, now_s=0.0)
    echoes.expect("n1", 1.0)
    echoes.take("gangway", Teller.PAGE, nonce="n1", now_s=1.5)
    assert echoes.settle() == {"gangway (page)": 0.5, "gangway (program)": Unanswered.NEVER}


@pytest.mark.parametrize(
    ("spoke_s", "how"), [(None, Unanswered.SILENT), (10.0, Unanswered.SILENT), (10.1, Unanswered.MISSED)]
)  # fmt: skip
def test_who_has_answered_before_has_missed_one_only_where_it_spoke_since(spoke_s, how):
    echoes = able()
    echoes.expect("n1", 10.0)
    if spoke_s is not None:
        echoes.take("gangway", None, now_s=spoke_s)
    assert echoes.settle() == {"gangway": how}


@pytest.mark.parametrize("nonce", ["n0", "foreign", "n1"])
def test_an_old_a_foreign_and_a_repeated_answer_are_counted_and_change_nothing(nonce):
    echoes = able()
    echoes.expect("n1", 10.0)
    if nonce == "n1":
        echoes.take("gangway", None, nonce="n1", now_s=10.5)
    echoes.take("gangway", None, nonce=nonce, now_s=11.0)
    assert echoes.ignored == 1
    assert echoes.settle() == {"gangway": 0.5 if nonce == "n1" else Unanswered.MISSED}
    echoes.take("gangway", None, nonce="n1", now_s=12.0)
    assert echoes.ignored == 2, "too late"


def test_a_foreign_answer_makes_nobody_one_who_has_to_answer():
    echoes = made("gangway")
    echoes.take("gangway", None, nonce="foreign", now_s=0.0)
    echoes.expect("n1", 1.0)
    echoes.take("gangway", None, now_s=2.0)
    assert echoes.settle() == {"gangway": Unanswered.NEVER}


def test_it_is_waited_for_answers_and_longer_for_any_word_of_who_must_answer():
    echoes = made("gangway")
    assert echoes.wait_s(0.0) == 0.0
    echoes.take("gangway", None, now_s=0.0)
    echoes.expect("n0", 0.0)
    assert echoes.wait_s(0.0) == ANSWER_WITHIN_S
    echoes.take("gangway", None, nonce="n0", now_s=1.0)
    assert echoes.wait_s(1.0) == 0.0
    echoes.settle()
    echoes.expect("n1", 10.0)
    assert echoes.wait_s(10.0) == SPEAKS_WITHIN_S
    echoes.take("gangway", None, now_s=12.0)
    assert echoes.wait_s(12.0) == ANSWER_WITHIN_S - 2.0, "it lives, and may still answer"
    assert echoes.wait_s(10.0 + ANSWER_WITHIN_S) == 0.0
