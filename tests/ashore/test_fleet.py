"""The company's list: what leads it, what is believed, and what a ship cannot hide by saying nothing."""

from __future__ import annotations

import json
import random
import shutil
from datetime import timedelta

import pytest

from daemon.ashore import fleet, gathering, reading, week
from daemon.cli import main
from daemon.papers.release import MOST_DIGEST_BYTES
from daemon.record import verify
from tests.ashore.rig import NOW, mailing, vkey_of
from tests.ashore.test_week import inhibited
from tests.papers.rig import iso

DAY = timedelta(days=1)
IMO = 9999993
STANDS = [{"test": "t-door", "readiness": "overdue", "last": None, "next_due": None, "limit": None}]


def keys(*numbers: int) -> list[verify.Key]:
    return [verify.read_key(vkey_of(each)) for each in numbers]


def listed(folder, *numbers, now_utc=NOW):
    return fleet.gathered(fleet.files(folder), keys(*(numbers or (IMO,))), now_utc=now_utc)


async def two_weeks(tmp_path, *, between=20):
    """Return the folder of two reports of one ship, a week apart."""
    mail = tmp_path / "mail"
    mail.mkdir()
    async with mailing(tmp_path / "record") as ship:
        await ship.live(30, at=NOW - 8 * DAY)
        await ship.mail(mail / "1.jsonl", now_utc=NOW - 7 * DAY)
        await ship.live(between, at=NOW - DAY)
        await ship.mail(mail / "2.jsonl", now_utc=NOW)
    return mail


async def test_a_week_that_a_ship_mails_is_her_own_word_in_less_than_10_kb(tmp_path):
    mail = await two_weeks(tmp_path)
    assert all(each.stat().st_size < 10_000 for each in mail.iterdir())
    [row] = listed(mail).rows
    assert (row.ship, row.alarms) == ("KESTREL STRAIT", ())
    assert row.record == "grown since 22 Nov"
    assert row.report.by == "R. Menon"


async def test_a_ship_with_much_to_tell_stays_within_10_kb_and_says_what_is_left_out(tmp_path):
    mail = tmp_path / "mail"
    mail.mkdir()
    ids = [f"bosun-store-number-{number:02d}-upper-dk" for number in range(40)]
    long_ago = NOW - 30 * DAY
    rows = [STANDS[0] | {"test": f"t-{each}"[:31], "limit": iso(long_ago)} for each in ids]
    found = {"found_at": iso(long_ago), "measure": "x", "told": "y", "test": None}
    dates = dict.fromkeys(("expires", "window_from", "window_until", "endorsed"), "2028-05-01")
    papers = {each: {"name": f"{'Свидетельство' * 4} {each}", **dates} for each in ids}
    much = {
        "tests": rows,
        "defects": [
            found | {"defect": f"def-{n:03d}", "equipment": each} for n, each in enumerate(ids)
        ],
        "eased": [inhibited(NOW - DAY, each) for each in ids],
        "certificates": papers | {"issc": {"name": "ISSC", "expires": "2029-05-01"}},
    }
    async with mailing(tmp_path / "record") as ship:
        await ship.live(300, at=NOW - 8 * DAY)
        await ship.mail(mail / "1.jsonl", now_utc=NOW - 7 * DAY)
        await ship.live(300, at=NOW - DAY)
        said = await ship.mail(mail / "2.jsonl", **much)
    # A whole ship's file has the sender's signature and key as well.
    assert (mail / "2.jsonl").stat().st_size < MOST_DIGEST_BYTES - 1_500
    cut = [
        (said["tests"]["overdue"], said["tests"]["more"], 40),
        (said["defects"]["list"], said["defects"]["more"], 40),
        (said["eased"]["list"], said["eased"]["more"], 40),
        (said["papers"], said["more_papers"], 41),
    ]
    assert [len(shown) + more for shown, more, _ in cut] == [all_ for *_, all_ in cut]
    assert all(5 <= len(shown) < week.MOST_LISTED for shown, *_ in cut)
    [row] = listed(mail).rows
    assert (row.alarms, fleet.cells(row, now_utc=NOW)["ISSC"]) == ((), "2029-05-01")


