"""What the SSO looks at before he signs, who signs, and what was signed before."""

from __future__ import annotations

import pytest

from daemon.errors import RefusedError
from tests.papers.rig import MASTER, MATE, at, iso, result, said, signed_off
from tests.pins import PIN
from tests.review.log_rig import looking
from tests.review.test_log_pages import Parts
from tests.testlog.test_sheet import MONTH, text

NOW = at(22, 2, 10)


def signed(what, day, up_to, by, **more):
    head = {"size": up_to, "root": "3f" * 32, "origin": "demo/1"}
    fields = {"from": 1, "checkpoint": head, "up_to_at": iso(at(1)), **more}
    return signed_off(what, at(day), up_to, by, **fields)


MORE = [
    said(
        "level.changed",
        at(12),
        kind=".4",
        person=MATE,
        **{"from": 1, "to": 2},
        by_order_of="flag",
        subject="level",
    ),
    result("t-uhf", at(13)),
]


async def test_everything_that_is_not_sat_or_late_stands_there_before_anybody_has_reviewed(
    tmp_path,
):
    async with looking(tmp_path, [*MONTH, *MORE], now=NOW) as seen:
        page = (await seen.said("signoff"))["said"]
        html = await seen.page("signoff")
    assert (page["first"], page["last"], page["reviewed"]) == (1, seen.seqs[-1], 0)
    assert [text(row["cells"][2]) for row in page["rows"]] == ["SEAL ROUND", "HHMD", "C03"]
    assert page["late"] == 1
    assert {each["name"]: each["count"] for each in page["results"]} == {
        "SAT": 4, "UNSAT": 1, "NOT PROVEN": 0, "NOT DONE": 2,
    }  # fmt: skip
    assert [each["type"] for each in page["matters"]] == ["level changed"]
    assert sum(each["count"] for each in page["kinds"]) == page["count"] == seen.seqs[-1]
    assert Parts(html).faults == []
    assert "<b>Reviewed</b> by R. Menon" in html


async def test_a_late_result_that_is_sat_is_looked_at_too(tmp_path):
    late = result("t-uhf", at(3), entered=at(5), person=MATE)
    async with looking(tmp_path, [result("t-door", at(2)), late], now=NOW) as seen:
        [row] = (await seen.said("signoff"))["said"]["rows"]
    assert text(row["cells"][2]) == "UHF"


async def test_after_a_review_only_what_came_since_is_there_and_the_sign_offs_are_told(tmp_path):
    results = [{"outcome": "passed", "count": 3}, {"outcome": "skipped", "count": 1}]
    reviews = [
        signed("reviewed", 11, 11, MATE, results=results),
        signed("verified", 11, 8, MASTER, same_person=False),
    ]
    async with looking(tmp_path, [*MONTH, *reviews, *MORE], now=NOW) as seen:
        page = (await seen.said("signoff"))["said"]
        html = await seen.page("signoff")
    assert (page["first"], page["reviewed"], page["verified"], page["to_verify"]) == (12, 11, 8, 3)
    assert page["rows"] == []
    assert [(each["what"], each["up_to"], each["by"]) for each in page["history"]] == [
        ("Verified", 8, MASTER),
        ("Reviewed", 11, MATE),
    ]
    assert page["history"][1]["results"] == ["3 SAT", "1 NOT DONE"]
    assert "No. 9 to 11 wait for the Master" in html
    assert "Verified</button>" not in html


async def test_amendments_of_the_period_are_listed_with_what_they_amend(tmp_path):
    amended = said("entry.amended", at(11), subject="entry-8", person=MATE, original=8, type="test.result",
                   reason="typing error", was={"reason": "a"}, now={"reason": "b"})  # fmt: skip
    async with looking(tmp_path, [*MONTH, amended], now=NOW) as seen:
        [one] = (await seen.said("signoff"))["said"]["amended"]
        assert (one["of"], one["person"]) == (8, MATE)
        assert "entry amended no. 8" in await seen.page("signoff")


async def test_the_sso_signs_what_stands_on_his_page_with_his_pin(tmp_path):
    async def review(_):
        return {"recorded": 99, "sealed": True}

    async with looking(tmp_path, MONTH, now=NOW, answers={"review": review}) as seen:
        last = (await seen.said("signoff"))["said"]["last"]
        await seen.visitor.act("signoff", "review", up_to=str(last), pin=PIN, by="A. Lindqvist")
        assert seen.made.asked[-1] == {"do": "review", "by": MATE, "up_to": last, "pin": PIN}
        page = await seen.page("signoff")
        assert "done · no. 99 on disk" in page
        assert PIN not in page
        with pytest.raises(RefusedError):
            await seen.visitor.act("signoff", "review", up_to=str(last))
        with pytest.raises(RefusedError):
            await seen.visitor.act("signoff", "review", up_to="all", pin=PIN)


async def test_the_master_verifies_what_was_reviewed_and_does_not_review(tmp_path):
    async def verify(_):
        return {"recorded": 100, "sealed": True}

    reviews = [signed("reviewed", 11, 11, MATE)]
    async with looking(
        tmp_path, [*MONTH, *reviews], now=NOW, name=MASTER, answers={"countersign": verify}
    ) as seen:
        page = await seen.page("signoff")
        assert "<b>Verified</b> by A. Lindqvist: no. 1 to 11" in page
        assert "Reviewed</button>" not in page
        await seen.visitor.act("signoff", "verify", up_to="11", pin=PIN)
        assert seen.made.asked[-1]["do"] == "countersign"
        assert seen.made.asked[-1]["by"] == MASTER


async def test_psc_mode_shows_and_signs_nothing(tmp_path):
    async with looking(tmp_path, MONTH, now=NOW) as seen:
        await seen.visitor.psc(on=True)
        assert "not shown in PSC mode" in await seen.page("signoff")
        with pytest.raises(RefusedError):
            await seen.visitor.act("signoff", "review", up_to="3", pin=PIN)


async def test_an_empty_period_says_so(tmp_path):
    async with looking(tmp_path, [result("t-uhf", at(1))], now=NOW) as seen:
        before = (await seen.said("signoff"))["said"]["last"]
        clock_free = signed("reviewed", 2, before + 1, MATE)
        await seen.record.submit(clock_free.draft)
        page = (await seen.said("signoff"))["said"]
        assert page["count"] == 0
        assert f"All entries up to no. {before + 1} are reviewed." in await seen.page("signoff")
