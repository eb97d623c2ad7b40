"""The tree is the tree of RFC 6962."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.record.merkle import Tree

# The reference vectors of Certificate Transparency (certificate-transparency/cpp/merkletree/merkle_tree_test.cc).
LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_the_published_vectors():
    tree = Tree()
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        tree = tree.grown(bytes.fromhex(leaf))
        assert tree.root().hex() == root


def test_the_empty_tree_is_the_hash_of_nothing():
    assert Tree().root() == sha256(b"").digest()


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1 word for word."""
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + mth(leaves[:split]) + mth(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70))
def test_growing_is_the_recursive_definition(leaves: list[bytes]):
    tree = Tree()
    for leaf in leaves:
        tree = tree.grown(leaf)
    assert tree.root() == mth(leaves)
    assert Tree.from_peaks(tree.size, b"".join(tree.peaks)) == tree


@pytest.mark.parametrize(
    ("size", "stored"), [(3, bytes(32)), (2, bytes(64)), (1, bytes(31)), (0, bytes(32))]
)
def test_peaks_that_do_not_fit_the_size_are_refused(size: int, stored: bytes):
    with pytest.raises(ValueError, match=r"peaks|whole number"):
        Tree.from_peaks(size, stored)