async def test_it_verifies_offline_in_one_command(tmp_path, capsys):
    mail = await two_weeks(tmp_path)
    code = main(["verify", str(mail / "2.jsonl"), "--key", vkey_of(IMO)])
    said = capsys.readouterr().out
    assert code == verify.EXIT["INCONCLUSIVE"], "an outside anchor is what only the company has"
    assert "no outside anchor" in said
    assert "FAIL" not in said


async def test_sixty_ships_stand_by_the_age_of_their_reports_and_those_that_never_reported_first(
    tmp_path,
):
    mail = tmp_path / "mail"
    mail.mkdir()
    numbers = list(range(9100001, 9100061))
    ages = random.Random(7).sample(range(600), len(numbers))
    for imo, hours in zip(numbers[:-1], ages, strict=False):
        async with mailing(tmp_path / str(imo), imo) as ship:
            await ship.mail(mail / f"{imo}.jsonl", now_utc=NOW - timedelta(hours=hours))
    found = listed(mail, *numbers)
    assert not found.refused
    assert len(found.rows) == len(numbers)
    first, *others = found.rows
    assert (first.ship, first.alarms) == (f"ispsd/{numbers[-1]}", ("NO REPORT",))
    known = [row.age / timedelta(hours=1) for row in others]
    assert known == sorted(ages[:-1], reverse=True)
    old = {row.report.prefix for row in others if "REPORT OLD" in row.alarms}
    want = {f"ispsd/{n}" for n, h in zip(numbers[:-1], ages, strict=False) if h > 8 * 24}
    assert old == want


