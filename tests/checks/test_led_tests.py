"""Tests that a person does: sound, motion detectors, seals, forms. Who does not answer leaves them not proven."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from daemon.checks import manual, record_verify, seal_round, station_sound, walk_test
from daemon.checks.api import (
    AlertSeen,
    Answer,
    CheckSpec,
    Expects,
    Mode,
    RecordVerified,
    Services,
    refusal,
    result_of,
)
from daemon.errors import RefusedError
from daemon.model import Classification, ContactState, Provenance, Quality
from daemon.testing.readiness import Test
from tests.checks.rig import Rig, rig, running
from tests.makers import UTC_0210, reading

OPEN, CLOSED, FAULT = ContactState.OPEN, ContactState.CLOSED, ContactState.LINE_FAULT
ME = "J. Santos"


def a_test(spec: CheckSpec, **said: object) -> Test:
    whole = {
        "kind": spec.kind,
        "id": "t-1",
        "equipment": "thing",
        "name": "THING",
        "ssp_paragraph": "7.9",
        "every": "week",
        **said,
    }
    return Test(spec.config.model_validate(whole), spec)


async def begin(made: Rig) -> None:
    made.tests.start("t-1", ME)
    await made.clock.advance(0.0)


async def step(made: Rig, number: int, text: str = "") -> None:
    made.tests.answer("t-1", number, Answer(ME, text))
    await made.clock.advance(0.0)


def says(made: Rig, point: str, state: ContactState | None, **how: object) -> None:
    made.hears(reading(point, state, at_s=made.clock.now_s(), **how))  # type: ignore[arg-type]


def ended(made: Rig) -> tuple[object, object]:
    (result,) = made.results()
    return result["outcome"], result["reason"]


# Answers


@pytest.mark.parametrize(
    ("expects", "text", "reason"),
    [
        (Expects.DONE, "", None),
        (Expects.REFERENCE, " ", "a reference is wanted"),
        (Expects.YES_OR_NO, "YES ", None),
        (Expects.YES_OR_NO, "no", None),
        (Expects.YES_OR_NO, "", "yes or no is wanted"),
        (Expects.YES_OR_NO, "yes, but", "yes or no is wanted"),
        (Expects.NUMBER, "A1", None),
        (Expects.NUMBER, "\t", "the number is wanted"),
        (Expects.RESULT, "SAT", None),
        (Expects.RESULT, "SAT found 3 of 3", None),
        (Expects.RESULT, "UNSAT: 1 of 3", None),
        (Expects.RESULT, "UNSAT", "UNSAT wants a remark"),
        (Expects.RESULT, "NOT DONE, ", "NOT DONE wants a remark"),
        (Expects.RESULT, "NOT DONE battery on order", None),
        (Expects.RESULT, "SATISFIED", "SAT, UNSAT or NOT DONE is wanted"),
        (Expects.RESULT, "sat", "SAT, UNSAT or NOT DONE is wanted"),
        (Expects.RESULT, "", "SAT, UNSAT or NOT DONE is wanted"),
    ],
)
def test_an_answer_is_what_the_prompt_wants_or_is_refused_with_the_reason(expects, text, reason):
    said = refusal(expects, text)
    assert said is None if reason is None else reason in str(said)


def test_the_remark_stands_behind_the_word():
    assert result_of(" UNSAT: 1 of 3 ") == ("UNSAT", "1 of 3")
    assert result_of("good") == ("", "good")


# Forms


@pytest.mark.parametrize(
    ("text", "outcome", "reason", "stands"),
    [
        ("SAT found 3 of 3", "passed", "said by J. Santos: found 3 of 3", "in order"),
        ("SAT", "passed", "said by J. Santos", "in order"),
        ("UNSAT 2 of 3", "failed", "said by J. Santos: 2 of 3", "defect"),
        ("NOT DONE no battery", "skipped", "said by J. Santos: no battery", "test due"),
    ],
)
async def test_a_form_is_what_a_named_person_says(text, outcome, reason, stands):
    async with running(rig(a_test(manual.CHECK, what="Test piece found 3 of 3"))) as made:
        await made.clock.advance(3600.0)
        assert made.results() == [], "it never starts by itself"
        assert made.tests.worklist()[0]["state"] == "due"
        await begin(made)
        with pytest.raises(RefusedError, match="is wanted"):
            made.tests.answer("t-1", 1, Answer(ME, "ok"))
        await step(made, 1, text)
        assert ended(made) == (outcome, reason)
        assert made.results()[0]["mode"] == "manual"
        assert made.tests.readiness(made.test("t-1")) == stands


async def test_a_form_that_nobody_fills_in_is_not_proven():
    async with running(rig(a_test(manual.CHECK, what="x", answer_s=60))) as made:
        await begin(made)
        await made.clock.advance(60.0)
        assert ended(made) == ("inconclusive", "no result was entered")


# Sound


def sound() -> Test:
    return a_test(station_sound.CHECK, stations=["bridge", "gangway"])


@pytest.mark.parametrize(
    ("answers", "outcome", "reason"),
    [
        (["yes", "Yes"], "passed", "heard at bridge, gangway"),
        (["yes", "no"], "failed", "not heard at gangway"),
        (["no", None], "failed", "not heard at bridge"),
        (["yes", None], "inconclusive", "nobody answered at gangway"),
    ],
)
async def test_sound_is_heard_at_each_station(answers, outcome, reason):
    async with running(rig(sound())) as made:
        test = made.test("t-1")
        assert test.spec.steps_of(test.config) == 2
        await begin(made)
        for number, text in enumerate(answers, start=1):
            if text is None:
                await made.clock.advance(600.0)
            else:
                await step(made, number, text)
        assert ended(made) == (outcome, reason)


async def test_a_station_plays_by_itself_and_whoever_hears_it_has_made_its_heard_test():
    played: list[str] = []
    heard: list[tuple[str, str]] = []
    services = Services(play_test_sound=played.append, sound_heard=lambda *said: heard.append(said))
    async with running(rig(sound(), services=services)) as made:
        await begin(made)
        assert played == ["bridge"]
        await step(made, 1, "no")
        assert played == ["bridge", "gangway"]
        await step(made, 2, "yes")
        assert heard == [("gangway", ME)]
        assert ended(made)[0] == "failed"


# Motion detectors


def walk(*detectors: str) -> Rig:
    return rig(a_test(walk_test.CHECK, detectors=detectors or ["m01"]))


@pytest.mark.parametrize(("after_s", "outcome"), [(4.9, "passed"), (5.0, "failed")])
async def test_a_detector_sees_a_person_within_five_seconds(after_s, outcome):
    async with running(walk()) as made:
        says(made, "m01", CLOSED)
        await begin(made)
        await step(made, 1)
        await made.clock.advance(after_s)
        if outcome == "failed":
            assert ended(made) == ("failed", "m01: saw nobody in 5 s")
            return
        says(made, "m01", OPEN)
        await made.clock.advance(0.0)
        await step(made, 2, "yes")
        assert ended(made) == ("passed", "m01: saw in 4.9 s")
        assert made.results()[0]["items"] == [
            {"item": "m01", "outcome": "passed", "reason": "saw in 4.9 s"}
        ]


async def test_the_worst_of_several_detectors_counts():
    async with running(walk("m01", "m02")) as made:
        for id_ in ("m01", "m02"):
            says(made, id_, CLOSED)
        await begin(made)
        await step(made, 1)
        says(made, "m01", OPEN)
        await made.clock.advance(0.0)
        await step(made, 2, "yes")
        await step(made, 3)
        says(made, "m02", OPEN)
        await made.clock.advance(0.0)
        await step(made, 4, "no")
        assert ended(made) == ("failed", "m02: saw in 0.0 s, the station did not show it")


@pytest.mark.parametrize(
    ("state", "how"),
    [
        (OPEN, {}),
        (None, {}),
        (FAULT, {}),
        (CLOSED, {"quality": Quality.SUSPECT}),
        (CLOSED, {"provenance": Provenance.SIMULATED}),
    ],
)
async def test_a_detector_that_is_not_at_rest_before_proves_nothing(state, how):
    async with running(walk()) as made:
        says(made, "m01", state, **how)
        await begin(made)
        await step(made, 1)
        assert ended(made) == ("inconclusive", "m01: not at rest before")


@pytest.mark.parametrize(("walks", "reason"), [(0, "nobody walked"), (1, "nobody answered")])
async def test_a_walk_that_nobody_takes_is_not_proven(walks, reason):
    async with running(walk()) as made:
        says(made, "m01", CLOSED)
        await begin(made)
        if walks:
            await step(made, 1)
            says(made, "m01", OPEN, quality=Quality.SUSPECT)
            says(made, "m01", OPEN)
        await made.clock.advance(900.0)
        assert ended(made)[0] == "inconclusive"
        assert reason in str(ended(made)[1])


@pytest.mark.parametrize(
    ("after_s", "told", "outcome", "reason"),
    [
        (4.0, None, "passed", "m01: saw in 1.0 s"),
        (4.0, "yes", "passed", "m01: saw in 1.0 s"),
        (6.0, "yes", "failed", "m01: saw in 1.0 s, the station sounded after 5.8 s"),
        (None, None, "inconclusive", "m01: nobody answered for the station"),
    ],
)
async def test_the_station_is_told_within_five_seconds_as_ispsd_sees_it(
    after_s, told, outcome, reason
):
    alerts: list[AlertSeen] = []
    services = Services(open_alerts=lambda: alerts)
    async with running(rig(a_test(walk_test.CHECK, detectors=["m01"]), services=services)) as made:
        says(made, "m01", CLOSED)
        await begin(made)
        await step(made, 1)
        await made.clock.advance(1.0)
        says(made, "m01", OPEN)
        await made.clock.advance(0.0)
        if after_s is not None:
            await made.clock.advance(after_s - 1.0 - 0.3)
            alerts.append(
                AlertSeen("i.m01", "m01", "INTRUDER", active=True, sounds_at=("gangway",))
            )
            await made.clock.advance(0.3)
        if told is None:
            await made.clock.advance(900.0)
        else:
            await step(made, 2, told)
        assert ended(made) == (outcome, reason)


@pytest.mark.parametrize(
    ("before", "then", "outcome", "reason"),
    [
        (CLOSED, OPEN, "passed", "m01: saw in 0.0 s"),
        (CLOSED, CLOSED, "failed", "m01: its tamper loop said nothing in 5 s"),
        (CLOSED, None, "inconclusive", "m01: its tamper loop is not seen"),
        (OPEN, OPEN, "inconclusive", "m01: its case was not seen shut before"),
        (None, OPEN, "inconclusive", "m01: its case was not seen shut before"),
    ],
)
async def test_a_case_that_is_opened_trips_its_tamper_loop(before, then, outcome, reason):
    test = a_test(walk_test.CHECK, detectors=["m01"], tampers={"m01": "m01.tamper"})
    async with running(rig(test)) as made:
        assert test.spec.steps_of(test.config) == 3
        says(made, "m01", CLOSED)
        says(made, "m01.tamper", before)
        await begin(made)
        await step(made, 1)
        says(made, "m01", OPEN)
        await made.clock.advance(0.0)
        await step(made, 2, "yes")
        await step(made, 3)
        says(made, "m01.tamper", then)
        await made.clock.advance(5.0)
        assert ended(made) == (outcome, reason)


def test_a_tamper_loop_belongs_to_one_of_its_detectors():
    with pytest.raises(ValidationError, match="m02 is none of its detectors"):
        a_test(walk_test.CHECK, detectors=["m01"], tampers={"m02": "m02.tamper"})


async def test_a_detector_whose_cable_comes_out_in_the_middle_is_not_proven():
    async with running(walk()) as made:
        says(made, "m01", CLOSED)
        await begin(made)
        await step(made, 1)
        says(made, "m01", None)
        await made.clock.advance(5.0)
        assert ended(made) == ("inconclusive", "m01: not seen any more")


# Seals


def seals(services: Services | None = None, *, numbers: bool = True, loops: bool = True) -> Rig:
    group: dict[str, object] = {"name": "HOLD ACC"}
    if numbers:
        group["numbers"] = {"n01": "A1001", "n02": "A1002"}
    if loops:
        group["loops"] = ["s02"]
    return rig(a_test(seal_round.CHECK, groups=[group]), services=services)


@pytest.mark.parametrize(
    ("typed", "outcome", "reason"),
    [
        ("A1001 A1002", "passed", "HOLD ACC: 2 as the register; HOLD ACC: 1 loop whole"),
        ("a1002,a1001", "passed", "HOLD ACC: 2 as the register; HOLD ACC: 1 loop whole"),
        ("A1001", "failed", "HOLD ACC: 1 not found, 0 not in the register"),
        ("A1001 A1003", "failed", "HOLD ACC: 1 not found, 1 not in the register"),
        (None, "inconclusive", "HOLD ACC: no numbers were entered"),
    ],
)
async def test_numbers_are_held_against_the_register(typed, outcome, reason):
    async with running(seals()) as made:
        says(made, "s02", CLOSED)
        await begin(made)
        prompt = made.test("t-1").session.progress.prompt
        assert "A100" not in prompt, "who reads the numbers does not look at the seals"
        if typed is None:
            await made.clock.advance(1800.0)
        else:
            await step(made, 1, typed)
        assert ended(made) == (outcome, reason)
        (draft,) = made.written("test.result")
        private = dict(draft.parts[Classification.SSO])
        each = private.pop("seals")
        assert private == {"typed": [{"group": "HOLD ACC", "typed": typed}]}
        whose = {"n01": "A1001", "n02": "A1002"}
        assert each == {
            **{
                seal: "inconclusive"
                if typed is None
                else "passed"
                if number in typed.upper()
                else "failed"
                for seal, number in whose.items()
            },
            "s02": "passed",
        }
        assert "A1003" not in str(draft.open)


async def test_a_seal_that_was_changed_since_has_its_new_number():
    async with running(seals(Services(seal_numbers=lambda: {"n02": "B7"}))) as made:
        says(made, "s02", CLOSED)
        await begin(made)
        await step(made, 1, "A1001 B7")
        assert ended(made)[0] == "passed"


@pytest.mark.parametrize(
    ("state", "how", "outcome"),
    [
        (CLOSED, {}, "passed"),
        (OPEN, {}, "failed"),
        (FAULT, {}, "failed"),
        (None, {}, "inconclusive"),
        (CLOSED, {"quality": Quality.SUSPECT}, "inconclusive"),
        (CLOSED, {"provenance": Provenance.REPLAY}, "inconclusive"),
    ],
)
async def test_a_wired_seal_is_whole_by_its_loop(state, how, outcome):
    async with running(seals(numbers=False)) as made:
        says(made, "s02", state, **how)
        await begin(made)
        await step(made, 1)
        assert made.outcomes() == [outcome]


async def test_a_group_that_nobody_looks_at_is_not_proven():
    async with running(seals(numbers=False)) as made:
        says(made, "s02", CLOSED)
        await begin(made)
        await made.clock.advance(1800.0)
        assert ended(made) == ("inconclusive", "HOLD ACC: nobody looked")


def test_a_group_of_nothing_is_refused():
    with pytest.raises(ValidationError, match="numbered seals, loops, or both"):
        seals(numbers=False, loops=False)


# The record


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("PASS", "passed"),
        ("FAIL", "failed"),
        ("INCONCLUSIVE", "inconclusive"),
        ("", "inconclusive"),
    ],
)
async def test_only_the_verifiers_pass_is_a_pass(word, outcome):
    async def verify() -> RecordVerified:
        return RecordVerified(word, "unaltered since then", 1, 1042)

    services = Services(verify_record=verify)
    read = "; no. 1 to 1042 read" if outcome == "passed" else ""
    async with running(rig(a_test(record_verify.CHECK), services=services)) as made:
        assert ended(made) == (outcome, f"{word}: unaltered since then{read}")
        assert made.results()[0]["mode"] == Mode.AUTOMATIC.value


@pytest.mark.parametrize(
    ("first", "before", "outcome", "read"),
    [
        (812, UTC_0210, "passed", "no. 812 to 1042 read, those before on 2026-11-22"),
        (812, None, "inconclusive", "not the whole record was read"),
        (None, UTC_0210, "inconclusive", "not the whole record was read"),
    ],
)
async def test_a_pass_says_which_entries_were_read_and_is_none_where_some_never_were(
    first, before, outcome, read
):
    async def verify() -> RecordVerified:
        return RecordVerified("PASS", "unaltered since then", first, 1042, before)

    services = Services(verify_record=verify)
    async with running(rig(a_test(record_verify.CHECK), services=services)) as made:
        assert ended(made) == (outcome, f"PASS: unaltered since then; {read}")


async def test_a_daemon_that_cannot_verify_says_so():
    async with running(rig(a_test(record_verify.CHECK))) as made:
        assert ended(made) == ("inconclusive", "this daemon cannot verify its record")
