"""Proofs of RFC 6962 hold for every tree, and for no other leaf, size or root."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.record.merkle import Tree, leaf_hash
from daemon.record.proofs import Leaves, check_consistency, check_inclusion, consistency

BODIES = [f"entry {number}".encode() for number in range(130)]
LEAVES = Leaves(BODIES)


def tree(size: int) -> Tree:
    made = Tree()
    for body in BODIES[:size]:
        made = made.grown(body)
    return made


def test_roots_are_those_of_the_growing_tree():
    for size in range(1, len(BODIES) + 1):
        assert LEAVES.root(size) == tree(size).root()


def test_every_leaf_of_every_tree_is_proven_and_no_other():
    for size in range(1, 40):
        root = LEAVES.root(size)
        for index in range(size):
            path = LEAVES.inclusion(index, size)
            assert check_inclusion(leaf_hash(BODIES[index]), index, size, path, root)
            assert not check_inclusion(leaf_hash(b"other"), index, size, path, root)
            assert not check_inclusion(leaf_hash(BODIES[index]), index + 1, size, path, root)
            assert not check_inclusion(leaf_hash(BODIES[index]), index, size, [*path, root], root)
            if path:
                assert not check_inclusion(leaf_hash(BODIES[index]), index, size, path[:-1], root)


def test_every_growth_is_proven_and_no_other():
    other = sha256(b"other").digest()
    for size in range(1, 40):
        root = LEAVES.root(size)
        for old in range(1, size + 1):
            before, proof = LEAVES.root(old), LEAVES.consistency(old, size)
            assert check_consistency(old, before, size, root, proof)
            assert not check_consistency(old, other, size, root, proof)
            assert not check_consistency(old, before, size, other, proof)
            assert not check_consistency(old, before, size, root, [*proof, root])
            if proof:
                assert not check_consistency(old, before, size, root, proof[:-1])
                assert not check_consistency(old, before, size, root, [other, *proof[1:]])


@given(st.integers(1, 130), st.integers(1, 130))
def test_a_growth_is_proven_from_the_peaks_of_the_old_tree_and_the_new_leaves_alone(one, two):
    old, size = sorted((one, two))
    peaks, at = {}, 0
    for peak, width in zip(
        tree(old).peaks, (1 << bit for bit in reversed(range(8)) if old >> bit & 1), strict=True
    ):
        peaks[at, at + width] = peak
        at += width

    def subtree(begin: int, end: int) -> bytes:
        if end <= old:
            return peaks[begin, end]
        assert begin >= old
        made = Tree()
        for body in BODIES[begin:end]:
            made = made.grown(body)
        return made.root()

    assert consistency(old, size, subtree) == LEAVES.consistency(old, size)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (0, 131)])
def test_what_is_not_there_has_no_proof(index, size):
    with pytest.raises(ValueError, match="there is no"):
        LEAVES.inclusion(index, size)
    assert not check_inclusion(leaf_hash(b""), index, 3, [], b"")


@pytest.mark.parametrize(("old", "size"), [(0, 3), (4, 3)])
def test_a_tree_has_not_grown_from_nothing_or_from_a_larger_one(old, size):
    with pytest.raises(ValueError, match="cannot have grown"):
        LEAVES.consistency(old, size)
    assert not check_consistency(old, b"", size, b"", [])
