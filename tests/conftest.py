"""What holds for every test."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """Let the collector look past the tests themselves: thousands, which it would go through again and again."""
    gc.collect()
    gc.freeze()
