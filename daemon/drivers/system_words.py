"""Why could it not be reached? In the system's own words, where asyncio, pyserial and TLS have put others. Pure."""

from __future__ import annotations

import os
import ssl


def reason(err: Exception) -> str:
    """Return the system's own words; asyncio's and pyserial's name the address once more."""
    # The number of an error of TLS is none of the system's.
    code = err.errno if isinstance(err, OSError) and not isinstance(err, ssl.SSLError) else None
    # A name that is not found has a negative number, and words of its own.
    if code is not None and code > 0:
        return os.strerror(code)
    return getattr(err, "strerror", None) or str(err) or type(err).__name__
