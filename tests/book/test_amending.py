"""A correction is a new entry; the old one stays to the byte, and nobody reads more than before."""

from __future__ import annotations

import asyncio

import pytest

from daemon.errors import RefusedError
from daemon.model import Classification
from daemon.record.entry import Draft
from daemon.record.merkle import leaf_hash
from tests.book.desk import DEFECT, DRILL, ETO, MASTER, open_book
from tests.record.ship import alert, result


async def amended(rig, seq, fields, **more):
    done = await rig.ask("amend", seq=seq, reason="typed wrong", fields=fields, **more)
    return await rig.entry(done["recorded"])


async def body_of(rig, seq: int) -> str:
    return (await rig.ask("log", after=seq - 1, before=seq + 1))["entries"][0]


async def test_an_amendment_names_the_old_entry_and_shows_both_values(tmp_path):
    async with open_book(tmp_path) as rig:
        drill = await rig.enter("drill", DRILL)
        before = await body_of(rig, drill["seq"])
        entry = await amended(rig, drill["seq"], {"crew_took_part": "19"}, by=MASTER)
        assert await body_of(rig, drill["seq"]) == before
    assert (entry["type"], entry["kind"], entry["class"]) == ("entry.amended", ".1", "watch")
    assert entry["subject"] == f"entry-{drill['seq']}"
    assert entry["actor"]["person"] == "A. Lindqvist"
    said = entry["open"]
    assert said["amends"] == {
        "seq": drill["seq"],
        "leaf": leaf_hash(before.encode()).hex(),
        "type": "drill.held",
    }
    assert (said["reason"], said["original"]) == ("typed wrong", drill["seq"])
    assert (said["was"], said["now"]) == ({"crew_took_part": 20}, {"crew_took_part": 19})
    assert said["said"]["crew_took_part"] == 19
    assert said["said"]["scenario"] == "stowaway search"


async def test_a_chain_of_amendments_is_resolved_to_its_newest_end(tmp_path):
    async with open_book(tmp_path) as rig:
        drill = await rig.enter("drill", DRILL)
        first = await amended(rig, drill["seq"], {"crew_took_part": "19"})
        # By its own number or by the original's: it is the newest that is amended.
        second = await amended(rig, drill["seq"], {"crew_took_part": "18", "crew": "21"})
        third = await amended(rig, first["seq"], {"crew_took_part": "17"})
        assert [e["open"]["amends"]["seq"] for e in (first, second, third)] == [
            drill["seq"],
            first["seq"],
            second["seq"],
        ]
        assert {e["open"]["original"] for e in (first, second, third)} == {drill["seq"]}
        assert third["open"]["was"] == {"crew_took_part": 18}
        assert third["open"]["said"]["crew"] == 21
        page = await rig.ask("log")
    assert page["amended_by"] == {str(drill["seq"]): third["seq"]}


async def test_what_was_for_the_sso_stays_for_the_sso(tmp_path):
    """An amendment never shows to the watch what the entry did not."""
    async with open_book(tmp_path) as rig:
        drill = await rig.enter("drill", DRILL)
        entry = await amended(rig, drill["seq"], {"lessons": "secret lock code", "crew": "23"})
        again = await amended(rig, drill["seq"], {"lessons": "none"})
        assert "secret" not in str(entry["open"])
        assert "search cards" not in str(entry["open"])
        assert entry["part"] == {
            "was": {"lessons": "search cards renewed"},
            "now": {"lessons": "secret lock code"},
        }
        assert entry["open"]["now"] == {"crew": 23}
        assert again["part"]["was"] == {"lessons": "secret lock code"}
        assert again["open"]["now"] == {}
        defect = await rig.enter("defect", DEFECT)
        entry = await amended(rig, defect["seq"], {"found": "lens broken"})
        assert (entry["class"], entry["bseq"], entry["kind"]) == ("sso", None, ".10")


async def test_a_test_is_never_amended_into_a_pass(tmp_path):
    async with open_book(tmp_path) as rig:
        seq = (await rig.record.submit(result("t-uhf", "failed"))).seq
        with pytest.raises(RefusedError, match="no amendment makes a test a pass"):
            await amended(rig, seq, {"outcome": "passed"})
        with pytest.raises(RefusedError, match=r"of test.result can be amended: reason, outcome"):
            await amended(rig, seq, {"began": "2026-11-22T01:00Z"})
        entry = await amended(rig, seq, {"outcome": "inconclusive", "reason": "set was off"})
        assert entry["open"]["was"] == {"outcome": "failed", "reason": None}
        with pytest.raises(RefusedError, match="no amendment makes a test a pass"):
            await amended(rig, entry["seq"], {"outcome": "passed"})


async def test_the_state_of_a_test_is_what_the_test_said(tmp_path):
    """An amended word changes no readiness: that takes the test."""
    async with open_book(tmp_path) as rig:
        seq = (await rig.record.submit(result("t-uhf", "failed"))).seq
        words = {"reason": "typed wrong", "fields": {"outcome": "skipped"}}
        assert (await rig.ask("amend", seq=seq, **words))["is_test"] is True
        assert (await rig.record.state("result"))["t-uhf"]["outcome"] == "failed"


