"""A head that somebody else held is ours, newer, of another history, or nothing at all; never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from daemon.errors import RecordError
from daemon.record import checkpoint
from daemon.record.comparison import Found, compare
from daemon.record.proofs import Leaves
from daemon.record.reader import Query
from tests.clocks import ManualClock
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, alert, record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from daemon.record.log import Record

LOG = f"{ORIGIN}/1"
OTHER = Leaves(f"other {number}".encode() for number in range(50))


@pytest.fixture
async def ship(tmp_path: Path) -> AsyncIterator[Record]:
    made = record(tmp_path, ManualClock())
    await made.start()
    for number in range(2, 10):
        await made.submit(alert(f"d{number}"))
        if number == 5:
            await made.seal()
    yield made
    await made.stop()


async def history(ship: Record) -> Leaves:
    return Leaves([entry.body.encode() for entry in await ship.entries(Query(limit=1000))])


def note(size: int, of: Leaves, *, origin: str = LOG, key: object = KEY) -> str:
    root = of.root(size)
    return checkpoint.sign(key, origin=origin, size=size, root=root).note  # type: ignore[arg-type]


async def found(ship: Record, text: str) -> Found:
    return (await compare(ship, text, ship.ship())).found


async def test_every_head_of_our_own_is_ours_sealed_or_not(ship: Record):
    own = await history(ship)
    for size in range(1, own.size + 1):
        assert await found(ship, note(size, own)) is Found.OURS


@pytest.mark.parametrize("size", [1, 5, 6, 9])
async def test_another_root_signed_by_our_key_is_another_history(ship: Record, size: int):
    compared = await compare(ship, note(size, OTHER), ship.ship())
    assert (compared.found, compared.ours) == (Found.OTHER, 9)


@pytest.mark.parametrize(("size", "segment"), [(10, 1), (50, 1), (1, 2), (3, 7)])
async def test_more_than_is_here_is_newer(ship: Record, size: int, segment: int):
    text = note(size, OTHER, origin=f"{ORIGIN}/{segment}")
    assert await found(ship, text) is Found.NEWER


@pytest.mark.parametrize("size", [5, 10])
async def test_what_our_key_did_not_sign_proves_nothing(ship: Record, size: int):
    assert await found(ship, note(size, OTHER, key=OTHER_KEY)) is Found.NOT_SIGNED
    assert await found(ship, f"{LOG}\n{size}\n{'A' * 43}=\n") is Found.NOT_SIGNED


async def test_a_head_may_be_typed_mailed_and_without_its_signature(ship: Record):
    own = note(5, await history(ship))
    mailed = "\n\n  " + own.replace("\n", " \r\n") + "\r\n\r\n"
    assert await found(ship, mailed) is Found.OURS
    assert await found(ship, own.partition("\n\n")[0]) is Found.OURS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        f"{LOG}\n0\n{'A' * 43}=\n\n",
        f"{LOG}\n5\nAAAA\n\n",
        f"demo/1234567/1\n5\n{'A' * 43}=\n\n",
        f"{ORIGIN}\n5\n{'A' * 43}=\n\n",
        f"{LOG}\n5\n{'A' * 43}=\n\n" + "x" * 9000,
    ],
)
async def test_what_is_no_head_of_this_ship_is_said_to_be_none(ship: Record, text: str):
    with pytest.raises(RecordError):
        await compare(ship, text, ship.ship())


async def test_the_heads_of_a_closed_segment_stay_ours(ship: Record):
    own = await history(ship)
    await ship.rotate("for a test")
    assert await found(ship, note(9, own)) is Found.OURS
    assert await found(ship, note(9, OTHER)) is Found.OTHER
    assert await found(ship, note(10, OTHER)) is Found.NEWER


async def test_the_key_of_another_segment_proves_what_it_signed(tmp_path: Path):
    """The key was changed since: heads of the old segment are still signed by the old key."""
    folder = tmp_path / "record"
    first = record(folder, ManualClock())
    await first.start()
    await first.submit(alert("d1"))
    await first.stop()
    again = record(folder, ManualClock())
    await again.start()
    try:
        from daemon.record.checkpoint import ED25519
        from daemon.record.cosignature import Verifier

        now = Verifier(ORIGIN, OTHER_KEY.public_key(), ED25519)
        assert (await compare(again, note(1, OTHER), now)).found is Found.OTHER
        assert (await compare(again, note(1, OTHER, origin=f"{ORIGIN}/2"), now)).found is (
            Found.NOT_SIGNED
        )
    finally:
        await again.stop()


async def test_what_the_next_segment_says_is_lost_is_no_news(ship: Record, tmp_path: Path):
    from dataclasses import replace

    from daemon.record.directory import Directory

    own = await history(ship)
    lost = checkpoint.unverified(note(20, OTHER))
    await ship.stop()
    directory = Directory(tmp_path, ship._scribe.identity, ship._scribe._directory._entropy)
    segment = directory.open(ship._stamp())
    carried = replace(segment.carried(), lost=lost)
    segment.close(finish=True)
    directory._create(ship._stamp(), reason="a newer head was seen", carried=carried).close(
        finish=True
    )
    directory.release()
    again = record(tmp_path, ManualClock())
    await again.start()
    try:
        assert await found(again, lost.note) is Found.LOST
        assert await found(again, note(20 - 1, OTHER)) is Found.LOST
        assert await found(again, note(21, OTHER)) is Found.NEWER
        assert await found(again, note(9, own)) is Found.OURS
    finally:
        await again.stop()
