"""What does a piece of evidence hold, as far as a page can show it? Its lines, or its first bytes; never the whole.

What was received is shown as it was received: what no eye would see is written by its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.wording.terminal import shortened

if TYPE_CHECKING:
    from daemon.model import Json
    from daemon.record.entry import EvidenceReference

MOST_LINES: Final = 200
LONGEST_LINE: Final = 300
MOST_BYTES: Final = 512
"""Of what is no text."""
ROW: Final = 16
TEXTS: Final = ("text/", "application/json", "message/")
PICTURES: Final = ("image/jpeg", "image/png")


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence.

    Attributes:
        left: How many lines, or bytes, are not shown.
        of: What those are.
    """

    lines: tuple[str, ...]
    left: int = 0
    of: str = "lines"
    note: str = ""


def told(reference: EvidenceReference, body: bytes | None) -> dict[str, Json]:
    """Return a piece as it goes to the page."""
    piece = opened(reference.media, body)
    return {
        "sha256": reference.sha256,
        "size": reference.size,
        "media": reference.media,
        "here": body is not None,
        "lines": list(piece.lines),
        "left": piece.left,
        "of": piece.of,
        "note": piece.note,
    }


def opened(media: str, body: bytes | None) -> Piece:
    """Return what can be shown of a piece; None: it is not in this record."""
    if body is None:
        return Piece((), note="it is not in this record")
    if not body:
        return Piece((), note="it is empty")
    if media in PICTURES:
        return Piece((), note="a picture: fetch it to look at it")
    if not media.startswith(TEXTS):
        rows = [body[at : at + ROW] for at in range(0, min(len(body), MOST_BYTES), ROW)]
        lines = tuple(f"{ROW * place:06x}  {row.hex(' ')}" for place, row in enumerate(rows))
        return Piece(lines, max(0, len(body) - MOST_BYTES), "bytes")
    # No more is decoded than can be shown: a piece may have sixteen megabytes in one line.
    room = MOST_LINES * (LONGEST_LINE + 1) * 4
    found = body[:room].split(b"\n", MOST_LINES)
    lines = tuple(_line(each) for each in found[:MOST_LINES])
    while lines and not lines[-1]:
        lines = lines[:-1]
    count = body.count(b"\n") + (not body.endswith(b"\n"))
    return Piece(lines, max(0, count - len(lines)), "lines")


def _line(raw: bytes) -> str:
    text = raw[: 4 * LONGEST_LINE].decode("utf-8", "backslashreplace").rstrip("\r")
    cut = shortened(text, LONGEST_LINE)
    return "".join(each if each.isprintable() else f"[U+{ord(each):04X}]" for each in cut)