@pytest.mark.parametrize("place", range(12))
async def test_one_letter_changed_anywhere_in_a_report_is_refused(tmp_path, place):
    mail = await two_weeks(tmp_path)
    path = mail / "2.jsonl"
    content = bytearray(path.read_bytes())
    letters = [i for i, byte in enumerate(content) if 97 <= byte <= 121]
    content[letters[len(letters) * place // 12]] += 1
    path.write_bytes(content)
    found = listed(mail)
    assert [each.path for each in found.refused] == [path]
    assert [row.report.path.name for row in found.rows] == ["1.jsonl"]


async def test_what_is_believed_is_what_was_verified_though_the_file_changes_meanwhile(
    tmp_path, monkeypatch
):
    mail = await two_weeks(tmp_path)
    real, path = verify.verify, mail / "2.jsonl"
    good = path.read_text("utf-8")

    def meanwhile(*given):
        path.write_text(good, "utf-8")
        return real(*given)

    monkeypatch.setattr(reading.verify, "verify", meanwhile)
    path.write_text(good.replace("KESTREL STRAIT", "KESTREL STRAND"), "utf-8")
    with pytest.raises(reading.RefusedFileError, match="FAIL"):
        reading.read(path, keys(IMO))
    assert reading.read(path, keys(IMO)).said["ship"]["name"] == "KESTREL STRAIT"


async def test_a_report_that_another_ship_signed_is_refused(tmp_path):
    mail = tmp_path / "mail"
    mail.mkdir()
    async with mailing(tmp_path / "other", 9100001) as other:
        await other.mail(mail / "1.jsonl")
    found = listed(mail, IMO)
    assert [each.path.name for each in found.refused] == ["1.jsonl"]
    assert [row.alarms for row in found.rows] == [("NO REPORT",)]


async def test_a_record_that_was_rewritten_between_two_reports_is_an_alarm(tmp_path):
    mail = tmp_path / "mail"
    mail.mkdir()
    async with mailing(tmp_path / "record") as ship:
        await ship.live(30, at=NOW - 8 * DAY)
        await ship.mail(mail / "1.jsonl", now_utc=NOW - 7 * DAY)
    async with mailing(tmp_path / "written anew") as ship:  # with the ship's key
        await ship.live(31, at=NOW - 8 * DAY)
        await ship.mail(tmp_path / "not mailed.jsonl", now_utc=NOW - 7 * DAY)
        await ship.live(20, at=NOW - DAY)
        await ship.mail(mail / "2.jsonl", now_utc=NOW)
    [row] = listed(mail).rows
    # It claims to have grown out of a head that was never mailed: that is not shown, and so not believed.
    assert "not compared" in row.record
    assert row.alarms == ("A REPORT IS MISSING before 29 Nov: ask for it",)
    async with mailing(tmp_path / "shrunk") as ship:
        await ship.live(3, at=NOW - DAY)
        await ship.mail(mail / "3.jsonl", now_utc=NOW + timedelta(minutes=5))
    [row] = listed(mail).rows
    assert any(each.startswith("RECORD: her record shrank") for each in row.alarms)


@pytest.mark.parametrize("wrong", [NOW - 40 * DAY, NOW + 30 * DAY])
async def test_a_clock_that_was_wrong_once_is_no_shrunk_record_and_hides_no_newer_report(
    tmp_path, wrong
):
    mail = tmp_path / "mail"
    mail.mkdir()
    async with mailing(tmp_path / "record") as ship:
        await ship.live(20, at=NOW - 15 * DAY)
        await ship.mail(mail / "1.jsonl", now_utc=NOW - 14 * DAY)
        await ship.live(20, at=NOW - 8 * DAY)
        await ship.mail(mail / "2.jsonl", now_utc=wrong)
        await ship.live(20, at=NOW - DAY)
        await ship.mail(mail / "3.jsonl")
    [row] = listed(mail).rows
    assert (row.report.path.name, row.alarms) == ("3.jsonl", ())
    assert row.record.startswith("grown since")


async def test_a_record_that_went_back_to_an_older_segment_is_an_alarm(tmp_path):
    mail = tmp_path / "mail"
    mail.mkdir()
    async with mailing(tmp_path / "record") as ship:
        await ship.live(30, at=NOW - 16 * DAY)
        await ship.mail(mail / "1.jsonl", now_utc=NOW - 15 * DAY)
    shutil.copytree(tmp_path / "record", tmp_path / "older")
    async with mailing(tmp_path / "record", began=NOW - 14 * DAY) as ship:
        await ship.record.rotate("a test")
        await ship.mail(mail / "2.jsonl", now_utc=NOW - 8 * DAY)
    [row] = listed(mail).rows
    assert row.record == "not compared: a new segment began: ispsd/9999993/2"
    assert row.alarms == ()
    async with mailing(tmp_path / "older", began=NOW - 7 * DAY) as ship:
        await ship.live(5, at=NOW - DAY)
        await ship.mail(mail / "3.jsonl")
    [row] = listed(mail).rows
    assert row.alarms[0].startswith("RECORD: her record shrank or was rewritten")


async def test_a_report_on_paper_between_two_files_is_not_missed_ashore(tmp_path):
    mail = tmp_path / "mail"
    mail.mkdir()
    async with mailing(tmp_path / "record") as ship:
        await ship.mail(mail / "1.jsonl", now_utc=NOW - 7 * DAY)
        await ship.mail(tmp_path / "paper", now_utc=NOW - 7 * DAY, form="pdf")
        await ship.live(20, at=NOW - DAY)
        await ship.mail(mail / "2.jsonl")
    [row] = listed(mail).rows
    assert (row.record, row.alarms) == ("grown since 22 Nov", ())


async def test_reports_that_say_nothing_of_the_one_before_are_compared_in_their_segment(
    tmp_path, monkeypatch
):
    real = gathering.grown

    async def older(*given):
        said = await real(*given)
        return {name: value for name, value in said.items() if name != "follows"}

    monkeypatch.setattr(gathering, "grown", older)
    mail = await two_weeks(tmp_path)
    [row] = listed(mail).rows
    assert (row.record, row.alarms) == ("grown since 22 Nov", ())


async def test_a_proof_of_growth_that_is_of_another_history_is_an_alarm(tmp_path):
    mail = tmp_path / "mail"
    mail.mkdir()
    async with mailing(tmp_path / "one") as ship:
        await ship.live(30, at=NOW - 8 * DAY)
        await ship.mail(mail / "1.jsonl", now_utc=NOW - 7 * DAY)
    async with mailing(tmp_path / "two") as ship:
        await ship.live(29, at=NOW - 9 * DAY)
        await ship.live(1, at=NOW - 8 * DAY)  # as many entries, but others
        await ship.mail(tmp_path / "kept.jsonl", now_utc=NOW - 7 * DAY)
        await ship.mail(mail / "2.jsonl", now_utc=NOW)
    [row] = listed(mail).rows
    assert "are not those of the report before" in row.alarms[0]


async def test_what_a_report_cannot_show_costs_neither_the_list_nor_the_other_ships(tmp_path):
    mail = await two_weeks(tmp_path)
    (mail / "garbage.jsonl").write_bytes(b"\x00\xff{")
    (mail / "large.jsonl").write_bytes(b"{" * (reading.LARGEST + 1))
    (mail / "empty.jsonl").touch()
    (mail / "notes.txt").write_text("not looked at")
    found = listed(mail)
    assert {each.path.name for each in found.refused} == {
        "garbage.jsonl",
        "large.jsonl",
        "empty.jsonl",
    }
    assert [row.ship for row in found.rows] == ["KESTREL STRAIT"]


async def test_more_files_than_are_read_at_once_are_refused_and_none_is_left_out(
    tmp_path, monkeypatch, capsys
):
    mail = await two_weeks(tmp_path)
    monkeypatch.setattr(fleet, "MOST_FILES", 2)
    assert len(fleet.files(mail)) == 2
    (mail / "3.jsonl").touch()
    assert main(["fleet", str(mail), "--key", vkey_of(IMO)]) == 1
    said = capsys.readouterr()
    assert (said.out, "3 files, more than 2" in said.err) == ("", True)


PAPER = {"name": "ISSC", "window_from": "2026-05-01", "window_until": "2026-11-01"}


@pytest.mark.parametrize(
    ("papers", "shown"),
    [
        ([PAPER | {"expires": "2029-05-01", "endorsed": None}], "2026-11-01 OVER"),
        ([PAPER | {"expires": "2029-05-01", "endorsed": "2026-04-30"}], "2026-11-01 OVER"),
        ([PAPER | {"expires": "2029-05-01", "endorsed": "2026-05-01"}], "2029-05-01"),
        ([PAPER | {"expires": "2026-11-28", "endorsed": "2026-05-01"}], "2026-11-28 OVER"),
        (
            [
                {"name": "Interim ISSC", "expires": "2026-06-01"},
                PAPER | {"expires": "2031-06-01", "window_until": None},
            ],
            "2031-06-01",
        ),
        ([{"name": "International Ship Security Certificate"}], "no date"),
        ([{"name": "CoP of the SSO", "expires": "2029-05-01"}], "NOT ENTERED"),
    ],
)
async def test_of_an_issc_that_is_endorsed_in_its_window_the_expiry_counts(tmp_path, papers, shown):
    mail = tmp_path / "mail"
    mail.mkdir()
    entered = {each["name"].lower(): each for each in papers}
    async with mailing(tmp_path / "record") as ship:
        await ship.mail(mail / "1.jsonl", certificates=entered)
    [row] = listed(mail).rows
    assert fleet.cells(row, now_utc=NOW)["ISSC"] == shown


async def test_the_list_names_what_the_company_has_to_see_to(tmp_path, capsys):
    mail = tmp_path / "mail"
    mail.mkdir()
    keyfile = tmp_path / "ships.pub"
    keyfile.write_text(vkey_of(IMO) + "\n")
    papers = {
        "issc": {"name": "ISSC", "number": "1", "expires": "2030-01-01", "window_until": None}
    }
    held = {"drill/a": {"ended": "2026-11-02T02:00:00.000Z"}}
    async with mailing(tmp_path / "record") as ship:
        long_ago = NOW - 59 * DAY
        await ship.mail(
            mail / "1.jsonl", now_utc=long_ago, tests=STANDS, certificates=papers, held=held
        )
    code = main(["fleet", str(mail), "--key", str(keyfile), "--json"])
    [ship_said] = json.loads(capsys.readouterr().out)["ships"]
    assert ship_said["overdue"] == "1"
    assert ship_said["ISSC"] == "2030-01-01"
    assert ship_said["last SSAS test"] == "NONE"
    assert ship_said["exercise"] == "NONE"
    assert ship_said["config"] == "c0ffee00"
    assert code == 1, "it is older than 8 days"
    assert main(["fleet", str(mail), "--key", str(keyfile)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("SHIP")
    assert lines[-1] == "1 ships, 1 to look at, 0 files refused"
