"""Measure ispsd beside the bare programs and the peers, in one run: ``python -m bench [PART ...]``.

Ours and the others take turns at being first; each round gives one ratio, and what is said is the median of the
rounds with the lowest and the highest. Lines that begin with ``here`` are figures of this machine alone.

Each part runs in a process of its own: one that fails or hangs is said, and the next goes on. The results are one
file (``--results``); parts that are measured again take the place of what it had. ``python -m bench table FILE``
makes the tables of docs/measurements.md from it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench import results, table
from bench.machine import commit, load, machine, versions
from bench.parts import PARTS, WHOLE
from bench.told import Told, told_rows
from daemon.computer.leash import leashed

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path("build/bench")
MOST_SAID = 2000
"""Characters of what a part that failed had to say."""
EVERY = {**PARTS, **WHOLE}


def main() -> int:
    if sys.argv[1:2] == ["table"]:
        return _table(sys.argv[2:])
    given = _given()
    if given.alone:
        return _alone(given.alone, given)
    # Whoever ends us ends the part as Ctrl-C does, and leaves nothing of it on the disk.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    path = given.results or RESULTS / f"{datetime.now(UTC):%Y-%m-%d}.json"
    try:
        kept = results.begun(path, machine(), versions())
    except results.ResultsError as err:
        print(err, file=sys.stderr)
        return 2
    print(", ".join(f"{name} {said}" for name, said in (kept.machine | kept.versions).items()))
    for name in _wanted(given, kept):
        print(f"\n== {name}: {EVERY[name].asks}", flush=True)
        kept = kept.merged(name, _measured(name, given), order=tuple(EVERY))
        results.save(path, kept)
    failed = [name for name, part in kept.parts.items() if part.failed]
    print(f"\n{path}: {len(kept.over())} rows over their budgets", end="")
    print(f"; did not come to their end: {', '.join(failed)}" if failed else "", flush=True)
    return 1 if failed else 0


def _given() -> argparse.Namespace:
    parts = "\n".join(
        f"  {name:<9} {part.asks} ({part.minutes:g} min{'; --whole' if name in WHOLE else ''})"
        for name, part in EVERY.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=f"parts, and how long they take with five rounds:\n{parts}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="which; all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--whole", action="store_true", help="the long parts too")
    parser.add_argument(
        "--missing", action="store_true", help="only what the file has not, or what failed in it"
    )
    parser.add_argument(
        "--results", type=Path, help=f"the file that takes the rows ({RESULTS}/<today>.json)"
    )
    parser.add_argument(
        "--disk", type=Path, default=Path("/var/tmp"), help="where records are written: a real disk"
    )
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.parts) - EVERY.keys():
        parser.error(f"no part {', '.join(sorted(unknown))}; known are {', '.join(EVERY)}")
    if given.rounds < 1:
        parser.error("--rounds: at least 1")
    return given


def _wanted(given: argparse.Namespace, kept: results.Results) -> list[str]:
    named = given.parts or [*PARTS, *(WHOLE if given.whole else ())]
    done = {name for name, part in kept.parts.items() if not part.failed}
    return [name for name in EVERY if name in named and not (given.missing and name in done)]


def _measured(name: str, given: argparse.Namespace) -> results.Part:
    """Run a part in a process of its own, in a session that ends with it."""
    busy, began = load(), time.monotonic()
    began_utc = datetime.now(UTC)
    with (
        tempfile.TemporaryDirectory(prefix="bench-rows-") as folder,
        # Of ours, so that what a part that was ended had written goes, too.
        tempfile.TemporaryDirectory(prefix="bench-", dir=given.disk) as disk,
    ):
        rows, said = Path(folder) / "rows", Path(folder) / "said"
        words = ["--alone", name, "--rows", str(rows), "--rounds", str(given.rounds)]
        command = [sys.executable, "-m", "bench", *words, "--disk", disk]
        Path(disk).chmod(0o755)  # some peers leave off being root
        with said.open("wb") as errors:
            failed = _run(command, errors.fileno(), limit_s=EVERY[name].limit_s(given.rounds))
        # Children say at their end what nobody needs: it is shown only where the part failed.
        complaint = said.read_text("utf-8", errors="replace").strip()
        if failed:
            print(complaint[-MOST_SAID:], file=sys.stderr, flush=True)
            failed = without_paths(complaint.splitlines()[-1]) if complaint else failed
            print(f"FAILED: {failed}", flush=True)
        return results.Part(
            f"{began_utc:%Y-%m-%dT%H:%M:%SZ}",
            round(time.monotonic() - began, 1),
            round(busy, 2),
            told_rows(rows),
            commit(),
            failed,
        )


def _run(command: Sequence[str], errors: int, *, limit_s: float) -> str:
    """Return why it failed; empty if it did not."""
    with subprocess.Popen(leashed(*command), stderr=errors, start_new_session=True) as process:
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return f"not at its end after {limit_s:.0f} s"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return f"ended with {code}" if code else ""


def _alone(name: str, given: argparse.Namespace) -> int:
    work = EVERY[name].measure(Told(given.rows), given.disk.resolve(), given.rounds)
    if work is not None:
        asyncio.run(work)
    return 0


def without_paths(text: str) -> str:
    """Return what a failure said with the last part of each path only: results are shown to others."""
    return re.sub(r"(?<![\w.])/(?:[^\s/'\":]+/)+", "", text)


def _table(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench table", description=table.__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--into", type=Path, metavar="PAGE", help="put it into this page")
    given = parser.parse_args(words)
    try:
        measured = results.load(given.file)
        if given.into:
            table.write(given.into, given.file.as_posix(), measured)
        else:
            print(table.table(measured))
    except results.ResultsError as err:
        print(err, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
