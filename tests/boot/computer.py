"""What the story asks of the booted computer, and where it writes down what came of it; the system's own Python."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

STORY = Path("/srv/story")
"""What the host has put here, and what it reads when the computer is off."""
REPORT = STORY / "report.jsonl"
SOON_S = 120.0
LOOK_S = 0.3
"""How often systemd and the daemon are asked: a computer that boots has no event to give to its own story."""


def note(step: str, said: object, *, ok: bool) -> None:
    """Write down what a step came to."""
    with REPORT.open("a") as file:
        file.write(json.dumps({"step": step, "said": str(said), "ok": ok}) + "\n")


def run(*words: str, check: bool = True, given: str | None = None) -> str:
    """Run a command and return what it printed."""
    done = subprocess.run(words, check=False, capture_output=True, text=True, input=given)
    if check and done.returncode:
        raise RuntimeError(
            f"{' '.join(words)}: {done.returncode}: {done.stdout}{done.stderr}"[-600:]
        )
    return done.stdout + done.stderr


def until(what: str, is_so, within_s: float = SOON_S):
    """Wait until something is so, and return it."""
    ends = time.monotonic() + within_s
    while True:
        try:
            if found := is_so():
                return found
        except (RuntimeError, ValueError, KeyError, OSError):
            pass
        if time.monotonic() > ends:
            raise RuntimeError(f"{what}: not within {within_s:.0f} s")
        time.sleep(LOOK_S)


def show(name: str, unit: str = "ispsd") -> str:
    return run("systemctl", "show", "-P", name, unit).strip()


def status() -> dict:
    return json.loads(run("ispsd", "status", "--json", "--socket", "/run/ispsd/control.sock"))


def alerts(key: str = "door.escape.open") -> list[dict]:
    return [each for each in status()["alerts"] if each["id"].startswith(key)]


def door(id_: str) -> dict:
    [found] = [each for each in status()["openings"] if each["id"] == id_]
    return found
