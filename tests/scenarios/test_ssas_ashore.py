"""The confirmations of an SSAS test come hours later: by mails that are attached, and over a restart of ispsd."""

from __future__ import annotations

import base64
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from daemon.errors import RefusedError
from daemon.model import Classification
from tests.ship import LAMP, afloat, ashore, sailing, ssas_ports_opened
from tests.soon import soon
from tests.test_covert import answer, last_result, sso_test, start_ssas_test, with_short_waits

if TYPE_CHECKING:
    from tests.ship import Ship

TEST, SSO, MASTER = "t-ssas-e-p1", "R. Menon", "A. Lindqvist"
PROVEN = ("passed", "activation seen, sent, confirmed ashore")


def mail(ship: Ship) -> bytes:
    """Return the mail by which the shore forwards the copy of a test that was sent now."""
    return (
        "From: mpa@example.org\r\nSubject: Re: SSAS TEST\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain\r\n\r\nReceived:\r\nTEST TEST\r\n"
        "KESTREL STRAIT IMO 9999993 9VKS0 MMSI 299000019\r\n"
        f"LAT,N01 15.84LON,E103 50.40,UTC,{ship.clock.utc():%d.%m.%Y %H:%M},SOG,0.0KT\r\n"
    ).encode()


async def attach(ship: Ship, seq: int, content: bytes) -> int:
    """Attach a file as ``ispsd attach`` does; return the number of its entry."""
    begun = await ship.control(
        {
            "do": "attach.begin",
            "seq": seq,
            "what": "confirmation",
            "name": "mpa.eml",
            "size": len(content),
            "sha256": sha256(content).hexdigest(),
            "by": SSO,
        }
    )
    upload = {"upload": begun["upload"]}
    body = base64.b64encode(content).decode("ascii")
    await ship.control({"do": "attach.chunk", **upload, "offset": 0, "body": body})
    return int((await ship.control({"do": "attach.end", **upload}))["recorded"])


async def newest(ship: Ship, type_: str) -> int:
    page = await ship.control({"do": "log", "type": type_, "count": 1})
    return int(page["entries"][0].partition('"seq":')[2].split(",")[0].rstrip("}"))


async def at_confirmations(ship: Ship) -> None:
    """Lead a test as far as its first question ashore; the window is closed then."""
    with ssas_ports_opened() as opened:
        await start_ssas_test(ship)
        await soon(lambda: opened)
        await ship.pass_time(1.0)
    await ship.unit.set_input(LAMP, True)
    await ship.until(lambda: sso_test(ship)["step"] == 3)
    await ship.ssas.do({"do": "test"})
    await ship.until(lambda: sso_test(ship)["step"] == 4)
    await ship.unit.set_input(LAMP, False)
    await answer(ship, 4, "")
    await ship.until(lambda: sso_test(ship)["step"] == 6)
    await ship.control({"do": "window.close", "by": [SSO]})


async def rest(ship: Ship, *said: tuple[int, str]) -> None:
    for number, text in (*said, (8, "print-out of 0230Z"), (9, "yes"), (10, "yes, main")):
        await ship.until(lambda number=number: sso_test(ship)["step"] == number)
        await answer(ship, number, text)


async def test_a_mail_that_is_attached_while_the_test_runs_is_its_confirmation_and_is_read(
    tmp_path,
):
    async with sailing(tmp_path, edit=with_short_waits) as ship:
        await at_confirmations(ship)
        of_before = await newest(ship, "window.opened")
        seq = await attach(ship, of_before, mail(ship))
        await answer(ship, 6, f"file {seq}")
        await rest(ship, (7, f"file {seq}"))
        result = await ship.until(lambda: last_result(ship))
        assert (result["outcome"], result["reason"]) == PROVEN
        said = await ship.daemon.record.part(result["seq"], Classification.SSO)
        assert said["shore"] == f"MPA said by {SSO}: file {seq}"
        assert said["witness"] == MASTER
        assert said["authorized_by"] == [SSO, MASTER]
        assert said["control_unit"] == f"said by {SSO}: yes, main"
        again = await ship.control({"do": "rejudge", "seq": result["seq"]})
        assert again["agreement"] == "SAME"
        assert not [
            m.topic for m in ship.heard if b"mpa.eml" in m.payload and "/sso/" not in m.topic
        ]


async def test_the_second_person_proves_himself_and_is_not_the_tester(tmp_path):
    async with sailing(tmp_path, edit=with_short_waits) as ship:
        await at_confirmations(ship)
        await answer(ship, 6, "MPA mail 0224Z")
        await ship.until(lambda: sso_test(ship)["step"] == 7)
        await answer(ship, 7, "yes, read out by the MPA")
        await ship.until(lambda: sso_test(ship)["step"] == 8)
        assert sso_test(ship)["who"] == "witness"
        said = {"do": "test.answer", "test": TEST, "step": 8, "text": "print-out"}
        for by, pins, reason in (
            (SSO, True, "the confirmation of a second person is wanted"),
            (MASTER, False, "PIN"),
            ("L. Tupou", True, "may not confirm an SSAS test as its second person"),
        ):
            with pytest.raises(RefusedError, match=reason):
                await ship.control({**said, "by": by}, pins=pins)
        assert sso_test(ship)["step"] == 8


