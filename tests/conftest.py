"""What holds for every test."""

from __future__ import annotations

import structlog
from hypothesis import settings

# rich would draw each traceback with every local variable, which takes seconds.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)
# How long one example takes is the machine's affair: a deadline would fail tests where others work beside them.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
