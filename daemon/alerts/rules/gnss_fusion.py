"""Do two witnesses that have nothing to do with each other speak against the position?

Source: no IMO threshold exists. One indication alone has too many innocent causes, so two *independent* ones make the
position suspect. Independent are findings that rest on different witnesses, what the receivers' figures are held
against: findings that rest on the same one count once (decision 0022). Pure: every call is told the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from daemon.model import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable

WITNESSES_WANTED = 2
STANDS_AFTER_S = 60.0
"""The on-delay of GNSS SUSPECT in the catalogue: what passes sooner was never told."""
ENDS_AFTER_S = 600.0
"""Its off-delay: so long without two witnesses, and the episode is over."""
HOLD_OFF_S = 1800.0
"""One cause alarms at most so often; what comes again sooner is shown as a caution, with its count."""


class Witness(StrEnum):
    """What a receiver's figures are held against."""

    SIGNAL = "signal"
    """The satellites' signals at the antenna of one receiver: each receiver's is a witness of its own."""
    PATH = "path"
    """Where the same receiver was a moment ago: again each receiver's is one of its own."""
    RECEIVER = "receiver"
    """The other receiver."""
    LOG = "log"
    """Log and compass, which know nothing of satellites."""
    CLOCK = "clock"
    """This computer's clock."""
    HEIGHT = "height"
    """The surface of the sea."""
    AIS = "ais"
    """The AIS unit, whose own receiver has its own antenna (IEC 61993-2)."""


OF_ONE_RECEIVER = frozenset({Witness.SIGNAL, Witness.PATH})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that speaks against the position.

    Attributes:
        words: What was seen, as an officer reads it.
        receiver: Whose signal or path it is; empty where the witness is the ship's, or the receiver is not known.
    """

    witness: Witness
    words: str
    receiver: str = ""


def causes(findings: Iterable[Finding]) -> frozenset[str]:
    """Return the independent causes behind the findings; what may be another's consequence is not one.

    A loss of signal that cannot be laid to one receiver (the AIS unit says that its external one is gone) is no
    second cause where a receiver has lost its signal.
    """
    named = {_cause(each) for each in findings}
    if any(cause.startswith(f"{Witness.SIGNAL}:") for cause in named):
        named.discard(Witness.SIGNAL.value)
    return frozenset(named)


def _cause(finding: Finding) -> str:
    witness = finding.witness
    return f"{witness}:{finding.receiver}" if finding.receiver else witness.value


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How far the position can be believed at one moment.

    Attributes:
        findings: All that speaks against it now, one alone too.
        causes: How many of them are independent, by name.
        suspect: Enough of them.
        episode: The number of the episode that stands since the start, told after its delay; None between episodes.
        onset_s: When that began, in seconds since boot.
        at_most: How loud it may be told; None leaves that to the catalogue.
        sounded: The episode that stands has been told as loud as that.
        times: How often the same was raised since it last alarmed, this time among them.
    """

    findings: tuple[Finding, ...] = ()
    causes: frozenset[str] = frozenset()
    suspect: bool = False
    episode: int | None = None
    onset_s: float | None = None
    at_most: Priority | None = None
    sounded: bool = False
    times: int = 1

    @property
    def words(self) -> str:
        """What speaks against the position, in one line."""
        return "; ".join(finding.words for finding in self.findings)

    @property
    def doubt(self) -> str | None:
        """Why the position is in doubt, while an episode stands; None between episodes."""
        return None if self.episode is None else self.words or "not quiet for ten minutes yet"


class Fusion:
    """Follows findings over time: when an episode begins and ends, and when it may sound."""

    def __init__(self) -> None:
        self._alarmed_s: dict[str, float] = {}
        """When each cause last sounded; one entry for each cause there is, forgotten after the hold-off."""
        self._onset_s: float | None = None
        self._seen_s = 0.0
        """When there were last enough witnesses."""
        self._stands = False
        self._is_loud = False
        self._loud_s = 0.0
        self._episodes = 0
        self._times = 0
        self._is_resumed = False
        """It stands from before the start, and has not been seen since."""

    def recall(self, causes: Iterable[str], *, alarmed_s: float) -> None:
        """Take up what sounded before the daemon started; ``alarmed_s`` is when, in seconds since boot."""
        for cause in causes:
            self._alarmed_s[cause] = max(alarmed_s, self._alarmed_s.get(cause, alarmed_s))
            self._times = max(self._times, 1)

    def resume(self, *, now_s: float) -> None:
        """Take up an alert that sounded before the daemon started and still stands: it goes on as loud as it was.

        To be called after ``recall``.
        """
        self._onset_s = self._seen_s = now_s
        self._stands = self._is_loud = self._is_resumed = True
        self._loud_s = max(self._alarmed_s.values(), default=now_s)
        self._times = 1

    def judge(
        self, findings: Iterable[Finding], *, now_s: float, known_area: bool = False
    ) -> Suspicion:
        """Return how things stand; in a known interference area nothing sounds."""
        found = tuple(findings)
        behind = causes(found)
        suspect = len(behind) >= WITNESSES_WANTED
        self._forget(now_s)
        if suspect:
            self._onset_s = now_s if self._onset_s is None else self._onset_s
            self._seen_s = now_s
            if self._is_resumed:  # what the last run had of it is lost: it is kept from here on
                self._is_resumed, self._onset_s = False, now_s
                self._episodes += 1
        self._rise(behind, now_s, suspect=suspect, known_area=known_area)
        if self._onset_s is not None and not suspect:
            self._fall(now_s)
        may_sound = self._is_loud if self._stands else self._may_sound(behind, now_s)
        quiet = known_area or (self._onset_s is not None and not may_sound)
        return Suspicion(
            found,
            behind,
            suspect,
            self._episodes if self._stands else None,
            self._onset_s if self._stands else None,
            Priority.CAUTION if quiet else None,
            self._is_loud,
            self._times if self._stands else self._times + 1,
        )

    def _rise(
        self, behind: frozenset[str], now_s: float, *, suspect: bool, known_area: bool
    ) -> None:
        """Begin an episode that has lasted long enough, and let it sound where it may."""
        if self._onset_s is None:
            return
        # What held until this moment was told at this moment, though it ends with it.
        if not self._stands and now_s - self._onset_s >= STANDS_AFTER_S:
            self._stands, self._is_loud = True, False
            self._episodes += 1
            self._times += 1
        if not self._stands or not suspect or known_area:
            return
        if not self._is_loud and self._may_sound(behind, now_s):
            self._is_loud, self._loud_s = True, now_s
            self._times = 1
        if self._is_loud:
            for cause in behind:  # it is on the screens: it was told with what is there already
                self._alarmed_s[cause] = max(self._loud_s, self._alarmed_s.get(cause, 0.0))

    def _fall(self, now_s: float) -> None:
        """End an episode that has been quiet long enough; what never stood ends at once."""
        if not self._stands or now_s - self._seen_s >= ENDS_AFTER_S:
            self._onset_s, self._stands, self._is_loud = None, False, False
            self._is_resumed = False

    def _may_sound(self, behind: frozenset[str], now_s: float) -> bool:
        return any(
            now_s - self._alarmed_s.get(cause, float("-inf")) >= HOLD_OFF_S for cause in behind
        )

    def _forget(self, now_s: float) -> None:
        held = {c: s for c, s in self._alarmed_s.items() if now_s - s < HOLD_OFF_S}
        if not held and not self._stands:
            self._times = 0
        self._alarmed_s = held
