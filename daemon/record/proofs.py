"""How is shown that one entry stands in a tree, or that a tree only grew? Proofs of RFC 6962, sections 2.1.1 and 2.1.2.

Pure: hashes in, hashes out. Whoever checks needs no more than RFC 6962; ours are checked by Go's ``sumdb/tlog`` too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.record.merkle import Tree, leaf_hash, node_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Leaves:
    """The leaf hashes of a tree, with every complete subtree above them: proofs of any entry in logarithmic time.

    Takes twice 32 bytes an entry; a record of a million entries takes 64 MB while its proofs are made.
    """

    def __init__(self, bodies: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for body in bodies:
            self.add(leaf_hash(body))

    @property
    def size(self) -> int:
        return len(self._levels[0])

    def add(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        node, level = leaf, 0
        self._levels[0].append(leaf)
        while len(self._levels[level]) % 2 == 0:
            node = node_hash(self._levels[level][-2], node)
            level += 1
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(node)

    def root(self, size: int) -> bytes:
        """Return the root over the first entries.

        Raises:
            ValueError: There are not so many.
        """
        self._must_have(size)
        return Tree(size, tuple(self._range(*each) for each in _perfect(0, size))).root()

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the audit path of a leaf, from the bottom (RFC 6962 2.1.1, PATH).

        Raises:
            ValueError: No such leaf in a tree of that size, or no such tree.
        """
        self._must_have(size)
        return inclusion(index, size, self._range)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """Return the proof that a tree of ``old`` entries is the beginning of this one (RFC 6962 2.1.2, PROOF).

        Raises:
            ValueError: ``old`` is 0 or larger than the tree, or there is no such tree.
        """
        self._must_have(size)
        return consistency(old, size, self._range)

    def _must_have(self, size: int) -> None:
        if not 0 < size <= self.size:
            raise ValueError(f"there is no tree of {size} leaves among {self.size}")

    def _range(self, begin: int, end: int) -> bytes:
        """Return MTH(D[begin:end]) of a range as the recursion of RFC 6962 makes them: its begin is aligned."""
        level = (end - begin).bit_length() - 1
        if end - begin == 1 << level:
            return self._levels[level][begin >> level]
        split = begin + _split(end - begin)
        return node_hash(self._range(begin, split), self._range(split, end))


def inclusion(index: int, size: int, subtree: Callable[[int, int], bytes]) -> list[bytes]:
    """Return the audit path of a leaf, from the bottom (RFC 6962 2.1.1).

    Args:
        index: From 0.
        size: Of the tree.
        subtree: Returns MTH(D[begin:end]); never of a range that holds the leaf.

    Raises:
        ValueError: No such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    return _path(index, 0, size, subtree)


def consistency(old: int, size: int, subtree: Callable[[int, int], bytes]) -> list[bytes]:
    """Return the proof that a tree of ``old`` entries is the beginning of one of ``size`` (RFC 6962 2.1.2).

    Args:
        old: From 1.
        size: At least ``old``.
        subtree: Returns MTH(D[begin:end]); of what lies below ``old`` only that tree's peaks are asked for.

    Raises:
        ValueError: The sizes do not fit each other.
    """
    if not 0 < old <= size:
        raise ValueError(f"a tree of {size} cannot have grown from one of {old}")
    return _subproof(old, 0, size, subtree, whole=True)


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a path leads from a leaf's hash to a root (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            node = node_hash(sibling, node)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and node == root


def check_consistency(
    old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether a tree of ``old`` entries is the beginning of one of ``size`` (RFC 9162 2.1.4.2)."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not proof and old_root == root
    path = list(proof)
    if old & (old - 1) == 0:  # a perfect tree is its own first node
        path.insert(0, old_root)
    if not path:
        return False
    index, last = old - 1, size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and before == old_root and after == root


def _split(size: int) -> int:
    """Return the largest power of two below a size (RFC 6962 2.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def _perfect(begin: int, end: int) -> Iterable[tuple[int, int]]:
    """Yield the perfect subtrees of a tree, the largest first."""
    while begin < end:
        width = 1 << ((end - begin).bit_length() - 1)
        yield begin, begin + width
        begin += width


def _path(index: int, begin: int, end: int, subtree: Callable[[int, int], bytes]) -> list[bytes]:
    if end - begin == 1:
        return []
    split = begin + _split(end - begin)
    if index < split:
        return [*_path(index, begin, split, subtree), subtree(split, end)]
    return [*_path(index, split, end, subtree), subtree(begin, split)]


def _subproof(
    old: int, begin: int, end: int, subtree: Callable[[int, int], bytes], *, whole: bool
) -> list[bytes]:
    if old == end:
        return [] if whole else [subtree(begin, end)]
    split = begin + _split(end - begin)
    if old <= split:
        return [*_subproof(old, begin, split, subtree, whole=whole), subtree(split, end)]
    return [*_subproof(old, split, end, subtree, whole=False), subtree(begin, split)]
