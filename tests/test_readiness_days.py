"""A continuous check writes one row a ship's day and one a change of outcome, whatever restarts and clocks do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from daemon.checks.api import ItemsVerdict
from daemon.errors import RefusedError
from daemon.model import ClockStatus, Outcome, Verdict
from tests.checks.rig import Rig, gathered, rig, running, scripted
from tests.clocks import ManualClock

if TYPE_CHECKING:
    from daemon.testing.readiness import Test

MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR_S = 3600.0
P, F, I = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE  # noqa: E741


def evening(minutes: float = 60) -> ManualClock:
    return ManualClock(utc=MIDNIGHT - timedelta(minutes=minutes))


class Watched:
    """A continuous check that says at once what its ``outcome`` is set to, and the same at the day's end."""

    def __init__(self, outcome: Outcome | None = P) -> None:
        self.outcome = outcome
        self.since: list[str | None] = []
        self.crash = False

    async def run(self, _config, ctx) -> Verdict | None:
        self.since.append(ctx.watched_since)
        while (left_s := ctx.day_ends_s() - ctx.clock.now_s()) > 0:
            if self.crash:
                raise ZeroDivisionError
            if self.outcome is not None:
                ctx.report(gathered(Verdict(self.outcome, "now")))
            await ctx.clock.sleep(min(10.0, left_s))
        return None if self.outcome is None else Verdict(self.outcome, "the day")

    def test(self, **spec: object) -> Test:
        return scripted(self.run, continuous=True, **spec)  # type: ignore[arg-type]


def rows(made: Rig) -> list[tuple[object, object, object]]:
    return [(r["outcome"], r["reason"], r.get("day")) for r in made.results()]


async def test_one_row_a_day_and_one_a_change_of_outcome():
    check = Watched()
    async with running(rig(check.test(), clock=evening()).take_up()) as made:
        await made.clock.advance(1800.0)
        check.outcome = F
        await made.clock.advance(600.0)
        assert made.tests.readiness(made.test("t-1")) == "defect"
        check.outcome = P
        await made.clock.advance(1200.0 + 300.0)
        assert rows(made) == [
            ("passed", "now", "2026-11-22"),
            ("failed", "now", "2026-11-22"),
            ("passed", "now", "2026-11-22"),
            ("passed", "the day", "2026-11-22"),
        ]
        assert made.results()[-1]["ended"] == "2026-11-22T15:59:59.999Z"
        await made.come(MIDNIGHT + DAY)
        await made.clock.advance(10.0)
        assert rows(made)[4:] == [("passed", "the day", "2026-11-23")]
        assert made.tests.readiness(made.test("t-1")) == "in order"
        assert check.since == ["23:00", None, None]
        assert made.written("test.missed") == []


async def test_a_restart_repeats_nothing_and_the_day_is_one_row():
    before = rig(Watched().test(), clock=evening()).take_up()
    async with running(before):
        await before.clock.advance(600.0)
    assert len(before.results()) == 1, "stopping writes no row"
    after = rig(Watched().test(), clock=evening(minutes=40)).take_up(before)
    async with running(after):
        await after.clock.advance(2400.0 + 60.0)
        assert rows(after) == [("passed", "the day", "2026-11-22")]


async def test_it_runs_all_day_without_being_under_test_and_nobody_starts_it():
    async with running(rig(Watched(None).test())) as made:
        await made.clock.advance(60.0)
        assert made.tests.readiness(made.test("t-1")) == "test due"
        with pytest.raises(RefusedError, match="t-1 watches by itself all day"):
            made.tests.start("t-1", "R. Menon")


async def test_a_day_that_showed_nothing_is_no_row():
    async with running(rig(Watched(None).test(), clock=evening())) as made:
        await made.clock.advance(2 * HOUR_S)
        assert made.results() == []


async def test_an_outcome_that_flickers_is_bounded_and_never_hides_a_defect():
    check = Watched()
    async with running(rig(check.test(), clock=evening()).take_up()) as made:
        for _ in range(20):
            for outcome in (P, I, F):
                check.outcome = outcome
                await made.clock.advance(10.0)
        assert len(made.results()) <= 7
        assert made.tests.readiness(made.test("t-1")) == "defect"
        check.outcome = P
        await made.clock.advance(HOUR_S)
        assert rows(made)[-1] == ("passed", "the day", "2026-11-22"), "the day's row tells the end"
        assert made.tests.readiness(made.test("t-1")) == "in order"


async def test_a_crash_proves_nothing_is_told_once_and_tried_again_after_an_hour():
    check = Watched()
    async with running(rig(check.test(), clock=evening(minutes=240)).take_up()) as made:
        check.crash = True
        await made.clock.advance(2 * HOUR_S)
        assert made.outcomes() == ["passed", "inconclusive"]
        assert made.results()[-1]["reason"] == "the check crashed: ZeroDivisionError"
        check.crash = False
        await made.clock.advance(HOUR_S + 20.0)
        assert made.outcomes() == ["passed", "inconclusive", "passed"]


