"""What is wrong with what a camera shows, in words? For alerts and tests alike. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.model import CameraState

if TYPE_CHECKING:
    from daemon.model import CameraView

FAULTS: Final = {
    CameraState.FROZEN: "the picture stands still",
    CameraState.COVERED: "the picture shows nothing",
    CameraState.DARK: "the picture is dark",
}
"""States in which nobody would see by this camera who comes."""
UNPROVEN: Final = {
    CameraState.NIGHT: "dark, as it may be there",
    CameraState.NOT_DECODED: "its picture cannot be unpacked here",
}
"""States that say neither."""


def fault(view: CameraView) -> str | None:
    """Return what is wrong; None where nothing is, as far as a machine can tell."""
    words = FAULTS.get(view.state)
    if words is not None and view.state is CameraState.FROZEN:
        return f"{words}: the same for {view.unchanged_looks + 1} looks"
    return words
