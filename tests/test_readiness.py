"""Tests run when they are due and not again, one result each; what is not on disk is told to nobody."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from daemon.checks.api import Answer, Expects, Mode
from daemon.errors import RefusedError
from daemon.model import Classification, ClockStatus, Outcome, Provenance, Quality, Verdict
from daemon.testing.evidence import BASIS
from daemon.testing.readiness import Test
from daemon.testing.schedule import LastResult
from tests.checks.rig import rig, running, scripted
from tests.clocks import ManualClock
from tests.makers import UTC_0210, reading

MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)
"""When the next day begins in ship's time, which is eight hours ahead."""
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
HOUR_S = 3600.0


async def test_an_automatic_test_runs_when_due_and_not_again_until_its_period_ends():
    async with running(rig(scripted())) as made:
        assert made.outcomes() == ["passed"]
        for midnight in (MIDNIGHT, MIDNIGHT + DAY):
            count = len(made.outcomes())
            await made.come(midnight - SECOND)
            assert made.outcomes() == ["passed"] * count
            await made.clock.advance(1.0)
            assert made.outcomes() == ["passed"] * (count + 1)
            await made.clock.advance(HOUR_S)
            assert len(made.outcomes()) == count + 1


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.FAILED])
async def test_what_did_not_pass_is_tried_again_after_an_hour(outcome):
    async with running(rig(scripted(verdicts=(outcome, Outcome.PASSED)))) as made:
        await made.clock.advance(HOUR_S - 1.0)
        assert made.outcomes() == [outcome.value]
        await made.clock.advance(1.0)
        assert made.outcomes() == [outcome.value, "passed"]
        await made.clock.advance(HOUR_S)
        assert len(made.outcomes()) == 2


async def test_a_result_of_before_the_start_keeps_its_day():
    test = scripted()
    test.last = LastResult(Outcome.PASSED, UTC_0210, 7, "said passed")
    async with running(rig(test)) as made:
        await made.come(MIDNIGHT - SECOND)
        assert made.outcomes() == []
        await made.clock.advance(1.0)
        assert made.outcomes() == ["passed"]


async def test_power_off_for_a_week_is_caught_up_once():
    test = scripted()
    test.last = LastResult(Outcome.PASSED, datetime(2026, 11, 14, tzinfo=UTC), 7, "said passed")
    async with running(rig(test)) as made:
        await made.clock.advance(HOUR_S)
        assert made.outcomes() == ["passed"]


async def test_a_computer_without_a_date_starts_no_test_by_itself():
    class NoDate(ManualClock):
        def status(self) -> ClockStatus:
            return ClockStatus.UNSET

    async with running(rig(scripted(), clock=NoDate())) as made:
        await made.come(MIDNIGHT + DAY)
        assert made.outcomes() == []
        assert made.tests.readiness(made.test("t-1")) == "not testable"


async def test_without_a_date_nobody_does_a_test_that_would_hide_the_pass_before_it():
    class Battery(ManualClock):
        is_dead = False

        def status(self) -> ClockStatus:
            return ClockStatus.UNSET if self.is_dead else ClockStatus.SYNCED

    made = rig(scripted(every="month", mode=Mode.ASSISTED), clock=Battery()).take_up()
    async with running(made):
        made.tests.start("t-1", "R. Menon")
        await made.clock.advance(1.0)
        made.clock.is_dead = True
        with pytest.raises(RefusedError, match="t-1 waits: the computer's clock is not set"):
            made.tests.start("t-1", "R. Menon")
        with pytest.raises(RefusedError, match="set it first"):
            made.tests.skip("t-1", "R. Menon", "it rains")
        made.clock.is_dead = False
        await made.clock.advance(1.0)
        assert made.tests.readiness(made.test("t-1")) == "in order"


async def test_an_assisted_test_never_starts_by_itself():
    async with running(rig(scripted(mode=Mode.ASSISTED))) as made:
        await made.clock.advance(HOUR_S)
        assert made.outcomes() == []
        made.tests.start("t-1", "R. Menon")
        await made.clock.advance(0.0)
        assert made.outcomes() == ["passed"]


async def test_a_check_that_crashes_is_inconclusive_and_the_others_go_on():
    async def crash(_config, _ctx):
        raise KeyError("lamp")

    async with running(rig(scripted(crash), scripted(id_="t-2"))) as made:
        assert {r["test"]: r["outcome"] for r in made.results()} == {
            "t-1": "inconclusive",
            "t-2": "passed",
        }
        assert made.results()[0]["reason"] == "the check crashed: KeyError"
        await made.clock.advance(HOUR_S)
        assert len(made.results()) == 2, "it is tried again, and the same again is no second row"


