"""A second copy is whole, verified and never older than what it replaces; a bad medium costs the record nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from daemon.record import copies, copying, keys, verify
from daemon.record.reader import Query
from daemon.record.scribe import Limits
from tests.clocks import ManualClock
from tests.record.ship import KEY, ORIGIN, VKEY, alert, record
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from daemon.record.log import Record


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def public(tmp_path: Path) -> Path:
    keys.write_public(tmp_path / "ship.pub", name=ORIGIN, key=KEY.public_key())
    return tmp_path / "ship.pub"


@pytest.fixture
async def ship(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Record]:
    made = record(tmp_path / "record", clock)
    await made.start()
    await made.submit(alert("d1"))
    await made.rotate("test")
    await made.submit(alert("d2"))
    yield made
    await made.stop()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


def second(
    ship: Record, place: Path, public: Path, clock: ManualClock, **more: bool
) -> copies.Copies:
    options = {"may_share_disk": True, **more}
    return copies.Copies(
        public.parent / "record", place, public_key=public, journal=ship, clock=clock, **options
    )


async def told(ship: Record) -> list[str]:
    await ship.drained()
    return [str(e.open["what"]) for e in await ship.entries(Query(type="record.copy"))]


async def test_all_segments_are_there_verify_and_go_on_growing(
    ship: Record, place: Path, public: Path, clock: ManualClock
):
    kept = second(ship, place, public, clock)
    assert (await kept.copy()).failure is None
    await ship.submit(alert("d3"))
    await ship.seal()
    assert (await kept.copy()).failure is None
    assert sorted(each.name for each in place.iterdir()) == ["segment-0001.db", "segment-0002.db"]
    report = verify.report(verify.verify(place, verify.read_keys(VKEY), []))
    assert (report["verdict"], report["failure"]) == ("INCONCLUSIVE", None)
    assert report["entries"] == (await ship.entries(Query(newest_first=True)))[0].seq
    assert await told(ship) == ["made"], "entries on change only"
    assert not list((public.parent / "record").glob(".*"))


async def test_a_copy_is_old_after_a_day_however_often_ispsd_starts_meanwhile(
    ship: Record, place: Path, public: Path, clock: ManualClock
):
    kept = second(ship, place, public, clock)
    assert (await kept.copy()).failure is None
    shutil.rmtree(place)
    await kept.copy()
    await ship.drained()
    for _ in range(3):
        await clock.advance(7 * 3600.0)
        kept = second(ship, place, public, clock)
        await kept.take_up()
        await kept.copy()
        assert not kept.is_old(), "21 hours"
    await clock.advance(3 * 3600.0)
    assert kept.is_old()
    again = second(ship, place, public, clock)
    await again.take_up()
    assert again.is_old(), "before the first attempt too"
    place.mkdir()
    assert (await again.copy()).failure is None
    assert not again.is_old()
    assert await told(ship) == ["made", "failed", "works again"]


async def test_a_medium_that_is_not_there_is_not_the_empty_folder_under_it(
    ship: Record, place: Path, public: Path, clock: ManualClock
):
    kept = second(ship, place, public, clock, may_share_disk=False)
    standing = await kept.copy()
    assert "is its medium mounted?" in str(standing.failure)
    assert standing.failure is not None
    assert list(place.iterdir()) == []
    assert await told(ship) == ["failed"]


async def test_the_record_is_no_second_copy_of_itself(
    tmp_path: Path, ship: Record, public: Path, clock: ManualClock
) -> None:
    (tmp_path / "linked").symlink_to(tmp_path / "record")
    (tmp_path / "record" / "copies").mkdir()
    for place in (tmp_path / "record", tmp_path / "linked", tmp_path / "linked" / "copies"):
        made = second(ship, place, public, clock, may_share_disk=True)
        live = (tmp_path / "record" / "segment-0002.db").stat().st_ino
        standing = await made.copy()
        made.let_go()
        assert "lies in the record's own folder" in str(standing.failure)
        assert (tmp_path / "record" / "segment-0002.db").stat().st_ino == live, "it is written to"


def test_a_name_of_the_segment_itself_is_no_copy(tmp_path: Path) -> None:
    whole = tmp_path / "segment-0001.db"
    whole.write_bytes(b"all that there is")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / whole.name).hardlink_to(whole)
    became = copying.copy(whole, tmp_path / "other" / whole.name, [VKEY])
    assert became["became"] == copying.FAILED
    assert "is the segment itself" in became["reason"]


async def test_a_copy_that_knows_more_stays_and_parts_the_record(
    ship: Record, place: Path, public: Path, clock: ManualClock, tmp_path: Path
):
    kept = second(ship, place, public, clock)
    await kept.copy()
    newer = record(
        tmp_path / "other/record", clock
    )  # the same key, and further in its second segment
    await newer.start()
    await newer.submit(alert("d1"))
    await newer.rotate("test")
    for number in range(9):
        await newer.submit(alert(f"x{number}"))
    await newer.stop()
    longer = tmp_path / "other/record/segment-0002.db"
    (place / longer.name).write_bytes(longer.read_bytes())
    standing = await kept.copy()
    assert "it stays" in str(standing.failure)
    assert (place / longer.name).read_bytes() == longer.read_bytes()
    await ship.drained()
    assert len(await ship.entries(Query(type="record.parted"))) == 1
    assert (await ship.submit(alert("d9"))).segment == 3


async def test_what_rots_on_the_copys_medium_is_found_and_written_again(
    ship: Record, place: Path, public: Path, clock: ManualClock
):
    await second(ship, place, public, clock).copy()
    path = place / "segment-0001.db"
    good = path.read_bytes()
    path.write_bytes(good[:6000] + bytes(64) + good[6064:])
    assert (await second(ship, place, public, clock).copy()).failure is None
    assert path.read_bytes() == good


async def test_a_damaged_segment_does_not_take_the_place_of_its_good_copy(
    ship: Record, place: Path, public: Path, clock: ManualClock, tmp_path: Path
):
    kept = second(ship, place, public, clock)
    await kept.copy()
    good = (place / "segment-0001.db").read_bytes()
    path = tmp_path / "record/segment-0001.db"
    altered = path.read_bytes().replace(b'"subject":"d1"', b'"subject":"d7"')
    assert altered != path.read_bytes()
    path.write_bytes(altered)
    standing = await second(ship, place, public, clock).copy()
    assert "does not verify" in str(standing.failure)
    assert (place / "segment-0001.db").read_bytes() == good


async def test_a_medium_that_hangs_is_given_up_and_nobody_is_sent_after_it(
    ship: Record, place: Path, public: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(copies, "leashed", lambda *_: ("sleep", "1000"))  # as a dead mount does
    kept = second(ship, place, public, clock)
    copied = asyncio.ensure_future(kept.copy(limit_s=60.0))
    async with asyncio.timeout(PATIENCE_S):
        while not copied.done():
            await clock.advance(30.0)
            assert (await ship.submit(alert("meanwhile"))).seq, "the record goes on"
    assert "the medium hangs" in str((await copied).failure)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "mounted"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "ispsd-test", str(place)]
    if os.geteuid() or subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("mounting a small tmpfs needs root and a kernel that lets it")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def test_a_medium_that_is_full_or_read_only_is_told_and_left_clean(
    ship: Record, stick: Path, public: Path, clock: ManualClock
):
    kept = second(ship, stick, public, clock, may_share_disk=False)
    for number in range(40):
        await ship.submit(alert(f"d{number}", text="x" * 3000))
    standing = await kept.copy()
    assert "No space left" in str(standing.failure)
    assert not list(stick.glob(".*")), "no half of a copy is left"
    subprocess.run(["mount", "-o", "remount,ro,size=64m", str(stick)], check=True)
    assert "Read-only" in str((await kept.copy()).failure)
    subprocess.run(["mount", "-o", "remount,rw,size=64m", str(stick)], check=True)
    assert (await kept.copy()).failure is None
    assert await told(ship) == ["failed", "works again"]
    head = await copies.newest_head(stick, clock, limit_s=5.0)
    assert head is not None
    assert head.startswith(f"{ORIGIN}/2\n")


def test_a_copy_of_nothing_and_of_no_record_fails_in_words(tmp_path: Path, capsys):
    assert copying.main([str(tmp_path / "none"), str(tmp_path / "segment-0001.db")]) == 1
    (tmp_path / "none").write_bytes(b"not a segment")
    assert copying.main([str(tmp_path / "none"), str(tmp_path / "segment-0001.db")]) == 1
    for line in capsys.readouterr().out.splitlines():
        assert json.loads(line)["became"] == copying.FAILED
    assert [each.name for each in tmp_path.iterdir()] == ["none"]


@pytest.mark.parametrize(("entries", "segment"), [(9, 1), (10, 2)])
async def test_a_segment_is_full_after_so_many_entries(
    tmp_path: Path, clock: ManualClock, entries: int, segment: int
):
    ship = record(tmp_path / "record", clock, limits=Limits(rotate_entries=10))
    await ship.start()
    for number in range(entries - 1):  # its opening is the first
        await ship.submit(alert(f"d{number}"))
    await ship.drained()
    assert (await ship.submit(alert("next"))).segment == segment
    await ship.stop()


@pytest.mark.parametrize(("days", "segment"), [(364, 1), (365, 2)])
async def test_a_segment_is_old_after_so_many_years(
    tmp_path: Path, clock: ManualClock, days: int, segment: int
):
    ship = record(tmp_path / "record", clock, limits=Limits(rotate_years=1))
    await ship.start()
    await ship.submit(alert("d0"))
    clock.step_utc(timedelta(days=days).total_seconds())
    await clock.advance(60.0)
    await ship.submit(alert("d1"))
    await ship.seal()
    assert (await ship.submit(alert("next"))).segment == segment
    await ship.stop()


@pytest.mark.parametrize(("version", "segment"), [("26.1", 1), ("26.2", 2)])
async def test_another_version_seals_what_was_before_it_and_goes_on_behind_it(
    tmp_path: Path, clock: ManualClock, version: str, segment: int
):
    before = record(tmp_path / "record", clock)
    await before.start()
    await before.submit(alert("d0"))
    await before.stop()
    after = record(tmp_path / "record", clock, software=version)
    await after.start()
    await after.submit(alert("d1"))
    assert (await after.submit(alert("d2"))).segment == segment
    await after.stop()
    again = record(tmp_path / "record", clock, software=version)
    await again.start()
    await again.submit(alert("d3"))
    assert (await again.submit(alert("d4"))).segment == segment, "once"
    opened = await again.entries(Query(type="segment.opened"))
    await again.stop()
    if segment == 2:
        assert opened[-1].open["reason"] == "ispsd 26.2, after 26.1"
    verdict = verify.verify(tmp_path / "record", verify.read_keys(VKEY), [])
    assert not verdict.failure


async def restore(
    place: Path, public: Path, clock: ManualClock, notes: Callable[[], list[str]] = list
) -> tuple[str, str, str | None]:
    copier = copies.Copier(clock, public_key=public)
    return await copies.restore_test(
        place, public.parent / "record", public_key=public, notes=notes, copier=copier
    )


async def test_the_hour_that_strikes_during_a_restore_test_leaves_it_alone(
    ship: Record,
    place: Path,
    public: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
):
    kept = second(ship, place, public, clock)
    await kept.copy()
    (public.parent / "record/.restore-test-left").mkdir()
    verified = copies.selfcheck.verified

    async def meanwhile(folder: Path, **more: Any) -> tuple[str, str]:
        assert (await kept.copy()).failure is None
        return await verified(folder, **more)

    monkeypatch.setattr(copies.selfcheck, "verified", meanwhile)
    head = await ship.seal()
    await kept.copy()
    word, sentence, _ = await restore(place, public, clock, lambda: [head.note])
    assert word == "PASS", sentence
    assert not list((public.parent / "record").glob(".*"))


async def test_a_restore_test_takes_no_room_that_the_record_needs(
    ship: Record,
    place: Path,
    public: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
):
    head = (await ship.seal()).note
    await second(ship, place, public, clock).copy()
    sizes = [each.stat().st_size for each in sorted(place.iterdir())]
    # The newest twice: the verifier reads a copy of it.
    needed = sum(sizes) + sizes[-1] + copies.LEAST_FREE_BYTES
    usage = shutil.disk_usage(place)
    for free, word in ((needed - 1, "INCONCLUSIVE"), (needed, "PASS")):
        monkeypatch.setattr(
            copies.shutil, "disk_usage", lambda _, free=free: usage._replace(free=free)
        )
        found, sentence, _ = await restore(place, public, clock, lambda: [head])
        assert (found, "the record needs the room" in sentence) == (word, word != "PASS"), sentence
    assert not list((public.parent / "record").glob(".*"))


async def test_a_disk_that_cannot_be_listed_fails_the_copy_and_not_the_task(
    ship: Record,
    place: Path,
    public: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
):
    kept, threads = second(ship, place, public, clock), set()

    def refused(folder: Path) -> list[Path]:
        threads.add(threading.current_thread())
        raise OSError(5, "Input/output error", str(folder))

    with monkeypatch.context() as bad:
        bad.setattr(copies, "_segments", refused)
        assert "Input/output error" in str((await kept.copy()).failure)
    assert threading.main_thread() not in threads, "the loop waits for no disk"
    assert threads
    assert (await kept.copy()).failure is None
