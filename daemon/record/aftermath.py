"""A segment is damaged or parted from: what is known of it, what is kept, and what does the next one say?

The damaged file is renamed and kept as evidence. Where the second copy verifies it stands in its place again, for
reading; the entries behind it that a signed head vouches for are lost, and the next segment names that head. Numbers
that were seen anywhere are not used again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import apsw

from daemon.computer.leash import leashed
from daemon.errors import RecordError
from daemon.model import Classification, Json
from daemon.record import checkpoint, codec, copying, damage, fold, keys, logbeside, schema
from daemon.record.damage import Damage, DamagedError
from daemon.record.entry import Draft
from daemon.record.heads import segment_of
from daemon.record.segment import Carried, Segment
from daemon.record.sqlite import number, remove_empty_log, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from daemon.computer.entropy import Entropy
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.entry import Stamp
    from daemon.record.trust import Identity

DAMAGED: Final = "record.damaged"
PARTED: Final = "record.parted"
UNPROVEN: Final = "record.head_unproven"
FETCH_S: Final = 600.0
"""How long the second copy may take to be fetched and verified before the watch's record goes on without it."""
CHUNK_BYTES: Final = 1024 * 1024
LEAST_ENTRY_BYTES: Final = 200
"""An entry takes more: a higher number than the file has room for is damage, no number."""

_NUMBERS = re.compile(rb'"segment":(\d{1,4}),"seq":(\d{1,15}),"subject"')
_WATCH_NUMBERS = re.compile(rb'"bseq":(\d{1,15}),"class":"watch"')


@dataclass(frozen=True, slots=True)
class Found:
    """What is left of a damaged segment.

    Attributes:
        kept_as: The name under which the file is kept; None where there is none.
        restored: Where the second copy stands that was put in its place.
        first_seq: Where the segment before ends, or the lowest number that is seen in the file.
        next_seq: One more than the highest number that is seen in the file.
    """

    number: int
    damage: Damage
    kept_as: str | None = None
    restored: Carried | None = None
    first_seq: int = 1
    first_bseq: int = 1
    next_seq: int = 1
    next_bseq: int = 1
    state: tuple[fold.StateChange, ...] = ()
    cursors: tuple[tuple[str, int], ...] = field(default=())


def must_be_whole(path: Path, why: str) -> None:
    """Refuse a file in which a write or a read met damage, unless its structure is in order after all.

    Raises:
        DamagedError: It is not.
    """
    if problems := damage.integrity_problems(path):
        raise DamagedError(f"{why}; {problems}")


def parts(segment: Segment, head: Checkpoint) -> bool:
    """Tell whether a signed head shows that this segment is not the whole history, or not the only one."""
    of = segment_of(head)
    if of is None or of < segment.number:
        return False
    if of > segment.number or head.size > segment.tree.size:
        return True
    return segment.root_at(head.size) != head.root


def look(
    path: Path,
    why: str,
    stamp: Stamp,
    *,
    identity: Identity,
    entropy: Entropy,
    copy: Path | None,
    known: Sequence[Ed25519PublicKey] = (),
) -> Found:
    """Look at what is left of a damaged segment, and fetch its second copy beside it; nothing is changed yet.

    ``known`` are the ship's keys before this one: an older segment is signed with the key that it names.

    Raises:
        OSError: The disk refuses.
        RecordError: The disk refuses.
    """
    found = _remains(path, damage.examine(path, why))
    if path.exists():
        mark = re.sub(r"[^0-9TZ]", "", stamp.at)
        found = replace(found, kept_as=f"{path.stem}.damaged-{mark}.db")
    return replace(found, restored=_restored(path, copy, identity, entropy, known))


def freeze(path: Path, found: Found) -> None:
    """Keep the damaged file under its other name, and put the copy that was fetched in its place.

    Raises:
        OSError: The disk refuses.
    """
    remove_empty_log(path)
    if found.kept_as is not None:
        for tail in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + tail).rename(path.with_name(found.kept_as + tail))
        path.rename(path.with_name(found.kept_as))
    if found.restored is not None:
        (_beside(path) / path.name).rename(path)
    shutil.rmtree(_beside(path), ignore_errors=True)
    _sync(path.parent)


