"""What is a check? The contract that every file of this folder keeps.

A check gathers evidence about one piece of equipment and judges it. Gathering is a thin coroutine over
``CheckContext``; judging is a pure function of what was gathered, which ``daemon.checks.judged`` calls: on the day, and
whenever somebody judges the record again. A check that crashes, times out, or saw missing, stale, suspect or simulated
data is inconclusive, never passed (invariant 2).

A check of ``continuous`` watches all day: its ``run`` begins at ship's midnight (or at the start of the daemon) and
returns what the day has gathered when ``ctx.day_ends_s()`` has come, None where the day showed nothing; it is begun
again at once. In between it says by ``ctx.report`` how it stands: a result is written where that is another outcome
than the one before, so it may be said as often as one likes, and a restart repeats nothing.

To add one: write ``daemon/checks/<kind>.py`` with a ``CHECK = CheckSpec(...)``; nothing else changes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol, TypeAlias

from pydantic import Field

from daemon.checks.asking import Asked, Id, Used
from daemon.checks.denials import says_neither
from daemon.model import Classification, Provenance, Quality, Reading, Verdict
from daemon.wording.lines import LINE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime

    from daemon.computer.clock import Clock
    from daemon.model import Json, Outcome, Position, Ship, Situation, Value

LONGEST_CHECK_S: Final = 4 * 3600.0
"""No test of one occasion takes longer; the longest SSAS test is over in 90 min."""


class Effect(StrEnum):
    """How far a security level's measures can be carried out without the equipment."""

    NONE = "none"
    REDUCED = "reduced"
    LOST = "lost"


Effects: TypeAlias = tuple[Effect, Effect, Effect]
"""On security levels 1, 2 and 3."""


class Mode(StrEnum):
    """Who does the test."""

    AUTOMATIC = "automatic"
    ASSISTED = "assisted"
    """A person is led through it while the drivers watch."""
    MANUAL = "manual"
    """A named person did it and says how it went."""
    IN_SERVICE = "in_service"
    """Seen in ordinary use: nobody tested it on purpose."""


LED: Final = frozenset({Mode.ASSISTED, Mode.MANUAL})
"""Tests that a person does; the others are done by ispsd."""


class CheckConfig(Used, Asked):
    """What every test of the ship's file has; each check's is a subclass."""

    kind: str
    id: Id
    """The test's name in the record: ``t-ais``."""
    equipment: Id
    """The equipment it is a test of: ``ais``."""
    name: Annotated[str, Field(min_length=1, max_length=40), LINE]
    """The equipment's name on screen and paper."""
    ssp_paragraph: Annotated[str, Field(min_length=1, max_length=40), LINE]
    """The paragraph of the Ship Security Plan that asks for it (ISPS A/9.4.16)."""
    defect_effect: Effects | None = None
    """How far security levels 1, 2 and 3 can do without this equipment while it is DEFECT; None: as its kind has it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person answered to a prompt.

    Attributes:
        text: What was typed; empty for a mere *done*.
        station: The station where it was given; None at the ship's computer.
        proof: How the person proved to be himself.
    """

    person: str
    text: str = ""
    station: str | None = None
    proof: str = "none"

    @property
    def is_yes(self) -> bool:
        """Whether it says yes."""
        return self.text.strip().lower() == "yes"


def fact_of(answer: Answer | None) -> Json:
    """Return an answer as a fact; None where nobody answered."""
    return None if answer is None else asdict(answer)


def answer_in(fact: Mapping[str, Any] | None) -> Answer | None:
    """Return the answer that stands in a fact."""
    return None if fact is None else Answer(**fact)


class Who(StrEnum):
    """Whose answer a prompt wants."""

    TESTER = "tester"
    """Whoever does the test, or helps with it."""
    WITNESS = "witness"
    """A second person, who has done no step of the test himself."""


class Expects(StrEnum):
    """What a prompt wants of the person."""

    NOTHING = "nothing"
    """The drivers will see it."""
    DONE = "done"
    REFERENCE = "reference"
    """A text that names the proof: whose message, when, which file."""
    TEXT = "text"
    """What stands somewhere, word for word."""
    YES_OR_NO = "yes_or_no"
    NUMBER = "number"
    """What is printed on a thing, such as a seal's number."""
    RESULT = "result"
    """``SAT``, ``UNSAT`` or ``NOT DONE``, then a remark, which only SAT may lack."""


