"""What holds for every test."""

from __future__ import annotations

import gc
import sys

SWITCH_S = 0.0001
"""A test that waits turns its loop without pause; threads that read the record must not wait 5 ms for each row."""


def pytest_configure() -> None:
    """Let threads have their turn."""
    sys.setswitchinterval(SWITCH_S)


def pytest_collection_finish() -> None:
    """Let the collector look past the tests themselves: thousands, which it would go through again and again."""
    gc.collect()
    gc.freeze()
