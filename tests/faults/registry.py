"""Every fault there is: one file each in ``cases/``, found by folder."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.fault import Fault


@cache
def faults() -> tuple[Fault, ...]:
    """Return them by name."""
    names = sorted(path.stem for path in (Path(__file__).parent / "cases").glob("[a-z]*.py"))
    return tuple(importlib.import_module(f"tests.faults.cases.{name}").FAULT for name in names)
