"""A year of ship's days, 2027: what falls due, is done and is missed, exactly as the catalogue's words have it.

The real tests, schedule and calendar; the clock is moved by hand. Expected is written out from ``config/tests.toml``:

* 1 January, alongside, level 1; 6 January 1800 to sea; 10 to 20 September in port again.
* Security level 2 on 10 February, 3 on 3 March, 1 on 10 March, each at noon.
* Ship's time UTC+8, +7 from 20 January, +8 from 10 October, each at noon.
* Power off from 5 April 2000 to 9 April 0600. Flag change on 15 June, another version of ispsd on 20 July.
* 12 August: the motion detectors are back in service.
* The crew does at 1100 each day what is due; nobody does anything in November. In May the metal detector's battery is
  on order, which the SSO signs; in August an officer says so, and nobody signs.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from daemon.checks.api import Mode
from daemon.checks.asking import Hindrance
from daemon.config import load
from daemon.errors import RefusedError
from daemon.model import Outcome, Regime, SecurityLevel, Situation, Verdict
from daemon.testing.readiness import Test
from tests.checks.rig import Rig, gathering, judged, rig, running
from tests.clocks import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.model import Json

THIN = Path(__file__).parent / "data" / "thin_ship.toml"
USED = """
[[test]]
use = "t-rec"
ssp_paragraph = "10.3"

[[test]]
use = "t-pir"
ssp_paragraph = "7.3.4"
detectors = ["d12"]

[[test]]
use = "t-buzz"
ssp_paragraph = "7.9"
stations = ["bridge"]

[[test]]
use = "t-seal"
ssp_paragraph = "7.3.3"
groups = [{ name = "holds", numbers = { n01 = "KS0101" } }]

[[test]]
use = "t-hhmd"
ssp_paragraph = "7.8"

[[test]]
use = "t-lrit-report"
ssp_paragraph = "7.6"

[[test]]
use = "t-ups"
ssp_paragraph = "7.9"
approved_by = "P. Okafor, CSO"
steps = [{ text = "Did it hold?", name = "held", expects = "yes_or_no" }]

[[test]]
use = "t-ispsd"
ssp_paragraph = "10.4"
approved_by = "P. Okafor, CSO"
steps = [{ text = "Did it hold?", name = "held", expects = "yes_or_no" }]

[[test]]
use = "t-door"
id = "t-doors"
ssp_paragraph = "7.3.2"
doors = ["d12"]
"""
YEAR = 2027
FIRST, LAST = date(YEAR, 1, 1), date(YEAR, 12, 31)
LOOKS = (0, 4, 10, 11, 12, 18)
"""Hours of the ship's day at which somebody looks; the crew at 11, orders at 12."""
CREW_H, ORDERS_H = 11, 12
SSO, MATE = "R. Menon", "M. Petrov"


def day(said: str) -> date:
    return datetime.strptime(f"{said} {YEAR}", "%d %b %Y").date()  # noqa: DTZ007 (a day of the ship's)


# What is expected


def each(begins: str, ends: str, step: int = 1) -> list[date]:
    """Return a day and every so many days after it, to a last one."""
    first, last = day(begins), day(ends)
    return [first + timedelta(days=n) for n in range(0, (last - first).days + 1, step)]


def days(*said: str) -> list[date]:
    return [day(one) for one in said]


FIRSTS = [date(YEAR, month, 1) for month in range(1, 13)]
NOVEMBER = each("1 Nov", "30 Nov")

