"""What does an export say of one entry after the other? ``verify.py`` says whether it is true."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.errors import RecordError
from daemon.record import codec
from daemon.record.entry import SealedPart
from daemon.record.export import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from daemon.record.entry import Entry

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes: an entry with its evidence, which base64 makes a third longer."""


@dataclass(frozen=True, slots=True)
class Exported:
    """One entry of an export.

    Attributes:
        parts: What it says to one class only; none where that was left out.
        evidence: By SHA-256; none where it was left out.
    """

    entry: Entry
    parts: Mapping[str, SealedPart]
    evidence: Mapping[str, bytes]


def entries(path: Path) -> Iterator[Exported]:
    """Yield the entries of an export; those that are withheld are left out.

    Raises:
        RecordError: It is no export, or a line of it cannot be read.
    """
    try:
        with path.open("rb") as file:
            header = _object(file.readline(LONGEST_LINE))
            if header.get("format") != FORMAT:
                raise RecordError(f"{path}: neither a record nor an export of one")
            while raw := file.readline(LONGEST_LINE):
                line = _object(raw)
                if "entry" in line:
                    yield _exported(line)
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise RecordError(f"{path}: a line of the export is not as it should be: {err!r}") from err
    except OSError as err:
        raise RecordError(f"{path}: {err.strerror or err}") from err


def _object(raw: bytes) -> dict[str, Any]:
    said = json.loads(raw)
    if not isinstance(said, dict):
        raise TypeError("not an object")
    return said


def _exported(line: Mapping[str, Any]) -> Exported:
    parts = line.get("parts", {})
    return Exported(
        codec.parse(codec.encode(line["entry"]).decode()),
        {
            name: SealedPart(bytes.fromhex(each["salt"]), str(each["body"]))
            for name, each in parts.items()
        },
        {
            digest: base64.b64decode(body, validate=True)
            for digest, body in line.get("evidence", {}).items()
        },
    )
