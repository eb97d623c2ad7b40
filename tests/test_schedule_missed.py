"""Every period is accounted for in the record: done, failed, or not done with the reason; once, and without a storm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from daemon.checks.api import ItemsVerdict, Mode
from daemon.errors import RefusedError
from daemon.model import Classification, ClockStatus, Outcome, Verdict
from daemon.testing.schedule import LastResult
from tests.checks.rig import Rig, rig, running, scripted
from tests.clocks import ManualClock
from tests.makers import UTC_0210

if TYPE_CHECKING:
    from daemon.testing.readiness import Test

DAY = timedelta(days=1)
HOUR_S = 3600.0


def missed(made: Rig) -> list[tuple[object, object]]:
    return [(d.open["period_begins"], d.open["reason"]) for d in made.written("test.missed")]


async def a_day(*tests) -> Rig:
    """Run tests for a moment of 22 November, so that they stand in the plan and are done."""
    made = rig(*tests).take_up()
    async with running(made):
        await made.clock.advance(1.0)
    return made


async def test_off_over_three_due_dates_is_one_catch_up_and_three_missed_entries():
    before = await a_day(scripted())
    later = rig(scripted(), clock=ManualClock(utc=UTC_0210 + 4 * DAY))
    later.take_up(before, last_seen=UTC_0210)
    async with running(later):
        await later.clock.advance(HOUR_S)
        assert missed(later) == [
            (f"2026-11-{day}T16:00:00.000Z", "not testable: power off") for day in (22, 23, 24)
        ]
        assert later.outcomes() == ["passed"], "one catch-up"
    again = rig(scripted(), clock=ManualClock(utc=UTC_0210 + 4 * DAY)).take_up(later)
    async with running(again):
        await again.clock.advance(HOUR_S)
        assert (missed(again), again.outcomes()) == ([], []), "and never twice"


async def test_a_long_time_off_is_one_entry():
    before = await a_day(scripted())
    later = rig(scripted(), clock=ManualClock(utc=UTC_0210 + 60 * DAY))
    later.take_up(before, last_seen=UTC_0210)
    async with running(later):
        (draft,) = later.written("test.missed")
        assert draft.open["period_begins"] == "2026-11-22T16:00:00.000Z"
        assert draft.open["period_ends"] == "2027-01-20T16:00:00.000Z"


async def test_no_restart_hides_the_month_that_follows_a_missed_one():
    """What is read back says until when all is settled; what comes next begins there and is not settled."""
    now = rig(scripted(every="month", mode=Mode.ASSISTED)).take_up()
    async with running(now):
        await now.clock.advance(1.0)
    for month in (12, 1, 2, 3):
        before, utc = now, datetime(2026 + (month < 12), month, 20, tzinfo=UTC)
        now = rig(scripted(every="month", mode=Mode.ASSISTED), clock=ManualClock(utc=utc))
        now.take_up(before, last_seen=utc - DAY)
        async with running(now):
            await now.clock.advance(1.0)
        assert len(missed(now)) == (month < 12), f"{month}: of the month before, once"
        now.journal.drafts[:0] = before.journal.drafts


@pytest.mark.parametrize("each_night_h", [1, -1])
async def test_no_day_is_passed_over_while_ship_s_time_moves(each_night_h):
    made = rig(scripted(every="day", mode=Mode.ASSISTED)).take_up()
    made.ship_time = timezone(timedelta(hours=-5 * each_night_h))
    noon = UTC_0210.replace(hour=12, minute=0)
    first = UTC_0210.astimezone(made.ship_time).date()
    async with running(made):
        for night in range(10):
            await made.come(noon + night * DAY)
            made.ship_time = timezone(timedelta(hours=(night - 5) * each_night_h))
        await made.come(noon + 10 * DAY)
    last = made.clock.utc().astimezone(made.ship_time).date()
    between = (last - first).days - 1
    assert len(missed(made)) == between, "in the first it came into the plan, the last is not over"


async def test_nobody_did_it_is_said_when_the_period_ends_and_stays_on_the_worklist():
    made = rig(scripted(every="week", at="sat 10:00", mode=Mode.ASSISTED)).take_up()
    saturday = datetime(2026, 11, 28, 2, tzinfo=UTC)
    async with running(made):
        await made.come(saturday + 7 * DAY - timedelta(seconds=1))
        assert missed(made) == []
        await made.clock.advance(1.0)
        (draft,) = made.written("test.missed")
        assert (draft.kind, draft.classification) == (".10", Classification.WATCH)
        assert draft.open["outcome"] == "skipped", "NOT DONE, on paper"
        assert missed(made) == [("2026-11-28T02:00:00.000Z", "not done")]
        await made.clock.advance(HOUR_S)
        assert len(missed(made)) == 1
        (item,) = made.tests.worklist()
        assert item["state"] == "overdue"


async def test_a_test_of_class_sso_is_missed_in_class_sso():
    private = scripted(mode=Mode.ASSISTED, classification=Classification.SSO)
    made = rig(private).take_up()
    async with running(made):
        await made.come(UTC_0210 + 2 * DAY)
        assert {d.classification for d in made.journal.drafts} == {Classification.SSO}
        assert [d.type for d in made.journal.drafts] == ["tests.planned", "test.missed"]


async def test_the_plan_is_written_once_and_again_when_an_interval_changes():
    before = await a_day(scripted(), scripted(id_="t-2"))
    (draft,) = before.written("tests.planned")
    assert [t["test"] for t in draft.open["tests"]] == ["t-1", "t-2"]
    assert draft.open["tests"][0] == {
        "test": "t-1",
        "equipment": "bell",
        "since": "2026-11-22T02:10:00.000Z",
        "every": "day",
        "at": None,
        "limit_days": 2,
        "ssp_paragraph": "1",
    }
    same = rig(scripted(), scripted(id_="t-2")).take_up(before)
    async with running(same):
        assert same.written("tests.planned") == []
    clock = ManualClock(utc=UTC_0210 + DAY)
    other = rig(scripted(), scripted(id_="t-2", every="week"), clock=clock).take_up(before)
    async with running(other):
        (draft,) = other.written("tests.planned")
        ((planned),) = draft.open["tests"]
        assert (planned["test"], planned["every"]) == ("t-2", "week")
        assert planned["since"] == "2026-11-22T02:10:00.000Z", "as long as it was in the plan"


NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def asked(*, every: str = "month", after: tuple[str, ...] = ()) -> Test:
    """Return a test that a person does, so often and after such events."""
    test = scripted(mode=Mode.ASSISTED)
    plan = {"every": every, "after": after}
    test.config = type(test.config).model_validate({**test.config.model_dump(), **plan})
    return test


def a_start(test: Test, utc: datetime, before: Rig | None = None) -> Rig:
    return rig(test, clock=ManualClock(utc=utc)).take_up(before, last_seen=utc if before else None)


async def passed_at_noon(test: Test) -> Rig:
    """Run a test on 2 November, and stop."""
    made = a_start(test, NOON)
    async with running(made):
        made.tests.start("t-1", "R. Menon")
        await made.clock.advance(1.0)
    return made


async def test_a_stricter_plan_counts_from_when_it_came_in_also_over_a_restart():
    before = await passed_at_noon(asked())
    came_in = NOON + 24 * DAY
    changed = a_start(asked(every="week"), came_in, before)
    async with running(changed):
        await changed.clock.advance(1.0)
        assert missed(changed) == []
        assert changed.tests.readiness(changed.test("t-1")) == "test due"
        (draft,) = changed.written("tests.planned")
        ((planned),) = draft.open["tests"]
        assert (planned["since"], planned["stands"]) == (
            "2026-11-02T12:00:00.000Z",
            "2026-11-26T12:00:00.000Z",
        )
    changed.journal.drafts[:0] = before.journal.drafts
    again = a_start(asked(every="week"), came_in + DAY, changed)
    async with running(again):
        await again.clock.advance(1.0)
        assert missed(again) == []
        await again.come(came_in + 12 * DAY)
        assert [begins for begins, _ in missed(again)] == ["2026-11-29T16:00:00.000Z"]
        assert again.tests.overdue() == ["t-1"]


async def test_a_laxer_plan_postpones_nothing_that_was_missed_before_it():
    before = await passed_at_noon(asked(every="week"))
    changed = a_start(asked(every="month"), NOON + 100 * DAY, before)
    async with running(changed):
        await changed.clock.advance(1.0)
        assert len(missed(changed)) == 2, "December and January"
        assert changed.tests.overdue() == ["t-1"]
        ((planned),) = changed.written("tests.planned")[0].open["tests"]
        assert "stands" not in planned


async def test_what_happened_before_the_plan_asked_after_it_asks_for_nothing():
    before = await passed_at_noon(asked(every="year"))
    sailed, came_in = NOON + 8 * DAY, NOON + 24 * DAY
    changed = a_start(asked(every="year", after=("departure",)), came_in, before)
    async with running(recalled(changed, sailed)):
        await changed.clock.advance(1.0)
        assert missed(changed) == []
        assert changed.tests.readiness(changed.test("t-1")) == "in order"
        sails(changed)
        assert changed.tests.readiness(changed.test("t-1")) == "test due", "the next does"
        sailed_again = changed.clock.utc()
    changed.journal.drafts[:0] = before.journal.drafts
    test = asked(every="year", after=("departure",))
    again = a_start(test, came_in + 8 * DAY, changed)
    async with running(recalled(again, sailed, sailed_again)):
        await again.clock.advance(1.0)
        assert [begins for begins, _ in missed(again)] == ["2026-11-26T12:00:01.000Z"]


async def test_what_asked_before_another_event_came_into_the_plan_still_asks():
    before = await passed_at_noon(asked(every="year", after=("departure",)))
    sailed, came_in = NOON + 8 * DAY, NOON + 12 * DAY
    changed = a_start(asked(every="week", after=("departure", "arrival")), came_in, before)
    changed.tests.recall(
        ("situation.changed", {"from": old, "to": new}, moment)
        for old, new, moment in (
            ("port", "sea", sailed),
            ("sea", "port", sailed + DAY),
        )
    )
    async with running(changed):
        await changed.clock.advance(1.0)
        past = changed.test("t-1").past
        assert (past.asked_by, past.asked_utc) == ("departure", sailed)


async def test_a_plan_that_a_clock_wrote_that_was_ahead_hides_nothing_when_it_is_right():
    before = a_start(asked(every="day"), NOON + 365 * DAY)
    async with running(before):
        await before.clock.advance(1.0)
    made = a_start(asked(every="day"), NOON, before)
    async with running(made):
        await made.clock.advance(2.0)
        (draft,) = made.written("tests.planned")
        ((planned),) = draft.open["tests"]
        assert planned["since"] == "2026-11-02T12:00:00.000Z"
        await made.come(NOON + 2 * DAY)
        assert [begins for begins, _ in missed(made)] == ["2026-11-02T16:00:00.000Z"]
        assert len(made.written("tests.planned")) == 1


async def test_a_plan_is_believed_rather_than_a_clock_that_a_result_speaks_against():
    before = a_start(asked(), NOON)
    async with running(before):
        before.tests.start("t-1", "R. Menon")
        await before.clock.advance(1.0)
    made = a_start(asked(), NOON - 100 * DAY, before)
    async with running(made):
        await made.clock.advance(2.0)
        assert made.written("tests.planned") == []


async def test_a_plan_of_many_tests_is_cut_into_entries_that_fit():
    made = rig(*(scripted(id_=f"t-{n}", mode=Mode.ASSISTED) for n in range(150))).take_up()
    async with running(made):
        assert [len(d.open["tests"]) for d in made.written("tests.planned")] == [100, 50]


async def test_without_a_date_nothing_is_planned_or_missed():
    class NoDate(ManualClock):
        def status(self) -> ClockStatus:
            return ClockStatus.UNSET

    made = rig(scripted(mode=Mode.ASSISTED), clock=NoDate()).take_up()
    async with running(made):
        await made.come(UTC_0210 + 5 * DAY)
        assert made.journal.drafts == []
        (item,) = made.tests.worklist()
        assert (item["state"], "clock is wrong" in str(item["text"])) == ("not testable", True)


async def test_a_result_of_the_future_makes_the_clock_doubtful_until_somebody_tests_by_hand():
    test = scripted()
    test.last = LastResult(Outcome.PASSED, UTC_0210 + 4000 * DAY, 7, "by a clock that was wrong")
    made = rig(test)
    async with running(made):
        await made.clock.advance(HOUR_S)
        assert made.outcomes() == []
        assert made.tests.readiness(test) == "not testable", "rather than in order for years"
        made.tests.start("t-1", "R. Menon")
        await made.clock.advance(1.0)
        assert made.tests.readiness(test) == "in order"


# Not done, by a person's word


async def test_a_person_may_say_that_it_cannot_be_done_now_and_why():
    made = rig(scripted(mode=Mode.ASSISTED)).take_up()
    async with running(made):
        written = made.tests.skip("t-1", "R. Menon", "battery on order")
        await made.clock.advance(1.0)
        assert (await written).open["outcome"] == "skipped"
        (result,) = made.results()
        assert (result["outcome"], result["reason"]) == ("skipped", "battery on order")
        assert made.tests.readiness(made.test("t-1")) == "test due", "skipped is not passed"
        (item,) = made.tests.worklist()
        assert (item["state"], "battery on order" in str(item["text"])) == ("not done", True)
        await made.come(UTC_0210 + DAY)
        assert missed(made) == [], "the day has its reason already"


async def test_what_a_person_said_cannot_be_done_is_not_tried_until_the_next_period():
    made = rig(scripted(verdicts=(Outcome.INCONCLUSIVE, Outcome.PASSED))).take_up()
    async with running(made):
        made.tests.skip("t-1", "R. Menon", "unit ashore")
        await made.clock.advance(3 * HOUR_S)
        assert made.outcomes() == ["inconclusive", "skipped"]
        await made.come(datetime(2026, 11, 22, 16, tzinfo=UTC))
        assert made.outcomes() == ["inconclusive", "skipped", "passed"]


async def test_a_word_without_reason_or_while_it_runs_is_refused():
    async def wait(_config, ctx):
        await ctx.clock.sleep(60.0)
        return Verdict(Outcome.PASSED, "waited")

    made = rig(scripted(wait, mode=Mode.ASSISTED))
    with pytest.raises(RefusedError, match="not running tests yet"):
        made.tests.skip("t-1", "R. Menon", "why")
    async with running(made):
        with pytest.raises(RefusedError, match="a reason is wanted"):
            made.tests.skip("t-1", "R. Menon", " ")
        with pytest.raises(RefusedError, match="there is no test"):
            made.tests.skip("t-9", "R. Menon", "why")
        made.tests.start("t-1", "R. Menon")
        with pytest.raises(RefusedError, match="t-1 is running"):
            made.tests.skip("t-1", "R. Menon", "why")


# Defects


@pytest.mark.parametrize("meanwhile", [Outcome.INCONCLUSIVE, Outcome.SKIPPED])
async def test_a_defect_stays_until_a_re_test_passes(meanwhile):
    script = (Outcome.FAILED, meanwhile, Outcome.PASSED)
    made = rig(scripted(mode=Mode.ASSISTED, verdicts=script)).take_up()
    async with running(made):
        stands = []
        for _ in script:
            made.tests.start("t-1", "R. Menon")
            await made.clock.advance(1.0)
            stands.append(made.tests.readiness(made.test("t-1")))
        assert stands == ["defect", "defect", "in order"]


async def test_a_defect_outlives_a_restart_though_the_last_result_proved_nothing():
    script = (Outcome.FAILED, Outcome.INCONCLUSIVE)
    before = rig(scripted(mode=Mode.ASSISTED, verdicts=script)).take_up()
    async with running(before):
        for _ in script:
            before.tests.start("t-1", "R. Menon")
            await before.clock.advance(1.0)
    after = rig(scripted(mode=Mode.ASSISTED)).take_up(before)
    assert after.tests.readiness(after.test("t-1")) == "defect"
    (item,) = after.tests.worklist()
    assert item["state"] == "defect"


async def test_the_same_finding_again_in_the_same_period_is_no_second_row():
    script = (Outcome.FAILED, Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.PASSED)
    made = rig(scripted(verdicts=script)).take_up()
    async with running(made):
        await made.clock.advance(3 * HOUR_S)
        assert made.outcomes() == ["failed", "inconclusive", "passed"]


def looking(found: dict[str, Outcome]) -> Test:
    """Return a test of several items that is done by itself and finds what it is told."""

    async def look(_config, _ctx):
        worst = Outcome.FAILED if Outcome.FAILED in found.values() else Outcome.PASSED
        bad = ", ".join(item for item, outcome in found.items() if outcome is Outcome.FAILED)
        said = {item: {"outcome": outcome.value} for item, outcome in found.items()}
        return ItemsVerdict(worst, f"{bad or 'none'} bad", items=said)

    return scripted(look, items=lambda _: tuple(found))


async def test_another_item_that_fails_is_told_at_once_and_so_is_one_that_is_mended():
    found = {"c01": Outcome.FAILED, "c02": Outcome.PASSED}
    made = rig(looking(found)).take_up()
    async with running(made):
        await made.clock.advance(2 * HOUR_S)
        assert [each["reason"] for each in made.results()] == ["c01 bad"]
        found.update(c01=Outcome.PASSED, c02=Outcome.FAILED)
        await made.clock.advance(2 * HOUR_S)
        assert [each["reason"] for each in made.results()] == ["c01 bad", "c02 bad"]
        items = made.test("t-1").items
        assert (items["c01"].outcome, items["c02"].outcome) == (Outcome.PASSED, Outcome.FAILED)


async def test_an_item_that_fails_and_passes_again_is_no_storm_and_hides_no_other():
    found = {"c01": Outcome.FAILED, "c02": Outcome.PASSED, "c03": Outcome.FAILED}
    made = rig(looking(found)).take_up()
    async with running(made):
        for _ in range(10):
            outcome = Outcome.FAILED if found["c01"] is Outcome.PASSED else Outcome.PASSED
            found["c01"] = outcome
            await made.clock.advance(HOUR_S)
        assert len(made.results()) == 7
        found["c02"] = Outcome.FAILED
        await made.clock.advance(1.5 * HOUR_S)
        assert "c02" in str(made.results()[-1]["reason"])


async def test_a_failure_for_another_reason_is_another_row_and_for_another_figure_is_none():
    reasons = iter(("off by 3 s", "off by 4 s", "not there for 5 min", "not there for 9 min"))

    async def look(_config, _ctx):
        return Verdict(Outcome.FAILED, next(reasons, "not there for 10 min"))

    made = rig(scripted(look)).take_up()
    async with running(made):
        await made.clock.advance(5 * HOUR_S)
        assert [each["reason"] for each in made.results()] == ["off by 3 s", "not there for 5 min"]


async def test_a_check_that_takes_too_long_is_ended_and_proves_nothing():
    async def hang(_config, ctx):
        await ctx.clock.sleep(10 * HOUR_S)
        return Verdict(Outcome.PASSED, "too late")

    made = rig(scripted(hang, limit_s=600.0))
    async with running(made):
        await made.clock.advance(599.0)
        assert made.results() == []
        await made.clock.advance(1.0)
        (result,) = made.results()
        assert (result["outcome"], result["reason"]) == (
            "inconclusive",
            "ended by force after 10 min",
        )


async def test_a_check_that_says_nothing_proves_nothing():
    async def nothing(_config, _ctx):
        return None

    async with running(rig(scripted(nothing))) as made:
        assert made.outcomes() == ["inconclusive"]


# Several items


def items_test(verdicts):
    async def lead(_config, ctx):
        outcome = verdicts[ctx.item]
        return ItemsVerdict(
            outcome, f"{ctx.item} {outcome}", items={ctx.item: {"outcome": outcome.value}}
        )

    return scripted(
        lead, every="month", mode=Mode.ASSISTED, items=lambda _: ("d01", "d02"), lead=lead
    )


async def do(made: Rig, item: str) -> None:
    made.tests.start("t-1", "R. Menon", item=item)
    await made.clock.advance(1.0)


async def test_a_test_of_several_items_is_due_until_each_has_passed_in_the_period():
    passes = dict.fromkeys(("d01", "d02"), Outcome.PASSED)
    made = rig(items_test(passes)).take_up()
    async with running(made):
        test = made.test("t-1")
        await do(made, "d01")
        assert made.tests.readiness(test) == "test due"
        (line,) = made.tests.worklist()
        assert "1 of 2 to do: d02" in str(line["text"])
        await do(made, "d02")
        assert (made.tests.readiness(test), made.tests.worklist()) == ("in order", [])
        assert made.results()[0]["items"] == [{"item": "d01", "outcome": "passed"}]
        december = datetime(2026, 11, 30, 16, tzinfo=UTC)
        await made.come(december)
        assert made.tests.readiness(test) == "test due"
        await do(made, "d01")
    after = rig(items_test(passes), clock=ManualClock(utc=december + DAY)).take_up(made)
    assert "1 of 2 to do: d02" in str(after.tests.worklist()), "and after a restart"
    async with running(after):
        await after.come(december + 31 * DAY)
        (draft,) = after.written("test.missed")
        assert draft.open["items_missed"] == 1
        assert draft.parts == {Classification.SSO: {"items": ["d02"]}}, "which, only the SSO reads"


async def test_one_failed_item_is_a_defect_until_that_item_passes():
    verdicts = {"d01": Outcome.FAILED, "d02": Outcome.PASSED}
    made = rig(items_test(verdicts)).take_up()
    async with running(made):
        await do(made, "d01")
        await do(made, "d02")
        assert made.tests.readiness(made.test("t-1")) == "defect"
        verdicts["d01"] = Outcome.PASSED
        await do(made, "d01")
        assert made.tests.readiness(made.test("t-1")) == "in order"


async def test_what_is_no_item_cannot_be_started():
    made = rig(items_test({}), scripted(id_="t-2", mode=Mode.ASSISTED))
    async with running(made):
        for test, item, reason in (
            ("t-1", "d09", "t-1 has no item 'd09'"),
            ("t-1", None, "t-1 is done item by item: d01, d02"),
            ("t-2", "d01", "t-2 has no item 'd01'"),
        ):
            with pytest.raises(RefusedError, match=reason):
                made.tests.start(test, "R. Menon", item=item)


# After events


def seals(outcome: Outcome = Outcome.PASSED) -> Test:
    """Return a test that only a departure asks for, within a day."""
    test = scripted(verdicts=(outcome,), mode=Mode.ASSISTED)
    plan = {"every": "never", "after": ["departure"], "after_days": 1}
    test.config = type(test.config).model_validate({**test.config.model_dump(), **plan})
    return test


def sails(made: Rig) -> None:
    made.tests.happened("situation.changed", {"from": "port", "to": "sea"}, made.clock.utc())


def recalled(made: Rig, *sailed: datetime) -> Rig:
    """Recall the departures of before, as the record has them."""
    made.tests.recall(
        ("situation.changed", {"from": "port", "to": "sea"}, moment) for moment in sailed
    )
    return made


async def test_each_departure_whose_test_nobody_did_is_one_entry_also_over_a_restart():
    made = rig(seals()).take_up()
    async with running(made):
        await made.clock.advance(1.0)
        sails(made)
        first = made.clock.utc()
        await made.come(first + DAY - timedelta(seconds=1))
        assert missed(made) == []
        await made.come(first + DAY)
        assert missed(made) == [("2026-11-22T02:10:01.000Z", "not done: asked for by departure")]
        (draft,) = made.written("test.missed")
        assert draft.open["after"] == "departure"
        assert draft.open["period_ends"] == "2026-11-23T02:10:01.000Z"
        assert draft.open["outcome"] == "skipped", "NOT DONE, on paper"
        await made.come(first + 3 * DAY)
        assert len(missed(made)) == 1, "and stays due without another"
        assert [item["state"] for item in made.tests.worklist()] == ["overdue"]
    clock = ManualClock(utc=first + 4 * DAY)
    again = recalled(rig(seals(), clock=clock).take_up(made), first)
    async with running(again):
        await again.clock.advance(HOUR_S)
        assert missed(again) == [], "it is written"
        sails(again)
        second = again.clock.utc()
        await again.come(second + 2 * DAY)
        assert [begins for begins, _ in missed(again)] == ["2026-11-26T03:10:01.000Z"]


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE])
async def test_what_was_done_after_the_departure_however_it_ended_is_not_missed(outcome):
    made = rig(seals(outcome)).take_up()
    async with running(made):
        await made.clock.advance(1.0)
        sails(made)
        await made.clock.advance(1.0)
        made.tests.start("t-1", "R. Menon")
        await made.come(made.clock.utc() + 3 * DAY)
        assert missed(made) == []


async def test_off_for_the_whole_time_after_a_departure_is_said():
    before = rig(seals()).take_up()
    async with running(before):
        await before.clock.advance(1.0)
        sails(before)
        sailed = before.clock.utc()
    clock = ManualClock(utc=sailed + 3 * DAY)
    later = rig(seals(), clock=clock)
    recalled(later.take_up(before, last_seen=sailed), sailed)
    async with running(later):
        await later.clock.advance(1.0)
        (reason,) = [reason for _, reason in missed(later)]
        assert reason == "not testable: power off: asked for by departure"
