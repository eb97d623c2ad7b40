"""What does a file say that a ship mailed, and may it be believed? Held against her key before a word of it is read.

Every file is of a stranger until then: so large at most, its JSON of the shape that we know, each value of its type.
"""

from __future__ import annotations

import base64
import json
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.ashore.week import VERSION
from daemon.errors import IspsdError
from daemon.papers.release import DIGEST
from daemon.record import proofs, verify
from daemon.record.checkpoint import Checkpoint
from daemon.record.heads import segment_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGEST: Final = 64 * 1024
"""Bytes; a ship writes some 8,000."""
MOST_HASHES: Final = 128


@dataclass(frozen=True, slots=True)
class Report:
    """A ship's week whose signature is hers.

    Attributes:
        said: The report (``daemon.ashore.week.told``).
        seq: The entry of her record in which it stands.
        by: Who sent it.
        head: Of her record as it was made.
        follows: Segment and size of the head in the report before; None: she has none, or does not say.
    """

    path: Path
    said: Mapping[str, Any]
    seq: int
    by: str
    head: Checkpoint
    follows: tuple[int, int] | None
    hashes: tuple[bytes, ...]

    @property
    def made_utc(self) -> datetime:
        return datetime.fromisoformat(self.said["to"])

    @property
    def place(self) -> tuple[int, int]:
        """Where her record was when it was made: segment and size."""
        return segment_of(self.head) or 0, self.head.size

    @property
    def prefix(self) -> str:
        """Whose record it is: ``ispsd/9999993``."""
        return self.head.origin.rpartition("/")[0]


class RefusedFileError(IspsdError):
    """A file that is not believed, and why."""


class MissingReportError(LookupError):
    """A report between two others is not here, so nobody can tell whether the record only grew."""


def read(path: Path, keys: Sequence[verify.Key]) -> Report:
    """Read one file.

    Raises:
        RefusedFileError: It is no report, was altered, or no key that is known signed it.
    """
    content = _content(path)
    verdict = _verdict(path.name, content, keys)
    if verdict.failure:
        raise RefusedFileError(f"FAIL: {verdict.failure}")
    segment = verdict.segments[-1] if verdict.segments else None
    if segment is None or segment.key is None or not segment.trusted:
        raise RefusedFileError("; ".join(verdict.doubts) or "not signed by a key that is known")
    try:
        return _report(path, content, keys)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
        raise RefusedFileError(f"it is no weekly report that this program knows: {err}") from err


def _content(path: Path) -> str:
    """Return what a file says, read once: what is believed is what was held against the key."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise RefusedFileError(f"larger than {LARGEST} bytes")
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise RefusedFileError(f"cannot be read: {err}") from err


def _verdict(name: str, content: str, keys: Sequence[verify.Key]) -> verify.Verdict:
    """Have it judged; the verifier, which shares nothing with us, wants a file."""
    with tempfile.TemporaryDirectory(prefix="ispsd-fleet-") as folder:
        copy = Path(folder, name)
        copy.write_bytes(content.encode())
        return verify.verify(copy, list(keys), [])


def _report(path: Path, content: str, keys: Sequence[verify.Key]) -> Report:
    entries = [line["entry"] for line in map(json.loads, content.splitlines()) if "entry" in line]
    [entry] = [each for each in entries if DIGEST in each["open"]]
    said = entry["open"][DIGEST]
    if said["v"] != VERSION:
        raise ValueError(f"a report of version {said['v']}")
    whole = said["growth"]["note"]
    note = verify.read_note(whole)
    key = verify.signer(note, list(keys))
    if key is None:
        raise ValueError("the head in it is not signed by the ship")
    if key.name.rpartition("/")[2] != str(said["ship"]["imo"]):
        raise ValueError(f"it is of IMO {said['ship']['imo']}, signed by {key.name}")
    hashes = said["growth"]["hashes"]
    if len(hashes) > MOST_HASHES:
        raise ValueError("a proof that is too long")
    head = Checkpoint(note.origin, note.size, note.root, whole)
    return Report(
        path,
        _checked(said),
        _whole(entry["seq"]),
        str(entry["actor"]["person"]),
        head,
        _follows(said["growth"], head),
        tuple(base64.b64decode(each, validate=True) for each in hashes),
    )


def _follows(growth: Mapping[str, Any], head: Checkpoint) -> tuple[int, int] | None:
    """Return which report this one follows; older ones say it of their own segment only."""
    if growth.get("follows") is not None:
        segment, size = growth["follows"]
        return _whole(segment), _whole(size)
    return None if growth["from"] is None else (segment_of(head) or 0, _whole(growth["from"]))


def _whole(said: object) -> int:
    if not isinstance(said, int):
        raise TypeError(f"{said!r:.40} is no number")
    return said


def _checked(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the report whose every value is of the type that a list needs.

    Raises:
        TypeError: One is not.
        KeyError: One is missing.
        ValueError: Its time is none.
    """
    for place, kind in (
        (("ship", "name"), str), (("ship", "imo"), int), (("ship", "flag"), str), (("to",), str),
        (("security_level",), int), (("configuration",), str), (("software",), str), (("threat",), bool),
        (("defects", "open"), int), (("defects", "over_7_days"), int), (("tests", "stands"), list),
        (("eased", "times"), int), (("eased", "list"), list), (("record", "newest"), int), (("papers",), list),
    ):  # fmt: skip
        value: Any = said
        for name in place:
            value = value[name]
        if not isinstance(value, kind):
            raise TypeError(f"{'.'.join(place)} is {value!r:.40}")
    datetime.fromisoformat(said["to"])
    return said


def grew(before: Report, after: Report) -> str | None:
    """Return why a report does not follow the one before it in her record, with a record that only grew; None: it does.

    Raises:
        MissingReportError: A report between these two is not here.
        LookupError: Nobody can tell: another segment has begun.
    """
    old, new = before.head, after.head
    is_same_segment = old.origin == new.origin
    if is_same_segment and new.size == old.size:
        return None if new.root == old.root else f"two records of {new.size} entries"
    if after.follows is not None and after.follows > before.place:
        raise MissingReportError(f"it follows one of {after.follows[1]} entries, which is not here")
    # A record whose older segments are archived does not know which report stands there; those of its newest it knows.
    if after.follows != before.place and (is_same_segment or after.follows is not None):
        return f"her record shrank or was rewritten: at {new.size} entries it knows no report of {old.size}"
    if not is_same_segment:
        raise LookupError(f"a new segment began: {new.origin}")
    if proofs.check_consistency(old.size, old.root, new.size, new.root, after.hashes):
        return None
    return f"the first {old.size} entries are not those of the report before"