async def test_a_mail_with_a_wrong_copy_makes_the_test_unsat(tmp_path):
    async with sailing(tmp_path, edit=with_short_waits) as ship:
        await at_confirmations(ship)
        wrong = mail(ship).replace(b"9VKS0", b"9VKS1")
        seq = await attach(ship, await newest(ship, "window.opened"), wrong)
        await answer(ship, 6, f"file {seq}")
        await rest(ship, (7, f"file {seq}"))
        result = await ship.until(lambda: last_result(ship))
        assert result["outcome"] == "failed"
        assert result["reason"] == "confirmed; the copy ashore does not have the call sign 9VKS0"


async def test_a_file_from_before_the_test_is_no_confirmation(tmp_path):
    async with sailing(tmp_path, edit=with_short_waits) as ship:
        await ship.pass_time(1.0)
        await ship.give_notice()
        seq = await attach(ship, await newest(ship, "notice.given"), mail(ship))
        await at_confirmations(ship)
        await answer(ship, 6, f"file {seq}")
        await ship.pass_time(0.5)
        assert sso_test(ship)["step"] == 6
        assert sso_test(ship)["prompt"].startswith(f"The file of entry {seq} is older than this")


async def test_a_restart_of_ispsd_while_the_shore_is_waited_for_loses_nothing(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds, edit=with_short_waits):
            await at_confirmations(ship)
        ship.clock.step_utc(3600.0)  # it was off for an hour
        async with afloat(ship, broker, feeds, edit=with_short_waits):
            await ship.pass_time(1.0)
            assert not ship.daemon.gate.is_open()
            assert sso_test(ship)["step"] == 6
            await answer(ship, 6, "MPA mail of 0330Z")
            await ship.until(lambda: sso_test(ship)["step"] == 7)
        async with afloat(ship, broker, feeds, edit=with_short_waits):
            await ship.pass_time(1.0)
            await rest(ship, (7, "yes, read out by the MPA"))
            result = await ship.until(lambda: last_result(ship))
            assert (result["outcome"], result["reason"]) == PROVEN
            said = await ship.daemon.record.part(result["seq"], Classification.SSO)
            assert said["activation"] == "seen by ispsd on ssas.lamp"
            assert said["acceptance"] == "seen by ispsd on ssas.message"
            assert said["shore"] == f"MPA said by {SSO}: MPA mail of 0330Z"
            again = await ship.control({"do": "rejudge", "seq": result["seq"]})
            assert again["agreement"] == "SAME"


async def test_a_restart_with_another_test_in_the_ships_file_ends_it_as_interrupted(tmp_path):
    def edited(text: str) -> str:
        return with_short_waits(text).replace('name = "MPA"', 'name = "SOK"')

    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds, edit=with_short_waits):
            await at_confirmations(ship)
        async with afloat(ship, broker, feeds, edit=edited):
            result = await ship.until(lambda: last_result(ship))
            assert result["outcome"] == "inconclusive"
            assert result["reason"].startswith("interrupted: ispsd stopped")


async def test_all_notices_are_known_after_a_restart_and_one_for_tomorrow_is_not_for_today(
    tmp_path,
):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            now = ship.clock.utc()
            notice = {"do": "notice", "flag": "singapore", "to": "MPA", "by": SSO}
            for sent_h, planned_h in ((20, 1), (5, 20)):
                await ship.control(
                    {
                        **notice,
                        "reference": f"mail {sent_h}",
                        "sent": (now - timedelta(hours=sent_h)).isoformat(),
                        "planned": (now + timedelta(hours=planned_h)).isoformat(),
                    }
                )
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            assert [each.reference for each in ship.daemon.acts.window.notices] == [
                "mail 20",
                "mail 5",
            ]
            start = {"do": "test.start", "test": TEST, "by": SSO}
            await ship.control({"do": "window.open", "by": [SSO, MASTER]})
            # The older one is for an hour from now, and holds; without it the other would not.
            await ship.control(start)
            ship.daemon.acts.window.notices = ship.daemon.acts.window.notices[1:]
            await ship.control({"do": "test.abort", "test": TEST, "reason": "x", "by": SSO})
            await ship.pass_time(1.0)
            with pytest.raises(
                RefusedError, match=r"the notice is for 20.*, and covers 2 h 00 min"
            ):
                await ship.control(start)
