"""A period is reviewed by the SSO and verified by the Master, each over a head that covers it."""

from __future__ import annotations

import asyncio
import json

import pytest

from daemon.errors import RecordError, RefusedError
from daemon.model import Classification
from daemon.record.entry import Draft
from daemon.record.merkle import leaf_hash
from tests.book.desk import BOTH, DRILL, ETO, MASTER, SSO, open_book
from tests.record.ship import alert, breach, result


async def week(rig) -> int:
    """Let some things happen; return the newest number."""
    for draft in (
        alert("d12"),
        result("t-uhf"),
        result("t-seal", "failed"),
        result("t-ssas", "passed", sso=True),
        breach(),
    ):
        newest = await rig.record.submit(draft)
    return newest.seq


async def test_a_review_tells_what_stood_in_the_period_and_which_head_covers_it(tmp_path):
    heads = []
    async with open_book(tmp_path) as rig:
        rig.record.on_seal(heads.append)
        up_to = await week(rig)
        done = await rig.ask("review", up_to=up_to)
        entry = await rig.entry(done["recorded"])
        said = entry["open"]
        assert (entry["type"], entry["class"]) == ("period.reviewed", "sso")
        assert (said["from"], said["up_to"]) == (1, up_to) == (1, 6)
        assert said["entries"] == 6
        assert said["kinds"] == [
            {"kind": "system", "count": 2},
            {"kind": ".3", "count": 1},
            {"kind": ".10", "count": 3},
        ]
        assert said["results"] == [
            {"outcome": "failed", "count": 1},
            {"outcome": "passed", "count": 2},
        ]
        covering = next(head for head in heads if head.size == said["checkpoint"]["size"])
        assert covering.size >= up_to
        assert covering.root.hex() == said["checkpoint"]["root"]
        assert said["checkpoint"]["origin"] == "demo/9999993/1"
        assert heads[-1].size == entry["seq"], "and a head over the review itself"


async def test_the_next_review_begins_where_the_last_one_ended(tmp_path):
    async with open_book(tmp_path) as rig:
        await week(rig)
        await rig.ask("review", up_to=4)
        with pytest.raises(RefusedError, match=r"the record is reviewed up to no. 4 already"):
            await rig.ask("review", up_to=4)
        second = await rig.ask("review", up_to=7)
        assert (second["from"], second["up_to"], second["entries"]) == (5, 7, 3)
    async with open_book(tmp_path) as rig:
        with pytest.raises(RefusedError, match=r"up to no. 7 already"):
            await rig.ask("review", up_to=6)


async def test_the_master_verifies_only_what_was_reviewed(tmp_path):
    async with open_book(tmp_path) as rig:
        await week(rig)
        with pytest.raises(RefusedError, match=r"no review covers no. 3: the SSO has reviewed not"):
            await rig.ask("countersign", up_to=3, by=MASTER)
        await rig.ask("review", up_to=4)
        review = await rig.ask("review", up_to=6)
        with pytest.raises(RefusedError, match=r"no. 7: the SSO has reviewed only up to no. 6"):
            await rig.ask("countersign", up_to=7, by=MASTER)
        done = await rig.ask("countersign", up_to=6, by=MASTER)
        entry = await rig.entry(done["recorded"])
        body = (await rig.ask("log", after=review["recorded"] - 1, before=review["recorded"] + 1))[
            "entries"
        ][0]
        assert entry["type"] == "period.verified"
        assert entry["open"]["review"] == {
            "seq": review["recorded"],
            "leaf": leaf_hash(body.encode()).hex(),
            "type": "period.reviewed",
        }
        assert (entry["open"]["from"], entry["open"]["up_to"]) == (1, 6)
        assert entry["open"]["reviewed_by"] == "R. Menon"
        assert entry["open"]["same_person"] is False
        assert entry["open"]["checkpoint"]["size"] >= 6
        with pytest.raises(RefusedError, match=r"the record is verified up to no. 6 already"):
            await rig.ask("countersign", up_to=6, by=MASTER)


async def test_an_older_period_is_verified_by_the_review_that_it_lies_in(tmp_path):
    async with open_book(tmp_path) as rig:
        await week(rig)
        first = await rig.ask("review", up_to=4)
        await rig.ask("review", up_to=6)
        done = await rig.ask("countersign", up_to=3, by=MASTER)
        assert done["review"]["seq"] == first["recorded"]


@pytest.mark.parametrize(
    ("do", "by", "reason"),
    [
        ("review", MASTER, "A. Lindqvist may not review the record; that is for: sso"),
        ("review", ETO, "may not review the record"),
        ("countersign", SSO, "R. Menon may not verify the record; that is for: master"),
    ],
)
async def test_each_name_has_its_own_act(tmp_path, do, by, reason):
    async with open_book(tmp_path) as rig:
        await week(rig)
        with pytest.raises(RefusedError, match=reason):
            await rig.ask(do, up_to=3, by=by)


