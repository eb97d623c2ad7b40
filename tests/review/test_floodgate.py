"""A flood of logins is bounded wherever it comes from, and shuts out nobody who is elsewhere."""

from __future__ import annotations

from daemon.review.floodgate import MOST_PLACES, STRANGERS_A_MINUTE, TRIES_A_MINUTE, Floodgate


def let_in(gate, place, now_s, times=1000):
    return sum(gate.lets_in(place, now_s) for _ in range(times))


def test_each_place_has_its_own_room_which_comes_back_in_a_minute():
    gate = Floodgate(0.0)
    assert let_in(gate, "a", 0.0) == TRIES_A_MINUTE
    assert let_in(gate, "b", 0.0) == TRIES_A_MINUTE
    assert let_in(gate, "a", 30.0) == TRIES_A_MINUTE // 2


def test_many_strange_places_share_a_room_and_known_ones_keep_theirs():
    gate = Floodgate(0.0)
    gate.welcome("home")
    assert sum(gate.lets_in(f"10.0.0.{n}", 0.0) for n in range(1000)) == STRANGERS_A_MINUTE
    assert not gate.lets_in("a new one", 0.0)
    assert let_in(gate, "home", 0.0) == TRIES_A_MINUTE
    assert gate.lets_in("a new one", 60.0)


def test_whoever_has_more_addresses_than_are_kept_gains_no_more_than_strangers_have():
    gate = Floodgate(0.0)
    places = [f"place {n}" for n in range(MOST_PLACES + 1)] * 3
    assert sum(gate.lets_in(each, 0.0) for each in places) == STRANGERS_A_MINUTE
