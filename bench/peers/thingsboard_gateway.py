"""ThingsBoard's gateway, from PyPI in an environment of its own: ``make bench-peers``."""

from __future__ import annotations

import re
from pathlib import Path

HOME = Path(__file__).parent / ".thingsboard"


def version() -> str:
    """Return its version, empty where it is not installed."""
    for found in HOME.glob("lib/python3*/site-packages/thingsboard_gateway-*.dist-info"):
        number = re.search(r"thingsboard_gateway-(.+)\.dist-info", found.name)
        return number[1] if number else ""
    return ""
