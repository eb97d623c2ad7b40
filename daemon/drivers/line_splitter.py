"""Where does a line end in a stream of bytes? No I/O."""

from __future__ import annotations

LONGEST_LINE_BYTES = 1024
OVERLONG = b""
"""Stands in the place of a line that was longer than the bound."""


class LineSplitter:
    """Bytes in, complete lines out, without their ends; CR, LF and CRLF all end a line.

    Never holds more than one line of the longest length. A line that is longer is skipped to its
    end, and ``OVERLONG`` comes out in its place; empty lines do not come out.
    """

    def __init__(self, longest_bytes: int = LONGEST_LINE_BYTES) -> None:
        self._longest_bytes = longest_bytes
        self._pending = b""
        self._is_skipping = False

    @property
    def is_within_line(self) -> bool:
        """Whether a line has begun that has not ended yet."""
        return bool(self._pending) or self._is_skipping

    @property
    def pending(self) -> bytes:
        """What has come of a line that has not ended yet; nothing of one that is longer than the bound."""
        return self._pending

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that these bytes complete."""
        if self._is_skipping:
            end = _first_line_end(data)
            if end < 0:
                return []
            self._is_skipping = False
            data = data[end:]
        data = self._pending + data
        complete = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        self._pending = data[complete:]
        longest = self._longest_bytes
        lines = [
            line if len(line) <= longest else OVERLONG
            for line in data[:complete].splitlines()
            if line
        ]
        if len(self._pending) > longest:
            self._pending = b""
            self._is_skipping = True
            lines.append(OVERLONG)
        return lines


def _first_line_end(data: bytes) -> int:
    """Return where the first line end stands, -1 where there is none."""
    ends = [at for at in (data.find(b"\n"), data.find(b"\r")) if at >= 0]
    return min(ends, default=-1)
