"""What the week is gathered from: a real record, and what ran on in it from the weeks before."""

from __future__ import annotations

from datetime import timedelta

from daemon.ashore import gathering
from daemon.ashore.gathering import Parts
from daemon.forms import utc
from daemon.model import Classification
from daemon.record.entry import Actor, Draft
from tests.ashore.rig import NOW, SHIP_TIME, mailing, plain_week, regime

DAY = timedelta(days=1)


def entry(type_, subject, **said):
    sso = type_.startswith("out_of_service")
    return Draft(
        kind="system",
        type=type_,
        subject=subject,
        classification=Classification.SSO if sso else Classification.WATCH,
        actor=Actor(person="R. Menon"),
        open=said,
    )


async def asked(request):
    return {"tests": [], "defects": [], "sounded": 0}


async def test_what_ran_on_in_the_week_is_found_however_long_ago_it_was_given(tmp_path):
    plain = plain_week()
    async with mailing(tmp_path / "record") as ship:
        ends = utc(NOW + 9 * DAY)
        await ship.put(
            NOW - 20 * DAY, entry("out_of_service.begun", "d17", equipment="d17", ends=ends)
        )
        alert = {"alert": "door.store.open.d12", "source": "d12"}
        for days in (4, 3, 2):
            evening = NOW - days * DAY + timedelta(hours=5)  # 2100 on board
            ends = utc(evening + timedelta(hours=8))
            await ship.put(evening, entry("inhibit.given", "d12", **alert, ends=ends))
            await ship.put(evening + timedelta(hours=7), entry("inhibit.ended", "d12", **alert))
        ship.clock.move_to(NOW)
        report = await gathering.gathered(
            Parts(
                ship=plain.ship,
                flag=plain.flag,
                software=plain.software,
                configuration=plain.configuration,
                record=ship.record,
                clock=ship.clock,
                regime=regime,
                ship_time=lambda: SHIP_TIME,
                ask=asked,
                ssas=frozenset(),
                covert=frozenset(),
                named=plain.named,
                copied_utc=lambda: None,
            )
        )
    assert report["eased"]["times"] == 3
    rows = [(row["what"], row["times"], row["nights"]) for row in report["eased"]["list"]]
    assert rows == [("d12", 3, 3), ("d17", 0, 7)]
