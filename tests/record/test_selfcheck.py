"""The daily check believes the stand-alone verifier, anchored outside, and nothing less (invariant 12)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import apsw
import pytest

from daemon.record import selfcheck
from daemon.record.keys import write_public
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, alert, record, result

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from daemon.record.log import Record


@pytest.fixture
async def ship(tmp_path: Path) -> AsyncIterator[Record]:
    """A record that is being written, of two segments."""
    made = record(tmp_path / "record")
    await made.start()
    made.submit(alert("d12"))
    await made.rotate("test")
    made.submit(result("t-ais", raw=b"$GPGGA"))
    await made.drained()
    yield made
    await made.stop()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    write_public(tmp_path / "ship.pub", name=ORIGIN, key=KEY.public_key())
    return tmp_path / "ship.pub"


async def test_a_record_that_is_being_written_verifies_against_a_checkpoint_held_outside(
    ship: Record, tmp_path: Path, key: Path
):
    held = (await ship.seal()).note
    ship.submit(alert("d12", "N"))
    await ship.seal()
    word, sentence = await selfcheck.verified(tmp_path / "record", public_key=key, anchors=(held,))
    assert word == "PASS"
    assert sentence == (
        "unaltered since 2026-11-22T02:10:00Z; the last 1 entries have no outside witness yet"
    )
    assert sorted(p.name for p in (tmp_path / "record").glob(".*")) == [], "no copy is left"


async def test_without_anything_held_outside_it_proves_nothing(
    ship: Record, tmp_path: Path, key: Path
):
    await ship.seal()
    word, sentence = await selfcheck.verified(tmp_path / "record", public_key=key)
    assert word == "INCONCLUSIVE"
    assert "no outside anchor was given" in sentence


async def test_another_key_never_passes(ship: Record, tmp_path: Path):
    held = (await ship.seal()).note
    write_public(tmp_path / "other.pub", name=ORIGIN, key=OTHER_KEY.public_key())
    word, _ = await selfcheck.verified(
        tmp_path / "record", public_key=tmp_path / "other.pub", anchors=(held,)
    )
    assert word == "FAIL"


@pytest.mark.parametrize("segment", ["segment-0001.db", "segment-0002.db"])
async def test_an_entry_that_was_changed_on_disk_fails(
    ship: Record, tmp_path: Path, key: Path, segment: str
):
    held = (await ship.seal()).note
    db = apsw.Connection(str(tmp_path / "record" / segment))
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.execute("UPDATE entry SET body = replace(replace(body, 'd12', 'd13'), 't-ais', 't-aix')")
    db.close()
    word, sentence = await selfcheck.verified(tmp_path / "record", public_key=key, anchors=(held,))
    assert word == "FAIL", sentence


async def test_a_copy_that_a_power_cut_left_behind_is_removed(
    ship: Record, tmp_path: Path, key: Path
):
    left = tmp_path / "record" / f"{selfcheck.COPY}old"
    left.mkdir()
    (left / "segment-0001.db").write_bytes(b"half")
    await selfcheck.verified(tmp_path / "record", public_key=key)
    assert not left.exists()


@pytest.mark.parametrize("newest_only", [False, True])
async def test_a_verifier_that_is_killed_leaves_nothing_since_it_makes_nothing(
    ship: Record, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, newest_only: bool
):
    held = (await ship.seal()).note
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    untouched_ns = place.stat().st_mtime_ns
    said = await selfcheck.answer(
        tmp_path / "record", public_key=key, anchors=(held,), newest_only=newest_only
    )
    assert (said.word, place.stat().st_mtime_ns) == ("PASS", untouched_ns)


@pytest.mark.parametrize("make", [True, False])
async def test_a_record_that_is_not_there_is_inconclusive(tmp_path: Path, key: Path, make: bool):
    if make:
        (tmp_path / "record").mkdir()
    word, sentence = await selfcheck.verified(tmp_path / "record", public_key=key)
    assert word == "INCONCLUSIVE"
    assert "cannot be copied" in sentence


async def test_a_verifier_that_cannot_be_started_is_inconclusive(
    ship: Record, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(selfcheck, "leashed", lambda *_: ("/nowhere",))
    word, sentence = await selfcheck.verified(tmp_path / "record", public_key=key)
    assert (word, "cannot be started" in sentence) == ("INCONCLUSIVE", True)


PASS = {"verdict": "PASS", "unaltered_since": "then", "without_witness": 2}


def test_a_pass_is_a_pass_where_the_exit_code_says_so_too():
    word, sentence = selfcheck.judge(json.dumps(PASS).encode(), 0)
    assert (word, sentence) == (
        "PASS",
        "unaltered since then; the last 2 entries have no outside witness yet",
    )


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        *((json.dumps(PASS).encode(), code) for code in (1, 2, -9, None)),
        (json.dumps(PASS).encode() + b" " * selfcheck.LARGEST_ANSWER, 0),
        (b"", 0),
        (b"PASS", 0),
        (json.dumps({"verdict": "PASS"}).encode(), 0),
        (json.dumps({"verdict": "GOOD"}).encode(), 0),
        (b"[]", 0),
    ],
)
def test_an_answer_that_does_not_fit_its_exit_code_is_never_a_pass(answer, code):
    assert selfcheck.judge(answer, code)[0] == "INCONCLUSIVE"


async def test_the_segment_that_is_written_can_be_read_alone(
    ship: Record, tmp_path: Path, key: Path
):
    held = (await ship.seal()).note
    how = {"public_key": key, "anchors": (held,)}
    whole = await selfcheck.answer(tmp_path / "record", **how)
    newest = await selfcheck.answer(tmp_path / "record", **how, newest_only=True)
    assert (whole.word, whole.first) == ("PASS", 1)
    assert (newest.word, newest.last) == ("PASS", whole.last)
    assert newest.first is not None
    assert 1 < newest.first <= whole.last


async def test_a_segment_read_alone_that_nobody_outside_has_seen_proves_nothing(
    ship: Record, tmp_path: Path, key: Path
):
    held = (await ship.seal()).note
    await ship.rotate("again")
    said = await selfcheck.answer(
        tmp_path / "record", public_key=key, anchors=(held,), newest_only=True
    )
    assert said.word == "INCONCLUSIVE"


async def test_an_entry_that_was_changed_fails_in_the_segment_read_alone(
    ship: Record, tmp_path: Path, key: Path
):
    held = (await ship.seal()).note
    db = apsw.Connection(str(tmp_path / "record" / "segment-0002.db"))
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.execute("UPDATE entry SET body = replace(body, 't-ais', 't-aix')")
    db.close()
    said = await selfcheck.answer(
        tmp_path / "record", public_key=key, anchors=(held,), newest_only=True
    )
    assert said.word == "FAIL"


async def test_closed_segments_are_known_again_until_one_is_another_file(
    ship: Record, tmp_path: Path
):
    folder = tmp_path / "record"
    closed = selfcheck.closed_segments(folder)
    assert [name for name, *_ in closed] == ["segment-0001.db"]
    await ship.submit(alert("d13"))
    assert selfcheck.closed_segments(folder) == closed, "what is written now is none of them"
    content = (folder / "segment-0001.db").read_bytes()
    (folder / "segment-0001.db").unlink()
    (folder / "segment-0001.db").write_bytes(content)
    assert selfcheck.closed_segments(folder) != closed
    await ship.rotate("again")
    assert len(selfcheck.closed_segments(folder)) == 2
