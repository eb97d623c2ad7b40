"""What does a central alert panel show? The list that it keeps by what its source says. No I/O.

Written from IEC 61162-1 ALF, ALC, ARC, HBT, ALR; strict: whatever is not as the standard has it is a ``ValueError``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from simulators.panel_sentences import (
    ALC_ENTRY,
    ALC_HEAD,
    ALF_FIELDS,
    clock,
    letter,
    number,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from simulators.panel_sentences import Heard

    Key: TypeAlias = tuple[str, int, int]
    """Maker, number, instance."""

UNACKNOWLEDGED: Final = "VSU"
LOUD: Final = "CWA"
PAIR: Final = 2
LONGEST_TITLE: Final = 16
OWN_NUMBERS_FROM: Final = 10_000
MAKER_LETTERS: Final = 3
ALR_DIGITS: Final = 3
ALC_DIGITS: Final = 2


@dataclass(frozen=True)
class Shown:
    """One alert, as the panel shows it."""

    maker: str
    number: int
    instance: int
    priority: str
    state: str
    revision: int
    escalation: int
    title: str
    description: str = ""

    @property
    def key(self) -> Key:
        return self.maker, self.number, self.instance


@dataclass
class Assembly:
    """An ALC list of which some sentences have come."""

    message: int = -1
    next_part: int = 1
    entries: list[tuple[Key, int]] = field(default_factory=list)


class AlertList:
    """The list of one panel."""

    def __init__(self) -> None:
        self.alerts: dict[Key, Shown] = {}
        self.old: dict[int, tuple[str, str, str]] = {}
        """Of the older layout: condition, acknowledged and text by number."""
        self.refused: list[tuple[int, str]] = []
        """Number and command of each ARC."""
        self.lists = 0
        """How many whole ALC lists have come."""
        self._list = Assembly()
        self._pair: tuple[tuple[str, ...], Shown] | None = None

    @property
    def waiting(self) -> list[Shown]:
        """Return what waits to be acknowledged, the loudest and oldest first."""
        found = [each for each in self.alerts.values() if each.state in UNACKNOWLEDGED]
        return sorted(found, key=lambda each: (-LOUD.index(each.priority), each.instance))

    def forget(self) -> None:
        """Know of nothing, as after a start."""
        self.alerts.clear()
        self.old.clear()
        self._list, self._pair = Assembly(), None

    def take(self, sentence: Heard) -> list[Key]:
        """Take a sentence; return the alerts that are to be asked for.

        Raises:
            ValueError: It is not as the standard has it.
        """
        match sentence.formatter:
            case "ALF":
                self._take_alf(sentence.fields)
            case "ALC":
                return self._take_alc(sentence.fields)
            case "ARC":
                self._take_arc(sentence.fields)
            case "HBT":
                _, status, sequence = sentence.fields
                letter(status, "AV")
                number(sequence, 0, 9)
            case "ALR":
                self._take_alr(sentence.fields)
            case other:
                raise ValueError(f"{other} is no sentence of a source")
        return []

    def _take_alf(self, fields: tuple[str, ...]) -> None:
        if len(fields) != ALF_FIELDS:
            raise ValueError(f"ALF of {len(fields)} fields")
        total, part = number(fields[0], 1, PAIR), number(fields[1], 1, PAIR)
        same = (str(number(fields[2], 0, 9)), *fields[7:12])
        if part == PAIR:
            self._take_second(same, fields, total)
            return
        self._pair = None
        clock(fields[3])
        letter(fields[4], "ABC")
        shown = _shown(fields)
        if shown.state == "N":
            self.alerts.pop(shown.key, None)
            return
        before = self.alerts.get(shown.key)
        described = replace(shown, description=before.description) if before else shown
        self.alerts[shown.key] = described
        if total == PAIR:
            self._pair = same, described

    def _take_second(self, same: tuple[str, ...], fields: tuple[str, ...], total: int) -> None:
        if self._pair is None or self._pair[0] != same or total != PAIR:
            raise ValueError("a second sentence without its first")
        if any(fields[3:7]):
            raise ValueError("time, category, priority and state are null in the second")
        shown = replace(self._pair[1], description=text_of(fields[12]))
        self._pair = None
        self.alerts[shown.key] = shown

    def _take_alc(self, fields: tuple[str, ...]) -> list[Key]:
        total, part = number(fields[0], 1, 99), number(fields[1], 1, 99)
        message, count = number(fields[2], 0, 99), number(fields[3], 0, 9)
        if any(len(each) != ALC_DIGITS for each in fields[:3]):
            raise ValueError("the counters of ALC have two digits")
        entries = fields[ALC_HEAD:]
        if len(entries) != count * ALC_ENTRY:
            raise ValueError(f"ALC of {count} entries with {len(entries)} fields")
        if part == 1:
            self._list = Assembly(message)
        if (self._list.message, self._list.next_part) != (message, part):
            self._list = Assembly()
            return []
        for at in range(0, len(entries), ALC_ENTRY):
            maker, id_, instance, revision = entries[at : at + ALC_ENTRY]
            key = maker, number(id_, 1, 9_999_999), number(instance, 1, 999_999)
            self._list.entries.append((key, number(revision, 1, 99)))
        self._list.next_part += 1
        return self._compare(dict(self._list.entries)) if part == total else []

    def _compare(self, listed: Mapping[Key, int]) -> list[Key]:
        """Drop what is listed no more; return what is unknown, or known in another revision."""
        self.lists += 1
        self._list = Assembly()
        for gone in self.alerts.keys() - listed.keys():
            del self.alerts[gone]
        return [
            key
            for key, revision in listed.items()
            if key not in self.alerts or self.alerts[key].revision != revision
        ]

    def _take_arc(self, fields: tuple[str, ...]) -> None:
        time, _, id_, _, command = fields
        clock(time)
        self.refused.append((number(id_, 0, 9_999_999), letter(command, "AQOS")))

    def _take_alr(self, fields: tuple[str, ...]) -> None:
        time, id_, condition, acknowledged, text = fields
        letter(condition, "AV")
        letter(acknowledged, "AV")
        if not id_:
            if (time, condition, acknowledged) != ("", "V", "V"):
                raise ValueError("an ALR without a number that is no keep-alive")
            self.old.clear()
            return
        clock(time)
        if len(id_) != ALR_DIGITS:
            raise ValueError("a number of ALR has three digits")
        at = number(id_, 0, 999)
        if (condition, acknowledged) == ("V", "A"):
            self.old.pop(at, None)
        else:
            self.old[at] = condition, acknowledged, text_of(text)


def _shown(fields: tuple[str, ...]) -> Shown:
    """Return what the first sentence of ALF says."""
    shown = Shown(
        maker=fields[7],
        number=number(fields[8], 1, 9_999_999),
        instance=number(fields[9], 1, 999_999),
        priority=letter(fields[5], LOUD),
        state=letter(fields[6], "ASNOUV"),
        revision=number(fields[10], 1, 99),
        escalation=number(fields[11], 0, 9),
        title=text_of(fields[12]),
    )
    if len(shown.title) > LONGEST_TITLE:
        raise ValueError(f"a title of {len(shown.title)} characters")
    if shown.number >= OWN_NUMBERS_FROM and len(shown.maker) != MAKER_LETTERS:
        raise ValueError("a manufacturer's number without his code")
    return shown
