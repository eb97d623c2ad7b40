"""What do the sentences say that make no value of a point: commands, refusals, texts?

Source: IEC 61162-1 ACK, ACN, ARC, HBT, TXT. Equipment and bridge say them to each other on a line that
we only overhear. Each is read into a type, so that one with a wrong field is counted as such.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from daemon.drivers.sentences import Dropped, Sentence, SentenceError, fields_of, number, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HIGHEST_ALERT_NUMBER = 9_999_999
HIGHEST_INSTANCE = 999_999
LONGEST_HEARTBEAT_S = 999.0
HIGHEST_TEXT_SENTENCE = 99
_ACN_FIELDS = 6
_ARC_FIELDS = 5
_HBT_FIELDS = 2
_TXT_FIELDS = 4
COMMANDS: Final = frozenset("AQOS")
"""Acknowledge, request or repeat, take over responsibility, silence."""
_COMMAND_FLAG = "C"
"""ACN: without it the sentence is a report of a command and no command."""
_MAKER = re.compile(r"[A-Z0-9]{3}", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3])[0-5]\d([0-5]\d|60)(\.\d{0,9})?", re.ASCII)
A_OR_V: Final = {"A": True, "V": False}
_SEQUENCE: Final = {str(number): number for number in range(10)}
_ESCAPED = re.compile(r"\^([2-7][0-9A-Fa-f])")
"""IEC 61162-1, 7.1.4: characters that have a meaning in a sentence are sent as their code."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """ACK: somebody acknowledges an alert of the older layout (ALR)."""

    number: int


@dataclass(frozen=True, slots=True)
class AlertCommand:
    """ACN: somebody commands equipment what to do with an alert.

    Attributes:
        time: ``hhmmss.ss`` as sent, None where there is none.
        maker: None for alert numbers of the standard.
        number: 0, with ``Q``, is all.
        is_command: Whether it is meant as a command at all.
    """

    time: str | None
    maker: str | None
    number: int
    instance: int | None
    command: str
    is_command: bool


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """ARC: equipment refuses a command; fields as in ``AlertCommand``."""

    time: str | None
    maker: str | None
    number: int
    instance: int | None
    command: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """HBT: equipment is there.

    Attributes:
        every_s: How often it says so, in seconds; None in an answer to a query.
        in_order: What it says of itself.
        sequence: 0 to 9 and again; None from equipment that leaves it out, or counts otherwise.
    """

    every_s: float | None
    in_order: bool
    sequence: int | None


@dataclass(frozen=True, slots=True)
class Text:
    """TXT: a text for people, or the status of an AIS unit by its id."""

    total: int
    number: int
    id: int
    text: str


Words: TypeAlias = Acknowledgement | AlertCommand | CommandRefused | Heartbeat | Text


def read_ack(sentence: Sentence) -> Acknowledgement:
    """Return what ACK says.

    Raises:
        SentenceError: A field cannot be read; so do the other readers.
    """
    return Acknowledgement(_known(whole(fields_of(sentence, 1)[0], HIGHEST_ALERT_NUMBER)))


def read_acn(sentence: Sentence) -> AlertCommand:
    """Return what ACN says."""
    time, maker, alert, instance, command, flag = fields_of(sentence, _ACN_FIELDS)[:_ACN_FIELDS]
    if command not in COMMANDS:
        raise SentenceError(Dropped.MALFORMED)
    return AlertCommand(*_of_alert(time, maker, alert, instance), command, flag == _COMMAND_FLAG)


def read_arc(sentence: Sentence) -> CommandRefused:
    """Return what ARC says."""
    time, maker, alert, instance, command = fields_of(sentence, _ARC_FIELDS)[:_ARC_FIELDS]
    if command not in COMMANDS:
        raise SentenceError(Dropped.MALFORMED)
    return CommandRefused(*_of_alert(time, maker, alert, instance), command)


def read_hbt(sentence: Sentence) -> Heartbeat:
    """Return what HBT says."""
    fields = fields_of(sentence, _HBT_FIELDS)
    in_order = A_OR_V.get(fields[1])
    if in_order is None:
        raise SentenceError(Dropped.MALFORMED)
    sequence = _SEQUENCE.get(fields[2]) if len(fields) > _HBT_FIELDS else None
    return Heartbeat(number(fields[0], LONGEST_HEARTBEAT_S), in_order, sequence)


def read_txt(sentence: Sentence) -> Text:
    """Return what TXT says."""
    fields = fields_of(sentence, _TXT_FIELDS)
    total, number_, id_ = (whole(text, HIGHEST_TEXT_SENTENCE) for text in fields[:3])
    if not total or not number_ or number_ > total:
        raise SentenceError(Dropped.MALFORMED)
    return Text(total, number_, _known(id_), plain_text(fields[3:]))


def plain_text(fields: list[str]) -> str:
    """Return the text at the end of a sentence, which some equipment sends with bare commas."""
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), ",".join(fields))


READERS: Final[Mapping[str, Callable[[Sentence], Words]]] = {
    "ACK": read_ack,
    "ACN": read_acn,
    "ARC": read_arc,
    "HBT": read_hbt,
    "TXT": read_txt,
}


def understood(sentence: Sentence) -> str:
    """Return the formatter of a sentence that says nothing of any point, once all of it could be read.

    Raises:
        SentenceError: It cannot be read, or is not known here.
    """
    read = READERS.get(sentence.formatter)
    if read is None:
        raise SentenceError(Dropped.UNSUPPORTED)
    read(sentence)
    return sentence.formatter


def _of_alert(
    time: str, maker: str, alert: str, instance: str
) -> tuple[str | None, str | None, int, int | None]:
    if (time and not _TIME.fullmatch(time)) or (maker and not _MAKER.fullmatch(maker)):
        raise SentenceError(Dropped.MALFORMED)
    of = _known(whole(alert, HIGHEST_ALERT_NUMBER))
    return time or None, maker or None, of, whole(instance, HIGHEST_INSTANCE)


def _known(value: int | None) -> int:
    if value is None:
        raise SentenceError(Dropped.MALFORMED)
    return value
