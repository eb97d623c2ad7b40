"""What is to become of a command of the panel? Pure: it and the alerts that stand go in, a decision comes out.

Source: MSC.302(87) 7.3 and the makers' tables for ACN and ARC; rows are those of ``docs/alerts.md``. Number 0 means
all, and only a request (Q) or silence (S) may: alerts are acknowledged one by one (MSC.302(87) 9.8).

Who acknowledges what is acknowledged already, or takes over what he has, is no more refused than at any other station
(row 5 names what is; the stations' answer is ``already``): the two sentences crossed, or ours was lost. He is told the
alert again, which is what he did not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from daemon.alerts.lifecycle import TO_ACKNOWLEDGE, TO_TRANSFER
from daemon.bam.settings import Category
from daemon.model import AlertState, Priority

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.alerts.alert import Alert
    from daemon.drivers.nmea_words import AlertCommand

EVERYTHING: Final = 0
"""Number and instance in commands: all of them."""


class Verb(StrEnum):
    """ACN, field 5."""

    ACKNOWLEDGE = "A"
    TELL = "Q"
    TRANSFER = "O"
    SILENCE = "S"


@dataclass(frozen=True, slots=True)
class Do:
    """Carry it out for these alerts; only a silence is for more than one."""

    verb: Verb
    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell these alerts again (row 15)."""

    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuse it with ARC (row 5)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """It is not for us: nothing is done, and nobody is answered."""

    reason: str


Decision: TypeAlias = Do | Tell | Refuse | Ignore


@dataclass(frozen=True, slots=True)
class Rights:
    """What the panel may, by the ship's file.

    Attributes:
        maker: Ours; a command with another one means somebody else's alert.
        is_alone: Nobody else is on the line, so a command for somebody else's alert is a mistake, which ARC tells.
        may_take_over: It can be seen when the panel is lost, so an alert may be handed over to it.
    """

    maker: str
    category: Category
    is_alone: bool
    may_take_over: bool


def decide(command: AlertCommand, alerts: Sequence[Alert], rights: Rights) -> Decision:
    """Return what is to become of a command; ``alerts`` are those that the panel may see."""
    if not command.is_command:
        return Ignore("report")
    verb = Verb(command.command)
    if command.number == EVERYTHING:
        return _on_all(verb, alerts)
    if command.maker != rights.maker:
        return Refuse("not ours") if rights.is_alone else Ignore("of others")
    return _on_number(verb, command, alerts, rights)


def _on_number(
    verb: Verb, command: AlertCommand, alerts: Sequence[Alert], rights: Rights
) -> Decision:
    meant = tuple(
        alert
        for alert in alerts
        if alert.number == command.number and command.instance in {None, EVERYTHING, alert.instance}
    )
    if not meant:
        return Refuse("no such alert now")
    if verb is Verb.TELL:
        return Tell(meant)
    if verb is Verb.SILENCE:
        return _silence(meant)
    if not command.instance:
        return Refuse("which instance?")
    return _on_one(verb, meant[0], rights)


def _on_all(verb: Verb, alerts: Sequence[Alert]) -> Decision:
    if verb is Verb.TELL:
        return Tell(tuple(alerts))
    if verb is Verb.SILENCE:
        return Do(verb, tuple(alert for alert in alerts if alert.sounding))
    return Refuse("one alert at a time")


def _silence(meant: tuple[Alert, ...]) -> Decision:
    """Silence what sounds among them; what is silent already is told again."""
    if sounding := tuple(alert for alert in meant if alert.sounding):
        return Do(Verb.SILENCE, sounding)
    if all(alert.priority is Priority.CAUTION for alert in meant):
        return Refuse("a caution makes no sound")
    return Tell(meant)


def _on_one(verb: Verb, alert: Alert, rights: Rights) -> Decision:
    if alert.priority is Priority.CAUTION:
        return Refuse("a caution is not acknowledged")
    if rights.category is not Category.ANYWHERE:
        return Refuse("acknowledged at ispsd's own stations only")
    if verb is Verb.ACKNOWLEDGE:
        return _acknowledge(alert)
    return _transfer(alert, rights)


def _acknowledge(alert: Alert) -> Decision:
    if alert.state is AlertState.ACTIVE_ACKNOWLEDGED:
        return Tell((alert,))
    if alert.state not in TO_ACKNOWLEDGE:
        return Refuse(f"cannot be acknowledged in state {alert.state.value}")
    return Do(Verb.ACKNOWLEDGE, (alert,))


def _transfer(alert: Alert, rights: Rights) -> Decision:
    if not rights.may_take_over:
        return Refuse("the loss of this panel could not be seen")
    if alert.state is AlertState.RESPONSIBILITY_TRANSFERRED:
        return Tell((alert,))
    if alert.state not in TO_TRANSFER:
        return Refuse(f"cannot be transferred in state {alert.state.value}")
    return Do(Verb.TRANSFER, (alert,))