async def test_a_master_who_is_the_sso_is_seen_to_have_done_both(tmp_path):
    async with open_book(tmp_path) as rig:
        await week(rig)
        await rig.ask("review", up_to=6, by=BOTH)
        assert (await rig.ask("countersign", up_to=6, by=BOTH))["same_person"] is True


@pytest.mark.parametrize("up_to", [0, -3, 99, None, "6", True])
async def test_what_is_no_entry_cannot_be_reviewed(tmp_path, up_to):
    async with open_book(tmp_path) as rig:
        await week(rig)
        with pytest.raises(RefusedError):
            await rig.ask("review", up_to=up_to)
        assert (await rig.ask("log"))["newest"] == 6


async def test_a_week_without_a_review_is_work_to_do(tmp_path):
    async with open_book(tmp_path) as rig:
        await rig.enter("drill", DRILL)
        rig.clock.step_utc(8 * 86400 - 1)
        assert "review" not in rig.items()
        rig.clock.step_utc(1)
        item = rig.items()["review"]
        assert item.what == "RECORD: not reviewed since 22 Nov 2026 (2 entries, up to no. 2)"
        await rig.ask("review", up_to=2)
        assert "review" in rig.items(), "what was reviewed is eight days old by now"
        await rig.ask("review", up_to=3)
        assert "review" not in rig.items()
        assert rig.changes, "and the list is told to be another"
    async with open_book(tmp_path, clock=rig.clock) as again:
        again.clock.step_utc(8 * 86400)
        assert "RECORD: not reviewed since 30 Nov 2026 (1 entries" in again.items()["review"].what


async def test_a_review_reaches_over_segments(tmp_path):
    async with open_book(tmp_path) as rig:
        await week(rig)
        await rig.record.rotate("full")
        newest = await week(rig)
        done = await rig.ask("review", up_to=newest)
        assert done["entries"] == newest
        assert done["checkpoint"]["origin"] == "demo/9999993/2"
        await rig.ask("countersign", up_to=newest, by=MASTER)


async def test_what_is_entered_amended_attached_and_reviewed_still_verifies(tmp_path):
    from daemon.record import verify
    from tests.record.ship import VKEY

    heads = []
    async with open_book(tmp_path, announces=True) as rig:
        rig.record.on_seal(heads.append)
        drill = await rig.enter("drill", DRILL)
        await rig.ask("amend", seq=drill["seq"], reason="x", fields={"crew": "23"})
        await rig.ask("review", up_to=2)
        await rig.ask("countersign", up_to=2, by=MASTER)
    anchor = tmp_path / "anchor.note"
    anchor.write_text(heads[-1].note, "utf-8")
    words = [str(tmp_path / "record"), "--key", VKEY, "--anchor", str(anchor)]
    assert verify.main(words) == 0


async def test_a_result_of_no_outcome_that_we_know_is_counted_under_its_name(tmp_path):
    async with open_book(tmp_path) as rig:
        draft = Draft(
            kind=".10",
            type="test.result",
            subject="x",
            classification=Classification.WATCH,
            open={"test": "x"},
        )
        await rig.record.submit(draft)
        done = await rig.ask("review", up_to=2)
        assert done["results"] == [{"outcome": "none", "count": 1}]
        assert json.dumps(done)


async def test_two_reviews_at_once_do_not_overlap(tmp_path):
    async with open_book(tmp_path) as rig:
        await week(rig)
        done = await asyncio.gather(rig.ask("review", up_to=3), rig.ask("review", up_to=6))
        assert [(each["from"], each["up_to"]) for each in done] == [(1, 3), (4, 6)]


async def test_a_disk_that_hangs_keeps_nobody_waiting_for_ever(tmp_path, disk):
    async with open_book(tmp_path) as rig:
        await week(rig)
        disk.free.clear()
        asking = asyncio.ensure_future(rig.ask("review", up_to=6))
        while not asking.done():
            await rig.clock.advance(1.0)
        with pytest.raises(RefusedError, match=r"cannot be sealed now: the disk takes long"):
            await asking
        entering = asyncio.ensure_future(rig.ask("enter", form="other", fields={"what": "x"}))
        while not entering.done():
            await rig.clock.advance(1.0)
        assert (await entering)["recorded"] is None, "not yet recorded, and said so"
        disk.free.set()
        await rig.record.drained()
        assert (await rig.ask("review", up_to=7))["sealed"] is True


async def test_a_review_that_is_written_is_told_even_when_its_own_head_fails(
    tmp_path, disk, monkeypatch
):
    async with open_book(tmp_path) as rig:
        await week(rig)
        seals = []
        seal = rig.record.seal

        async def once():
            seals.append(1)
            if len(seals) == 2:
                raise RecordError("disk I/O error")
            return await seal()

        monkeypatch.setattr(rig.record, "seal", once)
        done = await rig.ask("review", up_to=6)
        assert (done["recorded"], done["sealed"]) == (7, False)
        assert (await rig.entry(7))["type"] == "period.reviewed"
