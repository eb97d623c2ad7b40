"""The record of a whole ship: copied, parted from, rotated, under a new key, archived; the watch goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daemon.errors import RecordError, RefusedError
from daemon.record import checkpoint, keys, segment, verify
from tests.ship import ROOT, afloat, ashore, sailing
from tests.ship_talk import REAL_DISK_S, entries, open_hatch
from tests.soon import soon

MASTER, SSO, DEPUTY = "A. Lindqvist", "R. Menon", "J. Santos"
CHECK = "RECORD CHECK FLT"


def with_copy(text: str) -> str:
    return text.replace(
        'origin = "demo"',
        'copy_directory = "$copies"\ncopy_may_share_disk = true\norigin = "demo"',
    )


def copying(folder):
    """Return what gives the ship's file a second copy beside her record."""
    copies = folder / "copies"
    copies.mkdir()
    return lambda text: with_copy(text).replace("$copies", str(copies))


def check_is_told(ship) -> bool:
    """The alert itself is the SSO's: no topic shows it. What it does to the status is for everybody."""
    return CHECK in ship.state("status")["reasons"]


async def copied(ship, word: str):
    """Wait for the copying process, which takes real time."""

    async def said():
        return [e for e in await entries(ship, "record.copy") if e["open"]["what"] == word]

    await soon(lambda: not ship.daemon.office.safekeeping.copies.busy)
    await ship.settle()
    found = await said()
    assert found, await entries(ship, "record.copy")
    return found[-1]


def judged(folder, record=None) -> str:
    read = verify.read_keys(str(folder / "record-key.pub"))
    return verify.verify(record or folder / "record", read, []).word


