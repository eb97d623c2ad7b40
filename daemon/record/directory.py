"""Which segment is written, and by whom? The folder of a record, with one writer at a time.

Everything here blocks and belongs to the writer thread.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from daemon.errors import RecordError
from daemon.record import schema
from daemon.record.segment import Carried, Segment
from daemon.record.sqlite import store_errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from daemon.entropy import Entropy
    from daemon.record.entry import Stamp
    from daemon.record.trust import Identity


class Directory:
    """The folder that holds the segments; a lock on it keeps any other writer out."""

    def __init__(
        self,
        path: Path,
        identity: Identity,
        entropy: Entropy,
        *,
        find_key: Callable[[], Ed25519PrivateKey] | None = None,
    ) -> None:
        """Touch nothing yet.

        Args:
            path: The folder; made when it is missing.
            identity: Whose record it is.
            entropy: Salts.
            find_key: Where the key could not be read yet: how it is read. Nothing is opened before that succeeds.
        """
        self._find_key = find_key
        self._path = path
        self._identity = identity
        self._entropy = entropy
        self._lock: int | None = None

    @property
    def identity(self) -> Identity:
        """Whose record this is, with the key that signs it now."""
        return self._identity

    def open(self, stamp: Stamp) -> Segment:
        """Open the newest segment, or begin a record where there is none.

        Raises:
            RecordError: It cannot be written, or cannot be trusted, or its key is not there; nothing of it was changed.
        """
        if self._find_key is not None:
            self._identity = replace(self._identity, key=self._find_key())
            self._find_key = None
        with store_errors(self._path):
            self._path.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._take_lock()
            paths = sorted(self._path.glob(schema.SEGMENT_GLOB))
        if not paths:
            return self._create(stamp, reason="first start", carried=Carried())
        if newest := Segment.open(paths[-1], self._identity, self._entropy):
            if newest.layout < schema.SCHEMA_VERSION:
                return self.next(newest, stamp, reason=f"layout {schema.SCHEMA_VERSION}")
            return newest
        # Power was lost while this segment was being made: it is empty, so it is made again.
        previous = Segment.open(paths[-2], self._identity, self._entropy) if paths[1:] else None
        if previous is None:
            return self._create(stamp, reason="first start", carried=Carried())
        return self.next(previous, stamp, reason="interrupted while the segment was being made")

    def next(self, segment: Segment, stamp: Stamp, *, reason: str) -> Segment:
        """Seal and close a segment and begin the next, which commits to its head.

        Raises:
            RecordError: The disk refuses. What is then newest is found by ``open``.
        """
        try:
            segment.seal({})
            carried = segment.carried()
        finally:
            segment.close(finish=True)
        return self._create(stamp, reason=reason, carried=carried)

    def release(self) -> None:
        """Let another process write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _create(self, stamp: Stamp, *, reason: str, carried: Carried) -> Segment:
        return Segment.create(
            self._path, self._identity, self._entropy, stamp=stamp, reason=reason, carried=carried
        )

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            os.close(descriptor)
            raise RecordError(f"{self._path}: another ispsd is writing this record") from err
        self._lock = descriptor