async def test_a_check_that_ends_before_its_day_does_not_spin():
    began = []

    async def hasty(_config, _ctx):
        began.append(1)

    async with running(rig(scripted(hasty, continuous=True))) as made:
        await made.clock.advance(600.0)
        assert (began, made.outcomes()) == ([1], ["inconclusive"])


async def test_a_check_that_does_not_see_the_days_end_is_ended():
    async def deaf(_config, ctx):
        await ctx.clock.sleep(1000 * HOUR_S)

    async with running(rig(scripted(deaf, continuous=True), clock=evening())) as made:
        await made.clock.advance(7 * HOUR_S)
        (result,) = made.results()
        assert result["outcome"] == "inconclusive"
        assert "ended by force" in str(result["reason"])


async def test_a_clock_set_back_as_the_day_ends_makes_no_second_row_of_the_same_day():
    check = Watched()

    async def run(config, ctx):
        verdict = await check.run(config, ctx)
        made.clock.step_utc(-30.0)
        return verdict

    made = rig(scripted(run, continuous=True), clock=evening()).take_up()
    async with running(made):
        await made.clock.advance(HOUR_S + 300.0)
        assert rows(made) == [
            ("passed", "now", "2026-11-22"),
            ("passed", "the day", "2026-11-22"),
        ]


async def test_the_day_is_that_of_ships_time_as_it_is_at_its_end():
    async with running(rig(Watched().test(), clock=evening()).take_up()) as made:
        made.ship_time = timezone(timedelta(hours=7))
        await made.clock.advance(HOUR_S + 20.0)
        assert len(rows(made)) == 1, "midnight comes an hour later"
        await made.clock.advance(HOUR_S)
        assert rows(made)[1:] == [("passed", "the day", "2026-11-22")]
        assert made.results()[-1]["ended"] == "2026-11-22T16:59:59.999Z"


async def test_a_day_of_forty_eight_hours_at_the_date_line_is_one_day_and_one_row():
    async def run(_config, ctx):
        while (left_s := ctx.day_ends_s() - ctx.clock.now_s()) > 0:
            await ctx.clock.sleep(min(600.0, left_s))
        return Verdict(P, "the day")

    made = rig(scripted(run, continuous=True), clock=evening()).take_up()
    made.ship_time = timezone(timedelta(hours=12))
    async with running(made):
        await made.clock.advance(10 * HOUR_S)
        made.ship_time = timezone(timedelta(hours=-12))
        await made.clock.advance(35 * HOUR_S + 20.0)
        assert rows(made) == [("passed", "the day", "2026-11-23")]


async def test_a_day_that_the_date_line_cuts_off_ends_when_it_is_cut_off():
    async def run(_config, ctx):
        while (left_s := ctx.day_ends_s() - ctx.clock.now_s()) > 0:
            await ctx.clock.sleep(min(600.0, left_s))
        return Verdict(P, "the day")

    began = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
    made = rig(scripted(run, continuous=True), clock=ManualClock(utc=began)).take_up()
    made.ship_time = timezone(timedelta(hours=-12))
    async with running(made):
        await made.clock.advance(10 * HOUR_S)
        made.ship_time = timezone(timedelta(hours=12))
        await made.clock.advance(600.0)
        (row,) = made.results()
        assert row["day"] == "2026-11-22"
        assert row["began"] == "2026-11-22T12:00:05.000Z"
        assert "2026-11-22T22:00" <= str(row["ended"]) <= "2026-11-22T22:10:05.000Z"


async def test_however_the_clock_is_set_back_a_check_that_hangs_is_ended():
    async def deaf(_config, ctx):
        await ctx.clock.sleep(1000 * HOUR_S)

    async with running(rig(scripted(deaf, continuous=True), clock=evening())) as made:
        made.clock.step_utc(-400 * DAY.total_seconds())
        await made.clock.advance(34 * HOUR_S)
        assert "ended by force" in str(made.results()[0]["reason"])


def used() -> Test:
    """Return a monthly test of two doors that are used each day."""

    async def day(_config, ctx):
        while (left_s := ctx.day_ends_s() - ctx.clock.now_s()) > 0:
            await ctx.clock.sleep(min(30.0, left_s))
        said = {door: {"outcome": "passed"} for door in ("d01", "d02")}
        return ItemsVerdict(P, "in service", items=said)

    return scripted(day, every="month", continuous=True, items=lambda _: ("d01", "d02"))