EMPTY: Final = {
    Expects.REFERENCE: "a reference is wanted: whose confirmation, when, which file",
    Expects.TEXT: "the text is wanted",
    Expects.NUMBER: "the number is wanted",
}
"""What is said to an answer without a word."""
RESULT_WORDS: Final = ("SAT", "UNSAT", "NOT DONE")


def refusal(expects: Expects, text: str) -> str | None:
    """Return why an answer is not what a prompt wants; None when it is."""
    said = text.strip()
    if not said and expects in EMPTY:
        return EMPTY[expects]
    if expects is Expects.REFERENCE and says_neither(said):
        return "this says neither yes nor no: say no, or no and a comma before more words; or begin with the proof"
    if expects is Expects.YES_OR_NO and said.lower() not in {"yes", "no"}:
        return "yes or no is wanted"
    if expects is not Expects.RESULT:
        return None
    word, remark = result_of(said)
    if not word:
        return "SAT, UNSAT or NOT DONE is wanted, then a remark"
    return f"{word} wants a remark: why" if word != "SAT" and not remark else None


def result_of(text: str) -> tuple[str, str]:
    """Return the result's word and the remark behind it; no word where it begins with none."""
    said = text.strip()
    for word in RESULT_WORDS:
        if said == word or said.startswith((f"{word} ", f"{word}:", f"{word},")):
            return word, said[len(word) :].lstrip(" :,").strip()
    return "", said


_ON_A_SHIP: Final = (Provenance.LIVE, Provenance.TEST)
_IN_A_DEMO: Final = (*_ON_A_SHIP, Provenance.SIMULATED)


def counts_as_evidence(reading: Reading, *, demo: bool) -> bool:
    """Return whether a reading may prove anything in this record (invariant 2)."""
    counts = _IN_A_DEMO if demo else _ON_A_SHIP
    return reading.quality is Quality.GOOD and reading.provenance in counts


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that a check has gathered, and all that its verdict may rest on; the record keeps it.

    Attributes:
        readings: Those that count as evidence (``CheckContext.accepts``), a bounded number of them.
        facts: What was seen, said and timed beside the readings, as plain JSON: answers with who gave them, counts.
            For the SSO alone, as ``Verdict.details`` are. A sequence comes to the judge as a list.
        item: Which item of several was tested; None for all.
    """

    readings: tuple[Reading, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    item: str | None = None
    pictures: tuple[bytes, ...] = field(default=(), repr=False)
    """Small JPEG pictures for people to look at, never judged: kept of a look of a person, and where it is no pass."""

    def newest(self, point: str, *values: Value) -> Reading | None:
        """Return the last reading of a point, or the last that says one of these values."""
        for reading in reversed(self.readings):
            if reading.point == point and (not values or reading.value in values):
                return reading
        return None


@dataclass(frozen=True, slots=True)
class Movement:
    """How one door, seal or detector was seen to move in a ship's day.

    Attributes:
        cycles: How often it left a state and came back to it, each state seen clearly.
        faults: How often its line was in fault, or it was not seen, in between.
        first_utc: When it first moved; None where it did not.
    """

    cycles: int = 0
    faults: int = 0
    first_utc: datetime | None = None
    last_utc: datetime | None = None


@dataclass(frozen=True, slots=True)
class Supervised:
    """One contact of the ship, as its supervision needs it.

    Attributes:
        name: Its short name.
        moves: It is used in service: not to have moved for long is odd.
        moved_utc: When it moved last, as far as anybody knows.
    """

    name: str
    moves: bool = False
    moved_utc: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlertSeen:
    """An alert as the stations are told of it now.

    Attributes:
        source: What it is about: a door, a device.
        active: Its condition stands; not so of one that is over and waits to be acknowledged.
        shown_at: The attended stations whose page is live, so that somebody reads it.
        sounds_at: Those of them where it sounds, by a sounder that proves that its output takes what it plays.
    """

    id: str
    source: str
    title: str
    active: bool
    shown_at: tuple[str, ...] = ()
    sounds_at: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordVerified:
    """What the verifier says of the security record.

    Attributes:
        word: PASS, FAIL or INCONCLUSIVE.
        first: The first entry that it has read now; None where it did not come so far.
        last: The last one.
        before_utc: When all entries before ``first`` were read last, by the same verifier; None where nobody did.
    """

    word: str
    sentence: str
    first: int | None = None
    last: int | None = None
    before_utc: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that a person attached to an entry.

    Attributes:
        at_utc: When it was attached.
        is_private: The entry to which it is attached is the SSO's, so that no watch station reads of it.
        text: Its words, where it is text or mail; None where it is a picture or a PDF.
    """

    name: str | None
    sha256: str
    at_utc: datetime
    is_private: bool
    text: str | None = None