DUE = {
    # Each month; at level 3 each week from Monday: 8 March. In November it stays due until it is done in December.
    "t-doors": sorted([*FIRSTS[:11], day("8 Mar")]),
    # Each month at sea, each week in port and at level 2 and 3; after the repair.
    "t-pir": sorted(
        [
            *days("1 Jan", "4 Jan", "1 Feb"),
            *days("10 Feb", "15 Feb", "22 Feb", "1 Mar", "8 Mar"),
            *days("1 Apr", "1 May", "1 Jun", "1 Jul", "1 Aug", "12 Aug", "1 Sep"),
            *days("10 Sep", "13 Sep", "20 Sep", "1 Oct", "1 Nov"),
        ]
    ),
    # Saturdays; at level 2 and 3 each day; after the new version. 6 November stays due until December.
    "t-buzz": sorted(
        [
            *days("1 Jan"),
            *each("2 Jan", "6 Feb", 7),
            *days("10 Feb"),
            *each("12 Feb", "10 Mar"),
            *each("13 Mar", "17 Jul", 7),
            *days("20 Jul"),
            *each("24 Jul", "6 Nov", 7),
            *each("4 Dec", "25 Dec", 7),
        ]
    ),
    # Each week in port, and after each departure; no calendar at sea.
    "t-seal": days("1 Jan", "4 Jan", "6 Jan", "10 Sep", "13 Sep", "20 Sep", "20 Sep"),
    # Each month; each week at level 2, each day at level 3. In May, August and November it stays due.
    "t-hhmd": sorted(
        [
            *days("1 Jan", "1 Feb", "10 Feb", "15 Feb", "22 Feb", "1 Mar"),
            *days("3 Mar"),
            *each("5 Mar", "10 Mar"),
            *days("1 Apr", "1 May", "1 Jul", "1 Aug", "1 Oct", "1 Nov"),
        ]
    ),
    "t-lrit-report": days("1 Jan", "15 Jun"),
    "t-ups": days("1 Jan", "1 Jul"),
    "t-ispsd": days("1 Jan", "1 Apr", "1 Jul", "20 Jul", "1 Oct"),
}
OVERDUE = {
    "t-pir": days("1 Nov"),  # 31 days after 1 October 1100
    "t-buzz": days("9 Nov"),  # 10 days after 30 October 1100
    # 31 days after 1 January 1100, since when ship's time went back an hour; after 1 April, 1 July, 1 October.
    "t-hhmd": days("1 Feb", "2 May", "1 Aug", "1 Nov"),
}
NEXT_DAY = {
    # What falls due after the crew's hour is done on the day after.
    "t-pir": days("10 Feb", "12 Aug", "10 Sep"),
    "t-buzz": days("10 Feb"),
    "t-seal": days("6 Jan", "10 Sep"),
    "t-hhmd": days("10 Feb", "3 Mar"),
}
LATE = {
    # Due in November, done when the crew is there again; what was not done in May and August in the month after.
    "t-doors": {day("1 Nov"): day("1 Dec")},
    "t-pir": {day("1 Nov"): day("1 Dec")},
    "t-buzz": {day("6 Nov"): day("1 Dec")},
    "t-hhmd": {
        day("1 May"): day("1 Jun"),
        day("1 Aug"): day("1 Sep"),
        day("1 Nov"): day("1 Dec"),
    },
}
OFF = days("6 Apr", "7 Apr", "8 Apr")


def expected_done(test: str) -> list[date]:
    """Return when a person did it: on the day on which it fell due, but for what is said above."""
    done = []
    for due in DUE[test]:
        late = LATE.get(test, {}).get(due)
        done.append(late or due + timedelta(days=due in NEXT_DAY.get(test, [])))
    if test == "t-seal":
        done[-1] = day("21 Sep")  # due again at noon of the 20th, when she sailed
    return done


RECORD_DONE = sorted(
    [
        FIRST,  # when it came into the plan, and at 0400
        *(d for d in each("1 Jan", "31 Dec") if d not in OFF),
        day("20 Jan"),  # at noon it was 1100: what was done at 0400 was done at 0300
    ]
)
MISSED = {
    "t-rec": [(d, "not testable: power off") for d in OFF],
    "t-doors": [(day("1 Nov"), "not done")],
    "t-pir": [(day("1 Nov"), "not done")],
    "t-buzz": [(d, "not done") for d in each("6 Nov", "20 Nov", 7)],
    "t-hhmd": [
        (day("1 Aug"), "not done; said: battery on order: signed by nobody who may"),
        (day("1 Nov"), "not done"),
    ],
}
NOT_DONE = {"t-hhmd": days("1 May", "1 Aug")}


CHANGES: dict[date, dict[str, Json]] = {
    day("15 Jun"): {"flag": "panama/352"},
    day("20 Jul"): {"software": "27.2"},
}


# The year


