"""A phase of the lamp is named only when its pattern is clear and rest was seen first (invariant 2)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from daemon.checks.lamp_patterns import LampProfile, LampReader, Phase
from daemon.checks.ssas_units import load_unit
from daemon.model import LampState

if TYPE_CHECKING:
    from collections.abc import Iterable

LIT, DARK = LampState.LIT, LampState.DARK
JRC, SAILOR = load_unit("jrc-jue-95sa-text").lamp, load_unit("sailor-6194").lamp
assert JRC is not None
assert SAILOR is not None
AFTER_REST = LampProfile(at_rest=DARK, when_pressed=LIT, when_sent=DARK)
"""A lamp that goes off when the test is out."""

Show = tuple[LampState | None, float]
"""A state and how long it is shown, in seconds; None: the lamp is out of sight."""


def blinking(hz: float, for_s: float, *, lit_share: float = 0.5) -> list[Show]:
    period_s = 1.0 / hz
    once = [(LIT, period_s * lit_share), (DARK, period_s * (1 - lit_share))]
    return once * round(for_s / period_s)


def samples(shows: Iterable[Show], *, poll_s: float = 0.1) -> list[tuple[LampState, float]]:
    """Poll a lamp that shows one state after the other."""
    shows = list(shows)
    ends = list(itertools.accumulate(seconds for _, seconds in shows))
    polled: list[tuple[LampState, float]] = []
    number = 0
    while (at_s := number * poll_s) < ends[-1]:
        number += 1
        state = next(state for (state, _), end in zip(shows, ends, strict=True) if at_s < end)
        if state is not None:
            polled.append((state, 100.0 + at_s))
    return polled


def phases(
    profile: LampProfile,
    shows: Iterable[Show],
    *,
    poll_s: float = 0.1,
    missed: Iterable[int] = (),
) -> list[Phase]:
    """Return the phases in their order, each once until another comes."""
    reader = LampReader(profile)
    lost = set(missed)
    polled = samples(shows, poll_s=poll_s)
    seen = [reader.see(*sample) for number, sample in enumerate(polled) if number not in lost]
    return [phase for phase, _ in itertools.groupby(p for p in seen if p is not None)]


JRC_TEST: list[Show] = [(DARK, 5), (LIT, 30), *blinking(1, 60), (LIT, 10), (DARK, 5)]
SAILOR_TEST: list[Show] = [(LIT, 5), (DARK, 5), *blinking(2, 25), (DARK, 5), (LIT, 5)]


def test_jrc_off_steady_blinking_steady_off_is_a_test_that_went_out():
    whole = [Phase.REST, Phase.PRESSED, Phase.BLINKING, Phase.SENT, Phase.REST]
    assert phases(JRC, JRC_TEST) == whole


def test_sailor_lit_dark_flashing_tells_of_the_buttons_and_never_of_sending():
    whole = [Phase.REST, Phase.PRESSED, Phase.BLINKING, Phase.PRESSED, Phase.REST]
    assert phases(SAILOR, SAILOR_TEST) == whole


def test_a_lamp_that_goes_off_when_the_test_is_out_is_read_again_and_again():
    once: list[Show] = [(DARK, 3), (LIT, 3), *blinking(1, 10), (DARK, 3)]
    again = [Phase.PRESSED, Phase.BLINKING, Phase.SENT]
    assert phases(AFTER_REST, once * 2) == [Phase.REST, *again, *again]


@pytest.mark.parametrize("hz", [0.5, 0.7, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("lit_share", [0.4, 0.5, 0.6])
@pytest.mark.parametrize("poll_s", [0.05, 0.1, 0.13])
def test_a_blink_of_half_to_two_hertz_is_one_however_it_meets_the_polls(hz, lit_share, poll_s):
    shows = [(DARK, 3), (LIT, 4), *blinking(hz, 20, lit_share=lit_share), (LIT, 3)]
    whole = [Phase.REST, Phase.PRESSED, Phase.BLINKING, Phase.SENT]
    assert phases(JRC, shows, poll_s=poll_s) == whole


@given(st.sets(st.integers(0, 1099), max_size=250))
def test_a_missed_poll_here_and_there_changes_nothing(missed):
    alone = {number for number in missed if number - 1 not in missed}
    assert phases(JRC, JRC_TEST, missed=alone) == phases(JRC, JRC_TEST)


@pytest.mark.parametrize("profile", [JRC, SAILOR])
@pytest.mark.parametrize(
    "shows",
    [
        pytest.param([(LIT, 10), *blinking(1, 10), (LIT, 10)], id="lit from the start"),
        pytest.param([(DARK, 1.9), (LIT, 10)], id="rest too short"),
        pytest.param(blinking(1, 60), id="blinking from the start"),
        pytest.param([*blinking(1, 20), (LIT, 20)], id="somebody else's test ends"),
        pytest.param([(None, 10), (LIT, 10)], id="out of sight, then lit"),
        pytest.param([(DARK, 1), (None, 1), (DARK, 1), (LIT, 9)], id="rest in two halves"),
    ],
)
def test_without_rest_seen_first_there_is_no_phase(profile, shows):
    if profile is SAILOR:
        shows = [(s and (LIT if s is DARK else DARK), for_s) for s, for_s in shows]
    assert phases(profile, shows) == []


@pytest.mark.parametrize(
    ("then", "seen"),
    [
        pytest.param([(LIT, 1.9)], [], id="a press that is too short"),
        pytest.param(blinking(1, 20), [], id="blinking without a press"),
        pytest.param(blinking(5, 20), [], id="a loose contact"),
        pytest.param([(LIT, 3), *blinking(1, 2)], [Phase.PRESSED], id="two blinks"),
        pytest.param([(LIT, 3), *blinking(5, 20)], [Phase.PRESSED], id="pressed, then loose"),
        pytest.param(
            [(LIT, 3), *blinking(0.2, 10)],
            [Phase.PRESSED, Phase.REST, Phase.PRESSED, Phase.REST],
            id="slower than any blink",
        ),
        pytest.param([(LIT, 2.1), (DARK, 0.2)] * 9, [Phase.PRESSED], id="steady in between"),
        pytest.param([(None, 5), (LIT, 9)], [], id="pressed while out of sight"),
    ],
)
def test_what_is_not_clear_is_no_phase(then, seen):
    assert phases(JRC, [(DARK, 3), *then]) == [Phase.REST, *seen]


def test_a_blink_that_ends_dark_did_not_send():
    assert phases(JRC, [(DARK, 3), (LIT, 3), *blinking(1, 20), (DARK, 9)]) == [
        Phase.REST,
        Phase.PRESSED,
        Phase.BLINKING,
        Phase.REST,
    ]


@pytest.mark.parametrize(
    ("after", "seen"),
    [
        (blinking(1, 20), [Phase.BLINKING]),
        ([*blinking(1, 20), (LIT, 3)], [Phase.BLINKING, Phase.SENT]),
        ([(LIT, 9)], [Phase.BLINKING]),
        ([(DARK, 9), (LIT, 9)], [Phase.BLINKING, Phase.REST, Phase.PRESSED]),
        ([(DARK, 3), *blinking(1, 20)], [Phase.BLINKING, Phase.REST]),
    ],
)
def test_a_lamp_out_of_sight_is_where_it_was_or_nowhere(after, seen):
    """A test of 53 minutes outlives a lost link; what happened meanwhile is not guessed."""
    before = [(DARK, 3), (LIT, 3), *blinking(1, 20)]
    assert phases(JRC, [*before, (None, 5), *after]) == [Phase.REST, Phase.PRESSED, *seen]


@pytest.mark.parametrize("poll_s", [0.41, 0.5, 1.0, 2.0])
def test_polls_too_far_apart_for_a_blink_tell_nothing(poll_s):
    """At a poll each half second a lamp of 2 Hz looks steady."""
    assert phases(JRC, JRC_TEST, poll_s=poll_s) == []


def test_it_knows_whether_the_lamp_was_out_of_sight():
    reader = LampReader(JRC)
    assert reader.is_blind(100.0)
    reader.see(DARK, 100.0)
    assert not reader.is_blind(100.3)
    assert reader.is_blind(100.5)
    reader.see(DARK, 100.3)
    assert not reader.is_blind(100.5)
    reader.see(DARK, 101.0)
    assert reader.is_blind(101.0)


def test_time_that_goes_back_is_no_rest():
    reader = LampReader(JRC)
    for number in range(40):
        assert reader.see(DARK, 100.0 - number) is None


SAMPLES = st.lists(
    st.tuples(
        st.sampled_from([LIT, DARK]),
        st.one_of(st.floats(0, 0.4), st.floats(-5, 5), st.sampled_from([0.1, 0.25, 0.4, 2.0])),
    ),
    max_size=120,
)
BEFORE = {
    Phase.REST: {None, *Phase},
    Phase.PRESSED: {Phase.REST, Phase.PRESSED, Phase.BLINKING},
    Phase.BLINKING: {Phase.PRESSED, Phase.BLINKING},
    Phase.SENT: {Phase.BLINKING, Phase.SENT},
}


@given(SAMPLES, st.sampled_from([JRC, SAILOR]))
def test_no_samples_raise_anything_and_none_makes_a_phase_without_rest_first(given_, profile):
    reader = LampReader(profile)
    at_s, before = 0.0, None
    for state, step_s in given_:
        at_s += step_s
        phase = reader.see(state, at_s)
        if phase is not None:
            assert before in BEFORE[phase]
            before = phase


DWELLS = st.lists(st.tuples(st.sampled_from([LIT, DARK]), st.sampled_from([0.3, 0.5, 1, 3])))


@given(DWELLS, st.sampled_from([JRC, SAILOR]))
def test_whatever_a_lamp_shows_no_phase_comes_without_the_one_before(shows, profile):
    if not shows:
        return
    found = phases(profile, shows)
    assert found[:1] in ([], [Phase.REST])
    for earlier, later in itertools.pairwise(found):
        assert earlier in BEFORE[later]


def test_a_lamp_that_shows_the_same_at_rest_and_pressed_is_no_lamp():
    with pytest.raises(ValidationError, match="tells nothing"):
        LampProfile(at_rest=DARK, when_pressed=DARK)


def test_a_unit_that_reconnects_between_dark_and_lit_takes_nothing_away():
    assert phases(JRC, [(DARK, 3.0), (None, 1.5), (LIT, 3.0)]) == [Phase.REST, Phase.PRESSED]


def test_a_lamp_out_of_sight_for_long_begins_anew():
    assert phases(JRC, [(DARK, 3.0), (None, 6.0), (LIT, 3.0)]) == [Phase.REST]
