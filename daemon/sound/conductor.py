"""Which signal begins now? The loudest of what sounds here, at its own pace; what is new sounds at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.sound.tones import PULSES, Signal

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


@dataclass(frozen=True, slots=True)
class Sounding:
    """An alert that sounds at this station now.

    Attributes:
        id: The alert's.
        instance: Which time it was raised.
    """

    id: str
    instance: int
    signal: Signal


class Conductor:
    """Remembers what has been sounded, and when."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Take everything as never sounded: nobody can say what of it was heard."""
        self._known: AbstractSet[Sounding] = frozenset()
        self._began_s: dict[Signal, float] = {}
        self._was_stale = False

    def due(
        self,
        sounding: AbstractSet[Sounding],
        *,
        stale: bool,
        now_s: float,
        warning_every_s: float = PULSES[Signal.WARNING].every_s,
    ) -> Signal | None:
        """Return the signal that begins now, if one does.

        Args:
            sounding: What sounds here.
            stale: Nothing is known any more, and somebody here must be told.
            now_s: The time.
            warning_every_s: How often the ship has a warning sound again.
        """
        if stale:
            is_new, self._was_stale, self._known = not self._was_stale, True, frozenset()
            return self._begin(Signal.STALE, now_s, PULSES[Signal.STALE].every_s, at_once=is_new)
        self._was_stale = False
        if not sounding:
            self._known = frozenset()
            return None
        loudest = max(each.signal for each in sounding)
        is_new = any(each.signal is loudest for each in sounding - self._known)
        self._known = sounding
        every_s = warning_every_s if loudest is Signal.WARNING else PULSES[loudest].every_s
        return self._begin(loudest, now_s, every_s, at_once=is_new)

    def _begin(
        self, signal: Signal, now_s: float, every_s: float, *, at_once: bool
    ) -> Signal | None:
        began_s = self._began_s.get(signal)
        if at_once or began_s is None or now_s - began_s >= every_s:
            self._began_s[signal] = now_s
            return signal
        return None
