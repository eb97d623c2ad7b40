"""What of Node's packages a test needs; they are pinned in ``package-lock.json`` here, and nobody else needs them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.needed import needs

FOLDER = Path(__file__).parent
MODULES = FOLDER / "node_modules"


def node(package: str) -> str:
    """Return the program that runs scripts beside a package; skip, or fail on CI, where either is not there."""
    program = shutil.which("node")
    needs(program, "Node is not installed (Debian: apt install nodejs npm)")
    needs((MODULES / package).is_dir(), f"{package} is not installed: make dashboards")
    assert program is not None
    return program
