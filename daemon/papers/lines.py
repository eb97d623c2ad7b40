"""How does the record itself leave the ship, so that anybody can verify it? As JSON lines with proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.record import export, schema, snapshot
from daemon.record.export import Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SEPARATE: Final = "{stem}-{number}{suffix}"


def segments(folder: Path, seq: int | None = None) -> list[Path]:
    """Return the segments of a snapshot, oldest first; of one entry the segment that holds it.

    Raises:
        RecordError: They cannot be read, or none holds it.
    """
    found = sorted(folder.glob(schema.SEGMENT_GLOB))
    return found if seq is None else [snapshot.holding(found, seq)]


def of(
    segment: Path, profile: str, *, seq: int | None, progress: Callable[[int, int], None]
) -> Iterator[bytes]:
    """Yield the lines of one segment.

    Args:
        segment: The file.
        profile: How much of it.
        seq: Of an excerpt, the entry that is wanted.
        progress: Told how many entries of how many are done.

    Raises:
        RecordError: It cannot be read.
    """
    wanted = Profile(profile)
    chosen = (seq,) if wanted is Profile.EXCERPT and seq is not None else None
    return export.lines(segment, profile=wanted, entries=chosen, progress=progress)


def name_of(out: Path, segment: Path, *, only: bool) -> Path:
    """Return where a segment goes: the file that was named, or one a segment beside it."""
    if only:
        return out
    return out.with_name(
        SEPARATE.format(stem=out.stem, number=segment.stem.partition("-")[2], suffix=out.suffix)
    )
