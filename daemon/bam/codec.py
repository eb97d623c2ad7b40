"""How is an alert written for a bridge alert management? Sentences out, and nothing else.

Source: IEC 61162-1 ALF, ALC, ARC, HBT, ALR; framing and reserved characters of its section 7. A sentence has at most 82
characters with CR LF; what does not fit is cut at the end of its text. Returned sentences have no line end yet. What
would be no sentence is refused: nothing that is wrong goes out to equipment that others rely on.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, Final

from daemon.drivers.alert_layouts import AlcEntry, AlcHead, Alf, Alr
from daemon.drivers.nmea_words import COMMANDS, HIGHEST_ALERT_NUMBER, HIGHEST_INSTANCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from daemon.drivers.nmea_words import CommandRefused, Heartbeat

LONGEST_SENTENCE = 82
"""Characters with ``$``, checksum, CR and LF (IEC 61162-1, 7.3.9)."""
LONGEST_TITLE = 16
"""Of ALF, field 13 in the first sentence; older equipment has 18."""
RESERVED: Final = frozenset("$!\\^~*,")
"""They have a meaning in a sentence, so they are sent as their code (IEC 61162-1, 7.1.4)."""
LAST_REVISION, LAST_ESCALATION = 99, 9
MESSAGES: Final = 10
"""ALF and HBT count 0 to 9, and again."""
LISTS: Final = 100
"""ALC counts 00 to 99, and again."""
MOST_ALC_SENTENCES: Final = 99
HIGHEST_ALR_NUMBER: Final = 999

_END = len("*hh\r\n")
_CATEGORIES, _PRIORITIES, _STATES = (frozenset(letters) for letters in ("ABC", "EAWC", "ASNOUV"))
_TIME = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d|60)(?:\.\d{1,9})?", re.ASCII)
_MAKER = re.compile(r"[A-Z0-9]{3}", re.ASCII)
_DASHES: Final = str.maketrans({"–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"'})


@dataclass(frozen=True, slots=True)
class Telling:
    """What one ALF message says of one alert.

    Attributes:
        time: ``hhmmss.ss`` of the last change, UTC.
        category: A, B or C.
        priority: A, W or C; E is never ours.
        state: Of ``daemon.model.AlertState``.
        maker: Three letters; empty for numbers of the standard.
        instance: None for an alert that has only one.
        description: None: the title alone, in one sentence.
    """

    time: str
    category: str
    priority: str
    state: str
    maker: str
    number: int
    instance: int | None
    revision: int
    escalation: int
    title: str
    description: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no ALF can say.

        Raises:
            ValueError: Names the field.
        """
        _known("time", not self.time or _TIME.fullmatch(self.time))
        _known("category", self.category in _CATEGORIES)
        _known("priority", self.priority in _PRIORITIES)
        _known("state", self.state in _STATES)
        _known_alert(self.maker, self.number, self.instance)
        _known("revision", 1 <= self.revision <= LAST_REVISION)
        _known("escalation", 0 <= self.escalation <= LAST_ESCALATION)


@dataclass(frozen=True, slots=True)
class Listed:
    """One alert of the cyclic list."""

    maker: str
    number: int
    instance: int | None
    revision: int

    def __post_init__(self) -> None:
        """Refuse what no ALC can list.

        Raises:
            ValueError: Names the field.
        """
        _known_alert(self.maker, self.number, self.instance)
        _known("revision", 1 <= self.revision <= LAST_REVISION)


@dataclass(frozen=True, slots=True)
class Older:
    """What one ALR says: an alert of the layout before ALF, or without a number that there is none."""

    time: str
    number: int | None
    condition: bool
    acknowledged: bool
    text: str

    def __post_init__(self) -> None:
        """Refuse what no ALR can say.

        Raises:
            ValueError: Names the field.
        """
        _known("time", not self.time or _TIME.fullmatch(self.time))
        _known("number", self.number is None or 0 <= self.number <= HIGHEST_ALR_NUMBER)


def alf(talker: str, telling: Telling, message: int) -> tuple[str, ...]:
    """Return one sentence, or the pair of title and description."""
    _known("message", 0 <= message < MESSAGES)
    total = 1 if telling.description is None else 2
    of_alert = (
        telling.maker,
        str(telling.number),
        _null(telling.instance),
        str(telling.revision),
        str(telling.escalation),
    )
    head = telling.time, telling.category, telling.priority, telling.state
    first = Alf(str(total), "1", str(message), *head, *of_alert)
    title = telling.title[:LONGEST_TITLE]
    sentences = [with_text(f"{talker}ALF", first, title)]
    if telling.description is not None:
        second = Alf(str(total), "2", str(message), "", "", "", "", *of_alert)
        sentences.append(with_text(f"{talker}ALF", second, telling.description))
    return tuple(sentences)


