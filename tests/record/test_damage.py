"""A damaged segment is kept as it is and never written to again; the next one says what was found."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from daemon.record import copying, damage, keys, verify
from daemon.record.damage import Finding
from daemon.record.reader import Query
from tests.clocks import ManualClock
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY, alert, record
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.record.entry import Entry

DROP = "SELECT name FROM sqlite_schema WHERE type = 'trigger'"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "record"


@pytest.fixture
def path(folder: Path) -> Path:
    return folder / "segment-0001.db"


async def sailed(folder: Path, *, entries: int = 40, **options: Any) -> None:
    """Leave a record of one closed segment; the first entry of it opens it."""
    ship = record(folder, **options)
    await ship.start()
    await asyncio.gather(*(ship.submit(alert(f"d{n}", text="x" * 900)) for n in range(entries)))
    await ship.stop()


async def after(folder: Path, **options: Any) -> list[Entry]:
    """Start again on what is there, enter something, and return all that can be read then."""
    ship = record(folder, ManualClock(), **options)
    await ship.start()
    await ship.submit(alert("after"))
    read = await ship.entries(Query(limit=1000))
    await ship.stop()
    return read


def by_hand(path: Path, sql: str) -> None:
    """Change a segment as somebody who can write the file would."""
    db = apsw.Connection(str(path))
    for (name,) in db.execute(DROP).fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.execute(sql)
    db.close()


def rot(path: Path) -> None:
    """Overwrite the middle of the file, as a disk does."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(bytes(range(256)) * 32)


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


HARMS = [
    pytest.param(
        "UPDATE checkpoint SET peaks = zeroblob(96)",
        Finding.ALTERED,
        "does not fit its own peaks",
        id="peaks",
    ),
    pytest.param(
        "UPDATE checkpoint SET peaks = x'00'", Finding.ALTERED, "cannot be trusted", id="no peaks"
    ),
    pytest.param(
        "UPDATE checkpoint SET note = 'x'", Finding.SIGNATURE, "not a checkpoint", id="no note"
    ),
    pytest.param(
        "UPDATE checkpoint SET note = replace(note, char(10) || '41' || char(10), char(10) || '40' || char(10))",
        Finding.SIGNATURE,
        "not signed by this key",
        id="note",
    ),
    pytest.param(
        "DELETE FROM entry WHERE seq = 41",
        Finding.ALTERED,
        "was cut: 41 entries are sealed, 40 are there",
        id="end cut off",
    ),
    pytest.param(
        "DELETE FROM checkpoint; UPDATE entry SET seq = 99 WHERE seq = 20",
        Finding.ALTERED,
        "entry 20 is missing",
        id="entry missing",
    ),
    pytest.param(
        "DELETE FROM checkpoint; UPDATE entry SET body = '{}' WHERE seq = 20",
        Finding.ALTERED,
        "not an entry",
        id="no entry",
    ),
    pytest.param("DELETE FROM entry", Finding.ALTERED, "holds no entry", id="no entries"),
    pytest.param(cut, Finding.TRUNCATED, "bytes are left", id="truncated"),
    pytest.param(
        lambda path: path.write_bytes(b""), Finding.TRUNCATED, "0 bytes are left", id="emptied"
    ),
    pytest.param(
        lambda path: path.write_bytes(b"\xff" * 8192),
        Finding.BIT_ROT,
        "its header is gone",
        id="no header",
    ),
    pytest.param(lambda path: path.unlink(), Finding.MISSING, "no segment is there", id="deleted"),
]