async def test_a_check_that_says_what_no_entry_can_hold_proves_nothing_and_ends_no_other():
    async def strange(_config, _ctx):
        return Verdict(Outcome.PASSED, "half a character: \ud800")

    async with running(rig(scripted(strange), scripted(id_="t-2"))) as made:
        assert {r["test"]: r["outcome"] for r in made.results()} == {
            "t-1": "inconclusive",
            "t-2": "passed",
        }
        assert made.results()[0]["reason"] == "the check's result cannot be written"


async def test_a_test_runs_once_at_a_time():
    release = asyncio.Event()

    async def wait(_config, _ctx):
        await release.wait()
        return Verdict(Outcome.PASSED, "at last")

    async with running(rig(scripted(wait))) as made:
        await made.clock.advance(HOUR_S)
        assert made.tests.readiness(made.test("t-1")) == "under test"
        with pytest.raises(RefusedError, match="t-1 is running already"):
            made.tests.start("t-1", "R. Menon")
        release.set()
        await made.clock.advance(0.0)
        assert made.outcomes() == ["passed"]


async def test_a_check_that_runs_when_ispsd_stops_leaves_no_result():
    ended = asyncio.Event()

    async def wait(_config, _ctx):
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    made = rig(scripted(wait, needs_window=True, mode=Mode.ASSISTED))
    async with running(made):
        made.gate.open(duration_s=60.0, opened_by=("a", "b"))
        made.tests.start("t-1", "R. Menon")
        await made.clock.advance(0.0)
    assert ended.is_set()
    assert made.results() == []


async def test_a_result_is_shown_when_it_is_on_disk_and_not_before():
    made = rig(scripted())
    made.journal.hangs = True
    async with running(made):
        assert made.outcomes() == ["passed"]
        await made.clock.advance(5.0)
        assert [outcome for _, _, outcome in made.shown] == [None], "only that it began"
        assert made.outcomes() == ["passed"], "and it is not run again for that"
        made.journal.write()
        await made.clock.advance(0.0)
        assert made.shown[-1] == ("t-1", "in order", Outcome.PASSED)
        assert made.test("t-1").last == LastResult(Outcome.PASSED, UTC_0210, 1, "said passed")


async def test_a_result_that_the_disk_lost_is_never_shown_as_recorded():
    made = rig(scripted())
    made.journal.hangs = True
    async with running(made):
        made.journal.lose()
        await made.clock.advance(HOUR_S - 1.0)
        assert Outcome.PASSED not in [outcome for _, _, outcome in made.shown]
        assert made.shown[-1][1] == "test due", "not under test, and not proven"
        assert made.test("t-1").last is None, "nor told to those who ask"
        assert made.outcomes() == ["passed"], "and not run each second for that"
        made.journal.hangs = False
        await made.clock.advance(1.0)
        assert made.shown[-1] == ("t-1", "in order", Outcome.PASSED)


async def test_the_result_says_what_an_inspector_asks():
    made = rig(scripted(mode=Mode.ASSISTED))
    async with running(made):
        await made.clock.advance(1.0)
        made.tests.start("t-1", "R. Menon")
        await made.clock.advance(0.0)
    (draft,) = made.written("test.result")
    assert (draft.kind, draft.subject, draft.actor.person) == (".10", "bell", "R. Menon")
    assert draft.open == {
        "test": "t-1",
        "equipment": "bell",
        "name": "BELL",
        "mode": "assisted",
        "outcome": "passed",
        "reason": "said passed",
        "began": "2026-11-22T02:10:01.000Z",
        "ended": "2026-11-22T02:10:01.000Z",
        "situation": "port",
        "security_level": 1,
        "ssp_paragraph": "1",
        "simulated": False,
        "readings": 0,
    }
    assert draft.parts == {}
    assert [each.media for each in draft.evidence] == [BASIS], "it listened to nothing"


async def test_a_private_test_keeps_its_details_and_its_performer_to_the_sso():
    async def confide(_config, _ctx):
        return Verdict(Outcome.PASSED, "done", details={"point": "P1"})

    private = scripted(confide, mode=Mode.ASSISTED, classification=Classification.SSO)
    async with running(rig(private)) as made:
        made.tests.start("t-1", "R. Menon")
        await made.clock.advance(0.0)
        (draft,) = made.written("test.result")
        assert draft.classification is Classification.SSO
        assert draft.parts == {Classification.SSO: {"performer": "R. Menon", "point": "P1"}}