@pytest.mark.parametrize(
    ("fields", "more", "reason"),
    [
        ({"crew": "22"}, {}, "nothing would change"),
        ({}, {}, "nothing would change"),
        ({"crew": "0"}, {}, "crew is a whole number from 1 to 500"),
        ({"crew": "19"}, {}, r"crew_took_part \(20\) is more than crew \(19\)"),
        ({"ended": "2026-11-22T00:09Z"}, {}, "ended .* is before began"),
        ({"ended": "2026-11-22T02:11Z"}, {}, "ended: .* lies ahead"),
        ({"scenario": ""}, {}, "scenario is wanted"),
        ({"late": "no"}, {}, "of drill.held can be amended: scenario, .*; not 'late'"),
        ({"done_at": "x"}, {}, "not 'done_at'"),
        ({"crew": "21"}, {"by": ETO}, "D. Kovac may not amend an entry"),
        ({"crew": "21"}, {"reason": ""}, "reason is wanted"),
        ({"crew": "21"}, {"seq": 1}, r"entry 1 \(segment.opened\) is no form of a person's"),
        ({"crew": "21"}, {"seq": 77}, "there is no entry 77"),
    ],
)
async def test_what_is_no_amendment_is_refused_and_nothing_is_written(
    tmp_path, fields, more, reason
):
    async with open_book(tmp_path) as rig:
        drill = await rig.enter("drill", DRILL)
        with pytest.raises(RefusedError, match=reason):
            await rig.ask("amend", **{"seq": drill["seq"], "reason": "x", "fields": fields, **more})
        assert (await rig.ask("log"))["newest"] == drill["seq"]


async def test_a_defect_that_a_test_opened_stands_as_the_test_found_it(tmp_path):
    async with open_book(tmp_path) as rig:
        found = {"defect": "def-1", "found": "did not close: 14 s open", "test": "t-door"}
        draft = Draft(
            kind=".10",
            type="defect.opened",
            subject="d12",
            classification=Classification.SSO,
            open=found,
        )
        seq = (await rig.record.submit(draft)).seq
        with pytest.raises(RefusedError, match="was written by no person"):
            await amended(rig, seq, {"found": "label worn"})


async def test_what_a_machine_saw_stands(tmp_path):
    async with open_book(tmp_path) as rig:
        seq = (await rig.record.submit(alert("d12"))).seq
        with pytest.raises(RefusedError, match=r"entry 2 \(alert.changed\) is no form"):
            await amended(rig, seq, {"state": "N"})


async def test_a_defect_keeps_its_number_and_what_is_about_it_stays_so(tmp_path):
    async with open_book(tmp_path) as rig:
        defect = await rig.enter("defect", DEFECT)
        with pytest.raises(RefusedError, match="defect is its number, and stays"):
            await amended(rig, defect["seq"], {"defect": "def-099"})
        told = {"defect": "def-001", "who": "CSO", "at": "2026-11-22T02:00Z"}
        entry = await rig.enter("defect-told", told)
        with pytest.raises(RefusedError, match="defect says which one it is about"):
            await amended(rig, entry["seq"], {"defect": "def-099"})


async def test_an_amended_drill_counts_from_its_right_day(tmp_path):
    old = {**DRILL, "began": "2026-08-01T00:10Z", "ended": "2026-08-01T01:00Z"}
    async with open_book(tmp_path) as rig:
        wrong = await rig.enter("drill", DRILL)
        assert "drill" not in rig.items()
        await amended(rig, wrong["seq"], {"began": old["began"], "ended": old["ended"]})
        assert "the last was on 01 Aug 2026" in rig.items()["drill"].what
    async with open_book(tmp_path) as rig:
        assert "the last was on 01 Aug 2026" in rig.items()["drill"].what


async def test_an_amendment_that_would_be_too_large_is_refused_in_words(tmp_path):
    letter = "\N{SMILING FACE WITH SUNGLASSES}"
    told = "; ".join([letter * 400 + " @ 2026-11-22T02:00Z"] * 20)
    async with open_book(tmp_path) as rig:
        defect = await rig.enter("defect", {**DEFECT, "told": told})
        with pytest.raises(
            RefusedError, match=r"this cannot stand in the record: open: .* at most"
        ):
            await amended(rig, defect["seq"], {"told": told.replace(letter, "\N{GRINNING FACE}")})


async def test_two_who_amend_at_once_do_not_lose_each_others_word(tmp_path):
    async with open_book(tmp_path) as rig:
        drill = await rig.enter("drill", DRILL)
        both = await asyncio.gather(
            rig.ask("amend", seq=drill["seq"], reason="a", fields={"crew": "23"}),
            rig.ask("amend", seq=drill["seq"], reason="b", fields={"rank": "2/O"}, by=MASTER),
        )
        first, second = [await rig.entry(each["recorded"]) for each in both]
        assert second["open"]["amends"]["seq"] == first["seq"]
        assert second["open"]["said"]["crew"] == 23
        assert second["open"]["said"]["rank"] == "2/O"
