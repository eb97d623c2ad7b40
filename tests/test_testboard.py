"""Stations see how equipment stands, the worst of its tests; the SSO alone sees what is to be done."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from jsonschema_rs import Draft202012Validator

from daemon.acts.requests import Requests
from daemon.checks.api import Answer, Expects, Mode
from daemon.model import Classification, Outcome, Verdict
from daemon.mqtt.contract import schema_for
from daemon.mqtt.topics import Topics
from daemon.testing.testboard import TestBoard
from tests.checks.rig import Rig, rig, running, scripted
from tests.clocks import FixedEntropy
from tests.makers import UTC_0210

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from daemon.testing.readiness import Test

TOPICS = Topics("9999993")
SSO = Classification.SSO
DAY = timedelta(days=1)


class Board:
    """What is retained, and all that was put, each held against the contract."""

    def __init__(self) -> None:
        self.now: dict[str, dict[str, Any]] = {}
        self.put_to: list[str] = []

    def put(self, topic: str, body: Any, up_s: float, *, last: bool = False) -> None:
        whole = {**json.loads(json.dumps(body)), "session": "s", "up": up_s}
        Draft202012Validator(schema_for(topic)).validate(whole)
        name = topic.removeprefix(f"{TOPICS.root}/")
        self.put_to.append(name)
        self.now[name] = whole

    def remove(self, topic: str) -> None:
        raise AssertionError("nothing is taken off without a last word")


@asynccontextmanager
async def shown(*tests: Test) -> AsyncIterator[tuple[Rig, Board]]:
    """Run tests and show them as the daemon does."""
    made, board = rig(*tests), Board()
    testboard = TestBoard(
        topics=TOPICS,
        board=board,
        clock=made.clock,
        entropy=FixedEntropy(),  # type: ignore[arg-type]
    )
    made.board = lambda test: testboard.show(made.tests, test)
    made.take_up()
    for test in tests:
        made.show(test)
    async with running(made):
        yield made, board


def assisted(*verdicts: Outcome, **how: Any) -> Test:
    return scripted(mode=Mode.ASSISTED, verdicts=verdicts, **how)


async def start(made: Rig, test: str) -> None:
    made.tests.start(test, "R. Menon")
    await made.clock.advance(1.0)


async def test_two_tests_of_one_equipment_show_the_worst_and_all_reasons():
    one = assisted(Outcome.PASSED, Outcome.FAILED, id_="t-1")
    two = assisted(Outcome.INCONCLUSIVE, Outcome.PASSED, id_="t-2")
    async with shown(one, two) as (made, board):
        for test, readiness, reasons in (
            ("t-1", "test due", []),
            ("t-2", "test due", ["said inconclusive"]),
            ("t-1", "defect", ["said failed", "said inconclusive"]),
            ("t-2", "defect", ["said failed"]),
        ):
            await start(made, test)
            said = board.now["equipment/bell"]
            assert (said["readiness"], said["reasons"]) == (readiness, reasons)
        assert said["last"]["reason"] == "said passed", "the newest of both"
        assert said["next_due_utc"] is None, "one is due now"


async def test_equipment_in_order_says_when_it_is_due_next():
    async with shown(assisted(), assisted(id_="t-2", every="week")) as (made, board):
        for test in ("t-1", "t-2"):
            await start(made, test)
        said = board.now["equipment/bell"]
        assert (said["readiness"], said["next_due_utc"]) == (
            "in order",
            "2026-11-22T16:00:00.000Z",
        )


async def test_an_open_test_does_not_hide_a_defect_of_the_same_equipment():
    async def wait(_config: object, ctx: Any) -> Verdict:
        await ctx.prompt(1, "heard? yes or no", expects=Expects.YES_OR_NO, for_s=60.0)
        return Verdict(Outcome.PASSED, "led")

    led = scripted(wait, id_="t-2", mode=Mode.ASSISTED, steps=1)
    async with shown(assisted(Outcome.FAILED), led) as (made, board):
        await start(made, "t-2")
        assert board.now["equipment/bell"]["readiness"] == "test due", "of the other, still"
        said = board.now["test/t-2"]
        assert (said["prompt"], said["expects"], said["steps"]) == (
            "heard? yes or no",
            "yes_or_no",
            1,
        )
        await start(made, "t-1")
        assert board.now["equipment/bell"]["readiness"] == "defect"
        made.tests.answer("t-2", 1, Answer("R. Menon", "yes"))
        await made.clock.advance(0.0)
        assert board.now["test/t-2"]["state"] == "done"


async def test_the_worklist_follows_what_is_to_be_done_the_worst_first():
    async with shown(
        assisted(Outcome.FAILED, Outcome.PASSED, id_="t-1", equipment="a"),
        assisted(id_="t-2", equipment="b"),
        scripted(id_="t-3", equipment="c"),
    ) as (made, board):
        await made.clock.advance(1.0)
        await start(made, "t-1")

        def listed() -> list[tuple[str, str]]:
            return [(i["id"], i["state"]) for i in board.now["sso/worklist"]["items"]]

        assert listed() == [("t-1", "defect"), ("t-2", "due")]
        await start(made, "t-1")
        await start(made, "t-2")
        assert listed() == []
        await made.come(UTC_0210 + 2 * DAY + timedelta(seconds=9))
        assert listed() == [("t-1", "overdue"), ("t-2", "overdue")]
        item = board.now["sso/worklist"]["items"][0]
        assert item["limit_utc"] == "2026-11-24T02:10:02.000Z"
        assert item["due_utc"] == "2026-11-22T16:00:00.000Z"


async def test_a_missed_test_is_on_the_worklist_as_it_is_written():
    async with shown(assisted(every="week")) as (made, board):
        await start(made, "t-1")
        await made.come(UTC_0210 + 8 * DAY + timedelta(hours=20))
        (item,) = board.now["sso/worklist"]["items"]
        assert item["state"] == "missed"
        assert [d.type for d in made.journal.drafts][-1] == "test.missed"


async def test_an_unchanged_worklist_is_not_told_again():
    async with shown(assisted(), assisted(id_="t-2", equipment="b")) as (made, board):
        count = board.put_to.count("sso/worklist")
        made.show(made.test("t-1"))
        assert board.put_to.count("sso/worklist") == count
        await start(made, "t-1")
        assert board.put_to.count("sso/worklist") > count


async def test_a_test_of_class_sso_touches_no_open_topic():
    async def confide(_config: object, ctx: Any) -> Verdict:
        await ctx.prompt(1, "press P1", expects=Expects.DONE, for_s=60.0)
        return Verdict(Outcome.FAILED, "P1 is dead")

    private = scripted(confide, mode=Mode.ASSISTED, classification=SSO, equipment="ssas")
    async with shown(private, assisted(id_="t-2", equipment="ssas")) as (made, board):
        before = board.now["equipment/ssas"]
        await start(made, "t-1")
        made.tests.answer("t-1", 1, Answer("R. Menon"))
        await made.come(UTC_0210 + DAY)
        assert board.now["sso/equipment/ssas"]["readiness"] == "defect"
        assert "P1 is dead" in str(board.now["sso/worklist"])
        assert board.now["equipment/ssas"] == before, "nor the open test of the same name"
        await start(made, "t-2")
        assert "P1" not in str(board.now["equipment/ssas"])
        assert board.now["equipment/ssas"]["readiness"] == "in order"
        names = {name for name in board.put_to if not name.startswith("sso/")}
        assert names == {"equipment/ssas"}
        assert not any("t-1" in name for name in board.put_to), "a name that says nothing"


async def test_a_worklist_is_bounded(monkeypatch):
    monkeypatch.setattr("daemon.testing.testboard.MOST_ITEMS", 3)
    async with shown(*(assisted(id_=f"t-{n}") for n in range(5))) as (made, board):
        await asyncio.sleep(0)
        assert len(board.now["sso/worklist"]["items"]) == 3
        assert len(made.tests.worklist()) == 5


async def test_the_worklist_may_be_asked_for_over_the_control_socket():
    async with shown(assisted()) as (made, board):
        requests = Requests(
            acts=None,  # type: ignore[arg-type]
            record=None,  # type: ignore[arg-type]
            worklist=made.tests.worklist,
        )
        answer = await requests.carry_out({"do": "worklist"})
        assert answer["items"] == board.now["sso/worklist"]["items"] != []