def alc(
    talker: str, listed: Sequence[Listed], message: int, *, per_sentence: int
) -> tuple[str, ...]:
    """Return the sentences of a list; one of no alert where there is none.

    No entry is split. A sentence holds at most ``per_sentence`` of them, and fewer where more than 82 characters would
    come of it. What is beyond 99 sentences is left out: the caller puts first what matters most.
    """
    _known("message", 0 <= message < LISTS)
    parts = list(_parts(talker, listed, per_sentence))[:MOST_ALC_SENTENCES] or [[]]
    return tuple(
        sentence(
            f"{talker}ALC",
            *AlcHead(f"{len(parts):02d}", f"{number:02d}", f"{message:02d}", str(len(part))),
            *(field for entry in part for field in entry),
        )
        for number, part in enumerate(parts, start=1)
    )


def arc(talker: str, refused: CommandRefused) -> str:
    """Return the refusal of a command; the time is when it was refused."""
    _known("command", refused.command in COMMANDS)
    _known("time", not refused.time or _TIME.fullmatch(refused.time))
    _known_alert(refused.maker or "", refused.number, refused.instance)
    return sentence(
        f"{talker}ARC",
        refused.time or "",
        refused.maker or "",
        str(refused.number),
        _null(refused.instance),
        refused.command,
    )


def hbt(talker: str, heartbeat: Heartbeat) -> str:
    """Return a heartbeat."""
    every = "" if heartbeat.every_s is None else f"{heartbeat.every_s:.1f}"
    return sentence(
        f"{talker}HBT", every, "A" if heartbeat.in_order else "V", _null(heartbeat.sequence)
    )


def keep_alive(talker: str) -> str:
    """Return how the older layout says that there is no alert."""
    return alr(talker, Older("", None, condition=False, acknowledged=False, text=""))


def alr(talker: str, older: Older) -> str:
    """Return an alert of the older layout."""
    letters = ("A" if older.condition else "V", "A" if older.acknowledged else "V")
    number = "" if older.number is None else f"{older.number:03d}"
    return with_text(f"{talker}ALR", Alr(older.time, number, *letters), older.text)


def time_of(utc: datetime) -> str:
    """Return a time as a sentence has it, to the hundredth of a second."""
    return f"{utc:%H%M%S}.{utc.microsecond // 10_000:02d}"


def sentence(address: str, *fields: str) -> str:
    """Return a whole sentence.

    Raises:
        ValueError: It would be longer than a sentence may be.
    """
    body = ",".join((address, *fields))
    whole = f"${body}*{reduce(xor, body.encode('ascii'), 0):02X}"
    if len(whole) + len("\r\n") > LONGEST_SENTENCE:
        raise ValueError(f"{len(whole)} characters are too many for one sentence: {whole}")
    return whole


def with_text(address: str, fields: Sequence[str], text: str) -> str:
    """Return a sentence that ends with as much of a text as it has room for."""
    room = LONGEST_SENTENCE - _END - len(",".join(("$" + address, *fields, "")))
    said = ""
    for character in _plain(text):
        code = f"^{ord(character):02X}" if character in RESERVED else character
        if len(said) + len(code) > room:
            break
        said += code
    return sentence(address, *fields, said)


def _plain(text: str) -> str:
    """Return a text in the characters that a sentence may have; what has no like is a question mark."""
    folded = unicodedata.normalize("NFKD", text.translate(_DASHES))
    seen = "".join(each for each in folded if not unicodedata.combining(each))
    return "".join(_printable(each) for each in seen)


def _printable(character: str) -> str:
    if character.isspace():
        return " "
    return character if " " < character <= "~" else "?"


def _parts(talker: str, listed: Sequence[Listed], most: int) -> Iterator[list[AlcEntry]]:
    head = len(f"${talker}ALC,tt,nn,mm,c")
    part: list[AlcEntry] = []
    length = head
    for each in listed:
        entry = AlcEntry(each.maker, str(each.number), _null(each.instance), str(each.revision))
        more = sum(len(field) + 1 for field in entry)
        if part and (len(part) >= most or length + more + _END > LONGEST_SENTENCE):
            yield part
            part, length = [], head
        part.append(entry)
        length += more
    if part:
        yield part


def _null(number: int | None) -> str:
    return "" if number is None else str(number)


def _known_alert(maker: str, number: int, instance: int | None) -> None:
    _known("maker", not maker or _MAKER.fullmatch(maker))
    _known("number", 0 <= number <= HIGHEST_ALERT_NUMBER)
    _known("instance", instance is None or 0 <= instance <= HIGHEST_INSTANCE)


def _known(field: str, holds: object) -> None:
    if not holds:
        raise ValueError(f"{field} is none that a sentence may have")
