"""Where does a link count what it hands to nobody, and what it finds odd?

``Health`` is such a place; a port that several devices share counts for each of them. The link of a
covert source counts nowhere.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class Refused(StrEnum):
    """Why a link hands something to nobody: the whole set."""

    BINARY = "binary"
    """A datagram of files or routes (IEC 61162-450, 7.3: ``RaUdP``, ``RrUdP``), or of another protocol."""
    NO_HEADER = "no_header"
    """A datagram without ``UdPbC`` where it is required."""
    CLIENT = "client"
    """Somebody connected who is not among the senders."""


class Noticed(StrEnum):
    """What is odd about something that was taken all the same: the whole set, beside formatters."""

    DUPLICATE_SFI = "duplicate_sfi"
    """Two addresses send with one system function id by turns (IEC 61162-450: it is unique)."""
    REPLACED = "client_replaced"
    """A client connected while another was being read, and took its place."""
    TAG_CHECKSUM = "tag_checksum"
    """A TAG block whose checksum is wrong or missing: the sentence was read, the block was not."""


class Tally(Protocol):
    """Where a link counts."""

    def drop(self, reason: str) -> None:
        """Count something that was handed to nobody."""
        ...

    def notice(self, what: str) -> None:
        """Count something odd."""
        ...


class Tallies:
    """Several places at once; none is nowhere."""

    def __init__(self, each: Iterable[Tally] = ()) -> None:
        self._each = list(each)

    def add(self, tally: Tally) -> None:
        """Count there too from now on."""
        self._each.append(tally)

    def remove(self, tally: Tally) -> None:
        """Count there no longer."""
        self._each = [each for each in self._each if each is not tally]

    def drop(self, reason: str) -> None:
        for each in self._each:
            each.drop(reason)

    def notice(self, what: str) -> None:
        for each in self._each:
            each.notice(what)
