"""What do the rules say, and what stands after the delays? One condition for each key and source.

A condition that stands need not be told: one that something else explains, that a person muted or that this regime does
not judge waits here, and comes up again when that may have ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.alerts.alert import alert_id
from daemon.alerts.catalogue import LOUDNESS
from daemon.alerts.dues import Dues
from daemon.alerts.explanations import Explanations
from daemon.errors import RefusedError
from daemon.model import Priority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.alerts.alert import Acknowledgement, Alert, Source
    from daemon.alerts.catalogue import AlertKind
    from daemon.alerts.explanations import Place

LOOK_AGAIN_S = 1.0
"""What was explained comes up so long after its explanation ended: what comes back with it has time to say so."""


@dataclass(slots=True)
class Condition:
    """What a rule says of one key and source.

    Attributes:
        wanted: The rule says that it holds.
        standing: It has held for its on-delay, and has not been gone for its off-delay; whether anybody is told or not.
        released: The act that a latched one waits for was done.
    """

    kind: AlertKind
    key: str
    source: Source
    wanted: bool = False
    standing: bool = False
    released: bool = False
    detail: str = ""
    acknowledged: tuple[Priority, Acknowledgement | None] | None = None
    """At which priority it was acknowledged since it began to stand, and by whom."""
    is_noted: bool = False
    noted_s: float | None = None
    at_most: Priority | None = None
    """Told no louder than this, as its rule says; None: as the catalogue has it."""

    @property
    def place(self) -> Place:
        """Return what it is known by."""
        return self.key, self.source.id

    @property
    def holds(self) -> bool:
        """Whether its rule says so, or its latch keeps it."""
        return self.wanted or (self.standing and bool(self.kind.latch) and not self.released)

    def capped(self, priority: Priority | None) -> Priority | None:
        """Return the priority of the catalogue, or what the rule caps it to."""
        if priority is None or self.at_most is None:
            return priority
        return min(priority, self.at_most, key=LOUDNESS.index)

    def covered(self, priority: Priority) -> bool:
        """Return whether somebody acknowledged it at this priority or a higher one."""
        return (
            self.acknowledged is not None
            and priority is not Priority.CAUTION
            and LOUDNESS.index(priority) <= LOUDNESS.index(self.acknowledged[0])
        )

    def end(self) -> None:
        """Forget who knew of it: when it holds again, that is news."""
        self.standing, self.released, self.is_noted = False, False, False
        self.acknowledged = None


class Conditions:
    """Every condition that a rule has ever spoken of, and when each of them is to be looked at."""

    def __init__(self, catalogue: Mapping[str, AlertKind]) -> None:
        self._catalogue = catalogue
        self._all: dict[Place, Condition] = {}
        self._dues: Dues[Place] = Dues()
        self._explanations = Explanations(catalogue)
        self._resting: dict[Place, None] = {}

    def of(self, alert: Alert) -> Condition:
        """Return the condition of an open alert."""
        return self._all[alert.key, alert.source.id]

    def find(self, place: Place) -> Condition | None:
        """Return what is known of a key and source."""
        return self._all.get(place)

    def take_up(self, alert: Alert) -> Condition:
        """Return the condition of an alert that was open before a restart; it stands unless that was rectified."""
        condition = self._known(alert.key, alert.source)
        condition.wanted = condition.standing = not alert.rectified
        condition.detail = alert.detail
        self._explanations.note(condition)
        return condition

    def say(
        self,
        key: str,
        source: Source,
        *,
        active: bool,
        now_s: float,
        detail: str,
        at_most: Priority | None,
    ) -> None:
        """Take what a rule says; it comes up after the catalogue's delay."""
        condition = self._known(key, source)
        if condition.source is not source and condition.source != source:
            self._found_elsewhere(condition, source, now_s)  # a restored one knows no bus
        if active:
            condition.detail = detail  # what is said when it is raised is what holds then
            if condition.at_most is not at_most:
                condition.at_most = at_most
                self.look_again(condition, now_s)
        if condition.wanted is active:
            return
        condition.wanted, condition.released = active, False
        if active or not condition.holds:  # what a latch keeps is told, though it is over by now
            self._dues.drop(condition.place)
        if active:
            # What stands still goes on, and is looked at: what it is told as may have changed meanwhile.
            delay_s = 0.0 if condition.standing else condition.kind.on_delay_s
            self._dues.put(condition.place, now_s + delay_s)
            # A latch without a delay keeps what is over in the same moment: a counter tells that it was.
            condition.standing |= bool(condition.kind.latch) and not delay_s
        elif not condition.standing:
            condition.end()
        elif not condition.kind.latch:
            self._dues.put(condition.place, now_s + condition.kind.off_delay_s)
        self._note(condition, now_s)

    def release(self, identifier: str, *, now_s: float) -> None:
        """Let a latched one go, told or not.

        Raises:
            RefusedError: No such latched one stands, or it still holds.
        """
        latched = (c for c in self._all.values() if c.kind.latch and c.standing)
        condition = next((c for c in latched if alert_id(*c.place) == identifier), None)
        if condition is None:
            raise RefusedError(f"there is no latched alert {identifier!r}")
        if condition.wanted:
            raise RefusedError(f"{condition.source.name} is not intact yet")
        condition.released = True
        self._dues.put(condition.place, now_s)

    def take(self, now_s: float) -> Iterator[Condition]:
        """Yield what is to be looked at by now: it begins or ends, or it may be told now."""
        for place in self._dues.take(now_s):
            yield self._all[place]

    def next_due_s(self) -> float | None:
        """Return when something is to be looked at; None for never."""
        return self._dues.next_s()

    def end(self, condition: Condition, now_s: float) -> None:
        """Let a condition stand no more; what it explained comes up."""
        self.wake(condition)
        condition.end()
        self._note(condition, now_s)

    def look_again(self, condition: Condition, at_s: float) -> None:
        """Let what stands come up; what is about to begin or to end does so anyway."""
        if condition.standing and condition.holds:
            self._dues.put(condition.place, at_s)

    def is_explained(self, condition: Condition) -> bool:
        """Return whether something that holds explains it."""
        return self._explanations.explains(condition.key, condition.source)

    def wait(self, condition: Condition) -> None:
        """Let it come up when what explains it has ended."""
        self._explanations.wait(condition.place, condition.source)

    def rest(self, condition: Condition) -> None:
        """Let it be among what rests: muted, or not judged in this regime."""
        self._resting[condition.place] = None

    def resting(self) -> list[Condition]:
        """Return what stands and is told nobody because of a person or of the regime."""
        return [self._all[place] for place in self._resting]

    def wake(self, condition: Condition) -> None:
        """Let it neither rest nor wait for the end of an explanation."""
        self._resting.pop(condition.place, None)
        self._explanations.forget(condition.place, condition.source)

    def _known(self, key: str, source: Source) -> Condition:
        """Return the condition of a key and source, which may never have held yet.

        Raises:
            KeyError: The catalogue has no such key.
        """
        condition = self._all.get((key, source.id))
        if condition is None:
            condition = Condition(self._catalogue[key], key, source)
            self._all[condition.place] = condition
        return condition

    def _found_elsewhere(self, condition: Condition, source: Source, now_s: float) -> None:
        """Take another device or bus of the same source: something else may explain it."""
        self._explanations.forget(condition.place, condition.source)
        condition.source = source
        self._note(condition, now_s)
        self.look_again(condition, now_s)

    def _note(self, condition: Condition, now_s: float) -> None:
        """Let what waited for this condition to end come up."""
        for place in self._explanations.note(condition):
            self.look_again(self._all[place], now_s + LOOK_AGAIN_S)
