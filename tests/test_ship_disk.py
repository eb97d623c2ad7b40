"""A disk that fails, hangs or comes late, and a clock that is stepped: the watch goes on."""

from __future__ import annotations

import io
import shutil

from tests.ship import HATCH, Ship, afloat, ashore, sailing
from tests.ship_talk import (
    HATCH_ALERT,
    REAL_DISK_S,
    acknowledge,
    ask_slowly,
    entries,
    failing_appends,
    open_hatch,
    seen,
)
from tests.soon import soon
from tests.test_ship_record import copied, copying


async def test_a_record_that_cannot_be_written_stops_no_alert_and_no_officer(tmp_path, monkeypatch):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        disk = failing_appends(monkeypatch)
        alert = await open_hatch(ship)
        assert (alert["state"], alert["recorded"]) == ("V", None)
        before_s = ship.clock.now_s()
        reply = await ask_slowly(ship, "gangway", "ack", **seen(alert), person="L. Tupou")
        assert (reply["accepted"], reply["recorded"]) == (True, None)
        assert ship.clock.now_s() - before_s <= 1.25, (
            "an answer waits a second for the disk, no more"
        )
        assert (ship.state(HATCH_ALERT)["state"], ship.state(HATCH_ALERT)["recorded"]) == (
            "A",
            None,
        )
        again = await acknowledge(ship, alert, station="bridge")
        assert again["already"] == {"station": "gangway", "seq": None}
        saved = await ship.until(lambda: ship.state("alert/record.not_saved.ispsd"), for_s=40.0)
        assert (saved["title"], saved["recorded"]) == ("RECORD NOT SAVED", None)
        assert "RECORD NOT SAVED" in (
            await ship.until(lambda: ship.state("status")["reasons"], for_s=3.0)
        )
        disk["broken"] = False
        await ship.until(
            lambda: ship.state("alert/record.not_saved.ispsd") is None, for_s=REAL_DISK_S
        )
        assert ship.state(HATCH_ALERT)["recorded"] is not None
        states = [e["open"]["state"] for e in await entries(ship) if e["subject"] == "d12"]
        assert states == ["V", "A"], "in the order in which it happened"
        assert (await acknowledge(ship, alert, station="bridge"))["already"]["seq"] is not None


async def test_what_found_no_room_is_a_gap_in_its_place(tmp_path, monkeypatch):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        ship.daemon.record._pending._limit = 2
        disk = failing_appends(monkeypatch)
        await open_hatch(ship)
        for _ in range(3):
            await ask_slowly(ship, "gangway", "take_watch", person="L. Tupou")
        disk["broken"] = False
        await ship.until(lambda: ship.daemon.record.health().writable, for_s=REAL_DISK_S)
        await ship.ask("gangway", "take_watch", person="J. Santos")
        lost = ship.daemon.record.health().lost
        told = [(e["type"], e["open"].get("lost")) for e in await entries(ship)]
        gap = told.index(("record.gap", lost))
        assert lost >= 2
        assert told[gap - 2 : gap] == [("alert.changed", None), ("watch.taken", None)]
        assert told[gap + 1] == ("watch.taken", None)


