"""When the gangway is asked, and what is an answer."""

from __future__ import annotations

import pytest

from daemon.model import Regime, SecurityLevel, Situation
from daemon.stations.gangwayprompt import GangwayPrompt

EVERY_MIN = (0, 30, 15)


def port(level: int) -> Regime:
    return Regime(Situation.PORT, SecurityLevel(level))


def prompt() -> GangwayPrompt:
    return GangwayPrompt(EVERY_MIN, now_s=0.0)


@pytest.mark.parametrize(("level", "every_s"), [(2, 1800.0), (3, 900.0)])
def test_it_is_asked_each_time_so_much_has_passed_since_somebody_was_there(level, every_s):
    asks = prompt()
    assert not asks.look(port(level), every_s - 0.1)
    assert asks.next_due_s(port(level)) == every_s
    assert asks.look(port(level), every_s)
    assert asks.asked_s == every_s
    assert not asks.look(port(level), every_s + 600.0), "once"
    assert asks.next_due_s(port(level)) is None
    assert asks.act(every_s + 700.0)
    assert asks.asked_s is None
    assert asks.next_due_s(port(level)) == every_s + 700.0 + every_s


@pytest.mark.parametrize(
    "of",
    [
        port(1),
        Regime(Situation.SEA, SecurityLevel.THREE),
        Regime(Situation.YARD, SecurityLevel.TWO),
    ],
)
def test_at_level_one_and_outside_port_nobody_is_asked(of):
    asks = prompt()
    assert not asks.look(of, 100_000.0)
    assert (asks.asked_s, asks.next_due_s(of)) == (None, None)
    assert not asks.look(port(2), 100_000.0), "its time begins when it is in port at level 2"
    assert asks.next_due_s(port(2)) == 100_000.0 + 1800.0


def test_what_was_done_before_the_question_is_no_answer():
    asks = prompt()
    asks.look(port(2), 1800.0)
    assert not asks.act(1799.0)
    assert asks.asked_s == 1800.0
    assert asks.act(1800.5)


def test_what_is_done_unasked_puts_the_question_off():
    asks = prompt()
    assert not asks.act(1000.0)
    assert not asks.act(400.0), "told late: it moves nothing back"
    assert asks.next_due_s(port(3)) == 1900.0


def test_leaving_port_takes_the_question_away():
    asks = prompt()
    asks.look(port(3), 900.0)
    assert asks.look(Regime(Situation.SEA, SecurityLevel.THREE), 950.0)
    assert asks.asked_s is None


def test_a_question_that_stood_before_a_restart_stands_at_once():
    asks = prompt()
    asks.resume(5.0)
    assert asks.asked_s == 5.0
    assert not asks.look(port(2), 6.0)
