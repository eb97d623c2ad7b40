"""Which heads of this record has the ship given away? The newest few are kept beside it, as signed notes.

A record that is restored from an older copy, or a computer that is cloned, looks in perfect order by itself. Only a
newer head that somebody else holds tells: the broker, a second copy, a printed page, or this folder, where the restored
file does not bring its heads along.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from daemon.errors import RecordError
from daemon.record import checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from daemon.record.checkpoint import Checkpoint

SUFFIX: Final = ".heads"
"""Of the folder's name, beside the record's: ``record.heads``. To put an old record back leaves it alone."""
KEPT: Final = 5
LARGEST_NUMBER: Final = 9999
"""Segments have four digits."""

HIGHEST_NUMBER: Final = 10**12
"""A higher one in a file's name was not put there by us."""

_NAME = re.compile(r"segment-(\d{4})-(\d{1,16})(?:-next-(\d{1,13})-(\d{1,13}))?\.note")


class Heads:
    """The folder of the heads that were given away."""

    def __init__(self, record: Path) -> None:
        self._folder = record.with_name(record.name + SUFFIX)

    def keep(self, head: Checkpoint, following: tuple[int, int] | None = None) -> None:
        """Keep a head and let go of the oldest; a disk that refuses costs only this.

        ``following`` are the numbers (``seq``, ``bseq``) behind the newest entry at this moment: an older record that
        is put back does not know them, and they must not be used twice.

        It is not waited for the disk: what is lost with the power is a witness, no entry.
        """
        number = segment_of(head)
        if number is None:
            return
        with suppress(OSError):
            self._folder.mkdir(mode=0o750, exist_ok=True)
            name = f"segment-{number:04d}-{head.size}.note"
            if following is not None:
                name = name.replace(".note", "-next-{}-{}.note".format(*following))
            fresh = self._folder / f".{name}"
            fresh.write_text(head.note, "utf-8")
            fresh.replace(self._folder / name)
            for _, _, path in self._files()[:-KEPT]:
                path.unlink(missing_ok=True)

    def newest(self, prefix: str, keys: Sequence[Ed25519PublicKey]) -> Checkpoint | None:
        """Return the newest head that one of these keys signed under this prefix; None where there is none."""
        for number, _, path in reversed(self._files()):
            for key in keys:
                with suppress(OSError, UnicodeDecodeError, RecordError):
                    return checkpoint.opened(_read(path), key, origin=f"{prefix}/{number}")
        return None

    def following(self) -> tuple[int, int]:
        """Return the highest numbers (``seq``, ``bseq``) that are known not to be used yet; ones where none are."""
        with suppress(OSError):
            names = map(_NAME.fullmatch, os.listdir(self._folder))  # noqa: PTH208 (as below)
            known = [(int(m[3]), int(m[4])) for m in names if m is not None and m[3]]
            known = [each for each in known if max(each) <= HIGHEST_NUMBER]
            seq, bseq = zip((1, 1), *known, strict=True)
            return max(seq), max(bseq)
        return 1, 1

    def newest_numbered(self) -> tuple[int, int]:
        """Return segment and size of the newest head with which numbers are kept; zeros where there is none."""
        with suppress(OSError):
            names = map(_NAME.fullmatch, os.listdir(self._folder))  # noqa: PTH208 (as below)
            return max(((int(m[1]), int(m[2])) for m in names if m and m[3]), default=(0, 0))
        return 0, 0

    def notes(self) -> list[str]:
        """Return all notes that are kept, the oldest first."""
        found = []
        for _, _, path in self._files():
            with suppress(OSError, UnicodeDecodeError):
                found.append(_read(path))
        return found

    def _files(self) -> list[tuple[int, int, Path]]:
        """Return segment, size and file of each, the oldest first."""
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 (one call that says what is there, or fails)
        except OSError:
            return []
        found = [match for match in map(_NAME.fullmatch, names) if match is not None]
        return sorted((int(m[1]), int(m[2]), self._folder / m[0]) for m in found)


def segment_of(head: Checkpoint) -> int | None:
    """Return the number of the segment that a head is of; None where its origin names none."""
    number = head.origin.rpartition("/")[2]
    if not number.isdecimal() or len(number) > len(str(LARGEST_NUMBER)):
        return None
    return int(number)


def _read(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read(checkpoint.LONGEST_NOTE + 1)