def carried(found: Found, known: Sequence[Checkpoint], identity: Identity) -> Carried:
    """Return what the next segment takes over, with the newest head that is known of what is lost."""
    base = found.restored or Carried(
        number=found.number,
        next_seq=found.first_seq,
        next_bseq=found.first_bseq,
        state=found.state,
        cursors=found.cursors,
    )
    origin = identity.segment_origin(found.number)
    newest = max(
        (head for head in known if head.origin == origin), key=lambda head: head.size, default=None
    )
    if newest is not None and newest.size > base.tree.size:
        base = replace(base, lost=newest)
    if found.restored is None:
        # Without the segment nobody can count it: numbers that stand in the damaged file are passed over as well.
        base = replace(
            base,
            next_seq=base.next_seq + max(0, found.next_seq - base.first_seq),
            next_bseq=base.next_bseq + max(0, found.next_bseq - base.first_bseq),
        )
    return base


def reason(found: Found) -> str:
    """Return why the next segment begins."""
    back = (
        "its second copy stands in its place" if found.restored else "there is no good copy of it"
    )
    return f"segment {found.number} is damaged: {found.damage.words}; {back}"


def damaged(found: Found, following: Carried) -> Draft:
    """Return the entry about a damaged segment."""
    said: dict[str, Json] = {
        "segment": found.number,
        "finding": found.damage.finding.value,
        "words": found.damage.words,
        "kept_as": found.kept_as,
        "restored": None if found.restored is None else found.restored.tree.size,
        "lost": None if following.lost is None else following.hole,
    }
    return _draft(DAMAGED, subject(found.number), said)


def subject(segment: int) -> str:
    """Return what an entry about a segment is about."""
    return f"segment {segment}"


def parted(ours: Carried, following: Carried, *, told_by: str) -> Draft:
    """Return the entry about a head that this record does not have."""
    head = following.lost
    said: dict[str, Json] = {
        "told_by": told_by,
        "segment": ours.number,
        "size": ours.tree.size,
        "root": ours.tree.root().hex(),
        "head": None if head is None else head.note,
        "lost": following.first_seq - ours.next_seq,
    }
    return _draft(PARTED, subject(ours.number), said)


def unproven(head: Checkpoint, *, told_by: str, ours: int) -> Draft:
    """Return the entry about a head of a later segment than ours, by a key that is not known here."""
    return Draft(
        kind="system",
        type=UNPROVEN,
        subject=subject(segment_of(head) or 0),
        classification=Classification.SSO,
        open={
            "told_by": told_by,
            "head": head.note,
            "segment": ours,
            "words": "a head of a later segment than is here, by a key that is not known here: either this record was "
            "put back from before a change of keys, or somebody made the head up. Compare the key ashore",
        },
    )


def _draft(type_: str, subject: str, said: dict[str, Json]) -> Draft:
    return Draft(
        kind="system", type=type_, subject=subject, classification=Classification.WATCH, open=said
    )


def _remains(path: Path, harm: Damage) -> Found:
    """Read what can be read of a damaged segment; whatever cannot is passed over."""
    segment = int(path.stem.removeprefix("segment-"))
    seqs, bseqs = _numbers_in(path, segment)
    first_seq, first_bseq = _end_of(path.with_name(schema.segment_name(segment - 1)))
    if not first_seq:
        first_seq, first_bseq = min(seqs, default=1), min(bseqs, default=1)
    state, cursors = _tables_of(path)
    return Found(
        segment,
        harm,
        first_seq=first_seq,
        first_bseq=first_bseq,
        next_seq=max(seqs, default=first_seq - 1) + 1,
        next_bseq=max(bseqs, default=first_bseq - 1) + 1,
        state=state,
        cursors=cursors,
    )


