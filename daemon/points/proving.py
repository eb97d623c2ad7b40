"""Which contacts have been proved: seen closed, seen open and, where their line is supervised, in line fault?

Until then a contact is *not proved*: it is grey, its *closed* is shown to nobody and is no evidence for any check,
since nobody knows yet what it is wired to (invariant 3: unknown is not closed). Its *open* and its line fault are
shown, and the rules judge what it really says: an alert too many is better than one too few. Decision 0021.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from daemon import forms
from daemon.checks.api import counts_as_evidence
from daemon.drivers.api import Wiring
from daemon.model import Classification, ContactState, Json, Quality
from daemon.record.entry import Draft
from daemon.record.waiting import let_go

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from daemon.model import Reading
    from daemon.record.journal import Journal

PROVED: Final = "commissioning.proved"
RESET: Final = "commissioning.reset"
FAULT_STANDS_S: Final = 2.0
"""A line fault that stands so long is one; a change-over contact shows a shorter one whenever its door moves."""
UNSUPERVISED: Final = frozenset({Wiring.NC, Wiring.NO})


class Wired(NamedTuple):
    """One contact, and how it is wired.

    Attributes:
        profile: What the device is read by; another one reads another input.
        poll_s: How often it is looked at: what is seen changed may have been so for that much shorter.
    """

    point: str
    name: str
    device: str
    inputs: tuple[int, ...]
    wiring: Wiring
    profile: str = ""
    poll_s: float = 0.0

    @property
    def is_supervised(self) -> bool:
        """Return whether a cut or a short of its line can be told from open and closed."""
        return self.wiring not in UNSUPERVISED

    @property
    def way(self) -> str:
        """Return its wiring in one word group: where it differs, nothing that was proved holds."""
        inputs = ",".join(str(number) for number in self.inputs)
        return f"{self.device} {self.profile} {inputs} {self.wiring.value}"


@dataclass(frozen=True, slots=True)
class Seen:
    """When a contact was first seen in each state since it was wired so; None: not yet.

    Attributes:
        taken_over: It was tested open and closed before ispsd asked for proofs; its line fault is still to be shown.
    """

    closed_utc: datetime | None = None
    open_utc: datetime | None = None
    line_fault_utc: datetime | None = None
    taken_over: bool = False

    def in_state(self, state: ContactState, moment_utc: datetime) -> Seen:
        """Return it with a state seen; the first time counts."""
        match state:
            case ContactState.CLOSED:
                return replace(self, closed_utc=self.closed_utc or moment_utc)
            case ContactState.OPEN:
                return replace(self, open_utc=self.open_utc or moment_utc)
            case _:
                return replace(self, line_fault_utc=self.line_fault_utc or moment_utc)

    def missing(self, wired: Wired) -> tuple[ContactState, ...]:
        """Return the states in which it has not been seen."""
        seen = {
            ContactState.CLOSED: self.closed_utc,
            ContactState.OPEN: self.open_utc,
            ContactState.LINE_FAULT: self.line_fault_utc,
        }
        if not wired.is_supervised:
            del seen[ContactState.LINE_FAULT]
        return tuple(state for state, at in seen.items() if at is None)

    def proves(self, wired: Wired) -> bool:
        """Return whether that is enough to believe its *closed*."""
        missing = self.missing(wired)
        return not missing or (self.taken_over and missing == (ContactState.LINE_FAULT,))

    def both(self) -> bool:
        """Return whether it was seen closed and open."""
        return self.closed_utc is not None and self.open_utc is not None


class Tester(Protocol):
    """Who moves contacts on purpose now: a loop check."""

    def tests(self, point: str) -> str | None:
        """Return the person who checks this contact; None: nobody."""
        ...


class Proving:
    """What has been proved of every contact. Nothing is, before ``take_up``."""

    def __init__(
        self, contacts: Iterable[Wired], *, demo: bool, start_proved: bool, journal: Journal
    ) -> None:
        """Watch these contacts.

        Args:
            contacts: Every contact that is wired to a device; no SSAS channel is one.
            demo: Simulated readings prove something in this record.
            start_proved: They count as proved from the start (a demo's may).
            journal: Where proofs are written.
        """
        self.contacts = {each.point: each for each in contacts}
        self.tester: Tester | None = None
        self.changed: Callable[[], None] = lambda: None
        """Told whenever something was proved, or has to be proved again."""
        self.is_taken_up = False
        self._demo = demo
        self._journal = journal
        self._start_proved = start_proved
        self._seen = dict.fromkeys(self.contacts, Seen())
        self._again: dict[str, str] = {}
        open_ = set() if start_proved else set(self.contacts)
        self._grey, self._open = open_, set(open_)
        self._faulty_s: dict[str, float] = {}

    def take_up(
        self,
        kept: Mapping[str, Mapping[str, Json]],
        *,
        tested: Mapping[str, datetime],
        faulted: Mapping[str, datetime],
    ) -> None:
        """Take up what the record says, and write what has to be said of it.

        Args:
            kept: What was written of each contact.
            tested: When a contact of which nothing was ever written passed a test, open and closed.
            faulted: When such a contact had an alert of a line fault.
        """
        self.is_taken_up = True
        for point, wired in self.contacts.items():
            body = kept.get(point)
            if body is not None and body["way"] == wired.way:
                self._restore(point, body)
            elif self._start_proved:
                continue
            elif body is not None:
                self._write_reset(wired, "wired another way", was=str(body["way"]))
            elif (at := tested.get(point)) is not None:
                self._seen[point] = Seen(at, at, faulted.get(point), taken_over=True)
                self._judge(wired)
                self._write(wired, how="tests before")
            elif self._seen[point].both():  # seen before the record could be read
                self._judge(wired)
                self._write(wired, how="seen")
            self._judge(wired)
        self.changed()

    def take(self, reading: Reading) -> bool:
        """Take what a device says; return whether that proved a contact."""
        if reading.point not in self._open:
            return False
        state = reading.value
        if not isinstance(state, ContactState) or not counts_as_evidence(reading, demo=self._demo):
            self._faulty_s.pop(reading.point, None)
            return False
        wired, before = self.contacts[reading.point], self._seen[reading.point]
        seen = before
        since_s = self._faulty_s.get(reading.point)
        stood_s = 0.0 if since_s is None else reading.received_s - since_s - wired.poll_s
        if stood_s >= FAULT_STANDS_S:
            seen = seen.in_state(ContactState.LINE_FAULT, reading.received_utc)
        if state is ContactState.LINE_FAULT:
            self._faulty_s.setdefault(reading.point, reading.received_s)
        else:
            self._faulty_s.pop(reading.point, None)
            seen = seen.in_state(state, reading.received_utc)
        if seen == before:
            return False
        self._seen[reading.point] = seen
        was_grey = reading.point in self._grey
        self._judge(wired)
        # Seen closed alone is what every door says at rest: no entry until it says more.
        if self.is_taken_up and (seen.both() if not before.both() else not seen.missing(wired)):
            self._write(wired, how="seen")
        self.changed()
        return was_grey and reading.point not in self._grey

    def shown(self, reading: Reading) -> Reading:
        """Return a reading as people and checks may see it: *closed* of a contact that is not proved is unknown."""
        if reading.value is ContactState.CLOSED and reading.point in self._grey:
            return replace(reading, value=None, quality=Quality.UNKNOWN)
        return reading

    def is_proved(self, point: str) -> bool | None:
        """Return whether a contact is proved; None for what is no contact."""
        return point not in self._grey if point in self.contacts else None

    def seen(self, point: str) -> Seen:
        """Return what was seen of a contact."""
        return self._seen[point]

    def to_prove(self) -> dict[str, tuple[ContactState, ...]]:
        """Return the contacts of which something is still to be seen, and what."""
        return {
            point: self._seen[point].missing(wired)
            for point, wired in self.contacts.items()
            if point in self._open
        }

    def why(self, point: str) -> str:
        """Return why a contact has to be proved again; empty for the first time."""
        return self._again.get(point, "")

    def begin_anew(self, points: Iterable[str], why: str) -> None:
        """Believe nothing that was proved of these; whoever asks for it writes the entry."""
        for point in points:
            self._forget(point, why)
        self.changed()

    def _restore(self, point: str, body: Mapping[str, Json]) -> None:
        def when(name: str) -> datetime | None:
            at = body.get(name)
            return forms.from_utc(at) if isinstance(at, str) else None

        now = self._seen[point]
        self._grey.add(point)
        self._open.add(point)
        self._seen[point] = Seen(
            when("closed") or now.closed_utc,
            when("open") or now.open_utc,
            when("line_fault") or now.line_fault_utc,
            taken_over=body.get("taken_over") is True,
        )
        self._again[point] = str(body.get("again") or "")

    def _judge(self, wired: Wired) -> None:
        seen = self._seen[wired.point]
        if seen.proves(wired):
            self._grey.discard(wired.point)
        if not seen.missing(wired):
            self._open.discard(wired.point)

    def _forget(self, point: str, why: str) -> None:
        self._seen[point], self._again[point] = Seen(), why
        self._faulty_s.pop(point, None)
        self._grey.add(point)
        self._open.add(point)

    def _write(self, wired: Wired, *, how: str) -> None:
        by = None if self.tester is None else self.tester.tests(wired.point)
        said = {**self.body(wired), "how": "loop check" if by is not None else how, "by": by}
        self._submit(PROVED, wired.point, said)

    def _write_reset(self, wired: Wired, why: str, *, was: str) -> None:
        self._forget(wired.point, why)
        self._submit(RESET, wired.point, {**self.body(wired), "was": was})

    def body(self, wired: Wired) -> dict[str, Json]:
        """Return how a contact stands, as it is kept in the record."""
        seen = self._seen[wired.point]
        return {
            "point": wired.point,
            "name": wired.name,
            "way": wired.way,
            "supervised": wired.is_supervised,
            "closed": _utc(seen.closed_utc),
            "open": _utc(seen.open_utc),
            "line_fault": _utc(seen.line_fault_utc),
            "taken_over": seen.taken_over,
            "proved": wired.point not in self._grey,
            "again": self._again.get(wired.point) or None,
        }

    def _submit(self, type_: str, point: str, said: Mapping[str, Json]) -> None:
        draft = Draft(
            kind="system",
            type=type_,
            subject=point,
            classification=Classification.SSO,
            open=said,
        )
        let_go(self._journal.submit(draft))


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else forms.utc(moment)
