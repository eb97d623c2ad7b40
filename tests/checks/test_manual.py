"""The form of a manual test: its columns, and that a SAT lacks none that the form asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from daemon.checks.api import Gathered, Services
from daemon.checks.manual import CHECK, ManualConfig
from daemon.errors import RefusedError
from daemon.model import Classification, Outcome, Position, Regime, SecurityLevel, Situation
from daemon.testing.readiness import Test
from tests.checks.rig import rig, running
from tests.test_led_tests import SECOND, TESTER, answers, begin

WHAT = "Test piece found 3 of 3 times"
COLUMNS: dict[str, Any] = {
    "serial": "the test piece",
    "performed_by_other": True,
    "witnessed": True,
}


def form(**more: Any) -> Test:
    plan = {"ssp_paragraph": "7.8", "every": "month"}
    named = {"kind": "manual", "id": "t-1", "equipment": "x01", "name": "METAL DETECTOR"}
    return Test(ManualConfig.model_validate({**named, **plan, "what": WHAT, **more}), CHECK)


def judged(facts: dict[str, Any], **more: Any) -> tuple[Outcome, str]:
    verdict = CHECK.judge(form(**more).config, Gathered(facts=json.loads(json.dumps(facts))))
    return verdict.outcome, verdict.reason


def said(text: str, person: str = TESTER) -> dict[str, Any]:
    return {"person": person, "text": text, "station": None}


@pytest.mark.parametrize(
    ("situation", "own", "position"),
    [
        (Situation.SEA, Position(1.26333, 103.84), "01°15.8'N 103°50.4'E"),
        (Situation.ANCHOR, Position(-0.5, -30.0), "00°30.0'S 030°00.0'W"),
        (Situation.SEA, None, None),
        (Situation.PORT, Position(1.0, 103.0), None),
    ],
)
async def test_away_from_a_port_the_entry_says_the_position_where_it_is_known(
    situation, own, position
):
    made = rig(
        form(),
        regime=lambda: Regime(situation, SecurityLevel.ONE),
        services=Services(own_position=lambda: own),
    )
    async with running(made):
        await begin(made)
        await answers(made, 1, TESTER, "SAT")
        (draft,) = made.written("test.result")
        assert draft.open.get("position") == position


async def test_every_column_that_is_asked_for_stands_in_the_record():
    async with running(rig(form(**COLUMNS))) as made:
        await begin(made)
        for step, text in ((1, "SAT: new batteries"), (2, "TP-12"), (3, "R. Roe, Acme, rep. 7")):
            await answers(made, step, TESTER, text)
        with pytest.raises(RefusedError, match="second person"):
            await answers(made, 4, TESTER, "yes")
        await answers(made, 4, SECOND, "yes")
        (draft,) = made.written("test.result")
        assert draft.open["outcome"] == "passed"
        assert draft.open["witness"] == SECOND
        assert draft.open["reason"] == (
            f"said by {TESTER}: new batteries; done by R. Roe, Acme, rep. 7; the test piece TP-12"
        )
        assert (draft.open["situation"], draft.open["security_level"]) == ("port", 1)
        part = draft.parts[Classification.SSO]
        assert {name: part[name] for name in ("method", "serial", "performed_by", "remarks")} == {
            "method": WHAT,
            "serial": "TP-12",
            "performed_by": "R. Roe, Acme, rep. 7",
            "remarks": "new batteries",
        }


@pytest.mark.parametrize(
    ("facts", "outcome", "why"),
    [
        ({}, Outcome.INCONCLUSIVE, "the number of the test piece was not entered"),
        ({"serial": said("TP-12")}, Outcome.INCONCLUSIVE, "who did it was not entered"),
        (
            {"serial": said("TP-12"), "performed_by": said("R. Roe")},
            Outcome.INCONCLUSIVE,
            "no witness confirmed it",
        ),
        (
            {
                "serial": said("TP-12"),
                "performed_by": said("R. Roe"),
                "witness": said("no", SECOND),
            },
            Outcome.INCONCLUSIVE,
            f"the witness {SECOND} does not confirm it",
        ),
        (
            {"serial": said("no"), "performed_by": said("R. Roe"), "witness": said("yes", SECOND)},
            Outcome.INCONCLUSIVE,
            "the number of the test piece was not entered",
        ),
        (
            {
                "serial": said("TP-12"),
                "performed_by": said("no, the surveyor did not come"),
                "witness": said("yes", SECOND),
            },
            Outcome.INCONCLUSIVE,
            "who did it: no, the surveyor did not come; the test piece TP-12; nobody is named who did it",
        ),
        (
            {
                "serial": said("TP-12"),
                "performed_by": said("R. Roe"),
                "witness": said("yes", SECOND),
            },
            Outcome.PASSED,
            "the test piece TP-12",
        ),
    ],
)
def test_a_sat_that_lacks_a_column_is_not_proven(facts, outcome, why):
    found, reason = judged({"result": said("SAT"), **facts}, **COLUMNS)
    assert found is outcome
    assert reason.endswith(why)


def test_an_unsat_needs_nothing_beside_it():
    assert judged({"result": said("UNSAT dead")}, **COLUMNS) == (
        Outcome.FAILED,
        f"said by {TESTER}: dead",
    )


async def test_what_was_not_done_asks_for_nothing_more():
    async with running(rig(form(**COLUMNS))) as made:
        await begin(made)
        await answers(made, 1, TESTER, "NOT DONE battery on order")
        assert [each["outcome"] for each in made.results()] == ["skipped"]


@pytest.mark.parametrize(
    ("more", "steps"), [({}, 1), ({"serial": "the set"}, 2), ({"witnessed": True}, 2), (COLUMNS, 4)]
)
def test_a_form_has_as_many_steps_as_it_asks(more, steps):
    assert CHECK.steps_of(form(**more).config) == steps
