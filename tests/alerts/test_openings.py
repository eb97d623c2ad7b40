"""What do contacts mean? Invariant 3: unknown is not closed, and what was not seen happening is not an intrusion."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.rules.openings import OPEN_KEYS, open_key
from daemon.model import DoorClass, OpeningKind, Regime, SecurityLevel, Situation
from tests.alerts import paper
from tests.alerts.door_rig import CLOSED, FAULT, LOCK, OPEN, PORT_1, DoorRig, door

HATCH_OPEN = "door.escape.open"
HELD, BLIND, UNKNOWN = "door.held_open", "door.blind_open", "door.unknown"
FORCED, FAULTY, CHATTER = "door.forced", "sensor.line_fault", "sensor.chatter"
EXPIRED, SEAL, TAMPER, INTRUSION = (
    "permit.expired",
    "seal.broken",
    "sensor.tamper",
    "intrusion.detected",
)
WATCHED = [letter for letter in DoorClass if letter is not DoorClass.SIDE]
REGIMES = st.builds(
    Regime,
    st.sampled_from(Situation),
    st.sampled_from(SecurityLevel),
    threat=st.booleans(),
    night=st.booleans(),
    gangway_attended=st.booleans(),
)


def wanted_of(letter: str, of: Regime) -> str:
    """What the paper says that the door must be."""
    if of.threat:
        return paper.threat(letter)
    return paper.door(letter, of.situation, of.level, night=of.night, attended=of.gangway_attended)


def opened(rig: DoorRig | None = None, *, at_s: float = 10.0) -> DoorRig:
    """A door that was seen closed, and then opening."""
    rig = rig or DoorRig()
    rig.sees(CLOSED, at_s=at_s - 1.0)
    rig.sees(OPEN, at_s=at_s)
    return rig


# --- opened where it must be closed, and held open ---


@given(st.sampled_from(WATCHED), REGIMES)
def test_an_opening_is_an_alert_just_where_the_paper_says_closed(letter, of):
    rig = opened(DoorRig(door(letter), of=of))
    key = OPEN_KEYS[letter]
    assert rig.holds() == ({key} if wanted_of(letter, of) == "closed" else set())
    assert rig.sees(CLOSED, at_s=11.0) == set()


@given(st.sampled_from(WATCHED), REGIMES)
def test_a_door_is_held_open_after_the_minutes_of_the_paper_and_not_before(letter, of):
    rig = opened(DoorRig(door(letter), of=of), at_s=10.0)
    word, _, minutes = wanted_of(letter, of).partition(" ")
    limit_s = float(minutes or 1000) * 60.0
    assert HELD not in rig.holds(at_s=10.0 + limit_s - 0.1)
    assert (HELD in rig.holds(at_s=10.0 + limit_s)) is (word == "shut")
    assert rig.sees(CLOSED) == set()


def test_held_open_says_how_long_and_counts_from_each_opening():
    rig = opened(DoorRig(door("P")))
    assert rig.holds(at_s=130.0) == {HELD}
    assert rig.details[HELD] == "open 2 min 0 s"
    rig.sees(CLOSED, at_s=140.0)
    rig.sees(OPEN, at_s=150.0)
    assert rig.holds(at_s=269.0) == set()
    assert rig.holds(at_s=270.0) == {HELD}


def test_the_gangway_door_says_what_a_perimeter_door_says():
    assert open_key(door("G")) == open_key(door("P")) == "door.perimeter.open"
    rig = opened(DoorRig(door("G")))
    assert rig.holds() == {"door.perimeter.open"}
    rig.regime = replace(PORT_1, gangway_attended=True)
    assert rig.holds() == set()


def test_a_new_regime_needs_no_new_reading():
    rig = opened(DoorRig(door("P")))
    assert rig.holds() == set()
    rig.regime = replace(PORT_1, night=True)
    assert rig.holds() == {"door.perimeter.open"}
    rig.regime = Regime(Situation.SEA, SecurityLevel.THREE)
    assert rig.holds() == {"door.perimeter.open"}
    rig.regime = Regime(Situation.YARD, SecurityLevel.ONE)
    assert rig.holds() == set()


def test_a_repeated_reading_changes_nothing():
    rig = opened(DoorRig(door("P")), at_s=10.0)
    for second in range(11, 140):
        rig.sees(OPEN, at_s=float(second))
    assert rig.holds(at_s=140.0) == {HELD}, "it counts from the opening"


# --- permits ---


@pytest.mark.parametrize(("letter", "told"), [("E", HATCH_OPEN), ("P", HELD)])
def test_a_permit_suppresses_both_and_takes_away_what_stands(letter, told):
    rig = opened(DoorRig(door(letter)))
    assert rig.holds(at_s=500.0) == {told}
    rig.permit(minutes=60)
    assert rig.says()[told] is False
    assert rig.holds(at_s=4000.0) == set()


def test_a_permit_ends_by_itself_and_says_so_while_the_door_is_still_open():
    rig = opened()
    rig.permit(minutes=60)
    assert rig.holds(at_s=10.0 + 3599.0) == set()
    assert rig.holds(at_s=10.0 + 3600.0) == {EXPIRED}, "the permit, not an intrusion"
    assert rig.details[EXPIRED] == "permit of R. dela Cruz, paint"
    assert rig.sees(CLOSED, at_s=3700.0) == set()


def test_a_permit_that_ends_with_the_door_closed_says_nothing():
    rig = DoorRig()
    rig.sees(CLOSED, at_s=1.0)
    rig.permit(minutes=1)
    assert rig.holds(at_s=100.0) == set()


def test_a_permit_that_is_extended_takes_the_expired_one_away():
    rig = opened()
    rig.permit(minutes=1)
    assert rig.holds(at_s=100.0) == {EXPIRED}
    rig.permit(minutes=60)
    assert rig.holds() == set()


def test_a_permit_that_is_taken_away_leaves_an_open_door_where_it_must_be_closed():
    rig = opened()
    rig.permit(minutes=60)
    rig.permits.clear()
    assert rig.holds() == {HATCH_OPEN}


def test_a_permit_of_another_door_is_no_permit():
    rig = opened()
    rig.permit(minutes=60)
    rig.permits["d06"] = rig.permits.pop("d05")
    assert rig.holds() == {HATCH_OPEN}


def test_a_permit_hides_neither_a_forced_lock_nor_a_fault():
    rig = DoorRig(door("P"), locked=True)
    rig.permit(minutes=60)
    opened(rig)
    assert rig.holds() == {FORCED}
    assert FAULTY in rig.sees(FAULT, at_s=20.0)


# --- blind ---


def test_a_door_first_seen_open_after_blindness_is_a_caution_of_its_own():
    rig = DoorRig()
    rig.sees(CLOSED, at_s=10.0)
    rig.sees(None, at_s=12.0)
    assert rig.sees(OPEN, at_s=200.0) == {BLIND}
    assert rig.details[BLIND] == "was blind 3 min 10 s, found open"
    assert rig.says(at_s=900.0)[HATCH_OPEN] is False
    assert rig.holds() == {BLIND}, "it stays so while the door stays open"
    assert rig.sees(CLOSED, at_s=901.0) == set()
    assert rig.sees(OPEN, at_s=902.0) == {HATCH_OPEN}, "this one was seen"


def test_a_door_found_open_at_the_start_is_a_caution_of_its_own():
    rig = DoorRig()
    assert rig.sees(OPEN, at_s=45.0) == {BLIND}
    assert rig.details[BLIND] == "was blind 45 s, found open"


@pytest.mark.parametrize("fault_s", [0.1, 100.0])
def test_a_line_fault_after_blindness_is_not_yet_seeing(fault_s):
    """A double contact passes through it: the first closed or open is the baseline."""
    rig = DoorRig()
    rig.sees(FAULT, at_s=30.0)
    assert rig.sees(OPEN, at_s=30.0 + fault_s) == {BLIND}
    rig.sees(CLOSED, at_s=200.0)
    rig.sees(FAULT, at_s=201.0)
    assert rig.sees(OPEN, at_s=201.0 + fault_s) == {HATCH_OPEN}, "it was seen closed before"


def test_a_door_that_was_seen_open_before_the_blindness_goes_on_being_open():
    rig = opened()
    rig.sees(None, at_s=20.0)
    assert rig.sees(OPEN, at_s=60.0) == {HATCH_OPEN}


def test_a_door_found_open_where_it_may_be_open_is_no_news_then_or_later():
    rig = DoorRig(of=Regime(Situation.YARD, SecurityLevel.ONE))
    assert rig.sees(OPEN, at_s=45.0) == set()
    rig.regime = PORT_1
    assert rig.holds() == {HATCH_OPEN}, "open where it must be closed now"


def test_a_permit_covers_a_door_that_is_found_open():
    rig = DoorRig()
    rig.permit(minutes=60)
    assert rig.sees(OPEN, at_s=45.0) == set()


def test_restart_an_alert_that_stood_goes_on_and_is_not_found_open():
    rig = DoorRig(holds=lambda key, source: (key, source) == (HATCH_OPEN, "d05"))
    assert rig.sees(OPEN, at_s=5.0) == {HATCH_OPEN}


def test_restart_a_door_that_was_held_open_goes_on_being_held_open_until_it_is_closed():
    rig = DoorRig(door("P"), holds=lambda key, source: (key, source) == (HELD, "d05"))
    assert rig.sees(OPEN, at_s=5.0) == {HELD}
    assert rig.holds(at_s=60.0) == {HELD}
    rig.sees(CLOSED, at_s=61.0)
    assert rig.sees(OPEN, at_s=62.0) == set()


# --- unknown and line fault ---


def test_nothing_is_said_of_a_door_before_it_is_seen():
    rig = DoorRig(locked=True)
    assert rig.says(at_s=1000.0) == {}


def test_unknown_is_said_and_nothing_of_open_or_closed():
    rig = opened()
    rig.sees(None, at_s=20.0)
    assert rig.says() == {UNKNOWN: True}, "what stood goes on standing"
    assert rig.sees(CLOSED, at_s=30.0) == set()


def test_a_line_fault_is_neither_open_nor_closed_and_what_stood_goes_on_standing():
    rig = opened()
    rig.sees(FAULT, at_s=20.0)
    assert rig.says() == {UNKNOWN: False, FAULTY: True}
    assert rig.says(at_s=10_000.0) == {UNKNOWN: False, FAULTY: True}
    assert rig.sees(OPEN) == {HATCH_OPEN}, "still that opening"


# --- forced ---


def test_a_door_that_opens_while_it_is_locked_was_forced():
    rig = opened(DoorRig(door("P"), locked=True))
    assert rig.holds() == {FORCED}
    assert rig.details[FORCED] == "opened while locked"
    assert rig.lock(OPEN, at_s=12.0) == {FORCED}, "unlocking afterwards undoes nothing"


@pytest.mark.parametrize("lock", [OPEN, FAULT, None])
def test_a_door_whose_lock_is_not_seen_locked_was_not_forced(lock):
    rig = DoorRig(door("P"), locked=True)
    rig.lock(lock, at_s=5.0)
    assert opened(rig).holds() == set()


def test_a_door_that_one_reply_says_unlocked_and_open_was_not_forced():
    rig = opened(DoorRig(door("P"), locked=True))
    assert rig.lock(OPEN, at_s=10.0) == set()


def test_a_door_without_a_lock_contact_says_nothing_of_force():
    rig = opened()
    assert FORCED not in rig.says()
    assert rig.rule.points == {"d05"}
    assert DoorRig(locked=True).rule.points == {"d05", LOCK}


def test_a_locked_door_found_open_after_blindness_is_not_called_forced():
    rig = DoorRig(door("P"), locked=True, of=replace(PORT_1, night=True))
    assert rig.sees(OPEN, at_s=50.0) == {BLIND}


# --- chatter ---


def bangs(rig: DoorRig, *times_s: float) -> list[set[str]]:
    """Let a door open at these times and shut half a second later; return what held at each opening."""
    held = []
    for at_s in times_s:
        held.append(rig.sees(OPEN, at_s=at_s))
        rig.sees(CLOSED, at_s=at_s + 0.5)
    return held


def test_three_openings_in_a_minute_are_one_alert():
    rig = DoorRig()
    rig.sees(CLOSED, at_s=1.0)
    assert bangs(rig, 10.0, 40.0, 69.0) == [{HATCH_OPEN}, {HATCH_OPEN}, {CHATTER}]
    assert rig.says(at_s=70.0) == {UNKNOWN: False, FAULTY: False, CHATTER: True}


def test_three_openings_in_more_than_a_minute_are_three_openings():
    rig = DoorRig()
    rig.sees(CLOSED, at_s=1.0)
    assert bangs(rig, 10.0, 40.0, 70.1) == [{HATCH_OPEN}] * 3


@pytest.mark.parametrize(("ends", "held"), [(OPEN, {HATCH_OPEN}), (CLOSED, set())])
def test_peers_16_of_chatter_the_final_state_is_always_delivered(ends, held):
    rig = DoorRig()
    rig.sees(CLOSED, at_s=1.0)
    bangs(rig, *(10.0 + n for n in range(20)))
    rig.sees(OPEN, at_s=31.0)
    rig.sees(ends, at_s=31.2)
    last_three_s = 28.0
    assert rig.holds(at_s=last_three_s + 60.0) == {CHATTER}
    assert rig.holds(at_s=last_three_s + 60.1) == held
    assert rig.says()[HATCH_OPEN] is (ends is OPEN)


def test_a_door_that_was_found_open_did_not_open():
    rig = DoorRig()
    for at_s in (10.0, 20.0, 30.0):
        rig.sees(None, at_s=at_s)
        rig.sees(OPEN, at_s=at_s + 1.0)
        rig.sees(CLOSED, at_s=at_s + 2.0)
    assert CHATTER not in rig.holds()


# --- seals, motion, tamper ---


@given(REGIMES)
def test_what_is_no_door_must_be_closed_in_every_regime(of):
    for kind, key in (
        (OpeningKind.SEAL, SEAL),
        (OpeningKind.MOTION, INTRUSION),
        (OpeningKind.TAMPER, TAMPER),
    ):
        rig = opened(DoorRig(door(kind=kind), of=of))
        assert rig.holds() == {key}
        assert set(rig.says()) == {UNKNOWN, FAULTY, CHATTER, BLIND, key}, "it has no permits"
        assert rig.sees(CLOSED, at_s=12.0) == set()


def test_a_motion_detector_that_sees_much_does_not_chatter():
    rig = DoorRig(door(kind=OpeningKind.MOTION))
    rig.sees(CLOSED, at_s=1.0)
    assert bangs(rig, *(10.0 + n for n in range(20))) == [{INTRUSION}] * 20


def test_a_seal_found_broken_after_blindness_is_no_intrusion():
    rig = DoorRig(door(kind=OpeningKind.SEAL))
    assert rig.sees(OPEN, at_s=45.0) == {BLIND}


def test_who_cuts_the_loop_has_cut_the_seal_and_a_flicker_has_not():
    rig = DoorRig(door(kind=OpeningKind.SEAL))
    rig.sees(CLOSED, at_s=1.0)
    assert rig.sees(FAULT, at_s=10.0) == {FAULTY}
    assert rig.holds(at_s=11.9) == {FAULTY}
    assert rig.holds(at_s=12.0) == {FAULTY, SEAL}
    assert rig.details[SEAL] == "its line is cut or shorted"
    assert rig.sees(CLOSED, at_s=20.0) == set(), "the catalogue's latch keeps it until a new number"
    assert rig.sees(FAULT, at_s=30.0) == {FAULTY}, "counted anew"
