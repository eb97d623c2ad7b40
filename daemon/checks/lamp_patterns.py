"""What does an SSAS unit's test lamp tell: at rest, pressed, blinking, sent?

Makers differ in polarity and in what blinking means, so that is data (``config/ssas``). The lamp is polled about
ten times a second; a poll may be missed. A phase is named only when the pattern is clear and the phases before it
were seen, from rest on: the end of somebody else's press is not the beginning of ours.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, TypeAlias

from pydantic import BaseModel, ConfigDict, model_validator

from daemon.model import LampState

if TYPE_CHECKING:
    from typing import Self

STEADY_S = 2.0
"""A lamp that blinks, 0.5 to 2 Hz, shows nothing for so long."""
LONGEST_GAP_S = 0.4
"""Between two polls; over a longer one a lamp of 2 Hz may have blinked unseen."""
SHORT_GAP_S = 5.0
"""A lamp that was steady and out of sight no longer than this goes on from where it was: a unit that reconnects."""
SHORTEST_PERIOD_S, LONGEST_PERIOD_S = 0.35, 2.4
"""Of a blink at 2 and at 0.5 Hz, with a poll's uncertainty."""
BLINK_CHANGES = 6
"""Changes that make a blink: fewer may be a finger."""


class LampProfile(BaseModel):
    """What one maker's test lamp shows, steadily, where it does not blink."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_rest: LampState
    when_pressed: LampState
    when_sent: LampState | None = None
    """After the blinking that goes with sending; None where blinking does not tell of sending."""

    @model_validator(mode="after")
    def _tells_apart(self) -> Self:
        if self.at_rest is self.when_pressed:
            raise ValueError(
                f"a lamp that is {self.at_rest} at rest and when pressed tells nothing"
            )
        return self


class Phase(StrEnum):
    """How far a press of the test button has come."""

    REST = auto()
    PRESSED = auto()
    BLINKING = auto()
    """JRC: the test goes out. SAILOR: test and covert button are both held."""
    SENT = auto()
    """It blinked, and does no more."""


class _Blinks(Enum):
    BLINKS = auto()


_BLINKS = _Blinks.BLINKS
_Pattern: TypeAlias = LampState | _Blinks
"""Steadily one or the other, or blinking."""


class LampReader:
    """Phases from the states of one lamp and their times."""

    def __init__(self, profile: LampProfile) -> None:
        self._profile = profile
        self._reached: Phase | None = None
        """The last phase that was clear, while nothing speaks against it."""
        self._resumes: Phase | None = None
        """Where it stood before the lamp was out of sight: only the same is believed."""
        self._state: LampState | None = None
        self._since_s = 0.0
        self._seen_s = 0.0
        self._changes: deque[float] = deque(maxlen=BLINK_CHANGES)
        self.gaps = 0
        """How often the lamp was out of sight since it was first seen."""

    def see(self, state: LampState, at_s: float) -> Phase | None:
        """Take what the lamp shows, and when in seconds since boot; return the phase, None while it is not clear."""
        if self._state is None or not 0 <= at_s - self._seen_s <= LONGEST_GAP_S:
            self._begin(state, at_s)
        elif state is not self._state:
            self._state, self._since_s = state, at_s
            self._changes.append(at_s)
        self._seen_s = at_s
        pattern = self._pattern(at_s)
        if pattern is None:
            return None
        self._reached = self._phase(pattern)
        self._resumes = None
        return self._reached

    def is_blind(self, now_s: float) -> bool:
        """Return whether the lamp was, or is by now, out of sight for too long."""
        return self._state is None or self.gaps > 0 or now_s - self._seen_s > LONGEST_GAP_S

    def _begin(self, state: LampState, at_s: float) -> None:
        self.gaps += self._state is not None
        is_short = at_s - self._seen_s <= SHORT_GAP_S
        # A poll or two that were lost between dark and lit take nothing away: it was dark, and now it is lit.
        if not (is_short and self._reached in {Phase.REST, Phase.PRESSED}):
            self._resumes, self._reached = self._reached or self._resumes, None
        self._state, self._since_s = state, at_s
        self._changes.clear()

    def _pattern(self, at_s: float) -> _Pattern | None:
        if self._state is not None and at_s - self._since_s >= STEADY_S:
            self._changes.clear()
            return self._state
        if len(self._changes) < BLINK_CHANGES:
            return None
        times = list(self._changes)
        periods = [later - earlier for earlier, later in zip(times, times[2:], strict=False)]
        regular = all(SHORTEST_PERIOD_S <= period <= LONGEST_PERIOD_S for period in periods)
        return _BLINKS if regular else None

    def _phase(self, pattern: _Pattern) -> Phase | None:
        profile, reached = self._profile, self._reached
        if self._resumes is not None and pattern is self._shown_in(self._resumes):
            return self._resumes
        if pattern is _BLINKS:
            return Phase.BLINKING if reached in {Phase.PRESSED, Phase.BLINKING} else None
        if reached in {Phase.BLINKING, Phase.SENT} and pattern is profile.when_sent:
            return Phase.SENT
        if pattern is profile.at_rest:
            return Phase.REST
        return None if reached is None else Phase.PRESSED

    def _shown_in(self, phase: Phase) -> _Pattern | None:
        profile = self._profile
        return {
            Phase.REST: profile.at_rest,
            Phase.PRESSED: profile.when_pressed,
            Phase.BLINKING: _BLINKS,
            Phase.SENT: profile.when_sent,
        }[phase]
