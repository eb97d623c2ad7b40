"""PINs for tests: hashed so cheaply that nobody waits, which no production code can ask for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from daemon.people import credentials, hashing
from daemon.people.credentials import ENVELOPE, Credential, Moment
from daemon.people.hashing import Hardness

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FAST = Hardness(passes=1, memory_kib=64, lanes=1)
PIN = "314159"
CODE = "K" * 20
OFFICERS = ("A. Lindqvist", "R. Menon", "J. Santos", "M. Petrov")
"""Those of the sample ship whose acts ask for a PIN."""
NOW = Moment("b00t1d00", 1000.0, datetime(2026, 11, 22, 2, 10, tzinfo=UTC))


def credential(pin: str = PIN) -> Credential:
    return Credential(hashing.hashed(pin, bytes(16), FAST))


def give_pins(path: Path, names: Iterable[str] = OFFICERS) -> None:
    """Let these persons have set the same PIN before, and let an envelope lie in the safe."""
    held = {name: credential() for name in names} | {ENVELOPE: credential(CODE)}
    credentials.write(path, credentials.content(held, NOW))


def with_pins(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request to open a window with the PINs of the two, where it says nothing of PINs."""
    by = request.get("by")
    if request["do"] == "window.open" and isinstance(by, list) and "pins" not in request:
        return {**request, "pins": [PIN for _ in by]}
    return dict(request)
