"""What may still be believed while GNSS SUSPECT holds? Nothing that a receiver says of where she is or how she moves.

Each such reading is marked suspect before a check, a page or a rule sees it, so whoever asks for a good position gets
none, whether he thought of GNSS or not (invariant 2). The GNSS rule itself judges by the figures, not by this mark.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from daemon.model import Fix, Motion, Quality

if TYPE_CHECKING:
    from daemon.model import Reading


def doubted(reading: Reading) -> Reading:
    """Return a reading as it counts while the position is suspect; what is no position comes back as it is."""
    if isinstance(reading.value, Fix | Motion) and reading.quality is Quality.GOOD:
        return replace(reading, quality=Quality.SUSPECT)
    return reading
