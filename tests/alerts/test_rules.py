"""Invariant 3: unknown is not closed, and what was not seen happening is not an intrusion."""

from __future__ import annotations

import pytest

from daemon.alerts import rules
from daemon.model import ContactState, LinkState
from daemon.points import Change
from tests.makers import HATCH, SEAL, reading

CLOSED, OPEN, FAULT = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT
KEY = "door.escape.open"


def said(
    value,
    *,
    opening=HATCH,
    must=True,
    open_stands=False,
    blind_stands=False,
    baseline=False,
    blind_s=0.0,
):
    change = Change(reading(opening.id, value), None, baseline=baseline, blind_s=blind_s)
    return {
        s.key: s.active
        for s in rules.contact(
            opening, change, must_be_closed=must, open_stands=open_stands, blind_stands=blind_stands
        )
    }


def test_a_door_seen_opening_where_it_must_be_closed_is_an_intrusion():
    assert said(OPEN) == {
        KEY: True,
        "door.blind_open": False,
        "door.unknown": False,
        "sensor.line_fault": False,
    }


def test_a_door_first_seen_open_after_blindness_is_a_caution_of_its_own():
    assert said(OPEN, baseline=True, blind_s=190.0)[KEY] is False
    assert said(OPEN, baseline=True, blind_s=190.0)["door.blind_open"] is True


def test_the_caution_says_how_long_nobody_could_see():
    change = Change(reading("d12", OPEN), None, baseline=True, blind_s=190.0)
    found = rules.contact(HATCH, change, must_be_closed=True, open_stands=False, blind_stands=False)
    assert "was blind 3 min 10 s, found open" in [s.detail for s in found]


def test_blind_open_stays_blind_open_while_the_door_stays_open():
    assert said(OPEN, blind_stands=True)["door.blind_open"] is True
    assert said(OPEN, blind_stands=True)[KEY] is False


def test_a_door_that_was_seen_open_before_the_blindness_goes_on_being_open():
    found = said(OPEN, baseline=True, open_stands=True)
    assert (found[KEY], found["door.blind_open"]) == (True, False)


def test_unknown_says_nothing_of_open_or_closed():
    assert said(None) == {"door.unknown": True}


def test_a_line_fault_is_neither_open_nor_closed():
    assert said(FAULT) == {"door.unknown": False, "sensor.line_fault": True}


def test_a_closed_door_rectifies_everything():
    assert set(said(CLOSED).values()) == {False}


def test_a_door_that_may_be_open_raises_nothing():
    assert set(said(OPEN, must=False).values()) == {False}
    assert set(said(OPEN, must=False, baseline=True).values()) == {False}


def test_a_seal_must_always_be_whole():
    assert said(OPEN, opening=SEAL, must=False)["seal.broken"] is True


@pytest.mark.parametrize(
    ("link", "active"),
    [(LinkState.UP, False), (LinkState.DOWN, True), (LinkState.CONNECTING, True)],
)
def test_a_feed_is_lost_while_its_link_is_not_up(link, active):
    assert rules.feed("feed.nav", link) == rules.Said("feed.nav", active=active)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 0 s"),
        (190, "3 min 10 s"),
        (3600, "1 h 0 min"),
        (7380, "2 h 3 min"),
    ],
)
def test_durations_read_as_an_officer_says_them(seconds, words):
    assert rules.duration(seconds) == words
