"""What are the roots inside a tree that is too large for memory? Read once for blocks, again only where one is opened.

Pure but for the leaves, which it asks for: 32 bytes are kept for each block, and one block's leaves at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.record.merkle import node_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BLOCK = 1024
"""Leaves of a block: a power of two, so that every subtree of RFC 6962 is inside one block or of whole blocks."""


class Subtrees:
    """The roots of ranges of leaves as proofs ask for them, see ``daemon.record.proofs``.

    Args:
        leaves: Returns the hashes of the leaves from one index up to another.
        size: Of the whole tree.
        progress: Told how many leaves of how many were read.
    """

    def __init__(
        self,
        leaves: Callable[[int, int], Iterable[bytes]],
        size: int,
        progress: Callable[[int, int], None],
    ) -> None:
        self._leaves = leaves
        self._size = size
        self._blocks: list[bytes] = []
        self._open: tuple[int, list[bytes]] = -1, []
        for begin in range(0, size, BLOCK):
            end = min(begin + BLOCK, size)
            self._blocks.append(_root(list(leaves(begin, end))))
            progress(end, size)

    def root(self, begin: int, end: int) -> bytes:
        """Return MTH(D[begin:end]) of a range as the recursion of RFC 6962 makes them.

        Raises:
            ValueError: The leaves are not all there.
        """
        if begin % BLOCK == 0 and (end - begin >= BLOCK or end == self._size):
            return _root(self._blocks[begin // BLOCK : -(-end // BLOCK)])
        block = begin // BLOCK
        if self._open[0] != block:
            self._open = block, list(self._leaves(block * BLOCK, (block + 1) * BLOCK))
        offset = block * BLOCK
        return _root(self._open[1][begin - offset : end - offset])


def _root(nodes: list[bytes]) -> bytes:
    """Return the root over nodes of one level, of which the last may be of a smaller subtree (RFC 6962 2.1)."""
    if not nodes:
        raise ValueError("there are no leaves")
    while len(nodes) > 1:
        pairs = zip(nodes[::2], nodes[1::2], strict=False)
        odd = nodes[-1:] if len(nodes) % 2 else []
        nodes = [node_hash(left, right) for left, right in pairs] + odd
    return nodes[0]
