"""What a test needs of the computer that it runs on."""

from __future__ import annotations

import os

import pytest


def needs(able: object, what: str) -> None:
    """Skip what this computer cannot do; on CI, where it is installed, that is a failure."""
    if able:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must be able to: {what}")
    pytest.skip(what)
