"""What is missing between two segments is said, never passed over; formats mix and still verify (decision 0013)."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daemon.record import checkpoint, codec, schema, verify
from daemon.record.merkle import Tree
from daemon.record.segment import Segment
from tests.clocks import FixedEntropy
from tests.record import old_layouts
from tests.record.outside import MORNING_S, SHORE
from tests.record.sample import identity
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY, alert, record
from tests.record.voyage import FAIL, INCONCLUSIVE, PASS, STAMP, Voyage

if TYPE_CHECKING:
    from daemon.record.checkpoint import Checkpoint

FORMAT_1 = Path(__file__).parent / "format_1" / "segment-0001.db.gz"
"""A segment of five entries, as the first release wrote it; sealed at 1, 3 and 5."""


@pytest.fixture
def voyage(tmp_path: Path) -> Voyage:
    return Voyage(tmp_path)


# ---------------------------------------------------------------- an end that was not sealed


def test_an_unsealed_end_is_vouched_for_by_the_next_segment_and_told(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    voyage.sail(unsealed=2)
    second = voyage.sail()
    assert voyage.verify(anchor=second) == PASS
    assert capsys.readouterr().out == (
        "PASS\n"
        "note: segment 1: its last 2 entries were not sealed; segment 2, which is, vouches for them\n"
        "demo/9999993/2: entries 1 to 8\n"
        "unaltered since 2026-11-22 02:10:00 UTC by the ship's clock (oldest outside anchor); "
        "the last 0 entries have no outside witness yet\n"
        "sealed: 8 entries; unsealed tail: 0\n"
    )


def test_an_unsealed_end_that_was_altered_fails(voyage: Voyage):
    voyage.sail(unsealed=2)
    second = voyage.sail()
    voyage.alter(1, "UPDATE entry SET body = replace(body, 'late1', 'late9') WHERE seq = 5")
    assert voyage.verify(anchor=second) == FAIL


def test_an_unsealed_end_that_was_cut_fails(voyage: Voyage):
    voyage.sail(unsealed=2)
    second = voyage.sail()
    voyage.alter(1, "DELETE FROM entry WHERE seq = 5")
    assert voyage.verify(anchor=second) == FAIL


def test_a_segment_that_was_never_sealed_is_vouched_for_by_the_next(voyage: Voyage):
    voyage.sail()
    voyage.unseal()
    second = voyage.sail()
    assert voyage.verify(anchor=second) == PASS


def test_an_unsealed_end_before_an_unsealed_segment_is_not_proven(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    first = voyage.sail(unsealed=2)
    voyage.sail()
    voyage.unseal()
    assert voyage.verify(anchor=first) == INCONCLUSIVE
    said = capsys.readouterr().out
    assert "segment-0001.db: its last 2 entries were not sealed" in said
    assert "segment-0002.db: nothing in it is sealed" in said


def test_a_checkpoint_taken_out_of_the_end_of_a_segment_fails(voyage: Voyage):
    """The next segment says how many were sealed."""
    first = voyage.sail(alert("d1"))
    voyage.sail()
    voyage.alter(1, "DELETE FROM checkpoint WHERE size > 0")
    assert voyage.verify(anchor=first) == FAIL


# ---------------------------------------------------------------- lost


def lost(size: int = 7, key: object = KEY, segment: int = 1) -> Checkpoint:
    origin = f"{ORIGIN}/{segment}"
    return checkpoint.sign(key, origin=origin, size=size, root=b"r" * 32)  # type: ignore[arg-type]


def test_lost_entries_never_pass_and_are_named_with_who_held_their_head(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    voyage.sail()
    head = lost()
    held = checkpoint.Checkpoint(
        head.origin, head.size, head.root, head.note + SHORE.line(head.note, time_s=MORNING_S)
    )
    second = voyage.sail(lost=held)
    assert voyage.verify("--json", anchor=second) == INCONCLUSIVE
    found = json.loads(capsys.readouterr().out)
    assert found["doubts"] == [
        "segment-0002.db: entries 4 to 7 are lost: shore.example/ships held its head at 7 entries, "
        "3 were found when this segment was begun"
    ]
    assert (found["first_entry"], found["entries"]) == (1, 6)


def test_who_holds_the_lost_head_hears_that_it_is_lost_and_not_that_somebody_cut(voyage: Voyage):
    voyage.sail()
    head = lost()
    voyage.sail(lost=head)
    assert voyage.verify(anchor=head) == INCONCLUSIVE
    assert voyage.verify(anchor=lost(5)) == INCONCLUSIVE, "an older head of what is lost"
    assert voyage.verify(anchor=lost(8)) == FAIL, "more than the ship owns up to"
    other = checkpoint.sign(KEY, origin=head.origin, size=7, root=b"s" * 32)
    assert voyage.verify(anchor=other) == FAIL, "a third history"


def test_another_history_of_the_same_length_is_doubted(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    voyage.sail()
    head = lost(3)
    second = voyage.sail(lost=head)
    assert voyage.verify(anchor=second) == INCONCLUSIVE
    assert "segment 1 had another history" in capsys.readouterr().out
    assert voyage.verify(anchor=head) == INCONCLUSIVE
    assert voyage.verify(anchor=lost(2)) == FAIL, "entries that are here are not those that it saw"


def test_a_segment_alone_says_too_that_something_is_lost(voyage: Voyage, tmp_path: Path):
    voyage.sail()
    second = voyage.sail(lost=lost())
    assert second is not None
    (tmp_path / "anchor").write_text(second.note, "utf-8")
    alone = str(voyage.folder / "segment-0002.db")
    words = [alone, "--key", VKEY, "--anchor", str(tmp_path / "anchor")]
    assert verify.main(words) == INCONCLUSIVE


@pytest.mark.parametrize("head", [lost(key=OTHER_KEY), lost(segment=2)], ids=["key", "segment"])
def test_a_lost_head_that_the_ship_never_signed_fails(voyage: Voyage, head: Checkpoint):
    voyage.sail()
    second = voyage.sail(lost=head)
    assert voyage.verify(anchor=second) == FAIL


PREVIOUS = [
    ('"sealed":3,', ""),
    ('"sealed":3', '"sealed":4'),
    ('"sealed":3', '"sealed":-1'),
    ('"sealed":3', '"sealed":"3"'),
    ('"sealed":3', '"sealed":2'),
    ('"lost":null', '"lost":[]'),
    ('"lost":null', '"lost":{"size":7}'),
    ('"lost":null', f'"lost":{{"note":"x","root":"{"r" * 64}","size":7}}'),
    ('"previous":{', '"previous":{"also":1,'),
    ('"root":"', '"root":"x'),
    ('"segment":1,"size":3', '"segment":0,"size":3'),
    ('"size":3', '"size":2'),
    ('"note_sha256":"', '"note_sha256":"0'),
]


@pytest.mark.parametrize(("old", "new"), PREVIOUS)
def test_what_a_segment_says_of_the_one_before_must_be_true_to_the_letter(
    voyage: Voyage, old: str, new: str
):
    first = voyage.sail()
    voyage.sail()
    changed = "UPDATE entry SET body = replace(body, ?, ?) WHERE seq = 4 AND instr(body, ?)"
    voyage.alter(2, changed, old, new, old)
    voyage.reseal(2)
    assert voyage.verify(anchor=first) == FAIL


def test_a_segment_alone_must_name_the_one_before_it(voyage: Voyage, tmp_path: Path):
    voyage.sail()
    voyage.sail()
    changed = "UPDATE entry SET body = replace(body, ?, ?) WHERE seq = 4"
    voyage.alter(2, changed, '"segment":1,"size":3', '"segment":0,"size":3')
    (tmp_path / "anchor").write_text(voyage.reseal(2).note, "utf-8")
    alone = str(voyage.folder / "segment-0002.db")
    assert verify.main([alone, "--key", VKEY, "--anchor", str(tmp_path / "anchor")]) == FAIL


# ---------------------------------------------------------------- formats


@pytest.fixture
def mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record that the first release began, one of the second layout went on with, and this one goes on with."""
    folder = tmp_path / "record"
    folder.mkdir(mode=0o750)
    with gzip.open(FORMAT_1) as packed, (folder / "segment-0001.db").open("wb") as file:
        shutil.copyfileobj(packed, file)

    async def go_on() -> None:
        ship = record(folder)
        heads: list[Checkpoint] = []
        ship.on_seal(heads.append)
        await ship.start()
        await ship.submit(alert("d1"))
        await ship.stop()
        (tmp_path / "anchor").write_text(heads[-1].note, "utf-8")

    with monkeypatch.context() as old:
        old.setattr(schema, "STATEMENTS", old_layouts.statements(schema.STATEMENTS, 2))
        old.setattr(schema, "SCHEMA_VERSION", 2)
        asyncio.run(go_on())
    asyncio.run(go_on())
    return folder


