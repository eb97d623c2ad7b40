"""What does the demo's ship do when? Her people, tests, drills, calls and defects of fourteen months, as data.

Everything here is invented; ids and intervals are those of a ship's usual plan. Times are ship's time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

MASTER, SSO, DEPUTY, THIRD, ETO = (
    "A. Lindqvist",
    "R. Menon",
    "J. Santos",
    "M. Petrov",
    "D. Kovac",
)
RANKS: Final[Mapping[str, str]] = {
    MASTER: "Master",
    SSO: "C/O",
    DEPUTY: "2/O",
    THIRD: "3/O",
    ETO: "ETO",
    "T. Halvorsen": "C/E",
    "R. dela Cruz": "Bosun",
    "L. Tupou": "AB",
}
CSO: Final = "P. Okafor"
CREW: Final = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Routine:
    """One test of the plan.

    Attributes:
        every: The calendar period in which it is done once; None: no period of its own.
        weekday: Monday is 0; None: any.
        day: Of the month; None: any.
        months: In which it is done; none: in all.
        at: Hour and minute when it ends.
        person: Who does it; None: ispsd itself.
        said: What its result says.
    """

    id: str
    equipment: str
    name: str
    paragraph: str
    every: str | None
    weekday: int | None = None
    day: int | None = None
    months: frozenset[int] = frozenset()
    at: tuple[int, int] = (10, 0)
    minutes: int = 5
    person: str | None = None
    private: bool = False
    said: str

    def falls_on(self, day: date) -> bool:
        """Return whether it is done on this day."""
        return (
            (self.weekday is None or day.weekday() == self.weekday)
            and (self.day is None or day.day == self.day)
            and (not self.months or day.month in self.months)
        )


def _ssas(point: str, *months: int) -> Routine:
    return Routine(
        id=f"t-ssas-e-{point.lower()}",
        equipment="ssas",
        name=f"SSAS {point}",
        paragraph="8.4",
        every="year",
        day=20,
        months=frozenset(months),
        at=(14, 10),
        minutes=18,
        person=SSO,
        private=True,
        said="activation seen, sent, confirmed ashore",
    )


SATURDAY, SUNDAY = 5, 6
ROUTINES: Final = (
    *(
        Routine(
            id=id_, equipment=equipment, name=name, paragraph=paragraph, every="day", at=(0, 0),
            minutes=24 * 60, said=said,
        )
        for id_, equipment, name, paragraph, said in (
            ("t-ais", "ais", "AIS", "7.6", "24 h, 99.9 % of reports, identity as register"),
            ("t-gnss", "gnss", "GNSS", "7.6", "24 h, indicators quiet, receivers agree"),
            ("t-sensor", "sensors", "SENSOR LINES", "7.3.1", "24 h, 38 contacts, no line fault"),
            ("t-state", "equipment", "EQUIPMENT STATE", "7.6", "24 h, in order: all six"),
            ("t-computer", "computer", "CLOCK AND DISK", "10.3", "24 h, clock and disk in order"),
            ("t-path", "alert-path", "ALERT PATH", "7.9", "24 h, every synthetic alert came back"),
            ("t-rec", "record", "RECORD", "10.3", "record verified: PASS"),
        )
    ),
    Routine(
        id="t-light", equipment="lights", name="DECK LIGHTS", paragraph="7.4", every="week",
        weekday=SUNDAY, at=(23, 59), minutes=1, said="dusk 10:53 UTC: 3 lights lit",
    ),
    Routine(
        id="t-buzz", equipment="stations", name="STATION SOUND", paragraph="7.9", every="week",
        weekday=SATURDAY, at=(10, 4), person=THIRD, said="heard at bridge, gangway and office",
    ),
    Routine(
        id="t-pir", equipment="motion", name="MOTION DETECTORS", paragraph="7.3.4", every="week",
        weekday=SATURDAY, at=(10, 25), minutes=12, person=ETO, said="alert at the station in 2 s",
    ),
    Routine(
        id="t-uhf", equipment="uhf", name="UHF SETS", paragraph="7.8", every="week",
        weekday=SATURDAY, at=(11, 0), minutes=10, person=DEPUTY, said="8 sets, readable both ways",
    ),
    Routine(
        id="t-seal", equipment="seals", name="SEAL ROUND", paragraph="7.3.3", every="week",
        weekday=SUNDAY, at=(8, 40), minutes=35, person=THIRD, said="numbers match, loops intact",
    ),
    Routine(
        id="t-cctv-look", equipment="cctv", name="CAMERA PICTURES", paragraph="7.5", every="week",
        weekday=SUNDAY, at=(9, 10), minutes=8, person=DEPUTY, said="8 pictures, clocks right",
    ),
    Routine(
        id="t-door", equipment="doors", name="DOOR CONTACTS", paragraph="7.3.2", every="month",
        day=2, at=(16, 0), minutes=40, person=THIRD, said="every contact seen open and closed",
    ),
    Routine(
        id="t-hhmd", equipment="x01", name="METAL DETECTOR", paragraph="7.8", every="month",
        day=9, at=(12, 0), person=SSO, said="test piece found 3 of 3",
    ),
    Routine(
        id="t-ispsd", equipment="ispsd", name="ISPSD", paragraph="7.9", every="quarter",
        day=12, months=frozenset({1, 4, 7, 10}), at=(15, 30), minutes=20, person=ETO,
        said="unit pulled, broker stopped: stations told in 12 s",
    ),
    Routine(
        id="t-ups", equipment="ups", name="UPS", paragraph="7.10", every=None,
        day=14, months=frozenset({3, 9}), at=(15, 0), minutes=40, person=ETO,
        said="35 min on battery, rated 30",
    ),
    Routine(
        id="t-ssas-p", equipment="ssas", name="SSAS RESERVE", paragraph="8.4", every="year",
        day=21, months=frozenset({2}), at=(10, 30), minutes=10, person=ETO, private=True,
        said="works on battery",
    ),
    _ssas("P1", 2, 11),
    _ssas("P2", 5),
    _ssas("P3", 8),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Incident:
    """A test that did not end as it should.

    Attributes:
        days_ago: The first time that it was done since then is the one; 0: the newest.
    """

    test: str
    days_ago: int
    outcome: Outcome
    said: str


INCIDENTS: Final = (
    Incident("t-gnss", 301, Outcome.INCONCLUSIVE, "receiver 2 was not heard for 3 h 10 min"),
    Incident("t-door", 240, Outcome.FAILED, "d17 BOSUN STORE: closed was not seen"),
    Incident("t-ais", 188, Outcome.INCONCLUSIVE, "the feed was lost for 2 h 5 min"),
    Incident("t-hhmd", 110, Outcome.SKIPPED, "battery on order"),
    Incident("t-cctv-look", 0, Outcome.FAILED, "c03 POOP: no picture"),
)


@dataclass(frozen=True, slots=True)
class Defect:
    """What was broken when a test did not end as it should.

    Attributes:
        test: The test that found it, and the re-test that closes it.
        closed_after_days: Until the re-test passed; None: it is open.
    """

    id: str
    test: str
    item: str
    name: str
    found: str
    measure: str
    closed_after_days: int | None


DEFECTS: Final = (
    Defect("def-012", "t-door", "d17", "BOSUN STORE", "contact corroded",
           "patrol every 2 h, seal on the door", 3),
    Defect("def-013", "t-hhmd", "x01", "METAL DETECTOR", "battery dead",
           "search by hand, two persons", 12),
    Defect("def-014", "t-cctv-look", "c03", "POOP CAMERA", "no picture",
           "patrol of the poop every hour", None),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill, or an exercise with others."""

    days_ago: int
    scenario: str
    lessons: str
    exercise: bool = False


