"""`ispsd tests`: why a test stands as it does, what falls due until a day, and what the ship has otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from daemon.assets import asset
from daemon.checks import catalogue, intervals
from daemon.checks.api import Mode
from daemon.checks.asking import Event, Hindrance
from daemon.config import load
from daemon.console import tests as page
from daemon.errors import RefusedError
from daemon.model import ClockStatus, Outcome, Regime, SecurityLevel, Situation, Verdict
from daemon.testlog.testbook import MOST_DAYS, TestBook
from tests.checks.rig import Rig, gathering, rig, running, scripted
from tests.clocks import ManualClock
from tests.makers import UTC_0210

if TYPE_CHECKING:
    from daemon.testing.readiness import Test

SAMPLE = load(asset("ispsd.toml"))
DAY = timedelta(days=1)
PORT = Regime(Situation.PORT, SecurityLevel.ONE)


def planned(test: Test, **asked: object) -> Test:
    """Return a test with other settings of its plan."""
    said = {**test.config.model_dump(), **asked}
    test.config = type(test.config).model_validate(said)
    return test


def manual(id_: str = "t-1", **asked: object) -> Test:
    return planned(scripted(id_=id_, mode=Mode.MANUAL), **asked)


def book(made: Rig, *, config: Any = SAMPLE, regime: Regime = PORT) -> TestBook:
    rows = [
        {
            "test": test.config.id,
            "name": test.config.name,
            "readiness": made.tests.readiness(test),
            "step": None,
        }
        for test in made.tests.tests.values()
    ]
    return TestBook(
        config,
        tests=made.tests,
        rows=lambda: rows,  # type: ignore[arg-type,return-value]
        shipped=catalogue.load(asset(catalogue.FILE)),
        regime=lambda: regime,
        ship_time=lambda: made.ship_time,
        clock=made.clock,
        journal=made.journal,  # type: ignore[arg-type]
    )


async def asked(made: Rig, do: str, **said: object) -> Any:
    answer = await book(made).requests()[do]({"do": do, **said})
    return json.loads(json.dumps(answer))  # as it crosses the control socket


async def do(made: Rig, test: str) -> None:
    made.tests.start(test, "R. Menon")
    await made.clock.advance(1.0)


# Why


async def why(made: Rig) -> str:
    (row,) = (await asked(made, "tests"))["tests"]
    return str(row["why"])


async def test_each_test_says_why_it_stands_as_it_does(tmp_path):
    script = (Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.PASSED)
    test = planned(
        scripted(mode=Mode.MANUAL, verdicts=script),
        every="week",
        limit_days=9,
        after=["departure"],
        interval_source="practice",
    )
    made = rig(test).take_up()
    async with running(made):
        assert await why(made) == "never passed"
        await do(made, "t-1")
        assert await why(made) == "passed 22 Nov 2026 1010"
        (row,) = (await asked(made, "tests"))["tests"]
        assert row["rule"] == "once each week (port, level 1); limit 9 days; after departure"
        assert (row["ssp_paragraph"], row["interval_source"]) == ("1", "practice")
        assert row["last"]["seq"] == 3, "behind the plan and the beginning"
        assert row["limit"].startswith("2026-12-01T02:10")
        assert row["next_due"] == "2026-11-22T16:00:00.000Z"
        await made.come(datetime(2026, 11, 22, 16, tzinfo=UTC))
        assert await why(made) == (
            "passed 22 Nov 2026 1010, and not since its period began on 23 Nov 2026 0000"
        )
        made.tests.happened("situation.changed", {"from": "port", "to": "sea"}, made.clock.utc())
        assert await why(made) == "departure on 23 Nov 2026 0000, and not passed since"
        await do(made, "t-1")
        assert (await why(made)).startswith("it failed on 23 Nov 2026 0000 (no. 5)")
        lines = list(page.standing(await asked(made, "tests")))
        assert lines[0] == "t-1            BELL               DEFECT"
        assert any("SSP 1, interval by practice" in line for line in lines)
        assert max(map(len, lines)) <= page.WIDTH


async def test_what_nothing_asks_for_here_is_no_work_and_says_so():
    made = rig(manual(every="never", every_in={"anchor": "day"})).take_up()
    async with running(made):
        assert made.tests.readiness(made.test("t-1")) == "not testable"
        assert await why(made) == "nothing asks for it here, and it was never passed"
        assert made.tests.worklist() == []
        answer = await asked(made, "tests.coming", days=30)
        assert [each["asked_for"] for each in answer["not_here"]] == ["never, day in anchor"]
        assert answer["days"] == []


# What comes


async def test_the_months_to_come_are_told_by_ships_day_and_the_calendar_is_asked_once_a_period():
    tests = [
        manual("t-month", every="month", limit_days=40),
        manual("t-week", every="week", at="sat 10:00"),
        manual("t-days", every="14 days"),
        manual("t-cron", every="cron 30 16 1,15 * *"),
        scripted(id_="t-day"),
        *(manual(f"t-{n}", every="week") for n in range(60)),
    ]
    made = rig(*tests).take_up()
    async with running(made):
        for test in list(made.tests.tests)[:5]:
            if test != "t-day":
                made.tests.start(test, "R. Menon")
        await made.clock.advance(1.0)
        intervals._period.cache_clear()
        answer = await asked(made, "tests.coming", until="2027-03-01")
        periods = {
            (row["due"], row["period_ends"]) for day in answer["days"] for row in day["tests"]
        }
        looked_up = intervals._period.cache_info().misses
        assert looked_up <= 2 * len(periods), "for a hundred days of 65 tests"
    due = {
        id_: [day["day"] for day in answer["days"] for row in day["tests"] if row["test"] == id_]
        for id_ in ("t-month", "t-days", "t-cron", "t-day")
    }
    assert due == {
        "t-month": ["2026-12-01", "2027-01-01", "2027-02-01", "2027-03-01"],
        "t-days": [
            f"{datetime(2026, 12, 6, tzinfo=UTC) + n * 14 * DAY:%Y-%m-%d}" for n in range(7)
        ],
        "t-cron": [
            "2026-12-01",
            "2026-12-15",
            "2027-01-01",
            "2027-01-15",
            "2027-02-01",
            "2027-02-15",
            "2027-03-01",
        ],
        "t-day": [],
    }
    assert [row["test"] for row in answer["daily"]] == ["t-day"], "each day, so not on every day"
    (first,) = (
        row
        for day in answer["days"]
        for row in day["tests"]
        if row["test"] == "t-month" and day["day"] == "2026-12-01"
    )
    assert first["limit"].startswith("2027-01-01"), "40 days after it passed"
    saturdays = [
        day["day"] for day in answer["days"] for row in day["tests"] if row["test"] == "t-week"
    ]
    assert saturdays[0] == "2026-11-28"
    lines = list(page.coming(answer))
    assert "TESTS TO COME, 22 Nov 2026 1010 to 02 Mar 2027 0000 ship's time" in lines[0]
    assert "Sat 28 Nov 2026" in lines
    assert max(map(len, lines)) <= page.WIDTH


async def test_the_preview_is_what_then_happens():
    """Whoever plans by it finds the tests due on those days."""

    def crew() -> list[Test]:
        return [
            manual("t-a", every="week", at="sat 10:00"),
            manual("t-b", every="10 days"),
            manual("t-c", every=["month", "week", "day"], after=["level change"]),
        ]

    made = rig(*crew()).take_up()
    async with running(made):
        for test in made.tests.tests:
            made.tests.start(test, "R. Menon")
        await made.clock.advance(1.0)
        answer = await asked(made, "tests.coming", days=60)
        foretold = [(day["day"], row["test"]) for day in answer["days"] for row in day["tests"]]
        happened = []
        for hour in range(60 * 24):
            await made.come(UTC_0210 + timedelta(seconds=1, hours=hour + 1))
            for id_, test in made.tests.tests.items():
                if made.tests.readiness(test) == "test due":
                    today = made.clock.utc().astimezone(made.ship_time)
                    happened.append((f"{today:%Y-%m-%d}", id_))
                    made.tests.start(id_, "R. Menon")
            await made.clock.advance(0.0)
    assert sorted(happened) == sorted(foretold)
    assert foretold


async def test_a_clock_that_is_not_set_foretells_nothing_and_says_so():
    class NoDate(ManualClock):
        def status(self) -> ClockStatus:
            return ClockStatus.UNSET

    made = rig(manual(), clock=NoDate()).take_up()
    async with running(made):
        answer = await asked(made, "tests.coming", days=30)
        assert (answer["days"], answer["daily"], answer["clock"]) == ([], [], "unset")
        (line, *_) = page.coming(answer)
        assert line.startswith("THE COMPUTER'S CLOCK IS NOT SET: NOTHING FALLS DUE")
        assert "CLOCK IS NOT SET" in next(page.standing(await asked(made, "tests")))


@pytest.mark.parametrize(
    "said",
    [
        {"days": 0},
        {"days": MOST_DAYS + 1},
        {"days": 999_999_999},
        {"until": "9999-12-31"},
        {"until": "0001-01-01"},
        {"until": "2026-11-01"},
        {"until": "tomorrow"},
        {},
    ],
)
async def test_no_day_that_is_asked_for_is_refused(said):
    made = rig(manual()).take_up()
    with pytest.raises(RefusedError):
        await asked(made, "tests.coming", **said)


# What stands in the way


async def test_what_stands_in_the_way_is_said_and_nothing_starts():
    made = rig(
        planned(scripted(id_="t-auto"), inhibited_by=["blackout"]),
        manual("t-port", only_in=["anchor"]),
    ).take_up()
    made.tests.hindrance = lambda _test, _item, what: (
        "a blackout is planned until 0300 UTC" if what is Hindrance.BLACKOUT else None
    )
    async with running(made):
        await made.clock.advance(10.0)
        assert made.outcomes() == [], "nothing starts by itself"
        with pytest.raises(RefusedError, match="t-auto waits: a blackout is planned until 0300"):
            made.tests.start("t-auto", "R. Menon")
        with pytest.raises(RefusedError, match="t-port waits: it is done in anchor; the ship's"):
            made.tests.start("t-port", "R. Menon")
        texts = {str(item["id"]): str(item["text"]) for item in made.tests.worklist()}
        assert texts["t-auto"].endswith("; waits: a blackout is planned until 0300 UTC")
        made.tests.hindrance = lambda *_: None
        await made.clock.advance(1.0)
        assert made.outcomes() == ["passed"]


async def test_a_period_in_which_she_was_never_where_it_can_be_done_was_not_testable():
    made = rig(manual(every="week", only_in=["anchor"])).take_up()
    async with running(made):
        await made.come(datetime(2026, 11, 29, 16, tzinfo=UTC))
        (draft,) = made.written("test.missed")
        assert draft.open["reason"] == "not testable: never in anchor in this time"


@pytest.mark.parametrize(
    ("off_from", "on", "reason"),
    [
        ((26, 0, 0), (26, 0, 10), "not testable: never in anchor in this time"),
        ((22, 12, 0), (30, 0, 0), "not testable: power off"),
    ],
    ids=["for ten seconds", "all the week"],
)
async def test_off_for_a_part_of_the_time_is_no_reason_where_there_is_a_better(
    off_from, on, reason
):
    def anchored() -> Test:
        return manual(every="week", only_in=["anchor"])

    off_utc, on_utc = (
        datetime(2026, 11, day, hour, second=second, tzinfo=UTC)
        for day, hour, second in (off_from, on)
    )
    before = rig(anchored()).take_up()
    async with running(before):
        await before.clock.advance(1.0)
    again = rig(anchored(), clock=ManualClock(utc=on_utc)).take_up(before, last_seen=off_utc)
    async with running(again):
        await again.come(max(on_utc, datetime(2026, 11, 29, 16, tzinfo=UTC)) + timedelta(seconds=2))
        (draft,) = again.written("test.missed")
        assert draft.open["reason"] == reason


# Events


@pytest.mark.parametrize(
    ("type_", "said", "event"),
    [
        ("situation.changed", {"from": "port", "to": "manoeuvring"}, Event.DEPARTURE),
        ("situation.changed", {"from": "sea", "to": "anchor"}, Event.ARRIVAL),
        ("level.changed", {"from": 1, "to": 2}, Event.LEVEL),
        ("threat.changed", {"on": True}, Event.THREAT),
        ("out_of_service.ended", {"equipment": "bell"}, Event.REPAIR),
        ("unit.replaced", {"device": "bell", "contacts": []}, Event.REPAIR),
        ("daemon.started", {"software": "2", "ship": "A", "flag": "x"}, Event.SOFTWARE),
        ("daemon.started", {"software": "1", "ship": "B", "flag": "x"}, Event.SHIP),
        ("daemon.started", {"software": "1", "ship": "A", "flag": "y"}, Event.FLAG),
    ],
)
async def test_an_event_makes_a_test_due_and_so_it_is_after_a_restart(type_, said, event):
    def crew() -> Test:
        return manual(every="year", after=[event.value], after_days=3)

    before = {"software": "1", "ship": "A", "flag": "x"}
    made = rig(crew()).take_up()
    made.tests.recall([("daemon.started", before, made.clock.utc())])
    async with running(made):
        await do(made, "t-1")
        assert made.tests.readiness(made.test("t-1")) == "in order"
        at_utc = made.clock.utc() + timedelta(seconds=5)
        await made.clock.advance(10.0)
        made.tests.happened(type_, said, at_utc)
        assert made.tests.readiness(made.test("t-1")) == "test due"
        (item,) = made.tests.worklist()
        assert f"after {event.value}" in str(item["text"])
    again = rig(crew(), clock=made.clock).take_up(made)
    again.tests.recall([("daemon.started", before, UTC_0210), (type_, said, at_utc)])
    async with running(again):
        assert again.tests.readiness(again.test("t-1")) == "test due"
        await again.come(at_utc + 3 * DAY + timedelta(seconds=1))
        assert again.tests.readiness(again.test("t-1")) == "overdue"
        await do(again, "t-1")
        assert again.tests.readiness(again.test("t-1")) == "in order"


SAILED = ("situation.changed", {"from": "port", "to": "sea"})
STARTED = ("daemon.started", {"software": "1"})


@pytest.mark.parametrize("wrong", [UTC_0210 + 4000 * DAY, datetime(1970, 1, 1, tzinfo=UTC)])
async def test_a_departure_that_a_wrong_clock_wrote_asks_for_its_test_until_that_is_done(wrong):
    def crew() -> Test:
        return manual(every="year", after=["departure"])

    before = rig(crew()).take_up()
    async with running(before):
        await do(before, "t-1")
    known = [(*STARTED, UTC_0210), (*SAILED, wrong)]
    made = rig(crew(), clock=ManualClock(utc=UTC_0210 + DAY)).take_up(before)
    made.tests.recall(known)
    made.tests.happened(*STARTED, made.clock.utc())
    async with running(made):
        assert made.tests.readiness(made.test("t-1")) == "test due"
        await made.clock.advance(1.0)
        await do(made, "t-1")
        assert made.tests.readiness(made.test("t-1")) == "in order"
    later = rig(crew(), clock=ManualClock(utc=UTC_0210 + 2 * DAY)).take_up(made)
    later.tests.recall([*known, (*STARTED, UTC_0210 + DAY)])
    async with running(later):
        assert later.tests.readiness(later.test("t-1")) == "in order", "done is done"


async def test_a_departure_of_a_clock_that_was_ahead_is_done_after_it_was_set_back():
    made = rig(manual(every="year", after=["departure"])).take_up()
    async with running(made):
        await do(made, "t-1")
        made.clock.step_utc(4000 * 86400.0)
        made.tests.happened(*SAILED, made.clock.utc())
        made.clock.step_utc(-4000 * 86400.0)
        await made.clock.advance(1.0)
        assert made.tests.readiness(made.test("t-1")) == "test due"
        await made.clock.advance(1.0)
        await do(made, "t-1")
        assert made.tests.readiness(made.test("t-1")) == "in order"


@pytest.mark.parametrize(
    ("type_", "said"),
    [
        ("situation.changed", {"from": "sea", "to": "manoeuvring"}),
        ("level.changed", {"from": 2, "to": 2}),
        ("threat.changed", {"on": False}),
        ("out_of_service.ended", {"equipment": "other"}),
        ("daemon.started", {"software": "1"}),
    ],
)
async def test_what_is_no_event_for_a_test_asks_for_nothing(type_, said):
    made = rig(manual(every="year", after=[each.value for each in Event])).take_up()
    async with running(made):
        await do(made, "t-1")
        await made.clock.advance(5.0)
        made.tests.happened(type_, said, made.clock.utc())
        assert made.tests.readiness(made.test("t-1")) == "in order"


# Words that somebody has to sign


async def test_an_officers_not_done_settles_nothing_until_the_sso_signs_it():
    made = rig(manual(every="week")).take_up()
    test = made.test("t-1")

    async def not_done(_config: object, _ctx: object) -> Verdict:
        return Verdict(Outcome.SKIPPED, "said by M. Petrov: battery on order")

    test.spec = replace(test.spec, run=gathering(not_done))
    async with running(made):
        await made.come(datetime(2026, 11, 24, 2, tzinfo=UTC))
        await do(made, "t-1")
        (result,) = made.results()
        assert (result["outcome"], result["signed_off"]) == ("skipped", False)
        (item,) = made.tests.worklist()
        assert item["state"] == "not done"
        assert "battery on order; to be signed: ispsd not-done t-1" in str(item["text"])
    stopped_utc = made.clock.utc()
    await made.clock.advance(10.0)
    again = rig(manual(every="week"), clock=made.clock).take_up(made, last_seen=stopped_utc)
    assert "to be signed" in str(again.tests.worklist()), "and after a restart"
    async with running(again):
        made_at = datetime(2026, 11, 29, 16, tzinfo=UTC)
        await again.come(made_at)
        (draft,) = again.written("test.missed")
        assert str(draft.open["reason"]).endswith("signed by nobody who may")
        again.tests.skip("t-1", "R. Menon", "battery on order")
        await again.clock.advance(1.0)
        assert again.results()[-1]["signed_off"] is True
        assert "to be signed" not in str(again.tests.worklist())
        await again.come(made_at + 7 * DAY)
        assert len(again.written("test.missed")) == 1, "that week has its reason"


# Grace


async def test_in_the_days_of_grace_a_late_test_is_still_the_periods_own():
    def crew() -> Test:
        return manual(every="week", grace_days=2)

    monday = datetime(2026, 11, 29, 16, tzinfo=UTC)
    made = rig(crew()).take_up()
    async with running(made):
        await do(made, "t-1")
        await made.come(monday + 2 * DAY - timedelta(seconds=1))
        assert made.written("test.missed") == []
        await do(made, "t-1")
        await made.come(monday + 10 * DAY)
        assert made.written("test.missed") == []
    late = rig(crew(), clock=ManualClock(utc=UTC_0210)).take_up()
    async with running(late):
        await do(late, "t-1")
        await late.come(monday + 2 * DAY)
        (draft,) = late.written("test.missed")
        assert draft.open["period_begins"] == "2026-11-22T16:00:00.000Z"


# Differences


async def test_what_the_ship_has_otherwise_is_listed_with_paragraph_and_approver_and_written():
    made = rig(manual()).take_up()
    answer = await asked(made, "tests.differences")
    (uhf,) = answer["differences"]
    assert (uhf["test"], uhf["ssp_paragraph"], uhf["approved_by"]) == (
        "t-uhf",
        "7.8",
        "P. Okafor, CSO",
    )
    assert {each["setting"] for each in uhf["settings"]} == {"every", "every_in", "limit_days"}
    assert {"t-ssas-e", "t-ssas-l"} <= {each["entry"] for each in answer["not_used"]}
    lines = list(page.differences(answer))
    assert "t-uhf: SSP 7.8, approved by P. Okafor, CSO, 2026-10-14" in lines
    assert any("every: week; catalogue: never / day / day" in line for line in lines)
    book(made).write_differences()
    (draft,) = made.written("tests.altered")
    assert draft.open["tests"] == [
        {
            "test": "t-uhf",
            "ssp": "7.8",
            "approved_by": "P. Okafor, CSO",
            "approved_on": "2026-10-14",
            "every": "never / day / day to week",
            "every_in": "port day to nothing",
            "limit_days": "7 to 10",
        }
    ]
