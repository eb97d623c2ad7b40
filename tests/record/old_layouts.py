"""What a segment file held before: copied from the releases that wrote it, never from the code of today."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BY_PERSON = (
    "CREATE INDEX entry_by_person ON entry (json_extract(body, '$.actor.person'), seq) "
    "WHERE json_extract(body, '$.actor.person') IS NOT NULL"
)
INDEXES_1 = (
    "CREATE UNIQUE INDEX entry_by_bseq ON entry (bseq) WHERE bseq IS NOT NULL",
    "CREATE INDEX entry_of_sso ON entry (seq) WHERE bseq IS NULL",
    "CREATE INDEX entry_by_at ON entry (at)",
    "CREATE INDEX entry_by_type ON entry (type, seq)",
    "CREATE INDEX entry_by_subject ON entry (subject, seq)",
    "CREATE INDEX entry_by_kind ON entry (kind, seq)",
)
INDEXES_2 = (*INDEXES_1, BY_PERSON)
COSIGNATURES = (
    "CREATE TABLE cosignature (size INTEGER NOT NULL, name TEXT NOT NULL, line TEXT NOT NULL, "
    "PRIMARY KEY (size, name)) STRICT, WITHOUT ROWID"
)


def statements(today: tuple[str, ...], layout: int) -> tuple[str, ...]:
    """Return what made a segment of an older layout; ``today`` is what makes one now."""
    indexes = {1: INDEXES_1, 2: INDEXES_2}[layout]
    return (
        *(
            f"PRAGMA user_version = {layout}" if "user_version" in each else each
            for each in today
            if layout > 1 or "cosignature" not in each
        ),
        *indexes,
    )


def make_layout_2(segment: Path) -> None:
    """Turn a closed segment file into one of the layout before."""
    db = sqlite3.connect(segment)
    for statement in (*INDEXES_2, "PRAGMA user_version = 2"):
        db.execute(statement)
    db.commit()
    db.close()
