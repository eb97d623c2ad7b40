"""What does the port say, and what does it make of what it hears? Everything but the wire and the acts. Pure.

No I/O and no clock: every call is told the time, and ``wake_s`` says when it wants to be called again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import cycle
from typing import TYPE_CHECKING, Final, NamedTuple

from daemon.bam import codec
from daemon.bam.commands import Do, Ignore, Refuse, Rights, Tell, Verb, decide
from daemon.bam.layouts import FIRST_OWN_NUMBER, Alf, Alr
from daemon.bam.outbox import Line, Outbox, Pace
from daemon.bam.panel import Panel
from daemon.bam.settings import Mode
from daemon.drivers.nmea_words import READERS as READ
from daemon.drivers.nmea_words import Acknowledgement, AlertCommand, CommandRefused, Heartbeat
from daemon.drivers.sentences import Dropped, SentenceError, parse
from daemon.model import AlertState, Classification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from daemon.alerts.alert import Alert
    from daemon.bam.commands import Decision
    from daemon.bam.settings import BamSection
    from daemon.drivers.sentences import Sentence

COMMANDS_A_SECOND: Final = 10.0
"""More than a person presses, and about what a line of 4800 Bd can carry."""
MOST_COMMANDS_AT_ONCE: Final = 60
"""A panel that was restarted may ask for each alert by itself."""
HANGS_S: Final = 2.0
"""The watch goes on each second: without that for so long our heartbeat says that we are not in order."""
TOO_MANY: Final = "too_many"
UNSAYABLE: Final = "unsayable"
"""An alert of ours that has no place in a sentence."""
ADDRESSED_ELSEWHERE: Final = "addressed_elsewhere"


class Asked(NamedTuple):
    """Something that the panel asks for, and by which command: if it is refused, that is named."""

    do: Do
    command: AlertCommand


@dataclass(slots=True)
class Allowance:
    """How many commands may still come at once."""

    left: float = MOST_COMMANDS_AT_ONCE
    counted_s: float = 0.0

    def take(self, now_s: float) -> bool:
        """Return whether one more is taken now."""
        grown = self.left + max(0.0, now_s - self.counted_s) * COMMANDS_A_SECOND
        self.left, self.counted_s = min(float(MOST_COMMANDS_AT_ONCE), grown), now_s
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True


def may_be_seen(alert: Alert) -> bool:
    """Return whether an alert may go out: of what only the SSO sees, nothing does (invariants 1 and 14)."""
    return alert.show is Classification.WATCH


class Port:
    """The port, between the alerts and the wire."""

    def __init__(
        self,
        section: BamSection,
        *,
        alerts: Callable[[], Iterable[Alert]],
        progress: Callable[[], int],
        now_s: float,
        is_hidden: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take the ship's settings.

        Args:
            section: Of the ship's file.
            alerts: Returns every open alert of the ship; those that may not be seen are left out here.
            progress: Grows while the watch is kept: our heartbeat says what it is worth (invariant 7).
            now_s: Seconds since boot.
            is_hidden: Whether the curtain is down: the panel stands on an open bridge and shows nothing then.
        """
        self._is_hidden = is_hidden
        self._section = section
        self._alerts = alerts
        self._progress = progress
        self._progressed = -1
        self._beaten_s = float("-inf")
        self.dropped: Counter[str] = Counter()
        """What was heard and counts for nothing, by reason."""
        self.heard = 0
        """How many sentences of the panel were read."""
        self.heard_s: float | None = None
        """Seconds since boot when the last one was."""
        self.panel = Panel(section.heartbeat_expected, now_s)
        self._outbox = Outbox(Pace(section.pace_baud))
        self._alr = Alr(section) if section.mode is Mode.ALR else None
        self._layout = self._alr or Alf(section)
        self._beats = cycle(range(codec.MESSAGES))
        self._beat_s = self._list_s = now_s
        self._allowance = Allowance(counted_s=now_s)
        self._rights = Rights(
            maker=section.maker or "",
            category=section.category,
            is_alone=section.group is None,
            may_take_over=section.may_take_over,
        )

    def opened(self, now_s: float) -> None:
        """Begin anew: the line is open, and whoever is there may have missed everything."""
        standing = self._standing()
        self._outbox.first.clear()
        self._outbox.cyclic.clear()
        self._outbox.alerts.start_anew(standing)
        self._beat_s = self._list_s = now_s

    def changed(self, alert: Alert) -> None:
        """Take an alert that has changed."""
        if may_be_seen(alert):
            # Behind the curtain what the panel shows is taken off it, and what is new it does not hear of.
            gone = replace(alert, state=AlertState.NORMAL) if self._is_hidden() else alert
            self._outbox.alerts.put(gone)

    def take(self, now_s: float) -> tuple[Line, ...]:
        """Return what is to be sent now; nothing while the line is busy, or where nothing waits."""
        self._look(now_s)
        if now_s < self._outbox.pace.free_s:
            return ()
        lines: tuple[Line, ...] = ()
        while not lines and (found := self._outbox.take()) is not None:
            lines = (found,) if isinstance(found, Line) else self._written(found, now_s)
        self._outbox.pace.take(lines, now_s)
        return lines

    def wake_s(self) -> float:
        """Return when there is something to do again, in seconds since boot."""
        due_s = min(self._beat_s, self._list_s)
        if not self._outbox.is_empty:
            due_s = min(due_s, self._outbox.pace.free_s)
        # A line that is busy is not looked at before it is free.
        return max(due_s, self._outbox.pace.free_s)

    def hear(self, line: bytes, now_s: float, now_utc: datetime) -> Asked | None:
        """Take one line of the panel; return what it asks for, if it is more than an answer."""
        try:
            sentence = parse(line)
            if self._is_for_others(sentence):
                self.dropped[ADDRESSED_ELSEWHERE] += 1
                return None
            return self._take_sentence(sentence, now_s, now_utc)
        except SentenceError as err:
            self.dropped[err.reason.value] += 1
            return None

    def refuse(self, command: AlertCommand, now_utc: datetime) -> None:
        """Answer a command with ARC, which repeats it."""
        if self._alr is not None:
            return  # the older layout has no refusal: what stands is told again
        refused = CommandRefused(
            codec.time_of(now_utc),
            command.maker,
            command.number,
            command.instance,
            command.command,
        )
        self._outbox.first.append(Line(codec.arc(self._section.talker, refused)))

    def tell_again(self, alerts: Iterable[Alert]) -> None:
        """Tell these alerts again, description and all (row 15), as they stand now."""
        standing = {(alert.number, alert.instance): alert for alert in self._standing()}
        for alert in alerts:
            if (now := standing.get((alert.number, alert.instance))) is not None:
                self._outbox.alerts.put(now, whole=True)

    def _standing(self) -> list[Alert]:
        if self._is_hidden():
            return []
        return [alert for alert in self._alerts() if may_be_seen(alert)]

    def _written(self, found: int | tuple[Alert, bool], now_s: float) -> tuple[Line, ...]:
        """Put a number of the list, or an alert, into sentences as it stands now."""
        standing = self._standing()
        try:
            if isinstance(found, int):
                sentences = self._layout.listed(found, standing, now_s=now_s)
            else:
                alert, whole = found
                sentences = self._layout.told(alert, standing, whole=whole, now_s=now_s)
        except ValueError:  # one that no sentence can tell must not keep the others from being told
            self.dropped[UNSAYABLE] += 1
            return ()
        return tuple(Line(text, n, len(sentences)) for n, text in enumerate(sentences, start=1))

    def _look(self, now_s: float) -> None:
        """Let what has its time be sent."""
        if now_s >= self._beat_s:
            self._beat(now_s)
        if now_s >= self._list_s:
            self._list_s = now_s + self._section.alc_s
            if not self._outbox.cyclic:
                self._outbox.cyclic.extend(self._layout.cyclic(self._standing()))

    def _beat(self, now_s: float) -> None:
        """Let a heartbeat be sent that says whether the watch goes on, once it had time to."""
        progress = self._progress()
        goes_on = progress > self._progressed
        if not goes_on and now_s - self._beaten_s < HANGS_S:
            self._beat_s = self._beaten_s + HANGS_S  # the line broke, and was opened again at once
            return
        self._beaten_s, self._progressed = now_s, progress
        self._beat_s = now_s + self._section.hbt_s
        beat = Heartbeat(self._section.hbt_s, goes_on, next(self._beats))
        self._outbox.first.append(Line(codec.hbt(self._section.talker, beat)))

    def _is_for_others(self, sentence: Sentence) -> bool:
        tag = sentence.tag
        if tag is None or self._section.group is None:
            return False
        own = self._section.own_sfi
        return tag.source == own or tag.destination not in {None, own}

    def _take_sentence(self, sentence: Sentence, now_s: float, now_utc: datetime) -> Asked | None:
        if sentence.formatter not in {"ACN", "ACK", "HBT"}:
            raise SentenceError(Dropped.UNSUPPORTED)
        is_link_check = sentence.formatter == "ACK" and sentence.fields == [""]
        # Some older panels say that they are there by an ACK of nothing.
        said = (
            Heartbeat(None, in_order=True, sequence=None)
            if is_link_check
            else READ[sentence.formatter](sentence)
        )
        self.heard, self.heard_s = self.heard + 1, now_s
        if isinstance(said, Heartbeat):
            self.panel.beat(said.every_s, in_order=said.in_order, now_s=now_s)
            return None
        if not self._allowance.take(now_s):
            self.dropped[TOO_MANY] += 1
            return None
        command = self._command(said, now_s)
        return None if command is None else self._carry_out(command, now_utc)

    def _command(self, said: object, now_s: float) -> AlertCommand | None:
        """Return the command that was heard, as ACN has it; None where it is not of this mode, or means nothing."""
        if isinstance(said, AlertCommand) and self._alr is None:
            return said
        if not isinstance(said, Acknowledgement) or self._alr is None:
            raise SentenceError(Dropped.UNSUPPORTED)
        meant = self._alr.meant(said.number, now_s)
        if meant is None:
            self.tell_again(
                a for a in self._standing() if a.number == said.number + FIRST_OWN_NUMBER
            )
            return None
        maker = self._section.maker
        return AlertCommand(
            None, maker, meant.number, meant.instance, Verb.ACKNOWLEDGE.value, is_command=True
        )

    def _was_read(self, alert: Alert) -> bool:
        """Return whether what is acknowledged or taken is what was shown: ACN does not say how loud that was."""
        return self._alr is not None or self._outbox.alerts.was_told(alert)

    def _carry_out(self, command: AlertCommand, now_utc: datetime) -> Asked | None:
        rights = self._rights
        decision: Decision = decide(
            replace(command, maker=command.maker or ""), self._standing(), rights
        )
        match decision:
            case Do(Verb.ACKNOWLEDGE | Verb.TRANSFER, (alert,)) if not self._was_read(alert):
                self.tell_again([alert])
            case Do():
                return Asked(decision, command)
            case Tell(alerts):
                self.tell_again(alerts)
            case Refuse():
                self.refuse(command, now_utc)
            case Ignore(reason):
                self.dropped[reason] += 1
        return None