@dataclass
class Year:
    """The ship and her crew."""

    folder: Path
    clock: ManualClock
    regime: Regime = field(default_factory=lambda: Regime(Situation.PORT, SecurityLevel.ONE))
    ship_time: timezone = timezone(timedelta(hours=8))
    history: list[tuple[str, dict[str, Json], datetime]] = field(default_factory=list)
    runs: dict[str, Json] = field(
        default_factory=lambda: {"software": "27.1", "flag": "singapore/563", "ship": "KESTREL"}
    )
    made: Rig = field(init=False)
    stands: dict[str, str] = field(default_factory=dict)
    due: dict[str, list[date]] = field(default_factory=lambda: defaultdict(list))
    overdue: dict[str, list[date]] = field(default_factory=lambda: defaultdict(list))
    refused: list[str] = field(default_factory=list)

    def tests(self) -> list[Test]:
        """Return her tests: her own file and the catalogue, but that each passes at once, or is not done."""
        path = self.folder / "ispsd.toml"
        path.write_text(THIN.read_text("utf-8") + USED, "utf-8")
        shipped = [test for test in load(path).tests if test.config.use]

        async def run(config: Any, _: object) -> Verdict:
            if config.id == "t-hhmd" and self.today == day("1 Aug"):
                return Verdict(Outcome.SKIPPED, "said: battery on order")
            return Verdict(Outcome.PASSED, "seen")

        return [
            Test(
                test.config,
                replace(
                    test.spec,
                    run=gathering(run),
                    judge=judged,
                    lead=None,
                    items=lambda _: (),
                    continuous=False,
                    # A person opens and closes the doors.
                    mode=Mode.ASSISTED if test.spec.lead is not None else test.spec.mode,
                ),
            )
            for test in shipped
        ]

    @property
    def now(self) -> datetime:
        return self.clock.utc().astimezone(self.ship_time)

    @property
    def today(self) -> date:
        return self.now.date()

    def start(self, last_seen: datetime | None = None) -> None:
        """Start ispsd: it takes up what its record has."""
        before = self.made if hasattr(self, "made") else None
        self.made = rig(*self.tests(), clock=self.clock, regime=lambda: self.regime)
        self.made.ship_time = self.ship_time
        self.made.tests.hindrance = self._hindrance
        if before is not None:
            self.made.take_up(before, last_seen=last_seen)
            self.made.journal.drafts += before.journal.drafts
        else:
            self.made.take_up()
        self.made.tests.recall(self.history)
        self.happens("daemon.started", self.runs)

    def _hindrance(self, _test: Test, _item: str | None, hindrance: Hindrance) -> str | None:
        is_highest = self.regime.level is SecurityLevel.THREE and hindrance is Hindrance.LEVEL_3
        return "the ship is at security level 3" if is_highest else None

    def happens(self, type_: str, said: dict[str, Json]) -> None:
        """Write an entry."""
        self.history.append((type_, dict(said), self.clock.utc()))
        self.made.tests.happened(*self.history[-1])

    def level(self, to: int) -> None:
        before, self.regime = self.regime, replace(self.regime, level=SecurityLevel(to))
        self.happens("level.changed", {"from": int(before.level), "to": to})

    def situation(self, to: Situation) -> None:
        before, self.regime = self.regime, replace(self.regime, situation=to)
        self.happens("situation.changed", {"from": before.situation.value, "to": to.value})

    def time_is(self, hours: int) -> None:
        self.ship_time = self.made.ship_time = timezone(timedelta(hours=hours))

    async def come(self, today: date, hour: int) -> None:
        """Let an hour of the ship's day come, and see how the tests stand."""
        await self.made.come(
            datetime(today.year, today.month, today.day, hour, tzinfo=self.ship_time)
        )
        self.look()

    def look(self) -> None:
        for id_, test in self.made.tests.tests.items():
            stands = self.made.tests.readiness(test)
            if stands != self.stands.get(id_):
                self.stands[id_] = stands
                if stands == "test due":
                    self.due[id_].append(self.today)
                elif stands == "overdue":
                    self.overdue[id_].append(self.today)

    async def crew(self) -> None:
        """Do what is due."""
        if self.today in NOVEMBER:
            return
        for id_, stands in list(self.stands.items()):
            if stands not in {"test due", "overdue"} or self._is_left(id_):
                continue
            self.made.tests.start(id_, MATE)
        await self.made.clock.advance(0.0)
        self.look()

    def _is_left(self, test: str) -> bool:
        """Return whether the crew leaves a test: its battery is on order."""
        if test != "t-hhmd" or self.today.month not in {5, 8} or self.today == day("1 Aug"):
            return False
        if self.today == day("1 May"):
            self.made.tests.skip(test, SSO, "battery on order")
        return True

    def orders(self) -> None:
        """Do what happens at noon."""
        match (self.today.day, self.today.month):
            case (20, 1):
                self.time_is(7)
            case (10, 2):
                self.level(2)
            case (3, 3):
                self.level(3)
                with pytest.raises(RefusedError) as refusal:
                    self.made.tests.start("t-ups", MATE)
                self.refused.append(str(refusal.value))
            case (10, 3):
                self.level(1)
            case (12, 8):
                self.happens("out_of_service.ended", {"equipment": "motion"})
            case (10, 9):
                self.situation(Situation.PORT)
            case (20, 9):
                self.situation(Situation.SEA)
            case (10, 10):
                self.time_is(8)


