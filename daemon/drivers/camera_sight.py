"""Is there something to be seen on a camera's picture, and is it a new one? Pure, and the limits stand here.

A frozen camera is told from a still scene by the last bit: the noise of a sensor makes every picture another one, even
of an empty passage, and so does the clock that most cameras write into it. Three looks with the very same decoded
picture never come from a living sensor. The other way round it proves less: an encoder that packs the same frozen
picture anew at another quality, or a running clock over a frozen picture, looks alive. That is what the weekly look of
a person is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.model import CameraState, CameraView

if TYPE_CHECKING:
    from daemon.drivers.sdp import Codec

FROZEN_LOOKS: Final = 2
"""So many looks in a row that have the picture of the one before: three that are the same."""
BLACK: Final = 24.0
"""Mean brightness below which nothing is seen: black of video is 16 (ITU-R BT.601), and noise makes it more."""
FLAT: Final = 3.0
"""Standard deviation below which nothing is told apart; fog and a white bulkhead have more than that."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured of one decoded picture."""

    width: int
    height: int
    brightness: float
    contrast: float
    sha256: str
    """Of all its points."""


class Sight:
    """What one camera has shown, look after look."""

    def __init__(self, *, lit: bool) -> None:
        """Begin with nothing seen; ``lit`` says that a dark picture is a fault."""
        self._lit = lit
        self._sha256 = ""
        self._unchanged = 0

    def see(self, seen: Measures, *, codec: Codec, waited_s: float) -> CameraView:
        """Return what a picture shows, against the ones before it."""
        self._unchanged = self._unchanged + 1 if seen.sha256 == self._sha256 else 0
        self._sha256 = seen.sha256
        return CameraView(
            state(seen, unchanged_looks=self._unchanged, lit=self._lit),
            codec.value,
            seen.width,
            seen.height,
            seen.brightness,
            seen.contrast,
            self._unchanged,
            round(waited_s, 3),
        )


def state(seen: Measures, *, unchanged_looks: int, lit: bool) -> CameraState:
    """Judge one picture."""
    if seen.contrast < FLAT:
        if seen.brightness >= BLACK:
            return CameraState.COVERED
        # Black is black, twice over too: a sensor without light may well give the same picture again.
        return CameraState.DARK if lit else CameraState.NIGHT
    return CameraState.FROZEN if unchanged_looks >= FROZEN_LOOKS else CameraState.LIVE


def not_decoded(*, codec: Codec, waited_s: float) -> CameraView:
    """Return what is known of a whole picture that cannot be unpacked here."""
    return CameraView(
        CameraState.NOT_DECODED, codec.value, None, None, None, None, 0, round(waited_s, 3)
    )
