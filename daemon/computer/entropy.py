"""Everything random in one place, so that a test can take the chance out of a whole run."""

from __future__ import annotations

import random
import secrets


class Entropy:
    """Salts and session names from the operating system, jitter from a cheap generator."""

    def salt(self) -> bytes:
        """Return 16 bytes that nobody can guess."""
        return secrets.token_bytes(16)

    def token(self) -> str:
        """Return a short name that will not come again."""
        return secrets.token_hex(6)

    def jitter(self) -> float:
        """Return a number in [0, 1)."""
        return random.random()  # noqa: S311 (spreads retries in time, guards nothing)