async def test_a_record_that_cannot_even_be_opened_leaves_the_watch_in_order(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        (tmp_path / "record").write_text("a file where the folder should be", "utf-8")
        without_events(ship)
        log = io.StringIO()
        async with afloat(ship, broker, feeds, log=log):
            assert "record.not_open" in log.getvalue()
            await ship.pass_time(1.0)
            alert = await open_hatch(ship)
            reply = await ask_slowly(ship, "gangway", "ack", **seen(alert))
            assert (reply["accepted"], reply["recorded"]) == (True, None)
            await ship.until(lambda: ship.state("alert/record.not_saved.ispsd"), for_s=40.0)
            first = ship.daemon
            (tmp_path / "record").unlink()
            # A hand-moved second passes faster than a real disk opens a file. The watch begins anew with it.
            await ship.until(lambda: ship.daemon is not first, for_s=600.0)
            await ship.until(ship.daemon.control.listening.is_set)
            await ship.until(lambda: (ship.state(HATCH_ALERT) or {}).get("recorded"), for_s=600.0)
            types = [e["type"] for e in await entries(ship)]
            assert types[:2] == ["segment.opened", "daemon.started"]
        assert log.getvalue().count("events.held") == 1, "one line an outage"


async def test_what_was_ordered_is_in_force_again_as_soon_as_the_record_that_says_so_is_there(
    tmp_path,
):
    """Else a ship at level 3 would stay at level 1 until somebody starts ispsd again, and her papers with it."""
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            await ship.ask("bridge", "take_watch", person="J. Santos")
            permit = {"door": "d12", "worker": "Bosun", "work": "paint", "minutes": 300}
            await ship.ask("bridge", "permit", person="R. Menon", **permit)
            await ship.ask("bridge", "level", person="R. Menon", level=3, told_by="flag")
        (tmp_path / "record").rename(tmp_path / "away")
        (tmp_path / "record").write_text("a file where the folder should be", "utf-8")
        without_events(ship)
        async with afloat(ship, broker, feeds):
            first = ship.daemon
            await ship.pass_time(3.0)
            await ask_slowly(ship, "gangway", "take_watch", person="L. Tupou")
            (tmp_path / "record").unlink()
            (tmp_path / "away").rename(tmp_path / "record")
            await ship.until(lambda: ship.daemon is not first, for_s=600.0)
            await ship.until(lambda: ship.daemon.ship.permits, for_s=60.0)
            await ship.pass_time(2.0)
            assert ship.state("ship")["security_level"] == 3
            assert [*ship.daemon.ship.permits] == ["d12"]
            watch = {each.id: each.person for each in ship.daemon.watch.stations.status()}
            assert (watch["bridge"], watch["gangway"]) == ("J. Santos", "L. Tupou")
            levels = [e["open"]["security_level"] for e in await entries(ship, "daemon.started")]
            assert levels == [1, None, 3], "of a level that it did not know it says none"
            second = ship.daemon
            await ship.pass_time(60.0)
            assert ship.daemon is second, "once"


async def test_a_record_that_is_put_back_after_the_start_is_compared_before_it_is_signed(tmp_path):
    edit = copying(tmp_path)
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
        shutil.copytree(tmp_path / "record", tmp_path / "image")
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(61.0)
            await copied(ship, "made")
        for name in ("record", "record.heads"):
            shutil.rmtree(tmp_path / name)
        (tmp_path / "record").write_text("a disk that is not mounted", "utf-8")
        without_events(ship)
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(30.0)  # longer than anybody is waited for after a start
            signed: list[str] = []
            ship.daemon.record.on_seal(lambda head: signed.append(head.origin))
            (tmp_path / "record").unlink()
            shutil.copytree(tmp_path / "image", tmp_path / "record")
            await ship.until((tmp_path / "record" / "segment-0002.db").exists, for_s=600.0)
            await ship.until(lambda: ship.daemon.control.listening.is_set(), for_s=600.0)  # noqa: PLW0108 (of now)
            await soon(lambda: ship.daemon.record.health().writable)
            [parted] = await entries(ship, "record.parted")
            assert parted["open"]["told_by"] == "the second copy"
            assert "demo/9999993/1" not in signed[1:], "nothing more under the old origin"


async def test_an_instance_never_comes_again_though_the_record_opens_late(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            old = await open_hatch(ship)
            await ship.pass_time(1.0)
        (tmp_path / "record").rename(tmp_path / "away")
        (tmp_path / "record").write_text("a file where the folder should be", "utf-8")
        await ship.unit.set_input(HATCH, True)
        without_events(ship)
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            new = await open_hatch(ship)
            assert new["instance"] > old["instance"]
            reply = await ask_slowly(ship, "gangway", "ack", **seen(old))
            assert (reply["accepted"], "stale" in reply["reason"]) == (False, True)


def without_events(ship: Ship) -> None:
    """Let the ship come to rest although no event can be read: state does not wait for the record."""

    async def settle() -> None:
        mirror = ship.daemon.publisher._board.mirror
        for _ in range(2):
            await ship.daemon.record.drained()
            await soon(lambda: mirror.has_settled(mirror.revision))
            await ship._barrier()

    ship.settle = settle  # type: ignore[method-assign]


async def test_a_step_of_utc_is_an_entry_and_moves_no_age(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        alert = await open_hatch(ship)
        ship.clock.step_utc(-86_400.0)
        await ship.pass_time(2.0)
        (stepped,) = await entries(ship, "clock.stepped")
        assert stepped["open"]["milliseconds"] == -86_400_000
        assert stepped["class"] == "watch"
        assert ship.state("point/d12")["quality"] == "good"
        assert ship.state(HATCH_ALERT)["instance"] == alert["instance"]
        ups = [e["up_ms"] for e in await entries(ship)]
        assert ups == sorted(ups)