DRILLS: Final = (
    Drill(392, "stowaway search", "search cards for holds 7 to 9 renewed"),
    Drill(303, "unauthorized person on board", "gangway calls before, not after, the challenge"),
    Drill(212, "bomb threat by telephone", "call card fixed beside the telephone"),
    Drill(160, "port exercise with terminal: breach of the quay", "terminal's UHF channel noted",
          exercise=True),
    Drill(121, "piracy approach, muster inside", "casing door is shut first"),
    Drill(33, "change to security level 2", "store doors closed in 9 min, before 14"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """A port call.

    Attributes:
        hours: Its length; None: she is still there.
    """

    port: str
    days_ago: int
    hours: int | None
    dos: bool = False
    special_measures: bool = False


CALLS: Final = (
    Call("NLRTM", 47, 38),
    Call("MAPTM", 40, 20, dos=True),
    Call("ESALG", 38, 18),
    Call("ITGIT", 34, 22),
    Call("GRPIR", 31, 16),
    Call("EGPSD", 28, 14, dos=True, special_measures=True),
    Call("AEJEA", 17, 26),
    Call("OMSLL", 14, 15),
    Call("LKCMB", 8, 19, dos=True),
    Call("SGSIN", 2, None),
)


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that expires so many days after the history begins."""

    name: str
    number: str
    issued_by: str
    expires_after_days: int


PAPERS: Final = (
    Paper("ISSC", "DEMO-ISSC-1", "RSO for the flag", 1400),
    Paper("CoP of the SSO", "DEMO-COP-1", "the flag", 1100),
)
