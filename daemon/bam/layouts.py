"""How are alerts put into sentences: as ALF with its list ALC, or in the older layout ALR? Pure.

ALR has one line for each number, and no instance: where several alerts of one number stand, one of them is shown, and
ACK means that one. It stays shown for as long as it waits to be acknowledged, so that nobody acknowledges another than
he reads (alerts are acknowledged one by one: MSC.302(87) 9.8).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import TYPE_CHECKING, Final, Protocol

from daemon.alerts.catalogue import LOUDNESS
from daemon.alerts.lifecycle import TO_ACKNOWLEDGE
from daemon.bam import codec
from daemon.bam.outbox import Line, listed
from daemon.model import AlertState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daemon.alerts.alert import Alert
    from daemon.bam.settings import BamSection

FIRST_OWN_NUMBER: Final = 10_000
"""What ALR shows of a number is how far it lies above this one."""
READ_WITHIN_S: Final = 1.0
"""Who acknowledges sooner than this after a line has changed meant what stood there before."""
ACTIVE: Final = frozenset(
    {
        AlertState.ACTIVE_UNACKNOWLEDGED,
        AlertState.ACTIVE_SILENCED,
        AlertState.ACTIVE_ACKNOWLEDGED,
        AlertState.RESPONSIBILITY_TRANSFERRED,
    }
)


class Layout(Protocol):
    """How alerts become sentences."""

    def told(
        self, alert: Alert, standing: Sequence[Alert], *, whole: bool, now_s: float
    ) -> tuple[str, ...]:
        """Return the sentences that tell an alert; none where it cannot be told."""
        ...

    def cyclic(self, standing: Sequence[Alert]) -> tuple[Line | int, ...]:
        """Return what is sent again and again: lines as they are, and numbers whose line is written when it is sent."""
        ...

    def listed(self, number: int, standing: Sequence[Alert], *, now_s: float) -> tuple[str, ...]:
        """Return the line of such a number as it stands now; none where there is nothing left to say."""
        ...


def description(alert: Alert) -> str:
    """Return what is said beside the title: what it is about, by its short name, and what there is to it."""
    return f"{alert.source.name}: {alert.detail}" if alert.detail else alert.source.name


@dataclass(slots=True)
class Alf:
    """ALF, and ALC as the list."""

    section: BamSection
    _messages: Iterator[int] = field(default_factory=lambda: cycle(range(codec.MESSAGES)))
    _lists: Iterator[int] = field(default_factory=lambda: cycle(range(codec.LISTS)))

    @property
    def _maker(self) -> str:
        return self.section.maker or ""

    def told(
        self,
        alert: Alert,
        standing: Sequence[Alert],  # noqa: ARG002 (an alert has a line of its own)
        *,
        whole: bool,
        now_s: float,  # noqa: ARG002
    ) -> tuple[str, ...]:
        telling = codec.Telling(
            time=codec.time_of(alert.changed_utc),
            category=self.section.category.value,
            priority=alert.priority.value,
            state=alert.state.value,
            maker=self._maker,
            number=alert.number,
            instance=alert.instance,
            revision=alert.revision,
            escalation=alert.escalation,
            title=alert.title,
            description=description(alert) if whole else None,
        )
        return codec.alf(self.section.talker, telling, next(self._messages))

    def cyclic(self, standing: Sequence[Alert]) -> tuple[Line | int, ...]:
        sentences = codec.alc(
            self.section.talker,
            listed(standing, self._maker),
            next(self._lists),
            per_sentence=self.section.alc_entries,
        )
        return tuple(Line(text, n, len(sentences)) for n, text in enumerate(sentences, start=1))

    def listed(self, number: int, standing: Sequence[Alert], *, now_s: float) -> tuple[str, ...]:  # noqa: ARG002
        return ()  # the list is one message, written at one time


def _of(number: int, standing: Sequence[Alert]) -> list[Alert]:
    """Return the alerts of a number of ALR."""
    return [each for each in standing if each.number - FIRST_OWN_NUMBER == number]


@dataclass(frozen=True, slots=True)
class Shown:
    """The alert that a line of ALR shows, and since when."""

    alert: Alert
    since_s: float


@dataclass(slots=True)
class Alr:
    """ALR, one line for each number."""

    section: BamSection
    _shown: dict[int, Shown] = field(default_factory=dict)

    def told(
        self,
        alert: Alert,
        standing: Sequence[Alert],
        *,
        whole: bool,  # noqa: ARG002 (ALR has one sentence)
        now_s: float,
    ) -> tuple[str, ...]:
        number = alert.number - FIRST_OWN_NUMBER
        if not 0 <= number <= codec.HIGHEST_ALR_NUMBER:
            return ()
        if of_number := _of(number, standing):
            return (self._line(number, of_number, now_s),)
        self._shown.pop(number, None)
        return (self._sentence(number, alert),)

    def cyclic(self, standing: Sequence[Alert]) -> tuple[Line | int, ...]:
        loudest_first = sorted(standing, key=lambda each: -LOUDNESS.index(each.priority))
        numbers = [alert.number - FIRST_OWN_NUMBER for alert in loudest_first]
        # What was shown and has ended unheard, while the line was shut, is nowhere but here.
        numbers = list(dict.fromkeys([*numbers, *self._shown]))
        lines = tuple(n for n in numbers if 0 <= n <= codec.HIGHEST_ALR_NUMBER)
        return lines or (Line(codec.keep_alive(self.section.talker)),)

    def listed(self, number: int, standing: Sequence[Alert], *, now_s: float) -> tuple[str, ...]:
        if of_number := _of(number, standing):
            return (self._line(number, of_number, now_s),)
        if (over := self._shown.pop(number, None)) is None:
            return ()
        return (self._sentence(number, replace(over.alert, state=AlertState.NORMAL)),)

    def meant(self, number: int, now_s: float) -> Alert | None:
        """Return the alert that an ACK of a number means; None where none is shown, or not for long enough."""
        shown = self._shown.get(number)
        if shown is None or now_s - shown.since_s < READ_WITHIN_S:
            return None
        return shown.alert

    def _line(self, number: int, alerts: Sequence[Alert], now_s: float) -> str:
        was = self._shown.get(number)
        seen = None if was is None else was.alert.instance
        # What is read and waits stays; else the newest that waits; else the newest.
        chosen = max(
            alerts,
            key=lambda each: (
                each.state in TO_ACKNOWLEDGE,
                each.state in ACTIVE,
                each.instance == seen,
                each.instance,
            ),
        )
        is_same = was is not None and seen == chosen.instance
        self._shown[number] = Shown(chosen, was.since_s if was is not None and is_same else now_s)
        return self._sentence(number, chosen)

    def _sentence(self, number: int, alert: Alert) -> str:
        is_waiting = alert.state in TO_ACKNOWLEDGE
        return codec.alr(
            self.section.talker,
            codec.Older(
                time=codec.time_of(alert.changed_utc),
                number=number,
                condition=alert.state in ACTIVE,
                acknowledged=not is_waiting,
                text=f"{alert.title}: {alert.source.name}",
            ),
        )