def _numbers_in(path: Path, segment: int) -> tuple[set[int], set[int]]:
    """Return the lowest and the highest numbers of entries that stand anywhere in the file or its log."""
    seqs: set[int] = set()
    bseqs: set[int] = set()
    for each in (path, path.with_name(path.name + "-wal")):
        with suppress(OSError), each.open("rb") as file:
            room = each.stat().st_size // LEAST_ENTRY_BYTES
            before = b""
            while chunk := file.read(CHUNK_BYTES):
                text_ = before + chunk
                found = [int(m[2]) for m in _NUMBERS.finditer(text_) if int(m[1]) == segment]
                _widen(seqs, found, room)
                _widen(bseqs, [int(m[1]) for m in _WATCH_NUMBERS.finditer(text_)], room)
                before = text_[-512:]
    return seqs, bseqs


def _widen(known: set[int], found: list[int], room: int) -> None:
    """Keep the lowest and the highest number, as far as they are near enough to each other to be true."""
    if not found:
        return
    low = min(known | set(found))
    high = max(n for n in (*known, *found) if n <= low + room)
    known.clear()
    known.update((low, high))


def _end_of(path: Path) -> tuple[int, int]:
    """Return the numbers that come after a closed segment; zeros where it cannot be read."""
    if not path.exists():
        return 0, 0
    with suppress(apsw.Error, RecordError), closing(_reading(path, closed=True)) as db:
        row = db.execute("SELECT max(seq), max(bseq) FROM entry").fetchone()
        if row is not None:
            return number(row[0]) + 1, number(row[1]) + 1
    return 0, 0


def _tables_of(
    path: Path,
) -> tuple[tuple[fold.StateChange, ...], tuple[tuple[str, int], ...]]:
    """Return the current state and the cursors as the file still has them."""
    if not path.exists():
        return (), ()
    with suppress(apsw.Error, RecordError), closing(_reading(path, closed=False)) as db:
        state = tuple(
            fold.StateChange(text(kind), text(name), codec.parse_object(text(body)))
            for kind, name, body in db.execute("SELECT kind, id, body FROM state ORDER BY kind, id")
        )
        cursors = tuple(
            (text(name), number(value))
            for name, value in db.execute("SELECT name, value FROM cursor")
        )
        return state, cursors
    return (), ()


def _reading(path: Path, *, closed: bool) -> apsw.Connection:
    name = path.absolute().as_uri() + (
        "?immutable=1" if closed and not logbeside.stands_beside(path) else "?mode=ro"
    )
    return apsw.Connection(name, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)


def _restored(
    path: Path,
    copy: Path | None,
    identity: Identity,
    entropy: Entropy,
    known: Sequence[Ed25519PublicKey],
) -> Carried | None:
    """Fetch the second copy of a segment, where it verifies; return where it ends."""
    if copy is None:
        return None
    place = _beside(path)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o750)
    fetched = place / path.name
    ours = [identity.key.public_key(), *known]
    vkeys = [checkpoint.verifier_key(identity.origin, key) for key in ours]
    if not _fetched(copy / path.name, fetched, vkeys):
        return None
    named = keys.public_bytes(keys.vkey_of(fetched) or "")
    signer = next((key for key in ours if key.public_bytes_raw() == named), None)
    try:
        if named and signer is None:
            return None
        identity = replace(identity, before=signer)
        segment = Segment.open(fetched, identity, entropy)
        if segment is None:
            return None
        try:
            return segment.carried()
        finally:
            segment.close(finish=True)
    except RecordError:
        return None


def _beside(path: Path) -> Path:
    return path.with_name(f".restored-{path.stem}")


def _fetched(source: Path, target: Path, vkeys: Sequence[str]) -> bool:
    """Copy and verify in a process of its own, which is left behind where the medium hangs."""
    command = leashed(
        *(sys.executable, "-I", "-m", "daemon.record.copying", str(source), str(target)),
        *(word for vkey in vkeys for word in ("--key", vkey)),
    )
    try:
        running = subprocess.Popen(  # noqa: S603 (our own program)
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return False
    try:
        answer, _ = running.communicate(timeout=FETCH_S)
        said = json.loads(answer)
        return bool(said["became"] == copying.COPIED)
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return False
    finally:
        running.kill()
        with suppress(subprocess.TimeoutExpired):  # a medium that hangs may keep it for ever
            running.wait(1.0)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
