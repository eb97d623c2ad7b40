"""What becomes of an alert that nobody acknowledges, and when?

A warning sounds again, an alarm counts, and where the ship is on guard a warning becomes an alarm (rows 12 to 14).
Source: MSC.302(87) 6.2.2.2; IEC 62923-1 allows up to 5 minutes, makers use 30 to 300 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from daemon.model import Regime

SHORTEST_S: Final = 30.0
LONGEST_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Escalation:
    """When an alert that waits for its acknowledgement becomes more.

    Attributes:
        after_s: A warning sounds again, and an alarm counts, each so many seconds.
        promote_after_s: After so many seconds a warning becomes an alarm at level 2 or 3, or in a threat; 0: never.
    """

    after_s: float = 60.0
    promote_after_s: float = 300.0

    def promotes(self, regime: Regime) -> bool:
        """Return whether a warning that nobody acknowledges becomes an alarm now."""
        return regime.on_guard and self.promote_after_s > 0


DEFAULT: Final = Escalation()
