"""Which cameras give no picture of which somebody would learn anything, and is nothing kept of what they give?

One dead switch is one alert, not eight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Said, duration
from daemon.model import CameraView
from daemon.wording.cameras import fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.alerts.rules.api import Moment
    from daemon.model import Reading
    from daemon.points.points import Change

LOST: Final = "cctv.camera"
NOT_SAVING: Final = "cctv.recording"
TOGETHER_S: Final = 60.0
"""What was lost so long before the last of all was lost by itself, and stays an alert of its own."""
LONGEST_DETAIL: Final = 400


class CamerasRule:
    """One camera, or all that hang on one thing, such as a switch or a recorder."""

    def __init__(self, cameras: Mapping[str, str], *, behind: str | None = None) -> None:
        """Watch cameras.

        Args:
            cameras: The names of the cameras, by device.
            behind: What they hang on; None for a camera alone.
        """
        self.points = frozenset(f"{id_}.view" for id_ in cameras)
        self.devices = frozenset(cameras)
        self._sources = {id_: Source(id_, name, id_, behind) for id_, name in cameras.items()}
        self._all = Source(behind, behind.upper(), behind) if behind and len(cameras) > 1 else None
        told = (*self._sources.values(), *(() if self._all is None else (self._all,)))
        self.says = frozenset((LOST, source.id) for source in told)
        self._views: dict[str, CameraView | None] = {}
        self._up: set[str] = set()
        self._lost: dict[str, tuple[float, str]] = {}
        """Since when a camera is lost, and why."""

    def take(self, reading: Reading, change: Change | None) -> None:
        id_ = reading.point.rpartition(".")[0]
        self._views[id_] = reading.value if isinstance(reading.value, CameraView) else None

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> None:
        if up:
            self._up.add(device)
            self._lost.pop(device, None)
        else:
            self._up.discard(device)
            self._lost[device] = (self._lost.get(device, (now_s, ""))[0], reason)

    def look(self, moment: Moment) -> Iterator[Said]:
        all_lost_s = None
        if self._all is not None and (self._up or self._lost):
            if self._lost.keys() == self.devices:
                all_lost_s = max(since_s for since_s, _ in self._lost.values())
            names = ", ".join(source.name for source in self._sources.values())
            detail = f"no picture of {names}"[:LONGEST_DETAIL]
            yield Said(LOST, self._all, all_lost_s is not None, detail)
        for id_, source in self._sources.items():
            if id_ in self._lost:
                since_s, reason = self._lost[id_]
                with_all = all_lost_s is not None and all_lost_s - since_s < TOGETHER_S
                yield Said(LOST, source, not with_all, f"no picture: {reason}"[:LONGEST_DETAIL])
            elif id_ in self._up and (view := self._views.get(id_)) is not None:
                words = fault(view)
                yield Said(LOST, source, words is not None, words or "")


class RecorderRule:
    """One recorder: it answers, and its newest picture is no old one."""

    def __init__(self, device: str, *, name: str, late_s: float, behind: str | None = None) -> None:
        """Watch one recorder; its newest picture may be ``late_s`` old, in seconds."""
        self._point = f"{device}.newest_age"
        self.points = frozenset({self._point})
        self.devices = frozenset({device})
        self.says = frozenset({(NOT_SAVING, device)})
        self._source = Source(device, name, device, behind)
        self._late_s = late_s
        self._lost: str | None = None
        self._age_s: float | None = None

    def take(self, reading: Reading, change: Change | None) -> None:
        self._age_s = reading.value if isinstance(reading.value, float) else None

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> None:
        self._lost = None if up else reason

    def look(self, moment: Moment) -> Iterator[Said]:
        if self._lost is not None:
            detail = f"the recorder does not answer: {self._lost}"[:LONGEST_DETAIL]
            yield Said(NOT_SAVING, self._source, active=True, detail=detail)
        elif self._age_s is not None:
            detail = f"nothing kept for {duration(self._age_s)}"
            yield Said(NOT_SAVING, self._source, self._age_s > self._late_s, detail)
