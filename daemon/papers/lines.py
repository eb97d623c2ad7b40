"""How does the record itself leave the ship, so that anybody can verify it? As JSON lines with proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.errors import IspsdError
from daemon.record import export, schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEPARATE: Final = "{stem}-{number}{suffix}"


def segments(folder: Path) -> list[Path]:
    """Return the segments of a snapshot, oldest first."""
    return sorted(folder.glob(schema.SEGMENT_GLOB))


def of(segment: Path, profile: str) -> Iterator[bytes]:
    """Yield the lines of one segment.

    Raises:
        RecordError: It cannot be read.
        IspsdError: The profile withholds entries, which this version of the export cannot.
    """
    if profile not in {"full", "redacted"}:
        raise IspsdError(
            f"JSON lines for {profile} cannot be made yet: entries would have to be withheld"
        )
    return export.lines(segment, redacted=profile != "full")


def name_of(out: Path, segment: Path, *, only: bool) -> Path:
    """Return where a segment goes: the file that was named, or one a segment beside it."""
    if only:
        return out
    return out.with_name(
        SEPARATE.format(stem=out.stem, number=segment.stem.partition("-")[2], suffix=out.suffix)
    )
