"""How long until the demo shows its first true picture, and until it has ended when somebody presses Ctrl-C?"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from bench.told import at_most

if TYPE_CHECKING:
    from pathlib import Path

    from bench.told import Told

FIRST_PICTURE = "BRIDGE INNER DR closed"
"""The first door of the sample ship, as the demo tells it."""
INTERRUPTED = 130
PATIENCE_S = 60.0


def measure(told: Told, disk: Path, *, rounds: int) -> None:
    """Say both."""
    shown, ended = zip(*(_once(disk / f"demo-{n}") for n in range(rounds)), strict=True)
    told.row("demo: start → the first true picture", shown, unit="s", budget=at_most(60))
    told.row("demo: Ctrl-C → nothing of it is left", ended, unit="s", budget=at_most(2))


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
