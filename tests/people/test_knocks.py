"""Guesses at a door where anybody may try are counted by person and place, and bounded for all places together."""

from __future__ import annotations

import pytest

from daemon.people import hashing, knocks
from daemon.people.knocks import MOST_PLACES, STRANGE_TRIES, Knocks
from daemon.people.lockout import LOCKED_FOR_S, TRIES
from tests.people.test_proofs import PIN, WRONG, rig

WHO, OTHER = "R. Menon", "A. Lindqvist"


def guess(counted, place, times=TRIES, now_s=0.0, name=WHO):
    """Guess where it is not locked; return how often that could be done, and how often it has locked."""
    done = locks = 0
    for _ in range(times):
        if not counted.locked_for_s(name, place, now_s):
            done += 1
            locks += counted.wrong(name, place, now_s)
    return done, locks


def test_five_wrong_ones_lock_one_person_at_one_place_for_a_quarter_of_an_hour():
    counted = Knocks()
    assert guess(counted, "here", times=20) == (TRIES, 1)
    assert counted.locked_for_s(WHO, "here", 1.0) == LOCKED_FOR_S - 1.0
    assert not counted.locked_for_s(WHO, "there", 0.0)
    assert not counted.locked_for_s(OTHER, "here", 0.0)
    assert not counted.locked_for_s(WHO, "here", LOCKED_FOR_S)


def test_all_strange_places_together_have_a_few_and_what_is_his_has_its_own():
    counted = Knocks()
    counted.right(WHO, "home")
    guessed = [guess(counted, f"place {n}") for n in range(1000)]
    assert sum(done for done, _ in guessed) == STRANGE_TRIES
    assert counted.locked_for_s(WHO, "never seen", 0.0) == LOCKED_FOR_S
    assert guess(counted, "home", times=20) == (TRIES, 1)
    counted.right(WHO, "home")
    assert not counted.locked_for_s(WHO, "home", 0.0)


def test_dripping_guesses_below_the_lock_of_a_place_end_at_the_lock_of_all():
    counted = Knocks()
    guessed = [guess(counted, f"place {n}", times=TRIES - 1) for n in range(1000)]
    assert sum(done for done, _ in guessed) == STRANGE_TRIES
    assert sum(locks for _, locks in guessed) == 1


def test_no_more_places_are_kept_than_the_limit(monkeypatch):
    monkeypatch.setattr(knocks, "STRANGE_TRIES", 10**9)
    counted = Knocks()
    for number in range(10 * MOST_PLACES):
        counted.wrong(WHO, f"place {number}", 0.0)
        counted.right(WHO, f"home {number}")
    assert len(counted._tries[WHO]) == len(counted._home[WHO]) == MOST_PLACES


async def test_every_try_at_such_a_door_costs_one_hash_whoever_is_named_and_however_often(
    tmp_path, monkeypatch
):
    made = await rig(tmp_path)
    costs = []
    real = hashing.fits

    def fits(stored, pin):
        costs.append(stored.split("$")[3])
        return real(stored, pin)

    monkeypatch.setattr(hashing, "fits", fits)
    for name in (WHO, None):  # beyond the lock, too
        for _ in range(2 * TRIES):
            assert not await made.proofs.knock(name, WRONG, place="here", station="page")
    assert not await made.proofs.knock(WHO, PIN, place="here", station="page"), "locked there"
    assert await made.proofs.knock(WHO, PIN, place="there", station="page")
    assert costs == ["m=64,t=1,p=1"] * (4 * TRIES + 2)
    assert made.types() == ["login.locked"]


async def test_a_new_pin_begins_with_no_lock(tmp_path):
    made = await rig(tmp_path)
    for _ in range(TRIES):
        await made.proofs.knock(WHO, WRONG, place="here", station="page")
    await made.proofs.set(WHO, "902173", old=PIN, signs=False)
    assert await made.proofs.knock(WHO, "902173", place="here", station="page")


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.168.60.30", "192.168.60.30"),
        ("::ffff:192.168.60.30", "192.168.60.30"),
        ("fd00:60::1", "fd00:60::"),
        ("fd00:60::ffff:1", "fd00:60::"),
        ("fd00:61:0:1::1", "fd00:61:0:1::"),
        ("gangway", knocks.NOWHERE),
        ("", knocks.NOWHERE),
        (None, knocks.NOWHERE),
        (7, knocks.NOWHERE),
    ],
)
def test_a_place_is_an_address_and_of_ipv6_its_subnet(address, place):
    assert knocks.place(address) == place