@dataclass
class Voyage:
    """The year, and ispsd as it is stopped and started in it."""

    year: Year
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self, last_seen: datetime | None = None) -> None:
        self.year.start(last_seen)
        await self.stack.enter_async_context(running(self.year.made))

    async def restart(self, on: date, hour: int, last_seen: datetime) -> None:
        """Stop now, and start again at an hour of a day."""
        await self.stack.aclose()
        moment = datetime(on.year, on.month, on.day, hour, tzinfo=self.year.ship_time)
        self.year.clock.step_utc((moment - self.year.clock.utc()).total_seconds())
        await self.start(last_seen)
        await self.year.come(on, hour)

    async def a_day(self, today: date, hours: Iterable[int]) -> None:
        year = self.year
        for hour in hours:
            await year.come(today, hour)
            if hour == CREW_H:
                await year.crew()
            elif hour == ORDERS_H:
                year.orders()
                await year.made.clock.advance(1.0)
                year.look()
            elif hour == LOOKS[-1] and today == day("6 Jan"):
                year.situation(Situation.SEA)
                year.look()


async def the_year(folder: Path) -> Year:
    """Sail through it."""
    begins = datetime(YEAR, 1, 1, tzinfo=timezone(timedelta(hours=8)))
    year = Year(folder, ManualClock(utc=begins))
    voyage = Voyage(year)
    await voyage.start()
    for today in (FIRST + timedelta(days=n) for n in range(365)):
        if today in OFF:
            continue
        if today == day("9 Apr"):
            await voyage.restart(today, 6, year.clock.utc())
            await voyage.a_day(today, [hour for hour in LOOKS if hour > 6])
        elif today in CHANGES:
            await voyage.a_day(today, [hour for hour in LOOKS if hour < 8])
            year.runs |= CHANGES[today]
            await voyage.restart(today, 8, year.clock.utc())
            await voyage.a_day(today, [hour for hour in LOOKS if hour > 8])
        else:
            await voyage.a_day(today, LOOKS)
        if today == day("5 Apr"):
            await year.come(today, 20)
    await voyage.stack.aclose()
    return year


def listed(pairs: Iterable[tuple[str, date]]) -> dict[str, list[date]]:
    found: dict[str, list[date]] = defaultdict(list)
    for test, on in pairs:
        found[test].append(on)
    return {test: sorted(on) for test, on in found.items()}


def ships_day(said: object, zone: timezone) -> date:
    return datetime.fromisoformat(str(said)).astimezone(zone).date()


@pytest.mark.timeout(120)  # 365 days are some seconds of work, and more where eight do theirs
async def test_a_year_falls_due_is_done_and_is_missed_exactly_as_the_catalogue_says(tmp_path):
    year = await the_year(tmp_path)
    east = timezone(timedelta(hours=8))  # 0400 and 1100 are of the same day in both ship's times
    results = [dict(d.open) for d in year.made.journal.drafts if d.type == "test.result"]
    done = listed(
        (str(r["test"]), ships_day(r["ended"], east)) for r in results if r["outcome"] == "passed"
    )
    not_done = listed(
        (str(r["test"]), ships_day(r["ended"], east)) for r in results if r["outcome"] == "skipped"
    )
    missed = defaultdict(list)
    for draft in year.made.journal.drafts:
        if draft.type == "test.missed":
            begins = ships_day(draft.open["period_begins"], east)
            missed[str(draft.open["test"])].append((begins, str(draft.open["reason"])))
    record_done = done.pop("t-rec")
    year.due.pop("t-rec", None)
    assert dict(year.due) == DUE
    assert dict(year.overdue) == OVERDUE
    assert done == {test: expected_done(test) for test in DUE}
    assert not_done == NOT_DONE
    assert dict(missed) == MISSED
    assert record_done == RECORD_DONE
    assert year.refused == ["t-ups waits: the ship is at security level 3"]