@pytest.mark.parametrize("moved_h", [1, -1])
async def test_the_last_day_of_a_month_stays_in_it_when_ships_time_is_moved(moved_h):
    last_day_ends = datetime(2026, 11, 30, 16, tzinfo=UTC)
    clock = ManualClock(utc=last_day_ends - timedelta(minutes=90))
    before = rig(used(), clock=clock).take_up()
    async with running(before):
        await before.clock.advance(5460.0)
        assert [row["day"] for row in before.results()] == ["2026-11-30"]
        before.ship_time = moved = timezone(timedelta(hours=8 + moved_h))
        await before.come(datetime(2026, 12, 10, 2, tzinfo=UTC))
        test = before.test("t-1")
        assert before.tests.readiness(test) == "test due"
        assert before.tests.remaining("t-1") == ("d01", "d02")
    again = rig(used(), clock=ManualClock(utc=datetime(2027, 1, 3, tzinfo=UTC)))
    again.ship_time = moved
    again.take_up(before, last_seen=datetime(2026, 12, 10, 2, tzinfo=UTC))
    async with running(again):
        (draft,) = again.written("test.missed")
        december = datetime(2026, 12, 1, tzinfo=moved).astimezone(UTC)
        assert draft.open["period_begins"] == f"{december:%Y-%m-%dT%H:%M:%S}.000Z"


async def test_without_a_date_no_day_begins():
    class NoDate(ManualClock):
        def status(self) -> ClockStatus:
            return ClockStatus.UNSET

    check = Watched()
    async with running(rig(check.test(), clock=NoDate())) as made:
        await made.clock.advance(60.0)
        assert check.since == []


async def test_days_with_the_power_off_are_accounted_for():
    before = rig(Watched().test(), clock=evening()).take_up()
    async with running(before):
        await before.clock.advance(HOUR_S + 60.0)
    clock = ManualClock(utc=MIDNIGHT + 3 * DAY + timedelta(hours=4))
    after = rig(Watched().test(), clock=clock).take_up(before, last_seen=MIDNIGHT)
    async with running(after):
        await after.clock.advance(60.0)
        reasons = [d.open["reason"] for d in after.written("test.missed")]
        assert reasons == ["not testable: power off"] * 3


async def test_days_with_a_clock_that_was_not_set_are_accounted_for_as_not_testable():
    class NoDateAtFirst(ManualClock):
        def status(self) -> ClockStatus:
            return ClockStatus.UNSET if self.utc().year < 2026 else super().status()

    before = rig(Watched().test(), clock=evening()).take_up()
    async with running(before):
        await before.clock.advance(HOUR_S + 60.0)
    clock = NoDateAtFirst(utc=datetime(1970, 1, 1, tzinfo=UTC))
    after = rig(Watched().test(), clock=clock).take_up(before, last_seen=MIDNIGHT)
    async with running(after):
        await after.clock.advance(60.0)
        assert after.written("test.missed") == []
        clock.step_utc((MIDNIGHT + 3 * DAY + timedelta(hours=4) - clock.utc()).total_seconds())
        await after.clock.advance(60.0)
        reasons = [d.open["reason"] for d in after.written("test.missed")]
        assert reasons == ["not testable: power off or the clock not set"] * 3


async def test_a_lost_row_is_tried_again_after_an_hour_and_not_at_every_sample():
    made = rig(Watched().test(), clock=evening(minutes=180)).take_up()
    made.journal.hangs = True
    async with running(made):
        made.journal.lose()
        await made.clock.advance(HOUR_S - 30.0)
        assert made.outcomes() == ["passed"]
        assert made.test("t-1").last is None, "what is lost is told to nobody"
        made.journal.hangs = False
        await made.clock.advance(60.0)
        assert made.outcomes() == ["passed", "passed"]
        assert made.tests.readiness(made.test("t-1")) == "in order"


async def test_an_ordinary_day_of_the_sample_ship_is_at_most_twelve_rows():
    tests = [Watched().test(id_=f"t-{n}", equipment=f"e-{n}") for n in range(5)]
    tests += [scripted(id_="t-rec", at="06:00")]
    async with running(rig(*tests, clock=evening()).take_up()) as made:
        await made.clock.advance(HOUR_S + 600.0)
        count = len(made.results())
        await made.come(MIDNIGHT + timedelta(hours=6))
        await made.come(MIDNIGHT + DAY)
        await made.clock.advance(30.0)
        assert len(made.results()) - count <= 12


async def test_a_person_may_be_led_through_one_item_while_the_day_is_watched():
    release = asyncio.Event()

    async def lead(_config, ctx):
        await release.wait()
        return Verdict(P, f"led through {ctx.item}")

    test = Watched(None).test(lead=lead, items=lambda _: ("d01",))
    async with running(rig(test, clock=evening())) as made:
        made.tests.start("t-1", "R. Menon", item="d01")
        await made.clock.advance(1.0)
        assert made.tests.readiness(test) == "under test"
        assert test.watching is not None
        release.set()
        await made.clock.advance(1.0)
        (result,) = made.results()
        assert (result["mode"], result["reason"]) == ("assisted", "led through d01")
        assert "day" not in result
