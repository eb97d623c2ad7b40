"""Is this file there now, to the byte, and does it verify there? One copy of one segment, in a process of its own.

    python -I -m daemon.record.copying SOURCE TARGET --key VKEY_OR_FILE [--quick] [--outside FOLDER]

A medium that hangs hangs this process and nobody else. The copy is written under another name, flushed, read back from
the medium as far as the system lets us, verified by the stand-alone verifier, and only then given its name. It never
takes the place of one that knows more: such a copy is a witness that the record was restored from an older one. Says
what became of it as one line of JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.record import verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

CHUNK_BYTES: Final = 1024 * 1024
COPIED, SAME, NEWER, OTHER, FAILED = "copied", "same", "newer", "other", "failed"
"""What became of it: the target has it; had it; knows more than the source; has another history; cannot be written or
does not verify."""


def copy(source: Path, target: Path, keys: Sequence[str], *, quick: bool = False) -> dict[str, Any]:
    """Copy one segment, verify the copy in its place, and return what became of it.

    Args:
        source: A segment that nobody writes to.
        target: Where it shall be.
        keys: Files or vkey lines.
        quick: Believe a copy that is there by its head and its length; otherwise it is read, to find what has rotted.
    """
    fresh = target.with_name(f".{target.name}.new")
    try:
        if (reason := _no_copy(source, target)) is not None:
            return {"became": FAILED, "reason": reason}
        if (standing := _compared(source, target, quick=quick)) is not None:
            return standing
        fresh.unlink(missing_ok=True)
        digest = _written(source, fresh)
        if _digest(fresh) != digest:
            return {
                "became": FAILED,
                "reason": f"{target}: what is read back is not what was written",
            }
        report = verify.report(
            verify.verify(fresh, [key for given in keys for key in verify.read_keys(given)], [])
        )
        if report["verdict"] == "FAIL" or not report["sealed"]:
            said = report["failure"] or "; ".join(report["doubts"]) or "nothing in it is sealed"
            return {"became": FAILED, "reason": f"what was copied does not verify: {said}"}
        fresh.replace(target)
        _sync(target.parent)
    except (OSError, sqlite3.Error, verify.UnclearError) as err:
        return {"became": FAILED, "reason": f"{target}: {err}"}
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    return {
        "became": COPIED,
        "sha256": digest,
        "entries": report["entries"],
        "sealed": report["sealed"],
    }


def head_of(segment: Path) -> str | None:
    """Return the newest checkpoint of a closed segment as it is written, not yet believed; None where there is none."""
    with closing(_opened(segment)) as db:
        row = db.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    return row[0] if row and isinstance(row[0], str) else None


def _compared(source: Path, target: Path, *, quick: bool) -> dict[str, Any] | None:
    """Return how a copy that is there stands to the source; None where the source may take its place."""
    if not target.exists():
        return None
    try:
        there = head_of(target)
    except sqlite3.Error:
        return None  # the copy is damaged: a good one takes its place
    if there is None:
        return None
    size = there.split("\n")[1]
    with closing(_opened(source)) as db:
        row = db.execute("SELECT note FROM checkpoint WHERE size = ?", (size,)).fetchone()
        newest = db.execute("SELECT max(size) FROM checkpoint").fetchone()[0] or 0
    if row is not None and row[0] == there:
        same = newest == int(size) and source.stat().st_size == target.stat().st_size
        same = same and (quick or _digest(source) == _digest(target))
        if not same:
            return None
        return {"became": SAME, "sealed": newest} | ({} if quick else {"sha256": _digest(target)})
    became = NEWER if size.isdecimal() and int(size) > newest else OTHER
    return {"became": became, "note": there}


def _no_copy(source: Path, target: Path) -> str | None:
    """Return why a file is not all of its segment, or the target no other one; None where neither is so."""
    log = source.with_name(f"{source.name}-wal")
    if log.exists() and log.stat().st_size:
        return f"{source}: a log stands beside it: ispsd takes it in at its next start"
    if target.exists() and target.samefile(source):
        return f"{target}: is the segment itself, and no copy"
    return None


def _opened(segment: Path) -> sqlite3.Connection:
    return sqlite3.connect(segment.absolute().as_uri() + "?mode=ro&immutable=1", uri=True)


def _written(source: Path, fresh: Path) -> str:
    """Copy the bytes and flush them; return their SHA-256."""
    found = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with source.open("rb") as read, os.fdopen(os.open(fresh, flags, 0o640), "wb") as written:
        while chunk := read.read(CHUNK_BYTES):
            found.update(chunk)
            written.write(chunk)
        written.flush()
        os.fsync(written.fileno())
        _forget(written)
    return found.hexdigest()


def _forget(file: BinaryIO) -> None:
    """Have the next read come from the medium, where the system can."""
    with suppress(OSError):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _same_disk(place: Path, other_than: Path | None) -> str | None:
    """Return why a place is no second medium; None where it is one."""
    try:
        if other_than is not None and place.stat().st_dev == other_than.stat().st_dev:
            return f"{place}: is on the record's own disk; is its medium mounted?"
    except OSError as err:
        return f"{place}: {err.strerror}"
    return None


def _inside(target: Path, outside: Path | None) -> str | None:
    """Return why a target is not outside a folder, links and mounts followed; None where it is."""
    try:
        real = target.resolve()
        if outside is not None and any(
            above.exists() and above.samefile(outside) for above in (real, *real.parents)
        ):
            return f"{target.parent}: lies in the record's own folder"
    except (OSError, RuntimeError) as err:
        return f"{target}: {err}"
    return None


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main(argv: Sequence[str]) -> int:
    """Copy, say what became of it, return 0 unless it failed."""
    parser = argparse.ArgumentParser(prog="copying")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--outside", type=Path)
    parser.add_argument("--other-disk-than", type=Path)
    given = parser.parse_args(argv)
    with suppress(OSError):
        os.nice(19)
    reason = _inside(given.target, given.outside)
    reason = reason or _same_disk(given.target.parent, given.other_disk_than)
    if reason is not None:
        print(json.dumps({"became": FAILED, "reason": reason}))  # noqa: T201 (its answer)
        return 1
    became = copy(given.source, given.target, given.key, quick=given.quick)
    print(json.dumps(became))  # noqa: T201 (its answer)
    return int(became["became"] == FAILED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
