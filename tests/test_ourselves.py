"""Each day the newest of the record is verified, each week all of it; nothing less is a pass (invariant 12)."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING

from daemon.fitting import ourselves
from daemon.fitting.ourselves import WHOLE_EVERY_S, Ourselves
from daemon.record import selfcheck
from daemon.record.keys import write_public
from tests.clocks import ManualClock
from tests.record.ship import KEY, ORIGIN, alert, record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from daemon.record.log import Record

DAY_S = 86_400.0


class Ship:
    """A record of two segments, whose head a broker holds, and what was read of it, time after time."""

    def __init__(self, folder: Path, made: Record, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.record = made
        self.clock = ManualClock()
        self.read: list[str] = []
        self.held: str | None = None
        write_public(folder / "ship.pub", name=ORIGIN, key=KEY.public_key())
        section = SimpleNamespace(directory=folder / "record", public_key_file=folder / "ship.pub")
        self.ourselves = Ourselves(
            SimpleNamespace(record=section, witnesses=(), is_demo=True),  # type: ignore[arg-type]
            record=made,
            publisher=self,  # type: ignore[arg-type]
            engine=None,  # type: ignore[arg-type]
            clock=self.clock,
        )
        real = selfcheck.answer

        async def answer(*words, newest_only: bool, **how):
            self.read.append("newest" if newest_only else "all")
            return await real(*words, newest_only=newest_only, **how)

        monkeypatch.setattr(ourselves.selfcheck, "answer", answer)

    async def head_at_broker(self, *, limit_s: float) -> str | None:
        return self.held

    async def a_day_later(self):
        await self.record.submit(alert(f"d{len(self.read)}"))
        self.held = (await self.record.seal()).note
        await self.clock.advance(DAY_S)
        return await self.ourselves.verify_record()


@asynccontextmanager
async def at_sea(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ship]:
    made = record(folder / "record")
    await made.start()
    made.submit(alert("d12"))
    await made.rotate("test")
    ship = Ship(folder, made, monkeypatch)
    try:
        yield ship
    finally:
        await made.stop()


async def test_all_of_it_is_read_each_week_and_the_newest_each_day(tmp_path, monkeypatch):
    async with at_sea(tmp_path, monkeypatch) as ship:
        found = [await ship.a_day_later() for _ in range(8)]
    assert WHOLE_EVERY_S < 7 * DAY_S
    assert ship.read == ["all", *["newest"] * 6, "all"]
    assert {each.word for each in found} == {"PASS"}
    whole, part = found[0], found[1]
    assert (whole.first, whole.before_utc) == (1, None)
    assert part.first > 1
    assert part.before_utc is not None
    assert part.last > whole.last


async def test_a_closed_segment_that_is_another_file_is_read_at_once(tmp_path, monkeypatch):
    async with at_sea(tmp_path, monkeypatch) as ship:
        await ship.a_day_later()
        path = tmp_path / "record" / "segment-0001.db"
        content = path.read_bytes()
        assert b"d12" in content
        path.write_bytes(content.replace(b"d12", b"d13"))
        os.utime(path)
        found = await ship.a_day_later()
        assert (ship.read, found.word) == (["all", "all"], "FAIL")
        assert ship.ourselves._record_is_altered
        await ship.a_day_later()
        assert ship.read[-1] == "all", "until it passes again"


async def test_a_segment_that_was_begun_since_is_no_shortcut(tmp_path, monkeypatch):
    async with at_sea(tmp_path, monkeypatch) as ship:
        await ship.a_day_later()
        await ship.record.rotate("full")
        assert (await ship.a_day_later()).first == 1
        assert ship.read == ["all", "all"]


async def test_what_the_newest_alone_cannot_prove_all_of_it_is_asked(tmp_path, monkeypatch):
    async with at_sea(tmp_path, monkeypatch) as ship:
        await ship.a_day_later()
        ship.held = None
        found = await ship.ourselves.verify_record()
        assert (ship.read, found.word) == (["all", "newest", "all"], "INCONCLUSIVE")
