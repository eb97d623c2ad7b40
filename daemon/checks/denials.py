"""Does a free answer deny, or name a proof, or say neither? Pure.

A person who is asked for a proof and has none says so in many ways; only a clear *no* denies, and whatever else begins
as a denial does proves nothing: it is asked for again.
"""

from __future__ import annotations

import re
from typing import Final

_DENIES: Final = re.compile(r"no\s*(?:$|[,;:]|\.\s*$|[-–—]\s)", re.IGNORECASE)
_BEGINS_AS_DENIAL: Final = re.compile(
    r"(?:no|not|none|nil|nothing|nobody|never|negative|unknown|pending)\b|(?:n|n/?a|[-–—?.]+)\s*$",
    re.IGNORECASE,
)


def denies(text: str) -> bool:
    """Return whether an answer is *no*, alone or with what follows behind a comma or the like."""
    return _DENIES.match(text.strip()) is not None


def says_neither(text: str) -> bool:
    """Return whether an answer begins as a denial and is no clear one: *not yet*, *none*, *No 4711 of 0231Z*."""
    said = text.strip()
    return _BEGINS_AS_DENIAL.match(said) is not None and not denies(said)
