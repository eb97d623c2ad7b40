"""Do two sentences say the same of a thing, whatever they measured?"""

from __future__ import annotations

import re
from typing import Final

_FIGURE: Final = re.compile(r"(?<![A-Za-z0-9])[-+]?\d+(\.\d+)?")
"""A number that stands alone: of GPS1 the 1 stays."""


def kind_of(words: str) -> str:
    """Return words without their figures: 812 m apart and 813 m apart are one indication."""
    return _FIGURE.sub("…", words)
