import pytest

from bench.spread import Spread, percentile, pooled, pooled_ratio, ratios, turns


def test_the_middle_of_the_rounds_is_what_is_said():
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0, 3)
    assert Spread.of([4.0]) == Spread(4.0, 4.0, 4.0, 1)


def test_each_round_gives_a_ratio_of_its_own():
    # A round in which the machine was ten times slower disturbs both, and so nothing.
    assert ratios([2.0, 20.0, 2.0], [1.0, 10.0, 1.0]) == Spread(2.0, 2.0, 2.0, 3)


def test_a_round_that_one_of_the_two_did_not_finish_is_no_ratio():
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.01, 1)])
def test_a_percentile_is_a_value_that_was_seen(share, value):
    assert percentile(list(range(100, 0, -1)), share) == value


def test_a_tail_of_all_rounds_has_the_spread_of_leaving_one_out():
    seen = pooled([[1.0, 2.0], [3.0, 4.0], [100.0, 5.0]], 0.99)
    assert seen == Spread(100.0, 4.0, 100.0, 3)
    assert pooled([[1.0, 7.0]], 0.99) == Spread(7.0, 7.0, 7.0, 1)


def test_a_ratio_of_tails_leaves_the_same_round_out_of_both():
    disturbed = [[2.0], [20.0]], [[1.0], [10.0]]
    assert pooled_ratio(*disturbed, 0.99) == Spread(2.0, 2.0, 2.0, 2)


def test_each_is_first_by_turns():
    assert [turns("ab", number) for number in range(3)] == [["a", "b"], ["b", "a"], ["a", "b"]]
    assert {turns("abc", number)[0] for number in range(3)} == {"a", "b", "c"}
    assert all(sorted(turns("abc", number)) == ["a", "b", "c"] for number in range(4))