def test_peers_23_a_record_of_both_formats_and_all_layouts_passes(mixed: Path):
    layouts = []
    for path in sorted(mixed.glob("*.db")):
        db = sqlite3.connect(path)
        layouts.append(*db.execute("PRAGMA user_version").fetchone())
        db.close()
    assert layouts == [1, 2, 3]
    assert verify.main([str(mixed), "--key", VKEY, "--anchor", str(mixed.parent / "anchor")]) == 0


def test_a_record_of_the_first_format_alone_passes_for_ever(mixed: Path, tmp_path: Path):
    for later in ("segment-0002.db", "segment-0003.db"):
        (mixed / later).unlink()
    tree = Tree()
    db = sqlite3.connect(mixed / "segment-0001.db")
    for (body,) in db.execute("SELECT body FROM entry ORDER BY seq"):
        assert body.endswith('"v":1}')
        tree = tree.grown(body.encode())
    db.close()
    head = checkpoint.sign(KEY, origin=f"{ORIGIN}/1", size=tree.size, root=tree.root())
    (tmp_path / "anchor").write_text(head.note, "utf-8")
    assert verify.main([str(mixed), "--key", VKEY, "--anchor", str(tmp_path / "anchor")]) == PASS


def test_peers_23_a_segment_of_both_entry_versions_passes(
    voyage: Voyage, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as old:
        old.setattr(codec, "ENTRY_VERSION", 1)
        voyage.sail(alert("d1"), unsealed=1)
    old_alone = voyage.folder / "segment-0001.db"
    assert b'"v":1}' in old_alone.read_bytes()
    segment = Segment.open(old_alone, identity(), FixedEntropy())
    assert segment is not None
    segment.append([(alert("d2"), STAMP)], {})
    head = segment.seal({})
    segment.close(finish=True)
    assert b'"v":2}' in old_alone.read_bytes()
    assert voyage.verify(anchor=head) == PASS


def test_a_first_segment_of_the_first_layout_with_a_cosignature_table_is_not_known(mixed: Path):
    db = sqlite3.connect(mixed / "segment-0001.db")
    [table] = [each for each in schema.STATEMENTS if each.startswith("CREATE TABLE cosignature")]
    db.execute(table)
    db.commit()
    db.close()
    words = [str(mixed), "--key", VKEY, "--anchor", str(mixed.parent / "anchor")]
    assert verify.main(words) == INCONCLUSIVE


# ---------------------------------------------------------------- whole segments that are lost


async def sailed_on(folder: Path, *rotations: str) -> Checkpoint:
    """Write on in the record that is there, with a new segment for each reason, and give its head away."""
    ship = record(folder)
    await ship.start()
    try:
        for reason in rotations:
            for number in range(20):
                await ship.submit(alert(f"{reason}{number}"))
            await ship.rotate(reason)
        await ship.submit(alert("last"))
        return await ship.seal()
    finally:
        await ship.stop()


async def restored(tmp_path: Path) -> tuple[Path, list[Checkpoint]]:
    """Put back an image from before two rotations, and write on; return the heads that were given away."""
    folder, image = tmp_path / "record", tmp_path / "image"
    await sailed_on(folder)
    shutil.copytree(folder, image)
    heads = [await sailed_on(folder), await sailed_on(folder, "x"), await sailed_on(folder, "y")]
    shutil.rmtree(folder)
    shutil.copytree(image, folder)
    heads.append(await sailed_on(folder))
    return folder, heads


async def test_whole_segments_that_are_lost_and_confessed_are_doubted_with_their_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder, heads = await restored(tmp_path)
    assert [path.name for path in sorted(folder.glob("segment-*.db"))] == [
        "segment-0001.db",
        "segment-0004.db",
    ]
    for head in heads:  # of the end of segment 1 that is lost, of both lost segments, and of now
        (tmp_path / "anchor").write_text(head.note, "utf-8")
        words = [str(folder), "--key", VKEY, "--anchor", str(tmp_path / "anchor")]
        assert verify.main(words) == INCONCLUSIVE, head.origin
        said = capsys.readouterr().out
        assert "segments 2 to 3 are lost, and the numbers 3 to " in said
        assert f"held the head of segment 3 at {heads[2].size} entries" in said
    forged = checkpoint.sign(KEY, origin=f"{ORIGIN}/1", size=2, root=b"s" * 32)
    (tmp_path / "anchor").write_text(forged.note, "utf-8")
    assert verify.main(words) == FAIL, "what is here is not what it saw"


def test_numbers_may_jump_over_whole_lost_segments_and_are_never_used_twice(voyage: Voyage):
    voyage.sail()
    head = lost(7, segment=3)
    for jump, verdict in (((0, 0), INCONCLUSIVE), ((900, 400), INCONCLUSIVE)):
        last = voyage.sail(lost=head, missing=2, jump=jump)
        assert voyage.verify(anchor=last) == verdict
        voyage.take_back()
    for jump in ((-1, 0), (0, -1)):
        voyage.sail(lost=head, missing=2, jump=jump)
        assert voyage.verify() == FAIL
        voyage.take_back()


def test_whole_segments_that_nobody_calls_lost_are_missing(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    voyage.sail()
    last = voyage.sail(missing=2)
    assert voyage.verify(anchor=last) == FAIL
    assert "segment 2 is missing" in capsys.readouterr().out


def test_the_loss_of_an_end_is_no_word_for_whole_segments_taken_away(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    for _ in range(3):
        voyage.sail()
    last = voyage.sail(lost=lost(7, segment=3))
    assert voyage.verify(anchor=last) == INCONCLUSIVE
    for number in (2, 3):
        (voyage.folder / f"segment-000{number}.db").unlink()
    assert voyage.verify(anchor=last) == FAIL
    assert "segment 2 is missing" in capsys.readouterr().out


def test_an_unsealed_end_before_lost_segments_is_not_vouched_for(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    voyage.sail(unsealed=2)
    last = voyage.sail(lost=lost(7, segment=2), missing=1)
    assert voyage.verify(anchor=last) == INCONCLUSIVE
    said = capsys.readouterr().out
    assert "its last 2 entries were not sealed, and what followed them is lost" in said
    assert "vouches for them" not in said
    assert "segment 2 is lost, and the numbers 6 to 12 with what they were given to" in said


def test_a_lost_head_by_a_key_that_only_the_lost_segments_named_is_doubted(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    voyage.sail()
    last = voyage.sail(lost=lost(7, key=OTHER_KEY, segment=3), missing=2)
    assert voyage.verify(anchor=last) == INCONCLUSIVE
    assert "is signed by a key that is not known here" in capsys.readouterr().out
