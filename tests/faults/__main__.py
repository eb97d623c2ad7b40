"""Play faults, and write down how the ship stood them: ``python -m tests.faults --help``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.judge import judge
from tests.faults.registry import faults
from tests.faults.report import Result, page
from tests.faults.stage import play

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.fault import Fault


async def result_of(fault: Fault, *, full: bool) -> Result:
    """Play one fault and judge it."""
    capture = await play(fault, full=full)
    found = judge(capture, expects=fault.expects if full else (), promised_s=fault.back_within_s)
    lasted_s = capture.ends_s - capture.begins_s
    return Result(fault, lasted_s, capture, [*found, *fault.also(capture)])


async def all_of(
    chosen: Sequence[Fault], *, full: bool, at_once: int
) -> tuple[list[Result], list[tuple[str, str]]]:
    """Play them, a few at once, the longest first; return results and what could not be tried here."""
    results: dict[str, Result] = {}
    skipped: list[tuple[str, str]] = []
    room = asyncio.Semaphore(at_once)

    async def one(fault: Fault) -> None:
        async with room:
            try:
                results[fault.name] = found = await result_of(fault, full=full)
            except pytest.skip.Exception as err:
                skipped.append((fault.title, str(err)))
                print(f"{fault.name:22} skipped: {err}", flush=True)
                return
            print(f"{fault.name:22} {'held' if found.holds else 'BROKEN'}", flush=True)
            for each in found.findings:
                print(
                    f"    {'ok  ' if each.holds else 'FAIL'} {each.promise}: {each.words}",
                    flush=True,
                )

    longest_first = sorted(chosen, key=lambda each: -(each.full_s if full else each.short_s))
    await asyncio.gather(*(one(each) for each in longest_first))
    return [results[each.name] for each in chosen if each.name in results], skipped


def main() -> int:
    """Return 0 where every promise was kept."""
    words = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    words.add_argument("names", nargs="*", help="faults; all without any")
    words.add_argument(
        "--short", action="store_true", help="each for seconds, as in the ordinary tests"
    )
    words.add_argument("--at-once", type=int, default=3, help="how many at once")
    words.add_argument("--report", type=Path, help="where the table is written")
    words.add_argument("--list", action="store_true", help="say which there are")
    given = words.parse_args()
    known = {each.name: each for each in faults()}
    if given.list:
        for name, each in known.items():
            print(f"{name:22} {each.title}: {each.how}")
        return 0
    if unknown := [name for name in given.names if name not in known]:
        words.error(f"there is no fault {unknown[0]!r}; known are {', '.join(known)}")
    chosen = [known[name] for name in given.names or known]
    # Whoever is told to stop still gives back disk, network and processes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began_s = time.monotonic()
    results, skipped = asyncio.run(all_of(chosen, full=not given.short, at_once=given.at_once))
    minutes = round((time.monotonic() - began_s) / 60)
    if given.report:
        day = datetime.now(UTC).date().isoformat()
        given.report.write_text(page(results, skipped, day=day, minutes=minutes), "utf-8")
    broken = sum(not each.holds for each in results)
    print(
        f"{len(results)} faults in {minutes} min, {broken} with a promise that was not kept, {len(skipped)} not tried"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
