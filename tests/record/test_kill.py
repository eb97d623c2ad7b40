"""What was told as recorded is on disk: ``kill -9`` at any moment loses nothing that was confirmed (invariant 4)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from daemon.record import schema, verify
from tests.record.ship import VKEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUNDS = 200
FRESH_EVERY = 20
"""Rounds on one record, which is killed, opened and killed again; then another begins."""
LONGEST_S = 0.06
"""Until the kill, from the first word on: by then a quick disk has taken some hundred entries."""


class Writers:
    """A process that has everything imported, and forks a writer a round."""

    def __init__(self) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.record.kill_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._ask, self._hear = self._parent.stdin, self._parent.stdout

    def sail_until_killed(self, folder: Path, after_s: float) -> list[list[str]]:
        """Have a writer killed so long after its first word; return all that it said."""
        self._ask.write(f"{folder}\n")
        self._ask.flush()
        child = int(self._hear.readline().split()[1])
        said = [self._hear.readline()]
        time.sleep(after_s)  # the moment is the test: it is drawn, and nothing waits for it
        os.kill(child, signal.SIGKILL)
        while not (line := self._hear.readline()).endswith(f"over {child}\n"):
            said.append(line)
        said.append(line.removesuffix(f"over {child}\n"))
        # The last line may be cut in two; what is not a whole line was not said.
        return [line.split() for line in said if line.endswith("\n")]

    def close(self) -> None:
        self._ask.close()
        self._hear.close()
        self._parent.wait()


@pytest.fixture
def writers() -> Iterator[Writers]:
    made = Writers()
    yield made
    made.close()


@pytest.mark.timeout(240)
def test_two_hundred_kills_lose_nothing_that_was_recorded(tmp_path: Path, writers: Writers):
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    recorded = confirmed = sealed = segments = 0
    for round_ in range(ROUNDS):
        folder = tmp_path / f"record-{round_ // FRESH_EVERY}"
        if round_ % FRESH_EVERY == 0:
            recorded = 0
            heads: dict[int, int] = {}
        for word, segment, number in writers.sail_until_killed(folder, chance.random() * LONGEST_S):
            if word == "recorded":
                recorded = max(recorded, int(number))
            else:
                heads[int(segment)] = max(heads.get(int(segment), 0), int(number))
        report = judged(folder)
        assert report["verdict"] != "FAIL", (seed, round_, report)
        assert report["entries"] >= recorded, (seed, round_, report)
        assert report["sealed"] >= sum(heads.values()), (seed, round_, report)
        sealed, confirmed = sealed + sum(heads.values()), max(confirmed, recorded)
        segments = max(segments, *heads)
        assert not list(folder.glob("*.damaged-*")), (seed, round_)
    assert segments > 1, "some were killed while a segment was being changed"
    assert sealed
    assert confirmed > FRESH_EVERY, "something was there to lose"
    for folder in tmp_path.glob("record-*[0-9]"):
        for path in sorted(folder.glob(schema.SEGMENT_GLOB)):
            db = apsw.Connection(str(path))
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            db.close()


def judged(folder: Path) -> dict[str, Any]:
    return verify.report(verify.verify(folder, verify.read_keys(VKEY), []))