@pytest.mark.parametrize(("harm", "finding", "words"), HARMS)
async def test_each_damage_is_told_in_words_and_the_watch_goes_on_in_the_next_segment(
    folder: Path, path: Path, harm: Any, finding: Finding, words: str
):
    await sailed(folder)
    by_hand(path, harm) if isinstance(harm, str) else harm(path)
    left = path.read_bytes() if path.exists() else None
    read = await after(folder)
    opening, entered = [each for each in read if each.segment == 2][:2]
    [told] = [each for each in read if each.type == "record.damaged"]
    assert told.open["finding"] == finding.value
    assert words in str(told.open["words"])
    assert words in str(opening.open["reason"])
    assert {entered.subject, told.subject} <= {"after", "segment 1"}
    kept = [each for each in folder.iterdir() if ".damaged-" in each.name]
    if left is None:
        assert (kept, told.open["kept_as"]) == ([], None)
    else:
        assert [each.name for each in kept] == [told.open["kept_as"]]
        assert kept[0].read_bytes() == left, "it is kept to the byte"
    assert not path.exists(), "nothing is repaired in its place"
    # Head and numbers: 41 entries were sealed, and the head of them is kept beside the record.
    assert opening.open["previous"]["lost"]["size"] == 41
    assert (opening.seq, told.open["lost"]) == (42, 41), "no number is used twice"
    assert verify.main([str(folder), "--key", VKEY]) != verify.EXIT["PASS"]


