"""May this be somebody's PIN? Digits for the watch; more for those whose PIN signs."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from daemon.errors import RefusedError
from daemon.people.authority import COMMAND

if TYPE_CHECKING:
    from daemon.model import Role

SHORTEST: Final = 6
LONGEST_DIGITS: Final = 12
LONGEST: Final = 64
_DIGITS = re.compile(rf"[0-9]{{{SHORTEST},{LONGEST_DIGITS}}}")


def rule(roles: frozenset[Role]) -> str:
    """Return in words what a person's PIN must be."""
    if roles & COMMAND:
        return f"{SHORTEST} to {LONGEST} characters, not all the same and no run such as 123456"
    return f"{SHORTEST} to {LONGEST_DIGITS} digits, not all the same and no run such as 123456"


def check(pin: str, roles: frozenset[Role]) -> None:
    """Refuse what cannot be this person's PIN; the PIN itself is never in the reason.

    Raises:
        RefusedError: With the rule.
    """
    if roles & COMMAND:
        well_formed = SHORTEST <= len(pin) <= LONGEST and pin.isprintable()
    else:
        well_formed = _DIGITS.fullmatch(pin) is not None
    if not well_formed or _is_trivial(pin):
        raise RefusedError(f"a PIN has {rule(roles)}")


def _is_trivial(pin: str) -> bool:
    """Return whether each character follows the one before by the same small step: 000000, 123456, 654321, 234567."""
    steps = {(ord(b) - ord(a)) for a, b in pairwise(pin)}
    # 890123 is a run too: on a keypad 0 follows 9.
    around = {step % 10 for step in steps} if pin.isdigit() and pin.isascii() else steps
    return any(len(found) == 1 and found <= {0, 1, -1, 9} for found in (steps, around))
