"""How long until the demo shows its first true picture, and until it has ended when somebody presses Ctrl-C?"""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from bench.ratios import absolute

if TYPE_CHECKING:
    from pathlib import Path

FIRST_PICTURE = "BRIDGE INNER DR closed"
"""The first door of the sample ship, as the demo tells it."""
INTERRUPTED = 130
PATIENCE_S = 60.0


def measure(disk: Path, *, rounds: int) -> None:
    """Print both, each the median of the rounds with its spread."""
    shown, ended = zip(*(_once(disk / f"demo-{n}") for n in range(rounds)), strict=True)
    absolute("demo: start to the first true picture", _said(shown), budget="<= 60 s")
    absolute("demo: Ctrl-C until nothing of it is left", _said(ended), budget="<= 2 s")


def _once(state: Path) -> tuple[float, float]:
    """Run it once; return the seconds to the picture, and from Ctrl-C to the end."""
    began_s = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "daemon", "demo", "--state", str(state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        assert any(FIRST_PICTURE in line for line in demo.stdout)
        shown_s = time.monotonic()
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=PATIENCE_S)
    assert demo.returncode == INTERRUPTED
    return shown_s - began_s, time.monotonic() - shown_s


def _said(times_s: tuple[float, ...]) -> str:
    middle_s = statistics.median(times_s)
    return f"{middle_s:.1f} s ({len(times_s)} rounds: {min(times_s):.1f} to {max(times_s):.1f})"
