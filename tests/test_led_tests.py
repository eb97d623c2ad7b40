"""A person is led through a test: the first answer counts, a second person is another one, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from daemon.checks import door_contacts
from daemon.checks.api import Answer, Expects, Mode, Who
from daemon.checks.asking import Hindrance
from daemon.errors import RefusedError
from daemon.model import Classification, ContactState, Outcome, Verdict
from daemon.record.entry import Proof
from daemon.testing.readiness import Test
from daemon.testing.session import Aborted
from tests.checks.rig import Rig, rig, running, scripted
from tests.makers import UTC_0210, reading

TESTER, SECOND, THIRD = "M. Petrov", "L. Tupou", "J. Santos"
SSO = "R. Menon"
STEP_S = 60.0


def led(*whose: Who, steps: int = 2, **how: Any) -> Test:
    """Return a test of some steps, each to be answered; the last of them are for whom it is said."""
    who = [Who.TESTER] * (steps - len(whose)) + list(whose)

    async def lead(_config: object, ctx: Any) -> Verdict:
        for step, each in enumerate(who, start=1):
            prompt = f"do {step}"
            if (
                await ctx.prompt(step, prompt, expects=Expects.DONE, for_s=STEP_S, who=each)
            ) is None:
                return Verdict(Outcome.INCONCLUSIVE, f"step {step}: nobody answered")
            ctx.saw(f"done {step}")
        return Verdict(Outcome.PASSED, "led")

    return scripted(lead, mode=Mode.ASSISTED, steps=steps, **how)


async def begin(made: Rig, **how: Any) -> None:
    made.tests.start("t-1", TESTER, **how)
    await made.clock.advance(0.0)


async def answers(made: Rig, step: int, person: str = TESTER, text: str = "") -> Answer | None:
    before = made.tests.answer("t-1", step, Answer(person, text, "gangway"))
    await made.clock.advance(0.0)
    return before


async def aborts(made: Rig, person: str = SSO, reason: str = "called to the bridge") -> None:
    made.tests.abort("t-1", Aborted(person, 0, reason, proof=Proof.PIN))
    await made.clock.advance(0.0)


def result(made: Rig) -> tuple[object, object]:
    (one,) = made.results()
    return one["outcome"], one["reason"]


# Who is quicker


async def test_of_two_stations_that_answer_at_once_the_first_counts_and_the_second_is_told():
    async with running(rig(led())) as made:
        await begin(made)
        first = Answer(TESTER, "", "gangway")
        assert made.tests.answer("t-1", 1, first) is None
        assert made.tests.answer("t-1", 1, Answer(SECOND, "", "bridge")) == first
        await made.clock.advance(0.0)
        assert made.test("t-1").session.progress.step == 2, "one answer, one step"
        assert await answers(made, 1, SECOND) == first
        await answers(made, 2)
        assert await answers(made, 2, SECOND) == Answer(TESTER, "", "gangway"), "it is over"
        assert result(made) == ("passed", "led")


async def test_the_answers_of_a_test_are_forgotten_when_it_is_begun_again():
    async with running(rig(led())) as made:
        await begin(made)
        await answers(made, 1)
        await made.clock.advance(STEP_S)
        await begin(made)
        assert await answers(made, 1, SECOND) is None


async def test_an_answer_to_another_step_is_refused_with_the_step_that_is_shown():
    async with running(rig(led(steps=3))) as made:
        await begin(made)
        for wrong in (2, 3, 0, 99):
            with pytest.raises(RefusedError, match=rf"at step 1, not {wrong}: do 1"):
                await answers(made, wrong)
        await answers(made, 1)
        assert made.test("t-1").session.progress.step == 2


async def test_a_step_that_the_drivers_see_takes_no_answer():
    async def watch(_config: object, ctx: Any) -> Verdict:
        await ctx.prompt(1, "wait", expects=Expects.NOTHING, for_s=30.0)
        await ctx.clock.sleep(30.0)
        return Verdict(Outcome.PASSED, "seen")

    async with running(rig(scripted(watch, mode=Mode.ASSISTED, steps=1))) as made:
        await begin(made)
        progress = made.test("t-1").session.progress
        assert progress.ends_s == made.clock.now_s() + 30.0, "how long it lasts is shown"
        with pytest.raises(RefusedError, match="waits for no answer now"):
            await answers(made, 1)


async def test_a_step_that_nobody_answers_in_time_is_not_proven_and_says_which():
    async with running(rig(led())) as made:
        await begin(made)
        await answers(made, 1)
        await made.clock.advance(STEP_S)
        assert result(made) == ("inconclusive", "step 2: nobody answered")


# Two persons


@pytest.mark.parametrize("person", [TESTER, THIRD])
async def test_nobody_is_tester_and_witness_of_the_same_test(person):
    async with running(rig(led(Who.WITNESS, steps=3))) as made:
        await begin(made)
        await answers(made, 1, THIRD)
        await answers(made, 2, TESTER)
        with pytest.raises(RefusedError, match=f"{person} does this test: .* second person"):
            await answers(made, 3, person)
        assert await answers(made, 3, SECOND) is None
        assert result(made) == ("passed", "led")
        assert made.results()[0]["witness"] == SECOND
        (draft,) = made.written("test.result")
        assert draft.actor.person == TESTER


async def test_a_witness_answers_no_step_of_the_tester():
    async with running(rig(led(Who.WITNESS, Who.TESTER))) as made:
        await begin(made)
        await answers(made, 1, SECOND)
        with pytest.raises(RefusedError, match=f"{SECOND} is the witness of this test"):
            await answers(made, 2, SECOND)
        await answers(made, 2, THIRD)
        assert result(made)[0] == "passed"


async def test_a_test_that_wants_no_second_person_has_no_witness():
    async with running(rig(led())) as made:
        await begin(made)
        await answers(made, 1)
        await answers(made, 2, SECOND)
        assert "witness" not in made.results()[0]


async def test_the_witness_of_a_test_of_class_sso_is_named_to_the_sso_alone():
    private = led(Who.WITNESS, steps=1, classification=Classification.SSO)
    async with running(rig(private)) as made:
        await begin(made)
        await answers(made, 1, SECOND)
        (draft,) = made.written("test.result")
        assert SECOND not in str(draft.open)
        said = draft.parts[Classification.SSO]
        assert (said["performer"], said["witness"]) == (TESTER, SECOND)


# Breaking off


@pytest.mark.parametrize(("step", "person"), [(1, TESTER), (2, SSO)])
async def test_a_test_that_is_broken_off_is_not_proven_and_says_by_whom_where_and_why(step, person):
    async with running(rig(led())) as made:
        await begin(made)
        for done in range(1, step):
            await answers(made, done)
        await aborts(made, person)
        reason = f"aborted by {person} at step {step}: called to the bridge"
        assert result(made) == ("inconclusive", reason)
        assert made.test("t-1").session is None
        with pytest.raises(RefusedError, match="waits for no answer now"):
            await answers(made, step)


async def test_what_was_seen_and_said_before_it_was_broken_off_is_kept():
    async with running(rig(doors())) as made:
        shut(made)
        await begin(made, item="d01")
        made.hears(reading("d01", OPEN, at_s=made.clock.now_s()))
        await answers(made, 1)
        await aborts(made)
        (draft,) = made.written("test.result")
        assert draft.open["readings"] == 2, "closed, then open"
        assert b'"open"' in draft.evidence[0].body
        private = draft.parts[Classification.SSO]
        assert private["seen"] == ["D01 open 0.0 s"]
        assert private["answers"] == [
            {"step": 1, "person": TESTER, "text": "", "station": "gangway", "proof": "none"}
        ]


async def test_the_first_who_breaks_it_off_is_the_one():
    async with running(rig(led())) as made:
        await begin(made)
        made.tests.abort("t-1", Aborted(TESTER, 0, "door is hot"))
        await aborts(made, SSO)
        assert result(made)[1] == f"aborted by {TESTER} at step 1: door is hot"


async def test_what_is_not_led_cannot_be_broken_off():
    async with running(rig(led(), scripted(id_="t-2"))) as made:
        for test in ("t-1", "t-2", "t-9"):
            with pytest.raises(RefusedError, match=r"is not under way|there is no test"):
                made.tests.abort(test, Aborted(SSO, 0, "x"))


# What stops it


async def test_a_test_that_ispsd_did_not_survive_is_written_as_interrupted_at_its_next_start():
    async with running(rig(led())) as before:
        await begin(before)
        await answers(before, 1)
    seen = UTC_0210 + timedelta(minutes=4)
    after = rig(led(), clock=before.clock).take_up(before, last_seen=seen)
    await after.clock.advance(600.0)
    async with running(after):
        reason = "interrupted: ispsd stopped before the test was complete"
        assert result(after) == ("inconclusive", reason)
        (draft,) = after.written("test.result")
        assert draft.actor.person == TESTER
        assert draft.actor.proof is Proof.NONE, "nobody proves anything at a start"
        assert draft.open["began"] == before.written("test.begun")[0].open["began"]
        assert draft.open["ended"] == "2026-11-22T02:14:00.000Z"
        assert after.test("t-1").last.outcome is Outcome.INCONCLUSIVE
    again = rig(led(), clock=after.clock)
    again.journal.drafts += [*before.journal.drafts, *after.journal.drafts]
    again.take_up()
    async with running(again):
        assert len(again.results()) == 1, "once"


async def test_a_test_that_was_complete_is_not_interrupted():
    async with running(rig(led())) as before:
        await begin(before)
        await answers(before, 1)
        await answers(before, 2)
    async with running(rig(led(), clock=before.clock).take_up(before)) as after:
        assert after.results() == []


async def test_on_a_full_disk_a_test_goes_on_and_its_result_is_not_shown_as_recorded():
    async with running(rig(led())) as made:
        made.journal.hangs = True
        await begin(made)
        await answers(made, 1)
        await answers(made, 2)
        assert made.test("t-1").last is None, "nobody is told (invariant 4)"
        made.journal.lose()
        await made.clock.advance(1.0)
        assert made.test("t-1").last is None
        assert made.test("t-1").session is None
        made.journal.hangs = False
        await begin(made)
        await answers(made, 1)
        await answers(made, 2)
        assert made.test("t-1").last.outcome is Outcome.PASSED


# One after the other

CLOSED, OPEN = ContactState.CLOSED, ContactState.OPEN


def doors() -> Test:
    said = {
        "kind": "door_contacts",
        "id": "t-1",
        "equipment": "doors",
        "name": "DOORS",
        "ssp_paragraph": "7.3",
        "every": "month",
        "doors": ["d01", "d02", "d03"],
    }
    spec = door_contacts.CHECK
    return Test(spec.config.model_validate(said), spec)


async def opened_and_closed(made: Rig, door: str) -> None:
    for step, state in ((1, OPEN), (2, CLOSED)):
        made.hears(reading(door, state, at_s=made.clock.now_s()))
        await answers(made, step)
    await answers(made, 3, text="yes")
    await made.clock.advance(1.0)


def shut(made: Rig) -> None:
    for door in ("d01", "d02", "d03"):
        made.hears(reading(door, CLOSED, at_s=made.clock.now_s()))


async def test_what_remains_is_done_one_after_the_other():
    async with running(rig(doors())) as made:
        shut(made)
        assert made.tests.remaining("t-1") == ("d01", "d02", "d03")
        await begin(made, item="d01", then=("d02", "d03"))
        for door in ("d01", "d02", "d03"):
            assert made.test("t-1").session.item == door
            await opened_and_closed(made, door)
        assert made.outcomes() == ["passed"] * 3
        assert made.tests.remaining("t-1") == ()
        assert made.test("t-1").session is None


@pytest.mark.parametrize(
    ("of", "goes_on_with"),
    [({"d02", "d03"}, None), ({"d02"}, "d03")],
    ids=["the ship is at level 3", "an alert of the next door"],
)
async def test_what_has_come_up_stands_in_the_way_of_the_items_that_remain(of, goes_on_with):
    test = doors()
    test.config = test.config.model_copy(update={"inhibited_by": (Hindrance.ALERT,)})
    made = rig(test)
    standing: set[str] = set()
    made.tests.hindrance = lambda _test, item, _what: "it waits" if item in standing else None
    async with running(made):
        shut(made)
        await begin(made, item="d01", then=("d02", "d03"))
        standing |= of
        await opened_and_closed(made, "d01")
        session = made.test("t-1").session
        assert (session and session.item) == goes_on_with
        assert made.outcomes() == ["passed"]
        standing.clear()
        await made.clock.advance(5.0)
        session = made.test("t-1").session
        assert (session and session.item) == goes_on_with, "nor is it begun by itself later"


async def test_who_breaks_off_or_does_not_answer_is_not_asked_for_the_next():
    for gives_up in (True, False):
        async with running(rig(doors())) as made:
            shut(made)
            await begin(made, item="d01", then=("d02",))
            if gives_up:
                await aborts(made)
            else:
                await made.clock.advance(300.0)
            await made.clock.advance(5.0)
            assert made.outcomes() == ["inconclusive"]
            assert made.test("t-1").session is None
            assert made.tests.remaining("t-1") == ("d01", "d02", "d03")