async def test_a_clone_that_speaks_at_our_broker_is_parted_from_and_told(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        key = keys.load(tmp_path / "record-key.pem")
        clone = checkpoint.sign(key, origin="demo/9999993/1", size=5000, root=bytes(32))
        body = {"note": clone.note, "origin": clone.origin, "size": clone.size}
        body |= {"session": "another", "up": 1.0}
        await ship._connection.deliver(f"{ROOT}record/head", json.dumps(body).encode(), retain=True)
        await ship.until(lambda: check_is_told(ship), for_s=REAL_DISK_S)
        [parted] = await entries(ship, "record.parted")
        assert parted["open"]["told_by"] == "the head that the broker holds"
        opening = (await entries(ship, "segment.opened"))[-1]
        assert (opening["segment"], opening["open"]["previous"]["lost"]["size"]) == (2, 5000)
        alert = await open_hatch(ship)
        assert alert["state"] == "V", "the watch goes on"


async def test_a_head_of_a_stranger_moves_nothing(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        stranger = Ed25519PrivateKey.generate()
        clone = checkpoint.sign(stranger, origin="demo/9999993/1", size=5000, root=bytes(32))
        body = {"note": clone.note, "origin": clone.origin, "size": clone.size}
        body |= {"session": "another", "up": 1.0}
        await ship._connection.deliver(f"{ROOT}record/head", json.dumps(body).encode(), retain=True)
        await ship.pass_time(5.0)
        assert await entries(ship, "record.parted") == []
        assert not check_is_told(ship)


async def test_a_strangers_head_of_a_later_segment_is_told_once_and_moves_nothing(tmp_path):
    """It may be of the key that took over, on a computer that was put back from before the change."""
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        stranger = Ed25519PrivateKey.generate()
        later = checkpoint.sign(stranger, origin="demo/9999993/2", size=7, root=bytes(32))
        body = {"note": later.note, "origin": later.origin, "size": later.size}
        body |= {"session": "another", "up": 1.0}
        await ship._connection.deliver(f"{ROOT}record/head", json.dumps(body).encode(), retain=True)
        await ship.until(lambda: check_is_told(ship), for_s=REAL_DISK_S)
        [told] = await entries(ship, "record.head_unproven")
        assert (told["class"], told["open"]["head"]) == ("sso", later.note)
        assert [e["segment"] for e in await entries(ship, "segment.opened")] == [1]


async def test_the_sso_begins_a_segment_and_the_officer_does_not(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        with pytest.raises(RefusedError, match="may not begin a new segment"):
            await ship.control({"do": "rotate", "by": DEPUTY, "reason": "dry dock"})
        said = await ship.control({"do": "rotate", "by": SSO, "reason": "dry dock"})
        assert said["recorded"] is not None
        [_, second] = await entries(ship, "segment.opened")
        assert (second["segment"], second["open"]["reason"]) == (2, f"by order of {SSO}")
        [rotated] = await entries(ship, "segment.rotated")
        assert rotated["actor"]["person"] == SSO
        assert (rotated["class"], rotated["open"]["reason"]) == ("sso", "dry dock"), (
            "the SSO's own words are the SSO's: the opening is told to every station"
        )


async def test_a_new_key_takes_master_and_sso_and_is_endorsed_by_the_old_one(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            old = keys.load(tmp_path / "record-key.pem")
            request = {"do": "key.rotate", "reason": "yearly"}
            for pair in ([SSO, SSO], [SSO, DEPUTY], [MASTER, MASTER], [SSO]):
                with pytest.raises(RefusedError):
                    await ship.control({**request, "by": pair})
            assert [e["segment"] for e in await entries(ship, "segment.opened")] == [1]
            said = await ship.control({**request, "by": [SSO, MASTER]})
            new = keys.load(tmp_path / "record-key.pem")
            assert said["old_key"] == checkpoint.fingerprint(old.public_key())
            assert said["new_key"] == checkpoint.fingerprint(new.public_key())
            opening = (await entries(ship, "segment.opened"))[-1]
            assert opening["open"]["key"] == checkpoint.verifier_key(
                "demo/9999993", new.public_key()
            )
            assert opening["open"]["endorsement"]
            assert "yearly" not in str(opening), "every station is told of the opening"
            assert not (tmp_path / "record-key.pem.next").exists()
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            assert (await entries(ship, "daemon.started"))[-1]["segment"] == 2, "it goes on"
        assert len((tmp_path / "record-key.pub").read_text().splitlines()) == 2
        assert judged(tmp_path) == "INCONCLUSIVE", "in order; only an anchor is wanting"


async def test_a_change_of_keys_that_failed_behind_its_segment_is_asked_for_again_and_loses_no_key(
    tmp_path, monkeypatch
):
    def refused(folder):
        raise RecordError(f"{folder}: the folder cannot be flushed")

    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            request = {"do": "key.rotate", "reason": "yearly", "by": [MASTER, SSO]}
            with monkeypatch.context() as bad:
                bad.setattr(segment, "_sync_directory", refused)
                with pytest.raises(RefusedError, match="cannot be flushed"):
                    await ship.control(request)
            await ship.pass_time(3.0)
            await soon(lambda: ship.daemon.record.health().writable)
            second = ship.daemon.record.ship().key
            assert keys.load(tmp_path / "record-key.pem.next").public_key() == second
            with monkeypatch.context() as bad:
                bad.setattr(segment.Segment, "create", lambda *_, **__: refused("record"))
                with pytest.raises(RefusedError):
                    await ship.control(request)
            assert keys.load(tmp_path / "record-key.pem").public_key() == second
            await ship.pass_time(3.0)
            await ship.control(request)
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            assert (await entries(ship, "daemon.started"))[-1]["segment"] == 3, "it goes on"
        assert len((tmp_path / "record-key.pub").read_text().splitlines()) == 3
        assert judged(tmp_path) == "INCONCLUSIVE", "in order; only an anchor is wanting"


async def test_a_second_copy_is_made_verified_and_restored_and_its_loss_is_told_once(tmp_path):
    async with sailing(tmp_path, edit=copying(tmp_path)) as ship:
        await ship.pass_time(1.0)
        made = await copied(ship, "made")
        assert made["class"] == "sso", "where the copy is helps an intruder"
        assert judged(tmp_path, tmp_path / "copies") == "INCONCLUSIVE"
        said = await ship.control({"do": "restore_test", "by": SSO})
        assert said["verdict"] == "PASS", said
        assert said["head"].startswith("demo/9999993/1\n")
        hour = (
            ship.daemon.office.safekeeping.copies.copy
        )  # what is done each: to let one pass takes a ship a minute
        shutil.rmtree(tmp_path / "copies")
        for _ in range(2):
            await hour()
            await copied(ship, "failed")
        assert not ship.daemon.ourselves.faults()["record.copy_old"], "not for a day yet"
        assert len(await entries(ship, "record.copy")) == 2, "a failure is told once"
        (tmp_path / "copies").mkdir()
        await hour()
        await copied(ship, "works again")
        assert not ship.daemon.ourselves.faults()["record.copy_old"]
        assert [p.name for p in (tmp_path / "copies").iterdir()] == ["segment-0001.db"]
        assert not list((tmp_path / "record").glob(".*")), "nothing is left beside the record"


async def test_a_copy_that_knows_more_than_the_record_is_a_witness_and_stays(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        edit = copying(tmp_path)
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
        shutil.copytree(tmp_path / "record", tmp_path / "image")
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(61.0)
            await copied(ship, "made")
        newer = (tmp_path / "copies" / "segment-0001.db").read_bytes()
        for name in ("record", "record.heads"):
            shutil.rmtree(tmp_path / name)
        shutil.copytree(tmp_path / "image", tmp_path / "record")
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.until(lambda: check_is_told(ship), for_s=REAL_DISK_S)
            [parted] = await entries(ship, "record.parted")
            assert parted["open"]["told_by"] == "the second copy"
            await soon(lambda: not ship.daemon.office.safekeeping.copies.busy)
        assert (tmp_path / "copies" / "segment-0001.db").read_bytes() == newer


def under_the_red_ensign(text: str) -> str:
    return text.replace(
        'origin = "demo"',
        'copy_may_share_disk = true\nflag = "uk"\nkeep_years = 2\norigin = "demo"',
    )


async def test_a_closed_segment_leaves_the_ship_only_when_her_flag_lets_it(tmp_path):
    (tmp_path / "safe").mkdir()
    async with sailing(tmp_path, edit=under_the_red_ensign) as ship:
        await ship.pass_time(1.0)
        first = tmp_path / "record" / "segment-0001.db"
        order = {"do": "archive", "to": str(tmp_path / "safe"), "before": 2, "by": SSO}
        with pytest.raises(RefusedError, match="the newest segment stays"):
            await ship.control(order)
        await ship.control({"do": "rotate", "by": SSO, "reason": "to be archived"})
        whole = first.read_bytes()
        ship.clock.step_utc(3 * 365 * 86400)  # 2028 is a leap year: one day is wanting
        with pytest.raises(RefusedError, match="kept until 2029-11-22: United Kingdom asks for 3"):
            await ship.control(order)
        assert first.exists()
        ship.clock.step_utc(2 * 86400)
        shutil.rmtree(tmp_path / "safe")
        with pytest.raises(RefusedError, match="segment 1 stays"):
            await ship.control(order)
        assert first.exists()
        (tmp_path / "safe").mkdir()
        assert (await ship.control(order))["archived"] == [1]
        assert not first.exists()
        files = [each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
        assert not [each for each in files if str(each).startswith(str(first))], "its room is free"
        assert (tmp_path / "safe" / "segment-0001.db").read_bytes() == whole
        [entry] = await entries(ship, "segment.archived")
        [kept] = (tmp_path / "record" / "archived.jsonl").read_text("utf-8").splitlines()
        assert json.loads(kept)["sha256"] == entry["open"]["sha256"]
        assert json.loads(kept)["head"] == entry["open"]["head"]
        assert (await ship.control({"do": "retention"}))["years"] == 3


async def test_a_segment_is_not_archived_into_the_record_itself(tmp_path):
    (tmp_path / "linked").symlink_to(tmp_path / "record")
    async with sailing(tmp_path, edit=under_the_red_ensign) as ship:
        await ship.pass_time(1.0)
        first = tmp_path / "record" / "segment-0001.db"
        await ship.control({"do": "rotate", "by": SSO, "reason": "to be archived"})
        ship.clock.step_utc(5 * 366 * 86400)
        whole = first.read_bytes()
        (tmp_path / "record" / "old").mkdir()
        for place in ("record", "linked", "record/old", "linked/old", "record/../record"):
            order = {"do": "archive", "to": str(tmp_path / place), "before": 2, "by": SSO}
            with pytest.raises(RefusedError, match=r"stays: .* lies in the record's own folder"):
                await ship.control(order)
        assert first.read_bytes() == whole
        assert not await entries(ship, "segment.archived")
        assert not (tmp_path / "record" / "archived.jsonl").exists()


async def test_a_flag_that_is_not_in_the_table_keeps_the_record_as_long_as_no_flag(tmp_path):
    def flagged(text: str) -> str:
        return under_the_red_ensign(text).replace('"uk"', '"liberia"')

    async with sailing(tmp_path, edit=flagged) as ship:
        await ship.pass_time(1.0)
        assert (await ship.control({"do": "retention"}))["years"] == 10
        await ship.control({"do": "rotate", "by": SSO, "reason": "to be archived"})
        order = {"do": "archive", "to": str(tmp_path / "safe"), "before": 2, "by": SSO}
        with pytest.raises(RefusedError, match="no flag given asks for 10 years"):
            await ship.control(order)
