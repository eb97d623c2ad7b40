"""Signal K's server, from npm: ``make bench-peers``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

HOME = Path(__file__).parent / "signalk"
SERVER = HOME / "node_modules" / "signalk-server"


def version() -> str:
    """Return its version, empty where it is not installed or no Node is there."""
    package = SERVER / "package.json"
    if not package.exists() or shutil.which("node") is None:
        return ""
    return str(json.loads(package.read_text("utf-8"))["version"])
