"""Does something of a closed segment still stand in the log beside it, and how does that come into the file?

SQLite moves its log into the file when nobody reads it. A reader at that moment (a copy that is being made, a paper)
leaves the rest in the log, and whoever reads the file alone, as everybody does with a closed one, misses it.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import apsw

from daemon.errors import RecordError
from daemon.record import codec
from daemon.record.merkle import Tree
from daemon.record.sqlite import store_errors, text

if TYPE_CHECKING:
    from pathlib import Path


def stands_beside(path: Path) -> bool:
    """Return whether something of a segment may stand in a log beside it.

    Raises:
        RecordError: The disk refuses.
    """
    with store_errors(path):
        try:
            return path.with_name(f"{path.name}-wal").stat().st_size > 0
        except FileNotFoundError:
            return False


def move(db: apsw.Connection, *, within_s: float) -> bool:
    """Move the log of an open segment into its file and empty it; return False where somebody reads it all the time."""
    db.set_busy_timeout(int(within_s * 1000))
    busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() or (1,)
    return not busy


def take_in(path: Path, following: Path) -> None:
    """Move a log that was left beside a closed segment into it, where it is the segment's own.

    A log knows nothing of the file that it belongs to; but the first entry of the next segment names the tree that this
    one has with it. Only with that very tree it is moved.

    Args:
        path: The closed segment; nobody writes it.
        following: The next one.

    Raises:
        RecordError: It is not that tree, or the disk refuses; nothing was changed.
    """
    with store_errors(path), closing(_opened(path)) as db:
        # What turns out to be another's is left as it is.
        db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        tree = Tree().grown_by(
            text(body).encode() for (body,) in db.execute("SELECT body FROM entry ORDER BY seq")
        )
        if (tree.size, tree.root().hex()) != _named_by(following):
            raise RecordError(
                f"{path}: with the log beside it, it is not what {following.name} says: it is left there"
            )
        db.execute("PRAGMA journal_mode = WAL")
        if not move(db, within_s=0.0):
            raise RecordError(f"{path}: is being read; its log stays beside it")


def _named_by(following: Path) -> tuple[int, str]:
    """Return size and root that a segment names of the one before it."""
    with closing(_opened(following)) as db:
        row = db.execute("SELECT body FROM entry ORDER BY seq LIMIT 1").fetchone()
    previous = None if row is None else codec.parse(text(row[0])).open.get("previous")
    if not isinstance(previous, dict):
        return 0, ""
    size, root = previous.get("size"), previous.get("root")
    return (size, root) if isinstance(size, int) and isinstance(root, str) else (0, "")


def _opened(path: Path) -> apsw.Connection:
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    return db