async def test_pages_that_rot_while_it_runs_are_found_by_the_write_that_meets_them(
    folder: Path, path: Path
):
    clock = ManualClock()
    ship = record(folder, clock)
    await ship.start()
    for number in range(60):
        await ship.submit(alert(f"d{number}", text="x" * 900))
    await ship.stop()
    ship = record(folder, clock)
    await ship.start()
    for page in range(2, path.stat().st_size // 4096):  # all but the schema
        with path.open("r+b") as file:
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    waiting = ship.submit(alert("meets it"))
    async with asyncio.timeout(PATIENCE_S):
        while not waiting.done():
            await clock.advance(1.0)
    entry = await waiting
    assert entry.segment == 2
    assert entry.seq > 61, "what was confirmed keeps its number"
    async with asyncio.timeout(PATIENCE_S):
        while not (told := await ship.entries(Query(type="record.damaged", newest_first=True))):
            await clock.advance(1.0)
    assert told[0].open["finding"] == "bit_rot"
    await ship.stop()


async def test_without_any_head_the_numbers_that_stand_in_the_damaged_file_are_passed_over(
    folder: Path, path: Path
):
    await sailed(folder)
    shutil.rmtree(folder.with_name("record.heads"))
    by_hand(path, "UPDATE checkpoint SET note = 'x'")
    read = await after(folder)
    opening = next(each for each in read if each.segment == 2)
    assert opening.open["previous"]["lost"] is None
    assert opening.seq == 42


async def test_what_was_open_is_open_in_the_next_segment(folder: Path, path: Path):
    await sailed(folder, entries=2)
    by_hand(path, "UPDATE checkpoint SET note = 'x'")
    ship = record(folder)
    await ship.start()
    assert set(await ship.state("alert")) == {"d0.opened", "d1.opened"}
    await ship.stop()


async def test_a_copy_that_verifies_stands_in_its_place_and_what_is_newer_than_it_is_lost(
    folder: Path, path: Path, tmp_path: Path
):
    copies = tmp_path / "copies"
    copies.mkdir()
    await sailed(folder, entries=10)
    assert copying.copy(path, copies / path.name, [VKEY])["became"] == copying.COPIED
    await sailed(folder, entries=5)
    rot_all(path)
    read = await after(folder, copy_directory=copies)
    assert [each.seq for each in read if each.segment == 1] == list(range(1, 12)), "as of the copy"
    opening = next(each for each in read if each.segment == 2)
    previous = opening.open["previous"]
    assert (previous["size"], previous["sealed"], previous["lost"]["size"]) == (11, 11, 16)
    assert opening.seq == 17
    [told] = [each for each in read if each.type == "record.damaged"]
    assert (told.open["restored"], told.open["lost"]) == (11, 5)
    assert (folder / str(told.open["kept_as"])).exists()


async def test_a_copy_that_does_not_verify_is_not_taken(folder: Path, path: Path, tmp_path: Path):
    copies = tmp_path / "copies"
    copies.mkdir()
    await sailed(folder, entries=10)
    copying.copy(path, copies / path.name, [VKEY])
    by_hand(copies / path.name, "UPDATE entry SET body = replace(body, 'd3', 'd4') WHERE seq = 5")
    rot_all(path)
    read = await after(folder, copy_directory=copies)
    [told] = [each for each in read if each.type == "record.damaged"]
    assert told.open["restored"] is None
    assert not path.exists()


def rot_all(path: Path) -> None:
    """Leave the header, and nothing behind it as it was."""
    with path.open("r+b") as file:
        size = path.stat().st_size
        file.seek(100)
        file.write(b"\x5a" * (size - 100))


async def test_pages_that_rot_are_not_called_a_hand(folder: Path, path: Path):
    await sailed(folder)
    rot(path)
    found = damage.examine(path, "does not matter")
    assert found.finding is Finding.BIT_ROT
    assert "as a bad disk or memory does" in found.words
    assert "changed" not in found.words


async def test_a_disk_that_cannot_keep_the_damaged_file_is_no_reason_to_write_over_it(
    folder: Path, path: Path, monkeypatch: pytest.MonkeyPatch
):
    from pathlib import Path as AnyPath

    await sailed(folder)
    by_hand(path, "UPDATE checkpoint SET note = 'x'")
    before = path.read_bytes()
    monkeypatch.setattr(AnyPath, "rename", _refuse)
    read = await after(folder)
    assert path.read_bytes() == before
    assert [each.segment for each in read if each.segment > 1] == [2, 2, 2]
    [told] = [each for each in read if each.type == "record.damaged"]
    assert told.open["kept_as"] is None, "it is where it was"


def _refuse(*_: object) -> None:
    raise OSError(30, "Read-only file system")


async def two_segments(folder: Path) -> None:
    await sailed(folder, entries=10)
    ship = record(folder)
    await ship.start()
    await ship.rotate("test")
    await ship.submit(alert("second"))
    await ship.stop()


async def test_an_older_segment_that_is_torn_is_told_once_and_the_others_are_read(
    folder: Path, path: Path
):
    await two_segments(folder)
    cut(path)
    torn = path.read_bytes()
    for _ in range(2):
        read = await after(folder)
        [told] = [each for each in read if each.type == "record.damaged"]
        assert (told.open["segment"], told.open["finding"]) == (1, "truncated")
        assert told.segment == 2, "the newest is in order and goes on"
        assert (told.open["kept_as"], told.open["restored"]) == (None, None)
    assert path.read_bytes() == torn
    assert {"second", "after"} <= {each.subject for each in read}


async def test_an_older_segment_that_is_torn_comes_back_from_its_copy(
    folder: Path, path: Path, tmp_path: Path
):
    copies = tmp_path / "copies"
    copies.mkdir()
    await two_segments(folder)
    whole = path.read_bytes()
    copying.copy(path, copies / path.name, [VKEY])
    cut(path)
    torn = path.read_bytes()
    read = await after(folder, copy_directory=copies)
    [told] = [each for each in read if each.type == "record.damaged"]
    assert told.open["restored"] == 11
    assert (folder / str(told.open["kept_as"])).read_bytes() == torn
    assert len(path.read_bytes()) == len(whole)
    report = verify.report(verify.verify(folder, verify.read_keys(VKEY), []))
    assert report["failure"] is None, "the chain is whole again"


async def test_an_older_segment_of_the_key_before_comes_back_from_its_copy(
    folder: Path, path: Path, tmp_path: Path
):
    copies, public = tmp_path / "copies", tmp_path / "ship.pub"
    copies.mkdir()
    ship = record(folder)
    await ship.start()
    await asyncio.gather(*(ship.submit(alert(f"d{n}", text="x" * 900)) for n in range(10)))
    await ship.renew_key(OTHER_KEY, "test")
    await ship.stop()
    copying.copy(path, copies / path.name, [VKEY])
    cut(path)
    torn = path.read_bytes()
    options = {"key": OTHER_KEY, "copy_directory": copies, "public_key_file": public}
    keys.add_public(public, name=ORIGIN, key=OTHER_KEY.public_key())
    [told] = [each for each in await after(folder, **options) if each.type == "record.damaged"]
    assert told.open["restored"] is None, "a key that nobody here ever knew vouches for nothing"
    assert path.read_bytes() == torn
    for key in (KEY, OTHER_KEY):
        keys.add_public(public, name=ORIGIN, key=key.public_key())
    told = [each for each in await after(folder, **options) if each.type == "record.damaged"][-1]
    assert told.open["restored"] == 11
    assert (folder / str(told.open["kept_as"])).read_bytes() == torn