@pytest.mark.parametrize(
    ("quality", "provenance", "on_a_ship", "in_a_demo"),
    [
        (Quality.GOOD, Provenance.LIVE, True, True),
        (Quality.GOOD, Provenance.TEST, True, True),
        (Quality.GOOD, Provenance.SIMULATED, False, True),
        (Quality.GOOD, Provenance.REPLAY, False, False),
        (Quality.SUSPECT, Provenance.LIVE, False, False),
        (Quality.SUSPECT, Provenance.SIMULATED, False, False),
        (Quality.STALE, Provenance.LIVE, False, False),
        (Quality.UNKNOWN, Provenance.LIVE, False, False),
    ],
)
async def test_only_good_evidence_of_the_ship_herself_counts(
    quality, provenance, on_a_ship, in_a_demo
):
    value = 1.0 if quality in {Quality.GOOD, Quality.SUSPECT} else None
    said = reading("bell", value, quality=quality, provenance=provenance)
    judged = []

    async def ask(_config, ctx):
        judged.append(ctx.accepts(said))
        return Verdict(Outcome.PASSED, "asked")

    for demo in (False, True):
        async with running(rig(scripted(ask), demo=demo)):
            pass
    assert judged == [on_a_ship, in_a_demo]


async def test_a_check_may_ask_what_a_point_says_now():
    seen = []

    async def look(_config, ctx):
        seen.append((ctx.newest("bell"), ctx.ship.name))
        return Verdict(Outcome.PASSED, "looked")

    made = rig(scripted(look), points=("bell",))
    said = reading("bell", 1.0)
    made.hears(said)
    async with running(made):
        assert seen == [(said, "KESTREL STRAIT")]


# Steps and answers


def led(expects: Expects, *, for_s: float = 60.0, steps: int = 1):
    """Return a test that asks for each step in turn and remembers what was answered."""
    answers: list[Answer | None] = []

    async def lead(_config, ctx):
        for step in range(1, steps + 1):
            answer = await ctx.prompt(step, f"do {step}", expects=expects, for_s=for_s)
            answers.append(answer)
        return Verdict(Outcome.PASSED, "led")

    return scripted(lead, mode=Mode.ASSISTED, steps=steps), answers


async def begin(made) -> None:
    made.tests.start("t-1", "R. Menon")
    await made.clock.advance(0.0)


async def test_a_step_waits_for_its_answer_and_the_next_one_is_shown():
    test, answers = led(Expects.DONE, steps=2)
    async with running(rig(test)) as made:
        await begin(made)
        assert test.session.progress.prompt == "do 1"
        assert test.session.progress.ends_s == made.clock.now_s() + 60.0
        made.tests.answer("t-1", 1, Answer("R. Menon"))
        await made.clock.advance(0.0)
        assert test.session.progress.step == 2
        assert [readiness for _, readiness, _ in made.shown[-3:]] == ["under test"] * 3
        made.tests.answer("t-1", 2, Answer("J. Santos", "seen"))
        await made.clock.advance(0.0)
        assert answers == [Answer("R. Menon"), Answer("J. Santos", "seen")]


@pytest.mark.parametrize(("waits_s", "answered"), [(59.9, True), (60.0, False)])
async def test_an_answer_counts_within_its_time_and_is_refused_after_it(waits_s, answered):
    test, answers = led(Expects.DONE)
    async with running(rig(test)) as made:
        await begin(made)
        await made.clock.advance(waits_s)
        if answered:
            made.tests.answer("t-1", 1, Answer("R. Menon"))
        else:
            with pytest.raises(RefusedError, match="t-1 waits for no answer now"):
                made.tests.answer("t-1", 1, Answer("R. Menon"))
        await made.clock.advance(0.0)
        assert answers == [Answer("R. Menon") if answered else None]


async def test_a_late_answer_is_not_taken_for_the_next_step():
    test, answers = led(Expects.DONE, steps=2)
    async with running(rig(test)) as made:
        await begin(made)
        await made.clock.advance(60.0)
        with pytest.raises(RefusedError, match="t-1 is at step 2, not 1"):
            made.tests.answer("t-1", 1, Answer("R. Menon"))
        assert answers == [None]


