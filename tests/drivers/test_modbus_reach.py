"""A map that is shorter than asked, or has a hole: what is there is found, and lives."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.drivers.modbus_profile import load_profile
from daemon.drivers.modbus_reach import (
    MOST_RETRIED,
    MOST_SPANS,
    Block,
    Part,
    Reach,
    Span,
    blocks,
    joined,
)


def settled(reach, there, polls=12):
    """Let a unit that has these addresses be polled; return how many requests each poll took."""
    asked = []
    for _ in range(polls):
        asked.append(len(reach.spans))
        for span in reach.spans:
            if not set(range(span.first, span.first + span.count)) <= there:
                reach.refuse(span)
        reach.learn()
    return asked


def told(reach):
    return {n for span in reach.spans for n in range(span.first, span.first + span.count)}


@given(st.integers(1, 64), st.integers(1, 64))
@example(count=24, there=2)
@example(count=64, there=1)
def test_a_map_that_is_too_short_is_found_to_its_last_address(count, there):
    reach = Reach(Block(Part.STATES, 2, 0, count), longest=2000)
    asked = settled(reach, set(range(there)), polls=80)
    assert max(asked) <= MOST_SPANS
    assert told(reach) == set(range(min(count, there)))
    assert len(reach.spans) == 1, "what is there is asked for in one request again"


def test_a_hole_costs_one_request_more_and_no_input():
    reach = Reach(Block(Part.STATES, 2, 0, 16), longest=2000)
    there = set(range(16)) - {5}
    asked = settled(reach, there)
    assert told(reach) == there
    assert asked[-1] == 2
    assert reach.missing == (Span(5, 1),)


def test_a_unit_that_has_nothing_of_it_is_asked_for_all_in_one_request():
    reach = Reach(Block(Part.STATES, 2, 0, 16), longest=2000)
    asked = settled(reach, set())
    assert reach.is_hopeless
    assert asked[-1] == 1
    assert sum(asked) < 50


def test_a_coupler_that_refused_all_while_it_started_is_searched_for_holes_again():
    reach = Reach(Block(Part.STATES, 2, 0, 16), longest=2000)
    settled(reach, set())
    assert reach.is_hopeless
    there = set(range(12))
    settled(reach, there)
    assert told(reach) != there, "asked for as a whole, which is refused"
    reach.retry()
    settled(reach, there)
    assert told(reach) == there
    assert not reach.is_hopeless


def test_the_search_never_asks_more_than_it_may():
    for there in (set(), {0}, set(range(0, 2000, 2))):
        reach = Reach(Block(Part.STATES, 2, 0, 2000), longest=2000)
        asked = settled(reach, there, polls=200)
        assert max(asked) <= MOST_SPANS
        assert sum(asked[150:]) == 50 * asked[-1], "it comes to an end"


def test_a_passing_refusal_is_forgotten():
    reach = Reach(Block(Part.STATES, 2, 0, 16), longest=2000)
    reach.refuse(reach.spans[0])
    reach.learn()
    assert len(reach.spans) == 2
    reach.learn()
    assert reach.spans == (Span(0, 16),)


@pytest.mark.parametrize(("longest", "spans"), [(16, 1), (8, 2), (6, 3), (1, 16)])
def test_a_model_that_takes_short_requests_only_is_asked_so(longest, spans):
    reach = Reach(Block(Part.STATES, 2, 0, 16), longest=longest)
    assert len(reach.spans) == spans
    assert told(reach) == set(range(16))
    reach.learn()
    assert len(reach.spans) == spans


@given(st.lists(st.booleans(), min_size=1, max_size=70), st.data())
def test_what_came_in_pieces_is_what_would_have_come_at_once(bits, data):
    cut = data.draw(st.integers(0, len(bits)))
    block = Block(Part.STATES, 2, 0, len(bits))
    spans = [Span(first, count) for first, count in ((0, cut), (cut, len(bits) - cut)) if count]

    def payload(span):
        part = bits[span.first : span.first + span.count]
        return sum(1 << n for n, on in enumerate(part) if on).to_bytes(-(-len(part) // 8), "little")

    whole = payload(Span(0, len(bits)))
    assert joined(block, {span: payload(span) for span in spans}) == whole


def test_words_in_pieces_stand_in_their_places_and_what_is_missing_is_0():
    block = Block(Part.COUNTERS, 4, 16, 4)
    assert joined(block, {Span(1, 2): b"\x01\x02\x03\x04"}) == b"\x00\x00\x01\x02\x03\x04\x00\x00"


def test_the_states_are_read_last():
    """What is counted or latched before them is never ahead of them."""
    for name in ("moxa-iologik-e1210", "icp-das-et-2260", "moxa-iologik-e1242-loops"):
        parts = [b.part for b in blocks(load_profile(name), counters=True, latches=True)]
        assert parts[-1] is Part.STATES
        assert len(parts) > 1


def test_asking_again_for_what_is_missing_costs_no_input_that_is_there():
    reach = Reach(Block(Part.STATES, 2, 0, 24), longest=2000)
    there = set(range(24)) - set(range(8, 14))
    settled(reach, there)
    for _ in range(10):
        reach.retry()
        told_now = {
            n
            for span in reach.spans
            if {*range(span.first, span.first + span.count)} <= there
            for n in range(span.first, span.first + span.count)
        }
        assert told_now == there
        assert max(settled(reach, there)) <= 2 + MOST_RETRIED
    settled(reach, set(range(24)), polls=3)
    for _ in range(3):
        reach.retry()
        settled(reach, set(range(24)))
    assert reach.spans == (Span(0, 24),)
