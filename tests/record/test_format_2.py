"""A segment says what key signs it and what it commits to, whatever became of the one before (decision 0013)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from daemon.errors import RecordError
from daemon.model import ClockStatus
from daemon.record import checkpoint, schema
from daemon.record.entry import Stamp
from daemon.record.segment import Carried, Segment
from daemon.record.sqlite import number
from daemon.record.trust import Identity
from tests.clocks import FixedEntropy
from tests.record import old_layouts
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY, alert, record

if TYPE_CHECKING:
    from pathlib import Path

STAMP = Stamp(
    at="2026-11-22T02:10:00.000Z", clock=ClockStatus.SYNCED, up_ms=1_000_000, boot="b00t1d00"
)
IDENTITY = Identity(ORIGIN, KEY, "26.1", "c0" * 32)


def create(folder: Path, carried: Carried = Carried(), identity: Identity = IDENTITY) -> Segment:  # noqa: B008 (frozen)
    return Segment.create(
        folder, identity, FixedEntropy(), stamp=STAMP, reason="a test", carried=carried
    )


def opening(segment: Segment) -> dict:
    assert segment.opening is not None
    return dict(segment.opening.open)


@pytest.mark.parametrize("layout", [1, 2])
async def test_a_segment_of_an_older_layout_is_closed_in_good_order_and_the_next_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: int
):
    with monkeypatch.context() as old:
        old.setattr(schema, "STATEMENTS", old_layouts.statements(schema.STATEMENTS, layout))
        first = create(tmp_path)
        first.append([(alert("d1"), STAMP)], {})
        first.close(finish=True)
    ship = record(tmp_path)
    written = ship.submit(alert("d2"))
    await ship.start()
    assert (await written).seq == 4, "and nothing is added to the old one"
    await ship.stop()
    second = Segment.open(tmp_path / "segment-0002.db", IDENTITY, FixedEntropy())
    assert second is not None
    assert (second.number, second.layout, second.first_seq) == (2, 3, 3)
    said = second.entries_from(3)[0].open
    assert said["reason"] == "layout 3"
    assert said["previous"]["sealed"] == said["previous"]["size"] == 2
    second.close()


def test_a_new_key_is_vouched_for_by_the_old_one(tmp_path: Path):
    first = create(tmp_path)
    carried = first.carried()
    first.close()
    new = Identity(ORIGIN, OTHER_KEY, "26.1", "c0" * 32)
    root = carried.tree.root()
    endorsement = checkpoint.endorse(KEY, prefix=ORIGIN, vkey=new.vkey(), previous_root=root)
    second = create(
        tmp_path,
        Carried(
            carried.number, carried.tree, carried.head, carried.next_seq, carried.next_bseq,
            endorsement=endorsement,
        ),
        new,
    )  # fmt: skip
    said = opening(second)
    assert (said["key"], said["endorsement"]) == (new.vkey(), endorsement)
    text = f"ispsd new key\n{ORIGIN}\n{new.vkey()}\n{root.hex()}\n".encode()
    KEY.public_key().verify(base64.b64decode(endorsement), text)
    second.close()


def test_the_numbers_of_lost_entries_are_not_used_again_and_their_head_is_kept(tmp_path: Path):
    first = create(tmp_path)
    first.append([(alert("d1"), STAMP)], {})
    carried = first.carried()
    first.close()
    lost = checkpoint.sign(KEY, origin=f"{ORIGIN}/1", size=7, root=b"r" * 32)
    second = create(
        tmp_path,
        Carried(
            carried.number, carried.tree, carried.head, carried.next_seq, carried.next_bseq, lost=lost
        ),
    )  # fmt: skip
    said = opening(second)
    assert (said["first_seq"], said["first_bseq"], second.first_seq) == (8, 8, 8)
    assert said["previous"]["sealed"] == 1
    assert said["previous"]["size"] == 2
    assert said["previous"]["lost"] == {"size": 7, "root": (b"r" * 32).hex(), "note": lost.note}
    second.close()


def test_the_first_segment_names_its_key_and_nothing_before_it(tmp_path: Path):
    first = create(tmp_path)
    assert opening(first)["key"] == VKEY
    assert (opening(first)["endorsement"], opening(first)["previous"]) == (None, None)
    first.close()


def test_a_witness_signs_a_size_once_and_its_line_is_never_changed(tmp_path: Path):
    segment = create(tmp_path)
    segment.cosigned(1, "shore", "— shore AAAA")
    segment.cosigned(1, "shore", "— shore BBBB")
    segment.cosigned(1, "second", "— second CCCC")
    rows = segment._db.execute("SELECT size, name, line FROM cosignature ORDER BY name").fetchall()
    assert rows == [(1, "second", "— second CCCC"), (1, "shore", "— shore AAAA")]
    with pytest.raises(Exception, match="append-only"):
        segment._db.execute("DELETE FROM cosignature")
    assert number(segment._db.pragma("user_version")) == 3
    segment.close()


def test_a_layout_that_nobody_knows_is_left_alone(tmp_path: Path):
    segment = create(tmp_path)
    segment._db.execute("PRAGMA user_version = 4")
    segment.close(finish=True)
    with pytest.raises(RecordError, match="layout 4, known are 1 to 3"):
        Segment.open(tmp_path / "segment-0001.db", IDENTITY, FixedEntropy())


def test_a_fingerprint_is_five_groups_that_people_compare():
    assert checkpoint.fingerprint(KEY.public_key()) != checkpoint.fingerprint(
        OTHER_KEY.public_key()
    )
    groups = checkpoint.fingerprint(KEY.public_key()).split(" ")
    assert [len(group) for group in groups] == [4] * 5
    assert all(letter in "0123456789ABCDEF" for letter in "".join(groups))
