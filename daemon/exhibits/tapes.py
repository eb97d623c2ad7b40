"""What did a receiver's raw lines say, read again? Its own driver reads them, from the tape of an episode.

So a position that was suspect is drawn from what the receiver really sent, line by line, not from what was made of it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from daemon.drivers.nmea_nav import NavReader
from daemon.drivers.sentences import SentenceError, parse
from daemon.model import Provenance, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_LINES: Final = 24_000
"""Twenty minutes of twenty sentences a second."""
LONGEST_LINE: Final = 400
DRAWN: Final = (".fix", ".sky")


def readings(body: bytes, receiver: str) -> Iterator[Reading]:
    """Yield positions and skies as a receiver's lines tell them; what is no line of a tape is left out."""
    reader = NavReader(receiver)
    first_utc: datetime | None = None
    for line in body.split(b"\n", MOST_LINES)[:MOST_LINES]:
        stamp, _, sentence = line.strip().partition(b" ")
        at_utc = _moment(stamp)
        if at_utc is None or len(sentence) > LONGEST_LINE:
            continue
        first_utc = first_utc or at_utc
        after_s = (at_utc - first_utc).total_seconds()
        if after_s < 0:
            continue  # the clock was set back in between: nobody can say when that was
        yield from _said(reader, sentence, receiver, at_utc, after_s)


def _said(
    reader: NavReader, sentence: bytes, receiver: str, at_utc: datetime, after_s: float
) -> Iterator[Reading]:
    try:
        spoken = parse(sentence)
        read = reader.reads.get(spoken.formatter)
        seen = () if read is None else read(spoken, after_s)
    except SentenceError:
        return
    for point, value, quality in seen:
        if value is not None and point.endswith(DRAWN):
            yield Reading(
                point=point,
                value=value,
                quality=quality,
                provenance=Provenance.REPLAY,
                received_utc=at_utc,
                received_s=after_s,
                source=receiver,
            )


def _moment(stamp: bytes) -> datetime | None:
    try:
        found = datetime.fromisoformat(stamp.decode("ascii"))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.utcoffset() is not None else None