async def test_answers_that_nobody_waits_for_are_refused_with_the_reason():
    test, _ = led(Expects.REFERENCE)
    async with running(rig(test, scripted(id_="t-2", mode=Mode.ASSISTED))) as made:
        for test_id, step, text, reason in (
            ("t-9", 1, "mail", "there is no test 't-9'"),
            ("t-2", 1, "mail", "t-2 waits for no answer now"),
            ("t-1", 1, "mail", "t-1 waits for no answer now"),
        ):
            with pytest.raises(RefusedError, match=reason):
                made.tests.answer(test_id, step, Answer("R. Menon", text))
        await begin(made)
        for step, text, reason in (
            (2, "mail", "t-1 is at step 1, not 2"),
            (1, "", "a reference is wanted"),
            (1, " \t\n", "a reference is wanted"),
        ):
            with pytest.raises(RefusedError, match=reason):
                made.tests.answer("t-1", step, Answer("R. Menon", text))
        made.tests.answer("t-1", 1, Answer("R. Menon", "mail 0224Z"))
        await made.clock.advance(0.0)
        assert made.outcomes() == ["passed"]
        with pytest.raises(RefusedError, match="waits for no answer now"):
            made.tests.answer("t-1", 2, Answer("R. Menon", "another"))


async def test_what_cannot_start_is_refused_with_the_reason():
    made = rig(scripted(mode=Mode.ASSISTED, needs_window=True))
    with pytest.raises(RefusedError, match="there is no test 'bell'"):
        made.tests.start("bell", "R. Menon")
    with pytest.raises(RefusedError, match="only inside a test window"):
        made.tests.start("t-1", "R. Menon")
    made.gate.open(duration_s=60.0, opened_by=("a", "b"))
    with pytest.raises(RefusedError, match="not running tests yet"):
        made.tests.start("t-1", "R. Menon")
    assert made.test("t-1").session is None
    async with running(made):
        made.tests.start("t-1", "R. Menon")
        await made.clock.advance(0.0)
        assert made.outcomes() == ["passed"]


@pytest.mark.parametrize("by_hand", [True, False])
async def test_the_end_of_the_window_is_the_end_of_the_test(by_hand):
    ended = asyncio.Event()

    async def wait(_config, ctx):
        try:
            await ctx.prompt(1, "press", expects=Expects.DONE, for_s=HOUR_S)
        finally:
            ended.set()

    async with running(rig(scripted(wait, mode=Mode.ASSISTED, needs_window=True))) as made:
        made.gate.open(duration_s=600.0, opened_by=("a", "b"))
        await begin(made)
        await made.clock.advance(599.0)
        assert made.results() == []
        if by_hand:
            made.gate.close()
        await made.clock.advance(0.0 if by_hand else 1.0)
        (result,) = made.results()
        assert (result["outcome"], result["reason"]) == (
            "inconclusive",
            "the test window closed before the test was complete",
        )
        assert ended.is_set()
        with pytest.raises(RefusedError, match="waits for no answer now"):
            made.tests.answer("t-1", 1, Answer("R. Menon"))


async def test_readiness_follows_the_last_result_and_the_calendar():
    test = scripted(mode=Mode.ASSISTED, verdicts=(Outcome.PASSED, Outcome.FAILED))
    async with running(rig(test)) as made:
        assert made.tests.readiness(test) == "test due"
        assert made.tests.next_due_utc(test) is None
        await begin(made)
        assert made.tests.readiness(test) == "in order"
        assert made.tests.next_due_utc(test) == datetime(2026, 11, 22, 16, tzinfo=UTC)
        await made.come(MIDNIGHT - SECOND)
        assert made.shown[-1] == ("t-1", "in order", Outcome.PASSED)
        for moment, readiness in (
            (MIDNIGHT, "test due"),
            (UTC_0210 + 2 * DAY, "test due"),
            (UTC_0210 + 2 * DAY + SECOND, "overdue"),
        ):
            await made.come(moment)
            assert made.shown[-1] == ("t-1", readiness, Outcome.PASSED), "shown as it falls due"
        await begin(made)
        assert made.shown[-1] == ("t-1", "defect", Outcome.FAILED)
        assert made.tests.next_due_utc(test) is None, "again, until it passes"


async def test_a_step_that_the_drivers_see_takes_no_answer():
    async def lead(_config, ctx):
        await ctx.prompt(1, "press", expects=Expects.NOTHING, for_s=0)
        await asyncio.Event().wait()

    async with running(rig(scripted(lead, mode=Mode.ASSISTED))) as made:
        await begin(made)
        assert made.test("t-1").session.progress.ends_s is None
        with pytest.raises(RefusedError, match="t-1 waits for no answer now"):
            made.tests.answer("t-1", 1, Answer("R. Menon"))


async def test_a_check_that_judges_itself_has_proved_nothing():
    async def run(_config, _ctx):
        return Verdict(Outcome.PASSED, "take my word for it")

    test = scripted()
    itself = Test(test.config, replace(test.spec, run=run))
    async with running(rig(itself)) as made:
        assert made.outcomes() == ["inconclusive"]
        assert "crashed" in str(made.results()[0]["reason"])