AisOffOrders: TypeAlias = "tuple[datetime | None, Sequence[tuple[datetime, datetime | None]]]"


class Unanswered(StrEnum):
    """Why a station's page or sounder that was live has not answered a synthetic alert."""

    MISSED = "missed"
    """It has answered before, and spoke after this one was sent, but not of it."""
    SILENT = "silent"
    """It has answered before, and has not spoken since: it may be gone."""
    NEVER = "never"
    """It never has answered one: it need not know how."""


@dataclass(frozen=True, slots=True)
class AlertTrip:
    """What came of one synthetic alert.

    Attributes:
        back_s: After how many seconds it was back from the broker; None: never.
        answers: Of each page or sounder of an attended station that was live, after how many seconds it answered, or
            why it did not (``Unanswered``).
    """

    back_s: float | None
    answers: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Services:
    """What the ship offers a check beside her sensors; None where this daemon has no such thing.

    Attributes:
        ais_off_orders: Since when orders are known, None: not at all; and from when to when AIS was off by order, None
            where an order stands.
        alert_path: Sends a synthetic alert; returns what came of it.
        station_is_live: Whether an attended station would show and sound an alert now.
        verify_record: Verifies the record, as far as that is not long ago.
        movements: What moved in a ship's day, by point; None for a day that was not watched.
        seal_numbers: The numbers of seals that were changed since the ship's file was written, by their ids.
        position_doubt: Why the position cannot be believed while GNSS SUSPECT stands; None while it does not.
        position_odd: What speaks against the position now, alone or not.
        link: Whether a device answers (``up``), for how long it is so (``for_s``), and why it does not (``reason``).
        picture: The newest picture of a camera as a small JPEG; it goes into the record and nowhere else.
        name_of: The short name of a device or an opening.
        contacts: Every contact of the ship, by its point; no SSAS channel is one.
        situation: What the ship is doing.
        disks: How full the disks of record and copy are, and the room for evidence; None while one hangs.
        play_test_sound: Has a station play its test sound once.
        sound_heard: Takes it that a person has heard a station's sound: the station, the name.
        open_alerts: What alerts the stations show now.
        knows_alert: Whether there can be an alert of that id on this ship.
        answers: Whether the device that says a point answers now: between two polls its last word looks fresh.
        listens_since_s: Since when the text port that says a point is listened to, in seconds since boot, without a
            break; None: nothing that comes there would be heard.
        own_position: Where the ship is now by GNSS that counts as evidence; None where that is not known.
        attached: Returns the file that an entry attaches, by the entry's number; None where it attaches none.
        window_opened_by: Who opened the SSAS test window that is open now; none where none is.
    """

    ais_off_orders: Callable[[], AisOffOrders] | None = None
    alert_path: Callable[[], Awaitable[AlertTrip]] | None = None
    station_is_live: Callable[[], bool] | None = None
    verify_record: Callable[[], Awaitable[RecordVerified]] | None = None
    movements: Callable[[date], Mapping[str, Movement] | None] | None = None
    seal_numbers: Callable[[], Mapping[str, str]] | None = None
    position_doubt: Callable[[], str | None] | None = None
    position_odd: Callable[[], tuple[str, ...]] | None = None
    link: Callable[[str], Mapping[str, Json] | None] | None = None
    picture: Callable[[str], bytes | None] | None = None
    name_of: Callable[[str], str] | None = None
    contacts: Callable[[], Mapping[str, Supervised]] | None = None
    situation: Callable[[], Situation] | None = None
    disks: Callable[[], Awaitable[Mapping[str, Any] | None]] | None = None
    play_test_sound: Callable[[str], object] | None = None
    sound_heard: Callable[[str, str], object] | None = None
    open_alerts: Callable[[], Iterable[AlertSeen]] | None = None
    knows_alert: Callable[[str], bool] | None = None
    answers: Callable[[str], bool] | None = None
    listens_since_s: Callable[[str], float | None] | None = None
    own_position: Callable[[], Position | None] | None = None
    attached: Callable[[int], Awaitable[Attached | None]] | None = None
    window_opened_by: Callable[[], tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class ItemsVerdict(Verdict):
    """A verdict on several items of one test, such as the doors of a ship.

    Attributes:
        items: What is said of each item that was seen, its ``outcome`` among it; of the others nothing is said.
        mode: How it was tested, where that is not the check's own mode.
    """

    items: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    mode: Mode | None = None


class Inbox(Protocol):
    """The readings of some points from the moment it was opened."""

    async def next(self, *, until_s: float) -> Reading | None:
        """Return the next reading; None when ``until_s`` (seconds since boot) has come."""
        ...


class CheckContext(Protocol):
    """What a check may see and ask."""

    clock: Clock
    ship: Ship
    services: Services
    item: str | None
    """Which item of several a person wants to test; None for all."""
    last_outcome: Outcome | None
    """How the test ended last, on disk; None: never done."""

    def accepts(self, reading: Reading) -> bool:
        """Return whether a reading counts as evidence in this record."""
        ...

    def newest(self, point: str) -> Reading | None:
        """Return what a point says now."""
        ...

    def listen(self, points: Iterable[str]) -> AbstractContextManager[Inbox]:
        """Collect the readings of points while the context is open."""
        ...

    async def prompt(
        self, step: int, text: str, *, expects: Expects, for_s: float, who: Who = Who.TESTER
    ) -> Answer | None:
        """Show a step to the person; return the answer, or None when none came in time or none is expected."""
        ...

    def saw(self, text: str) -> None:
        """Show beside the step what has been seen so far: ``open 0.4 s``."""
        ...

    def done_with_window(self) -> None:
        """Say that SSAS equipment is read no more: from now on the test outlives its window."""
        ...

    def keep(self, gathered: Gathered) -> None:
        """Write down what was found until now: where ispsd stops before the end, ``resume`` goes on from there."""
        ...

    @property
    def day(self) -> date:
        """Return the ship's day of this check; it stays that day whatever ship's time becomes meanwhile."""
        ...

    @property
    def in_question(self) -> Collection[str]:
        """Return the items that no use of this day proves: each has failed, or its unit was replaced meanwhile.

        Only a test of the item itself proves it again.
        """
        ...

    @property
    def watched_since(self) -> str | None:
        """Ship's time at which a continuous check began to watch, where that was not the beginning of the day."""
        ...

    def day_ends_s(self) -> float:
        """Return when the ship's day ends that was begun, in seconds since boot; ask again, for clocks are stepped."""
        ...

    def report(self, gathered: Gathered) -> None:
        """Say what a continuous check has gathered until now; a change of outcome is written."""
        ...


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """How the registry finds a check.

    Attributes:
        judge: Judges what ``run`` or ``lead`` gathered, by that alone; the record is judged again by the same.
        steps: How many steps a person is led through, at most; 0 for an automatic check.
        count_steps: The same where it hangs on the configuration.
        points: The points it listens to, so that a configuration that names none is refused.
        needs_window: It runs only inside an SSAS test window, until it says that it is done with it.
        window_s: How much of the window it needs, in seconds; one that has less left is refused.
        continuous: It watches all day, see above.
        items: The single things that it is a test of, each of which must pass; none for a test of one thing.
        lead: Leads a person through the test of one item (``ctx.item``), beside the continuous watch.
        resume: Goes on, after a restart, from what ``CheckContext.keep`` wrote down last, without its window.
        limit_s: When a test of one occasion is ended by force, in seconds; a continuous one ends with the day.
        classify: Who may read of it, where that hangs on the configuration.
        alerts: The alerts that it waits for, so that a configuration that names none is refused.
    """

    kind: str
    config: type[CheckConfig]
    run: Callable[[Any, CheckContext], Awaitable[Gathered | None]]
    judge: Callable[[Any, Gathered], Verdict]
    points: Callable[[Any], tuple[str, ...]]
    mode: Mode = Mode.AUTOMATIC
    classification: Classification = Classification.WATCH
    steps: int = 0
    needs_window: bool = False
    window_s: Callable[[Any], float] | None = None
    continuous: bool = False
    items: Callable[[Any], tuple[str, ...]] = field(default=lambda _: ())
    lead: Callable[[Any, CheckContext], Awaitable[Gathered]] | None = None
    resume: Callable[[Any, CheckContext, Gathered], Awaitable[Gathered]] | None = None
    limit_s: float = LONGEST_CHECK_S
    count_steps: Callable[[Any], int] | None = None
    classify: Callable[[Any], Classification] | None = None
    alerts: Callable[[Any], tuple[str, ...]] = field(default=lambda _: ())

    def steps_of(self, config: CheckConfig) -> int:
        """Return how many steps a person is led through in this test."""
        return self.steps if self.count_steps is None else self.count_steps(config)

    def classification_of(self, config: CheckConfig) -> Classification:
        """Return who may read of this test."""
        return self.classification if self.classify is None else self.classify(config)
