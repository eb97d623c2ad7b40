"""What SQLite says, in our words and types."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import apsw

from daemon.errors import RecordError
from daemon.record.damage import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say of a disk into a ``RecordError`` that names the file.

    What says that the file itself is no longer what it was becomes a ``DamagedError``.
    """
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as err:
        raise DamagedError(f"{path}: {type(err).__name__}: {err}") from err
    except (apsw.Error, OSError) as err:
        raise RecordError(f"{path}: {type(err).__name__}: {err}") from err


def remove_empty_log(path: Path) -> None:
    """Leave no files beside a database that was only looked at; a log in which something stands stays."""
    log = path.with_name(path.name + "-wal")
    with suppress(OSError):
        if log.stat().st_size == 0:
            log.unlink()
            path.with_name(path.name + "-shm").unlink()


def text(value: object) -> str:
    """Return a value that must be text.

    Raises:
        RecordError: It is not.
    """
    if not isinstance(value, str):
        raise RecordError(f"a {type(value).__name__} where the record has text")
    return value


def number(value: object) -> int:
    """Return a value that must be an integer.

    Raises:
        RecordError: It is not.
    """
    if not isinstance(value, int):
        raise RecordError(f"a {type(value).__name__} where the record has a number")
    return value


def blob(value: object) -> bytes:
    """Return a value that must be bytes.

    Raises:
        RecordError: It is not.
    """
    if not isinstance(value, bytes):
        raise RecordError(f"a {type(value).__name__} where the record has bytes")
    return value
