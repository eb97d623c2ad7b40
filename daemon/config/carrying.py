"""How does a ship's file get to the running daemon? In one line of the control socket, packed."""

from __future__ import annotations

import base64
import zlib

from daemon.config.reading import LARGEST_FILE
from daemon.errors import RefusedError


def packed(raw: bytes) -> str:
    """Return a ship's file as a request carries it: a line of the control socket is short."""
    return base64.b64encode(zlib.compress(raw, 9)).decode("ascii")


def unpacked(text: str) -> bytes:
    """Return it again, never more than a ship's file may have.

    Raises:
        RefusedError: It is none, or larger.
    """
    unpacking = zlib.decompressobj()
    try:
        raw = unpacking.decompress(base64.b64decode(text, validate=True), LARGEST_FILE)
    except (ValueError, zlib.error) as err:  # ValueError: no base64, or not even ASCII
        raise RefusedError("the file did not come whole") from err
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise RefusedError(f"the file has more than {LARGEST_FILE} bytes, or is not whole")
    return raw
