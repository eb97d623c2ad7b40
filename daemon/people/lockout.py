"""How often may somebody guess? Five wrong PINs in a row, then nothing for a quarter of an hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TRIES: Final = 5
LOCKED_FOR_S: Final = 15 * 60.0


@dataclass(frozen=True, slots=True)
class Tries:
    """How the guessing stands for one secret.

    Attributes:
        wrong: Wrong ones in a row.
        locked_until_s: Seconds since boot; None: not locked since the last right one.
    """

    wrong: int = 0
    locked_until_s: float | None = None

    def locked_for_s(self, now_s: float) -> float:
        """Return how much longer it is locked; 0 where it is not."""
        return 0.0 if self.locked_until_s is None else max(0.0, self.locked_until_s - now_s)

    @property
    def left(self) -> int:
        """Return how many wrong ones are left before it is locked."""
        return TRIES - self.wrong

    def after_wrong(self, now_s: float, *, most: int = TRIES) -> Tries:
        """Return how it stands after one more wrong one; the last of so many locks, and counting begins again."""
        if self.wrong + 1 < most:
            return Tries(self.wrong + 1)
        return Tries(0, now_s + LOCKED_FOR_S)


FRESH: Final = Tries()
