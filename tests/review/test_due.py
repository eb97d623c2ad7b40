"""The calendar of what falls due, as the schedule foretells it, with what was done and about how long it takes."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from daemon.checks.api import Mode
from daemon.errors import RefusedError
from daemon.model import Outcome
from tests.checks.rig import rig, running, scripted
from tests.makers import UTC_0210
from tests.papers.rig import at, day_of, iso, result, said
from tests.review.log_rig import looking
from tests.review.test_log_pages import Parts
from tests.test_testbook import book, planned

PAST = [
    result("t-1", at(7, 2), person="M. Petrov", began=iso(at(7, 1, 45)), equipment="t-1"),
    result("t-1", at(14, 2), "failed", person="M. Petrov", began=iso(at(14, 1, 35)), equipment="t-1"),
    result("t-1", at(15, 2), "skipped", person="R. Menon", equipment="t-1"),
    day_of("t-ais", 16),
    day_of("t-ais", 17, "failed"),
    said("test.missed", at(16), test="t-2", equipment="t-2", name="BELL", outcome="skipped",
         period_begins=iso(at(9)), period_ends=iso(at(15, 16))),
]  # fmt: skip


def weekly(id_, **more):
    asked = {"every": "week", "limit_days": 10, "ssp_paragraph": "7.8", **more}
    return planned(scripted(id_=id_, mode=Mode.MANUAL, verdicts=(Outcome.PASSED,)), **asked)


@asynccontextmanager
async def calendar(tmp_path, *tests, entries=PAST, remaining=()):
    made = rig(*(tests or (weekly("t-1"), weekly("t-2", every="month")))).take_up()
    async with running(made):
        answers = book(made).requests()
        rows = {each["test"]: each for each in (await answers["tests"]({}))["tests"]}

        async def all_tests(_):
            return {
                "tests": [
                    {**each, "mode": "manual", "remaining": list(remaining)}
                    for each in rows.values()
                ]
            }

        async with looking(
            tmp_path, entries, now=UTC_0210,
            answers={"tests": all_tests, "tests.coming": answers["tests.coming"]}, led=tuple(rows),
        ) as seen:  # fmt: skip
            yield seen


def day(said_, number):
    return next(
        each
        for week in said_["weeks"]
        for each in week
        if each["day"] == number and each["is_of_month"]
    )


async def test_a_month_shows_what_was_done_and_what_falls_due_on_its_days(tmp_path):
    async with calendar(tmp_path) as seen:
        page = (await seen.said("due"))["said"]
        html = await seen.page("due")
    assert page["month"] == "November 2026"
    assert [each["result"] for each in day(page, 14)["done"]] == ["UNSAT"]
    assert [each["test"] for each in day(page, 22)["due"]] == ["t-1", "t-2"]
    assert day(page, 22)["is_today"]
    assert [each["test"] for each in day(page, 23)["due"]] == ["t-1"]
    assert len(page["weeks"][0]) == 7
    assert Parts(html).faults == []


async def test_a_day_of_supervision_is_an_occasion_only_where_it_was_not_sat(tmp_path):
    async with calendar(tmp_path) as seen:
        page = (await seen.said("due"))["said"]
    done = [
        one["result"]
        for week in page["weeks"]
        for each in week
        for one in each["done"]
        if one["test"] == "t-ais"
    ]
    assert done == ["UNSAT"]


async def test_a_period_that_ended_without_its_test_stands_on_the_day_it_ended(tmp_path):
    async with calendar(tmp_path) as seen:
        page = (await seen.said("due"))["said"]
    assert [each["result"] for each in day(page, 15)["done"] if each["test"] == "t-2"] == [
        "NOT DONE"
    ]


async def test_weeks_ahead_say_how_many_and_about_how_long(tmp_path):
    async with calendar(tmp_path) as seen:
        ahead = (await seen.said("due"))["said"]["ahead"]
    this, following = ahead[:2]
    assert this["week"] == "16 Nov to 22 Nov 2026"
    assert (this["led"], this["minutes"], this["unknown"]) == (2, 20, 1)
    assert following["rows"][0]["by"] == ["M. Petrov"]
    assert following["rows"][0]["minutes"] == 20, (
        "the middle of 15 and 25; one that was left out took no time"
    )
    assert 52 <= len(ahead) <= 54


async def test_each_test_says_its_rule_paragraph_limit_and_why_it_stands_so(tmp_path):
    async with calendar(tmp_path) as seen:
        first = (await seen.said("due"))["said"]["tests"][0]
    assert first["rule"] == "once each week (port, level 1); limit 10 days"
    assert (first["ssp"], first["stands"], first["why"]) == ("7.8", "TEST DUE", "never passed")


async def test_other_months_are_reached_and_what_is_none_is_refused(tmp_path):
    async with calendar(tmp_path) as seen:
        page = (await seen.said("due", month="2027-02"))["said"]
        assert page["month"] == "February 2027"
        assert [each["test"] for each in day(page, 1)["due"]] == ["t-1", "t-2"]
        assert page["months"][0]["asked"] == {"month": "2027-01"}
        for wrong in ("2027-13", "x", "0000-01", "9999-12"):
            with pytest.raises(RefusedError):
                await seen.said("due", month=wrong)


async def test_psc_mode_does_not_show_intervals_and_procedures(tmp_path):
    async with calendar(tmp_path) as seen:
        await seen.visitor.psc(on=True)
        assert "not shown in PSC mode" in await seen.page("due")


async def test_a_thousand_results_in_a_month_are_bounded_and_said(tmp_path):
    many = [result("t-1", at(1) + timedelta(minutes=n), equipment="t-1") for n in range(450)]
    async with calendar(tmp_path, entries=many) as seen:
        page = (await seen.said("due"))["said"]
        assert sum(len(each["done"]) for week in page["weeks"] for each in week) == 400
        assert "more results than are shown" in await seen.page("due")


async def test_a_test_of_items_takes_as_long_as_is_left_to_people(tmp_path):
    one = [{"item": "d10", "outcome": "passed"}]
    entries = [
        result(
            "t-1",
            at(day, 2),
            person="D. Kovac",
            began=iso(at(day, 1, 58)),
            equipment="t-1",
            items=one,
        )
        for day in (7, 14)
    ]
    async with calendar(tmp_path, entries=entries, remaining=["d1", "d2", "d3"]) as seen:
        page = (await seen.said("due"))["said"]
        html = await seen.page("due")
    assert [each["total"] for each in day(page, 22)["due"] if each["test"] == "t-1"] == [6]
    assert [each["total"] for each in day(page, 23)["due"]] == [None], "use may prove them by then"
    assert "about 2 min each, D. Kovac" in html
