"""A witness signs what grew from what it knows, and nothing else (c2sp.org/tlog-witness)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.record.checkpoint import ED25519, Checkpoint
from daemon.record.cosignature import Request, Verifier
from daemon.record.witness import Decision, Ground, Status, decide
from tests.record.heads import FALSE, LOG, TRUE, asked, head
from tests.record.ship import KEY, ORIGIN, OTHER_KEY

FIRST = Verifier(ORIGIN, KEY.public_key(), ED25519)
SECOND = Verifier(ORIGIN, OTHER_KEY.public_key(), ED25519)


def said(request: Request, *known: Checkpoint, keys: tuple[Verifier, ...] = (FIRST,)) -> Decision:
    return decide(request, trusted={ORIGIN: keys}, heads={each.origin: each for each in known})


def test_the_first_head_of_a_log_is_signed():
    decision = said(asked(0, 5))
    assert (decision.status, decision.head) == (Status.SIGNED, head(5))


@pytest.mark.parametrize(("old", "size"), [(5, 6), (5, 8), (8, 9), (1, 200), (199, 200), (5, 5)])
def test_proven_growth_is_signed(old: int, size: int):
    assert said(asked(old, size), head(old)).head == head(size)


@pytest.mark.parametrize(("old", "size"), [(4, 8), (6, 8), (0, 8), (0, 4), (4, 4)])
def test_another_size_than_the_known_is_told_the_known(old: int, size: int):
    decision = said(asked(old, size), head(5))
    assert (decision.status, decision.size, decision.keep) == (Status.CONFLICT, 5, None)


@pytest.mark.parametrize("old", [0, 3, 5])
def test_two_heads_of_one_size_are_refused_and_kept_whatever_is_asked(old: int):
    decision = said(asked(old, 5, FALSE), head(5))
    assert (decision.status, decision.keep) == (Status.CONFLICT, Ground.TWO_HEADS)
    assert decision.refused == head(5, FALSE)


@pytest.mark.parametrize("size", [6, 8, 200])
def test_another_history_that_grew_is_refused_and_kept(size: int):
    decision = said(asked(5, size, FALSE), head(5))
    assert (decision.status, decision.keep) == (Status.NOT_GROWN, Ground.NOT_PROVEN)
    assert decision.head is None


def test_growth_without_proof_is_refused():
    assert said(replace(asked(5, 8), proof=()), head(5)).status == Status.NOT_GROWN
    assert said(replace(asked(0, 8), proof=(bytes(32),))).status == Status.NOT_GROWN
    one_more = replace(asked(5, 8), proof=(*asked(5, 8).proof, bytes(32)))
    assert said(one_more, head(5)).status == Status.NOT_GROWN


def test_the_same_head_again_is_signed_again():
    assert said(asked(5, 5), head(5)).status == Status.SIGNED


def test_a_size_beyond_the_checkpoint_is_malformed():
    assert said(Request(9, (), head(8).note), head(5)).status == Status.MALFORMED


def test_a_head_that_is_not_signed_by_the_ship_is_forbidden_and_not_kept():
    decision = said(asked(0, 5, key=OTHER_KEY))
    assert (decision.status, decision.keep) == (Status.NOT_SIGNED_BY_THE_LOG, None)
    forged = head(5).note.replace("\n5\n", "\n6\n")
    assert said(Request(0, (), forged)).status == Status.NOT_SIGNED_BY_THE_LOG


@pytest.mark.parametrize(
    "origin", ["demo/9999994/1", "ispsd/9999993/1", "demo/9999993", "demo/9999993/0", "x", ""]
)
def test_a_log_of_which_nobody_told_is_unknown(origin: str):
    assert said(asked(0, 5, origin=origin)).status == Status.UNKNOWN_LOG


@pytest.mark.parametrize("note", [f"{LOG}\n", f"{LOG}\n5\n\n", f"{LOG}\n5\nAAAA\n\n— x AAAA\n"])
def test_what_is_no_checkpoint_is_malformed(note: str):
    assert said(Request(0, (), note)).status == Status.MALFORMED


def test_the_next_segment_is_a_log_of_its_own():
    second = f"{ORIGIN}/2"
    assert said(asked(0, 3, FALSE, origin=second), head(5)).status == Status.SIGNED


def test_a_new_key_signs_only_once_a_person_trusts_it():
    second = f"{ORIGIN}/2"
    request = asked(0, 3, key=OTHER_KEY, origin=second)
    assert said(request, head(5)).status == Status.NOT_SIGNED_BY_THE_LOG
    assert said(request, head(5), keys=(FIRST, SECOND)).status == Status.SIGNED


def test_a_segment_keeps_the_key_that_it_began_with():
    both = (FIRST, SECOND)
    assert said(asked(5, 8, key=OTHER_KEY), head(5), keys=both).status == (
        Status.NOT_SIGNED_BY_THE_LOG
    )


def test_a_replaced_key_cannot_begin_a_later_segment():
    known = head(3, key=OTHER_KEY, origin=f"{ORIGIN}/2")
    stolen = asked(0, 3, key=KEY, origin=f"{ORIGIN}/3")
    assert said(stolen, known, keys=(FIRST, SECOND)).status == Status.NOT_SIGNED_BY_THE_LOG
    own = asked(0, 3, key=OTHER_KEY, origin=f"{ORIGIN}/3")
    assert said(own, known, keys=(FIRST, SECOND)).status == Status.SIGNED


def test_every_size_is_reached_from_every_smaller_one_and_by_no_other_history():
    for old in range(4, 40):
        for size in range(old, 40):
            assert said(asked(old, size, TRUE), head(old)).status == Status.SIGNED
            assert said(asked(old, size, FALSE), head(old)).status != Status.SIGNED
