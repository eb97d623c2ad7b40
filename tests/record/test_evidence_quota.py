"""Evidence has a quota over all segments; an entry is never held back for it (invariant 5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.record.entry import Evidence
from daemon.record.reader import Query
from tests.record.ship import alert, record, result

HUNDRED = b"r" * 100


def raw(size: int, letter: bytes = b"r"):
    return replace(alert("d12"), evidence=(Evidence("text/plain", letter * size),))


@pytest.mark.parametrize(("size", "kept"), [(40, True), (41, False)])
async def test_evidence_beyond_the_quota_is_left_out_and_its_entry_says_so(tmp_path, size, kept):
    made = record(tmp_path, evidence_quota_bytes=100)
    await made.start()
    await made.submit(raw(60, b"a"))
    entry = await made.submit(raw(size, b"b"))
    assert bool(entry.evidence) is kept
    left_out = None if kept else {"pieces": 1, "bytes": size}
    assert entry.open.get("evidence_left_out") == left_out
    assert made.evidence_used() == (100 if kept else 60, 100)
    assert entry.open["state"] == "V", "the entry itself is there"
    assert (await made.state("alert"))["d12.opened"]["state"] == "V"
    await made.stop()


async def test_what_is_left_out_leaves_room_for_what_is_smaller(tmp_path):
    made = record(tmp_path, evidence_quota_bytes=100)
    await made.start()
    assert not (await made.submit(raw(101))).evidence
    assert (await made.submit(raw(100))).evidence
    assert not (await made.submit(raw(1))).evidence
    entry = await made.submit(result("t-uhf"))
    assert "evidence_left_out" not in entry.open, "it had none"
    await made.stop()


async def test_the_sum_is_over_all_segments_and_is_known_again_after_a_restart(tmp_path):
    made = record(tmp_path, evidence_quota_bytes=1000)
    await made.start()
    await made.submit(raw(300, b"a"))
    await made.rotate("full")
    await made.submit(raw(200, b"b"))
    assert made.evidence_used() == (500, 1000)
    await made.rotate("full again")
    assert made.evidence_used() == (500, 1000)
    await made.stop()
    again = record(tmp_path, evidence_quota_bytes=1000)
    await again.start()
    assert again.evidence_used() == (500, 1000)
    await again.submit(raw(500, b"c"))
    assert not (await again.submit(raw(1, b"d"))).evidence
    assert len(await again.entries(Query(type="alert.changed"))) == 4
    await again.stop()


async def test_the_same_bytes_kept_twice_count_once_when_they_are_counted_again(tmp_path):
    made = record(tmp_path, evidence_quota_bytes=1000)
    await made.start()
    await made.submit(raw(300))
    await made.submit(raw(300))
    assert made.evidence_used()[0] == 600, "until the disk is asked, the careful sum"
    await made.stop()
    again = record(tmp_path)
    await again.start()
    assert again.evidence_used()[0] == 300
    await again.stop()


async def test_what_waits_for_a_disk_counts_too(tmp_path, disk):
    made = record(tmp_path, evidence_quota_bytes=100)
    await made.start()
    disk.free.clear()
    first, second = made.submit(raw(60, b"a")), made.submit(raw(60, b"b"))
    assert made.evidence_used()[0] == 60
    disk.free.set()
    assert (await first).evidence
    assert (await second).open["evidence_left_out"] == {"pieces": 1, "bytes": 60}
    await made.stop()
