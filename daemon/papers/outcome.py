"""What comes of an export: bytes in a file, whole or not at all, for the eyes of whoever made it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from daemon.errors import IspsdError
from daemon.papers import books, comma, lines, making, mended, onetest, proof, release, source
from daemon.papers.steps import Part, Step
from daemon.papers.testlog import rows
from daemon.record.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from daemon.papers.making import Asked
    from daemon.papers.moments import Period
    from daemon.papers.proof import Proof
    from daemon.papers.source import Source
    from daemon.papers.steps import Say

MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written, whole and on disk."""

    path: Path
    size: int
    sha256: str


@dataclass(slots=True)
class Made:
    """What was made.

    Attributes:
        content: The bytes of a paper; None: the segments go as lines.
        seq: Of an excerpt, the entry.
        most: So many bytes a file may have; None: as many as it takes.
        sha256: Of all files, one behind the other.
    """

    proof: Proof
    pages: int = 0
    content: bytes | None = None
    segments: tuple[Path, ...] = ()
    profile: str = ""
    seq: int | None = None
    most: int | None = None
    size: int = 0
    sha256: str = ""


def made(
    asked: Asked,
    form: str,
    period: Period,
    *,
    folder: Path,
    keys: Sequence[str],
    anchors: Sequence[str],
    profile: str,
    now: datetime,
    say: Say,
) -> Made:
    """Make a paper from a snapshot.

    Args:
        asked: Which, for whom.
        form: ``pdf``, ``csv`` or ``jsonl``.
        period: What it is about.
        folder: The snapshot.
        keys: Public keys: files or vkey lines.
        anchors: Checkpoints that somebody else holds.
        profile: How much goes along as lines.
        now: When it is verified.
        say: Told how far it has come.

    Raises:
        IspsdError: It cannot be made.
    """
    say(Step(Part.READING))
    read = source.read(folder, period, say=say)
    say(Step(Part.VERIFYING, of=read.last_seq - read.first_seq + 1))
    proven = proof.prove(
        folder,
        keys=keys,
        anchors=anchors,
        first_seq=read.first_seq,
        newest_seq=read.last_seq,
        checked=now,
    )
    if form == "jsonl":
        seq = _of_excerpt(asked) if profile == release.EXCERPT else None
        most = release.MOST_DIGEST_BYTES if asked.what == release.DIGEST else None
        found = tuple(lines.segments(folder, seq))
        return Made(proven, segments=found, profile=profile, seq=seq, most=most)
    if form == "csv":
        return Made(proven, content=_comma(asked, read))
    say(Step(Part.SETTING))
    reader = Reader(folder)
    try:
        content, pages = making.made(asked, read, proven, reader.evidence)
    finally:
        reader.close()
    return Made(proven, pages=pages, content=content)


def _of_excerpt(asked: Asked) -> int | None:
    """Return the entry that an excerpt is of: the one test, or the release that the week's report stands in."""
    return asked.release.seq if asked.what == release.DIGEST else asked.seq


def write(paper: Made, out: Path, *, say: Say) -> list[Written]:
    """Write it, and note how long it is and its hash; return the files.

    Raises:
        IspsdError: It cannot be written; then nothing of it is there.
    """
    say(Step(Part.WRITING))

    def progress(done: int, total: int) -> None:
        say(Step(Part.WRITING, done, total))

    digest = sha256()
    written: list[Written] = []
    only = len(paper.segments) <= 1
    pieces: list[tuple[Path, Iterable[bytes]]] = (
        [(out, (paper.content,))]
        if paper.content is not None
        else [
            (
                lines.name_of(out, each, only=only),
                lines.of(each, paper.profile, seq=paper.seq, progress=progress),
            )
            for each in paper.segments
        ]
    )
    for path, chunks in pieces:
        written.append(_write(path, _within(chunks, paper.most), digest.update))
        paper.size += written[-1].size
    paper.sha256 = digest.hexdigest()
    return written


def _comma(asked: Asked, read: Source) -> bytes:
    around = making.around(read, asked.view)
    if asked.what == "drills":
        return comma.table(books.drills(around, most=None))
    if asked.what == "test":
        return comma.log([onetest.row_of(asked.seq, around)], around)
    log = sorted((*rows(around), *mended.rows(around)), key=lambda row: row.seq, reverse=True)
    return comma.log(log, around)


def _within(chunks: Iterable[bytes], most: int | None) -> Iterator[bytes]:
    """Yield what is written, as long as it is not more than it may be.

    Raises:
        IspsdError: It is more.
    """
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if most is not None and size > most:
            raise IspsdError(
                f"it would have more than {most} bytes, though its lists are cut: say in fewer words whom it is for"
            )
        yield chunk


def _write(path: Path, chunks: Iterable[bytes], note: Callable[[bytes], None]) -> Written:
    """Write a file beside its place, have it on disk, then let it take the place."""
    size, digest = 0, sha256()
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    note(chunk)
                    digest.update(chunk)
                    size += file.write(chunk)
                os.fchmod(file.fileno(), MODE)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)  # noqa: PTH105 (the name is a text)
        except BaseException:
            os.unlink(name)  # noqa: PTH108
            raise
    except OSError as err:
        raise IspsdError(f"{path}: cannot be written: {err.strerror or err}") from err
    return Written(path, size, digest.hexdigest())
