"""What the SSO asks about the SSAS before a test: points in turn, the notice to paste, the card, files from ashore."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from daemon.checks.flags import load_flag
from daemon.errors import RefusedError
from daemon.model import Classification, Position
from daemon.record.entry import Draft, Evidence
from daemon.ssas.desk import attached
from daemon.ssas.papers import Call, false_alert_card, notice_text
from tests.makers import SHIP, UTC_0210
from tests.ship import sailing

SECOND = """
[[test]]
kind = "ssas_end_to_end"
id = "t-ssas-e-p2"
equipment = "ssas"
name = "SSAS P2"
ssp_paragraph = "8.4"
flag_profile = "singapore"
unit_profile = "jrc-jue-95sa-text"
every = "year"
activation_point = "P2"
addressees = [{ name = "MPA", kind = "administration" }]
message = "ssas.message"
lamp = "ssas.lamp"
"""


async def test_each_point_is_shown_with_its_proof_and_the_one_proved_longest_ago_is_next(tmp_path):
    async with sailing(tmp_path, edit=lambda text: text + SECOND) as ship:
        await ship.pass_time(1.0)
        stands = await ship.control({"do": "ssas"})
        assert [(row["point"], row["next"]) for row in stands["points"]] == [
            ("P1", True),
            ("P2", False),
        ]
        assert not stands["too_few_points"]
        first, _ = stands["points"]
        assert first["refused"].startswith("no notice is entered (Singapore: ")
        assert (first["proved_utc"], first["evidence_valid_until"]) == (None, None)
        (flag,) = stands["flags"]
        assert flag["rule"].endswith("verify with your RSO")
        assert (flag["source"], flag["read_on"]) != ("", "")


async def test_a_ship_with_one_point_only_is_told_that_solas_wants_two(tmp_path):
    async with sailing(tmp_path) as ship:
        assert (await ship.control({"do": "ssas"}))["too_few_points"] is True


async def test_covert_the_card_is_the_same_to_the_byte_whatever_is_seen_and_leaves_no_trace(
    tmp_path,
):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        before = await ship.control({"do": "ssas.card"})
        stands = await ship.control({"do": "ssas"})
        heard = len(ship.heard)
        await ship.ssas.do({"do": "alert"})
        assert await ship.control({"do": "ssas.card"}) == before
        assert await ship.control({"do": "ssas"}) == stands
        assert "MPA duty officer: +00 0000 0001   within 5 min" in before["text"]
        assert not [m for m in ship.heard[heard:] if "ssas" in m.topic]


async def test_the_notice_is_written_by_the_daemon_and_wants_a_test_that_sends(tmp_path):
    async with sailing(tmp_path) as ship:
        asked = {"do": "ssas.notice", "planned": "2026-11-23T02:10Z"}
        told = await ship.control({**asked, "test": "t-ssas-e-p1", "contact": "SSO, +00 3"})
        assert "Planned time: 2026-11-23 02:10 UTC" in told["text"]
        assert "Contact: SSO, +00 3" in told["text"]
        assert told["rule"].endswith("verify with your RSO")
        with pytest.raises(RefusedError, match="there is no test"):
            await ship.control({**asked, "test": "t-none"})


def notice(flag: str, position: Position | None = None, occasion: str = "") -> list[str]:
    text = notice_text(
        SHIP,
        load_flag(flag),
        planned_utc=UTC_0210,
        position=position,
        addressees=["MPA", "CSO"],
        contact="",
        occasion=occasion,
    )
    return text.splitlines()


def test_a_notice_says_what_the_flag_must_know():
    lines = notice("singapore", Position(1.264, 103.84))
    assert lines[1] == f"Subject: TEST - SSAS TEST - {SHIP.name} - IMO {SHIP.imo_number}"
    for said in (
        f"Ship's name: {SHIP.name}",
        f"IMO number: {SHIP.imo_number}",
        f"Call sign: {SHIP.call_sign}",
        f"MMSI: {SHIP.mmsi}",
        "Position: 01°15.84'N 103°50.40'E",
        f"Planned time: {UTC_0210:%Y-%m-%d %H:%M} UTC",
        "Addressees of the message: MPA, CSO",
        "Contact: [to be filled in]",
    ):
        assert said in lines


def test_india_reads_its_own_time_too_and_st_vincent_the_occasion():
    ist = UTC_0210 + timedelta(hours=5, minutes=30)
    times = f"Planned time: {UTC_0210:%Y-%m-%d %H:%M} UTC / {ist:%Y-%m-%d %H:%M} IST"
    assert times in notice("india")
    assert "Occasion and reason: at the periodical radio survey" in notice(
        "st-vincent", occasion="radio-survey"
    )
    assert "Occasion and reason: [to be filled in]" in notice("st-vincent")
    assert "Position: [to be filled in]" in notice("india")


def test_the_card_names_everybody_in_order_and_what_to_say():
    card = false_alert_card(SHIP, [Call("Flag", "+1", 5), Call("CSO", "+2", 10)], "8.5")
    assert card.index("1. Flag: +1   within 5 min") < card.index("2. CSO: +2   within 10 min")
    assert f"{SHIP.name}, IMO number {SHIP.imo_number}" in card
    assert "FALSE ALERT" in card


MAIL = (
    b"From: mpa@example.org\r\nSubject: SSAS TEST\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain\r\n\r\nreceived 0224Z\r\n"
)


async def test_a_mail_that_is_attached_is_found_by_its_entry_and_nothing_else_is(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        draft = Draft(
            kind=".10",
            type="attachment.added",
            subject="entry-1",
            classification=Classification.SSO,
            open={"name": "mpa.eml", "what": "confirmation"},
            evidence=(Evidence("message/rfc822", MAIL),),
        )
        entry = await ship.daemon.record.submit(draft)
        found = await attached(ship.daemon.record, entry.seq)
        assert found is not None
        assert (found.name, found.sha256) == ("mpa.eml", hashlib.sha256(MAIL).hexdigest())
        assert found.text is not None
        assert found.text.splitlines() == ["SSAS TEST", "received 0224Z"]
        for other in (1, entry.seq + 1000):
            assert await attached(ship.daemon.record, other) is None


TEXT_TEST = """
[[test]]
kind = "ssas_text"
id = "t-ssas-d"
equipment = "ssas"
name = "SSAS TEXT"
ssp_paragraph = "8.4"
flag_profile = "singapore"
unit_profile = "jrc-jue-95sa-text"
every = "quarter"
addressees = [{ name = "MPA", kind = "administration" }]
"""
START = {"do": "test.start", "by": "R. Menon"}
BOTH = ["R. Menon", "A. Lindqvist"]


async def test_a_text_that_was_found_wrong_is_not_sent_until_it_is_right(tmp_path):
    async with sailing(tmp_path, edit=lambda text: text + TEXT_TEST) as ship:
        await ship.pass_time(1.0)
        await ship.give_notice()
        await ship.control({"do": "window.open", "by": BOTH})
        good = "TEST | KESTREL STRAIT IMO 9999993 | 9VKS0 | MMSI 299000019"
        for typed in (good.replace("9VKS0", "9VKS1"), good):
            await ship.control({**START, "test": "t-ssas-d"})
            await ship.pass_time(0.5)
            answer = {"do": "test.answer", "test": "t-ssas-d", "by": "R. Menon"}
            await ship.control({**answer, "step": 1, "text": typed})
            await ship.pass_time(0.5)
            await ship.control({**answer, "step": 2, "text": "yes"})
            await ship.pass_time(0.5)
            if typed != good:
                why = "t-ssas-d found the text not as it must be: the text does not have the call sign"
                with pytest.raises(RefusedError, match=why):
                    await ship.control({**START, "test": "t-ssas-e-p1"})
        assert await ship.control({**START, "test": "t-ssas-e-p1"}) == {"steps": 10}


def of_st_vincent(text: str) -> str:
    return text.replace('flag_profile = "singapore"', 'flag_profile = "st-vincent"')


async def test_a_flag_that_takes_tests_on_occasions_only_is_told_which(tmp_path):
    async with sailing(tmp_path, edit=of_st_vincent) as ship:
        await ship.pass_time(1.0)
        sent = (ship.clock.utc() - timedelta(hours=5)).isoformat()
        notice = {"do": "notice", "flag": "st-vincent", "sent": sent, "to": "SVG", "by": "R. Menon"}
        notice["reference"] = "agreement 12"
        await ship.control({"do": "window.open", "by": BOTH})
        await ship.control(notice)
        with pytest.raises(RefusedError, match=r"names no occasion .*St Vincent"):
            await ship.control({**START, "test": "t-ssas-e-p1"})
        with pytest.raises(RefusedError, match="'picnic' is no occasion of St Vincent"):
            await ship.control({**notice, "occasion": "picnic"})
        await ship.control({**notice, "occasion": "radio-survey"})
        assert await ship.control({**START, "test": "t-ssas-e-p1"}) == {"steps": 10}


async def test_a_window_for_a_test_is_as_long_as_the_maker_says_and_no_test_no_window(tmp_path):
    async with sailing(tmp_path, edit=lambda text: text + TEXT_TEST) as ship:
        with pytest.raises(RefusedError, match="t-ssas-d needs no test window"):
            await ship.control({"do": "window.open", "by": BOTH, "test": "t-ssas-d"})
        with pytest.raises(RefusedError, match="there is no test"):
            await ship.control({"do": "window.open", "by": BOTH, "test": "t-none"})
        opened = await ship.control({"do": "window.open", "by": BOTH, "test": "t-ssas-e-p1"})
        # One addressee: 2 min to press, 30 s and 5 min and a fifth, 4 min 30 s to reset, 5 min in hand.
        assert opened["minutes"] == 18.0
