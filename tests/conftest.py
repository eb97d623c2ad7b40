"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# How long one example takes is the machine's affair: a deadline would fail tests where others work beside them.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
