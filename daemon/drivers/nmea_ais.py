"""What does the port of a class A unit say: own ship's reports, her identity, the unit's own alerts?

Source: IEC 61162-1 VDO, VDM, ALR, ALF; the messages themselves are read in ``ais``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.drivers.ais import AisFeed
from daemon.drivers.api import PointSpec
from daemon.model import AisReport, Quality

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from daemon.drivers.nmea_reader import Read, Reader, Seen
    from daemon.drivers.sentences import Sentence

OWN_REPORT_VALID_S = 540.0
"""Three reports of a moored class A unit, one in 3 min (ITU-R M.1371-5 annex 1 table 1)."""
IDENTITY_VALID_S = 900.0
"""Static data come every 6 min."""


class AisReader:
    """A class A unit."""

    def __init__(
        self,
        device: str,
        *,
        own_report_valid_s: float,
        alerts: Reader,
        give_up: Callable[[], None],
    ) -> None:
        """Know no part of a message yet; ``give_up`` is called for each that never becomes whole."""
        self._report = f"{device}.own_report"
        self._identity = f"{device}.own_identity"
        self._feed = AisFeed(give_up)
        self.points = (
            PointSpec(self._report, own_report_valid_s),
            PointSpec(self._identity, IDENTITY_VALID_S),
            *alerts.points,
        )
        self.reads: Mapping[str, Read] = {"VDM": self._read, "VDO": self._read, **alerts.reads}

    def _read(self, sentence: Sentence, now_s: float) -> Sequence[Seen]:
        own_ship = self._feed.take(sentence, now_s)
        if own_ship is None:
            return ()
        point = self._report if isinstance(own_ship, AisReport) else self._identity
        return ((point, own_ship, Quality.GOOD),)
