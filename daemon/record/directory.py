"""Which segment is written, and by whom? The folder of a record, with one writer at a time.

Everything here blocks and belongs to the writer thread. A segment that is damaged, or older than a head that somebody
holds, is never written to again: the next one begins with what is known and says why.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from daemon.computer import logs
from daemon.errors import RecordError
from daemon.record import aftermath, checkpoint, damage, keys, logbeside, schema
from daemon.record.damage import DamagedError
from daemon.record.heads import LARGEST_NUMBER, Heads, segment_of
from daemon.record.merkle import Tree
from daemon.record.segment import Carried, Segment
from daemon.record.sqlite import store_errors
from daemon.record.trust import OtherKeyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

    from daemon.computer.entropy import Entropy
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.entry import Draft, Stamp
    from daemon.record.trust import Identity

_log = logs.get("record")
MOST_ENTRIES = 300_000
"""What a segment can have at most, with what comes while the next one is due (ROTATE_ENTRIES in ``scribe``)."""
BESIDE = "a head that is kept beside the record"


class Directory:
    """The folder that holds the segments; a lock on it keeps any other writer out."""

    def __init__(
        self,
        path: Path,
        identity: Identity,
        entropy: Entropy,
        *,
        find_key: Callable[[], Ed25519PrivateKey] | None = None,
        copy: Path | None = None,
        lock: int | None = None,
        public_key: Path | None = None,
        most_entries: int = MOST_ENTRIES,
    ) -> None:
        """Touch nothing yet.

        Args:
            path: The folder; made when it is missing.
            identity: Whose record it is.
            entropy: Salts.
            find_key: Where the key could not be read yet: how it is read. Nothing is opened before that succeeds.
            copy: The folder of the second copy, from which a damaged segment is restored.
            lock: What ``take_lock`` gave to somebody who holds the folder already, and goes on holding it.
            public_key: The file of the public keys, those before this one with it.
            most_entries: A segment has not more, whatever it was.
        """
        self.findings: list[Draft] = []
        """What was found and done, to be written into the record by whoever opened it."""
        self._find_key = find_key
        self._path = path
        self._identity = identity
        self._entropy = entropy
        self._copy = copy
        self._public_key = public_key
        self._most_entries = max(most_entries, MOST_ENTRIES)
        self._heads = Heads(path)
        self._lock = None if lock is None else os.dup(lock)
        self._distrusted: tuple[Path, str] | None = None
        self._left: tuple[int, Tree] | None = None
        self._renewed: Identity | None = None

    @property
    def identity(self) -> Identity:
        """Whose record this is, with the key that signs it now."""
        return self._identity

    def open(self, stamp: Stamp) -> Segment:
        """Open the newest segment, or begin a record where there is none.

        Raises:
            RecordError: It cannot be written, its key is not there, or people must decide first; nothing of it was
                changed.
        """
        with suppress(OSError):  # before a key is there, too: adoption must not run beside us
            self._take_lock()
        if self._find_key is not None:
            self._identity = replace(self._identity, key=self._find_key())
            self._find_key = None
        paths, head = self._looked()
        if not paths:
            return self._begin(stamp, head)
        self._take_in_logs(paths)
        newest = paths[-1]
        try:
            segment = self._opened(newest, head)
        except DamagedError as err:
            return self._after_damage(newest, str(err), stamp, head)
        if segment is None:
            return self._interrupted(paths, stamp, head)
        if head is not None and aftermath.parts(segment, head):
            return self.part(segment, stamp, head, told_by=BESIDE)
        self._look_at_older(paths[:-1], segment, stamp)
        return segment

    def open_to_adopt(self) -> Segment:
        """Open the newest segment to begin another one behind it; nothing is done about one that is not in order.

        Raises:
            RecordError: It is not in order, older than a head that is kept, or in somebody's hands.
        """
        paths, head = self._looked()
        segment = Segment.open(paths[-1], self._identity, self._entropy) if paths else None
        if segment is None:
            raise RecordError(f"{self._path}: no segment that was ever finished is there")
        if head is not None and aftermath.parts(segment, head):
            segment.close()
            raise RecordError(
                f"{segment.path}: {segment.tree.size} entries are there, but a head of {head.size} of {head.origin} is "
                "kept beside the record: this is not the newest there was"
            )
        return segment

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

    def part(self, segment: Segment, stamp: Stamp, head: Checkpoint, *, told_by: str) -> Segment:
        """Close a segment without another seal, and begin one that says which head it does not have.

        Raises:
            RecordError: The disk refuses. What is then newest is found by ``open``.
        """
        number = segment_of(head)
        if number is None or number >= LARGEST_NUMBER:
            segment.close()
            raise RecordError(f"{head.origin}: no segment can follow it")
        try:
            carried = segment.carried()
        finally:
            segment.close(finish=True)
        following = self._behind(carried, head)
        reason = f"parted: {told_by} is of {head.size} entries of {head.origin}, which are not here"
        if number != carried.number:
            reason += self._passed(carried, following)
        begun = self._create(stamp, reason=reason, carried=following)
        self.findings.append(aftermath.parted(carried, following, told_by=told_by))
        return begun

    def renew_key(
        self, segment: Segment, stamp: Stamp, key: Ed25519PrivateKey, *, reason: str
    ) -> Segment:
        """Begin the next segment under a new key, with the word of the one before for it.

        Raises:
            RecordError: The disk refuses. What is then newest is found by ``open``.
        """
        old, new = self._identity, replace(self._identity, key=key, before=None)
        try:
            segment.seal({})
            carried = segment.carried()
        finally:
            segment.close(finish=True)
        endorsement = checkpoint.endorse(
            old.key, prefix=old.origin, vkey=new.vkey(), previous_root=carried.tree.root()
        )
        self._renewed = (
            new  # should this fail half-way, open finds out which key the newest segment has
        )
        following = replace(carried, endorsement=endorsement)
        segment = Segment.create(
            self._path, new, self._entropy, stamp=stamp, reason=reason, carried=following
        )
        self._identity, self._renewed = new, None
        return segment

    def adopt(self, segment: Segment, stamp: Stamp, *, reason: str) -> Segment:
        """Begin the next segment under this ship's new key; the old one is not there to seal or to endorse.

        Raises:
            RecordError: The disk refuses.
        """
        try:
            carried = segment.carried()
        finally:
            segment.close(finish=True)
        self._identity = replace(self._identity, before=None)
        return self._create(stamp, reason=reason, carried=carried)

    def public_key(self) -> Ed25519PublicKey:
        """Return the public half of what signs now."""
        return self._identity.key.public_key()

    def known_keys(self) -> list[Ed25519PublicKey]:
        """Return the keys of this ship that are known here, the one that signs now first."""
        now, origin = self._identity.checks(), self._identity.origin
        others = keys.known_public(self._public_key, name=origin) if self._public_key else []
        raw = now.public_bytes_raw()
        return [now, *(key for key in others if key.public_bytes_raw() != raw)]

    def replaced_keys(self) -> frozenset[bytes]:
        """Return the keys of this ship that were replaced before the key of now, raw: the file has the newest last."""
        if self._public_key is None:
            return frozenset()
        found = keys.known_public(self._public_key, name=self._identity.origin)
        newest_first = [key.public_bytes_raw() for key in found]
        now = self._identity.checks().public_bytes_raw()
        if now not in newest_first:
            return frozenset()
        return frozenset(newest_first[newest_first.index(now) + 1 :])

    def keep_head(self, head: Checkpoint, following: tuple[int, int] | None = None) -> None:
        """Keep a head that is given away now, and which numbers come next."""
        self._heads.keep(head, following)

    def leave(self, segment: Segment, error: Exception) -> None:
        """Take note of a segment that was let go of after an error: how far it was, and whether it can be trusted."""
        self._left = (segment.number, segment.tree)
        if isinstance(error, DamagedError):
            self._distrusted = (segment.path, str(error))

    def release(self) -> None:
        """Let another process write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _looked(self) -> tuple[list[Path], Checkpoint | None]:
        """Take the folder; return its segments and the newest head that is kept beside it."""
        with store_errors(self._path):
            self._path.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._take_lock()
            paths = sorted(self._path.glob(schema.SEGMENT_GLOB))
        return paths, self._heads.newest(self._identity.origin, self.known_keys())

    def _take_in_logs(self, paths: list[Path]) -> None:
        """Make each older segment whole in its file, where a reader was in the way when it was closed."""
        for path, following in pairwise(paths):
            try:
                if logbeside.stands_beside(path):
                    logbeside.take_in(path, following)
                    _log.warning("record.log_taken_in", path=str(path))
            except RecordError as err:
                _log.error("record.log_left", path=str(path), reason=str(err))

    def _begin(self, stamp: Stamp, head: Checkpoint | None) -> Segment:
        """Begin a record; where heads say that there was one, begin behind it."""
        if head is None:
            return self._create(stamp, reason="first start", carried=Carried())
        path = self._path / schema.segment_name(segment_of(head) or 1)
        return self._after_damage(path, "no segment is there", stamp, head)

    def _opened(self, path: Path, head: Checkpoint | None) -> Segment | None:
        """Open a segment; None where its creation never came to an end.

        Raises:
            DamagedError: It is not what it was.
        """
        distrusted = self._distrusted
        if distrusted is not None and distrusted[0] == path:
            with store_errors(path):
                aftermath.must_be_whole(path, distrusted[1])
            self._distrusted = None
        known = 0 if head is None or path.name != _file_of(head) else head.size
        if known and not path.stat().st_size:  # SQLite would make a database of it
            raise DamagedError(f"{path}: is empty, but {known} entries of it were sealed")
        try:
            segment = Segment.open(path, self._identity, self._entropy)
        except OtherKeyError:
            if self._renewed is None:
                raise
            segment = Segment.open(path, self._renewed, self._entropy)
            self._identity, self._renewed = self._renewed, None
        if segment is None and known:
            raise DamagedError(f"{path}: holds nothing, but {known} entries of it were sealed")
        return segment

    def _interrupted(self, paths: list[Path], stamp: Stamp, head: Checkpoint | None) -> Segment:
        """Make the newest segment again: power was lost while it was being made, and it is empty."""
        if not paths[1:]:
            return self._create(stamp, reason="first start", carried=Carried())
        try:
            previous = Segment.open(paths[-2], self._identity, self._entropy)
        except DamagedError as err:
            return self._after_damage(paths[-2], str(err), stamp, head)
        if previous is None:
            return self._create(stamp, reason="first start", carried=Carried())
        if head is not None and aftermath.parts(previous, head):
            return self.part(previous, stamp, head, told_by=BESIDE)
        return self.next(previous, stamp, reason="interrupted while the segment was being made")

    def _look_at_older(self, paths: list[Path], newest: Segment, stamp: Stamp) -> None:
        """Put the copy in the place of an older segment that is torn; what stands inside is the verifier's question.

        Without a copy it stays where it is, for what can still be read of it, and is told once.
        """
        for path in paths:
            try:
                harm = damage.torn(path)
                if harm is None:
                    continue
                found = aftermath.look(
                    path,
                    harm.detail,
                    stamp,
                    identity=self._identity,
                    entropy=self._entropy,
                    copy=self._copy,
                    known=self.known_keys(),
                )
                if found.restored is not None:
                    aftermath.freeze(path, found)
                elif newest.tells(aftermath.DAMAGED, aftermath.subject(found.number)):
                    continue
                else:
                    found = replace(found, kept_as=None)
            except (OSError, RecordError) as err:
                _log.error("record.older_not_read", path=str(path), reason=str(err))
                continue
            self.findings.append(aftermath.damaged(found, Carried()))

    def _after_damage(self, path: Path, why: str, stamp: Stamp, head: Checkpoint | None) -> Segment:
        """Keep a damaged segment as it is, put its copy in its place, and go on in the next one.

        The copy is never written to either: nobody knows which heads were given away after it was made.
        """
        known = [each for each in (head, self._remembered()) if each is not None]
        with store_errors(path):
            found = aftermath.look(
                path, why, stamp, identity=self._identity, entropy=self._entropy, copy=self._copy
            )
        carried = aftermath.carried(found, known, self._identity)
        if head is not None and (segment_of(head) or 0) > found.number:
            carried = self._behind(carried, head)
        elif found.restored is None:
            carried = self._not_before(carried)
        # The next segment first: whatever fails from here on, nobody takes the damaged one or its copy for the newest.
        segment = self._create(stamp, reason=aftermath.reason(found), carried=carried)
        try:
            aftermath.freeze(path, found)
        except OSError as err:
            found = replace(found, kept_as=None, restored=None)
            _log.error("record.not_kept_aside", path=str(path), reason=str(err))
        self.findings.append(aftermath.damaged(found, carried))
        return segment

    def _behind(self, carried: Carried, head: Checkpoint) -> Carried:
        """Return what a segment takes over that begins behind a head which is not here; no number is used twice.

        Where whole segments are lost, the numbers are those that were kept beside the record with its heads. Where they
        are not known, as many are passed over as the lost segments can have had.
        """
        number, known = segment_of(head) or 0, self._heads.following()
        if number == carried.number:
            return replace(carried, lost=head)
        if self._knows(head):
            seq, bseq = known
        else:
            lost = (number - carried.number + 1) * self._most_entries
            seq, bseq = carried.next_seq + lost, carried.next_bseq + lost
        seq = max(seq, known[0], carried.next_seq + head.size)
        bseq = max(bseq, known[1], carried.next_bseq + head.size)
        return replace(
            carried,
            number=number,
            tree=Tree(),
            head=None,
            lost=head,
            next_seq=seq - head.size,  # of which ``lost`` makes the hole
            next_bseq=bseq - head.size,
        )

    def _knows(self, head: Checkpoint) -> bool:
        """Tell whether a head, or a newer one, is kept with the numbers that come behind it."""
        return self._heads.newest_numbered() >= (segment_of(head) or 0, head.size)

    def _not_before(self, carried: Carried) -> Carried:
        """Return what a segment takes over, behind all numbers that are known to be given away."""
        seq, bseq = self._heads.following()
        return replace(
            carried,
            next_seq=max(carried.next_seq, seq - carried.hole),
            next_bseq=max(carried.next_bseq, bseq - carried.hole),
        )

    def _passed(self, ours: Carried, following: Carried) -> str:
        first, last = ours.next_seq, following.first_seq - 1
        sure = "were given away or may have been, and are not used again"
        return f"; segments are missing, and the numbers {first} to {last} {sure}"

    def _remembered(self) -> Checkpoint | None:
        """Return the head of the segment that was let go of: all of it was confirmed as recorded, sealed or not."""
        if self._left is None:
            return None
        number, tree = self._left
        origin = self._identity.segment_origin(number)
        return checkpoint.sign(self._identity.key, origin=origin, size=tree.size, root=tree.root())

    def _create(self, stamp: Stamp, *, reason: str, carried: Carried) -> Segment:
        return Segment.create(
            self._path, self._identity, self._entropy, stamp=stamp, reason=reason, carried=carried
        )

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        self._lock = take_lock(self._path)


def take_lock(folder: Path) -> int:
    """Keep every other writer out of a folder until what is returned is closed.

    Raises:
        RecordError: Another one writes there.
        OSError: It cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as err:
        os.close(descriptor)
        raise RecordError(f"{folder}: another ispsd is writing this record") from err
    return descriptor


def _file_of(head: Checkpoint) -> str:
    return schema.segment_name(segment_of(head) or 0)
