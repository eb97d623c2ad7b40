"""How do entries become one number that a checkpoint can sign?

The tree of Certificate Transparency (RFC 6962 section 2.1): leaves and nodes are hashed with
different first bytes, so that no node can be passed off as an entry. Only the peaks are kept, one
for each bit of the size: a tree of a million entries is 640 bytes at most, and grows by one leaf in
constant time on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HASH_BYTES = 32


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf (RFC 6962 2.1: first byte 0x00)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 6962 2.1: first byte 0x01)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree as its peaks: the roots of its perfect subtrees, the largest first.

    Raises:
        ValueError: Not one peak for each bit of the size.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size.bit_count() != len(self.peaks):
            raise ValueError(f"a tree of {self.size} leaves cannot have {len(self.peaks)} peaks")

    @classmethod
    def from_peaks(cls, size: int, stored: bytes) -> Tree:
        """Return the tree whose peaks were stored end to end.

        Raises:
            ValueError: The bytes are not the peaks of a tree of that size.
        """
        if len(stored) % HASH_BYTES:
            raise ValueError(f"{len(stored)} bytes are no whole number of hashes")
        starts = range(0, len(stored), HASH_BYTES)
        return cls(size, tuple(stored[start : start + HASH_BYTES] for start in starts))

    def grown(self, entry: bytes) -> Tree:
        """Return the tree with one more entry."""
        return self.grown_by((entry,))

    def grown_by(self, entries: Iterable[bytes]) -> Tree:
        """Return the tree with more entries, in their order."""
        size, peaks = self.size, list(self.peaks)
        for entry in entries:
            node, level = leaf_hash(entry), size
            while level & 1:  # a peak as high as the node: they become one, a level up
                node, level = node_hash(peaks.pop(), node), level >> 1
            peaks.append(node)
            size += 1
        return Tree(size, tuple(peaks))

    def root(self) -> bytes:
        """Return the root (RFC 6962 2.1, MTH); of no leaves, the hash of nothing."""
        if not self.peaks:
            return sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root
