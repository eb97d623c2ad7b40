"""Where do the data files of ``config/`` live: in a checkout, in the wheel, or where the packager says?"""

from __future__ import annotations

import os
from pathlib import Path

from daemon.errors import IspsdError


def asset(relative: str) -> Path:
    """Return the path of a data file given relative to ``config/``.

    Looked for under ``$ISPSD_DATA``, then inside the installed package, then beside it in a checkout.

    Raises:
        IspsdError: No such file in any of them; the message lists the places.
    """
    package = Path(__file__).resolve().parent
    roots = [package / "_config", package.parent / "config"]
    if given := os.environ.get("ISPSD_DATA"):
        roots.insert(0, Path(given))
    for root in roots:
        if (found := root / relative).exists():
            return found
    raise IspsdError(f"data file {relative} is in none of {', '.join(map(str, roots))}")
