"""A flip that nobody read has no delay, so it must not be passed over."""

from __future__ import annotations

from bench.modbus_cpu import LATEST_NS, unseen

S = 1_000_000_000


def test_a_flip_that_was_never_read_is_found_and_one_at_the_end_may_be():
    flips = [(0, 0, 1 * S), (1, 0, 2 * S), (2, 0, 3 * S), (3, 0, 4 * S), (4, 0, 6 * S)]
    seen = [(unit, number, ns + 5) for unit, number, ns in flips]
    assert unseen(flips, seen) == []
    assert unseen(flips, [seen[0], *seen[2:]]) == [flips[1]]
    assert unseen(flips, seen[:-1]) == []  # the reader had ended
    assert unseen([*flips, (5, 0, 6 * S + 5 - LATEST_NS // 2)], seen) == []


def test_a_reader_that_saw_nothing_missed_all():
    assert unseen([(0, 0, S)], []) == [(0, 0, S)]
