"""How does a draft become the bytes of an entry, and how are they read back?

Canonical JSON (RFC 8785) of a smaller world: no floats, integers that every reader holds exactly,
keys of lower-case ASCII. In that world the canonical form is sorted keys, no blanks and the
shortest escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, ClockStatus, Json
from daemon.record.entry import (
    DEEPEST,
    ENTRY_VERSION,
    KINDS,
    LARGEST_ENTRY_BYTES,
    LARGEST_EVIDENCE_BYTES,
    LARGEST_INTEGER,
    LARGEST_PART_BYTES,
    MACHINE_KINDS,
    MOST_EVIDENCE,
    READ_VERSIONS,
    Actor,
    Draft,
    Entry,
    EntryError,
    Evidence,
    EvidenceReference,
    Proof,
    Stamp,
)

if TYPE_CHECKING:
    from datetime import datetime

_CANONICAL = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode
_ENVELOPE_BYTES = 8192
"""More than all fields beside ``open`` and ``evidence`` take: 448 letters of six bytes at most."""
_REFERENCE_BYTES = 256
_KEY = re.compile(r"[a-z0-9_]+")
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_MEDIA = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")
_LONGEST = {"type": 64, "subject": 256, "station": 64, "person": 128, "media": 100}


def utc_text(utc: datetime) -> str:
    """Return a time as entries have it: UTC, always with milliseconds."""
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def canonical(value: Json) -> bytes:
    """Return the canonical bytes of a value.

    Raises:
        EntryError: Something in it cannot stand in an entry.
    """
    return encode(_plain(value, "value", DEEPEST))


def encode(plain: Any) -> bytes:
    """Return the canonical bytes of what is plain already; a test holds it against a full RFC 8785 encoder.

    In our smaller world the standard library's encoder, which is in C, writes the canonical form:
    six times as fast as a full encoder in Python, which would be most of the cost of an entry.
    """
    return _CANONICAL(plain).encode()


def prepare(draft: Draft) -> Draft:
    """Return the draft as a copy that nobody else holds, or refuse while the caller still listens.

    Raises:
        RefusedError: A kind that only a person may write, without a person.
        EntryError: A field out of bounds or of the wrong shape.
    """
    if draft.kind not in KINDS:
        raise EntryError(f"kind {draft.kind!r}: want .1 to .14 or system")
    if not draft.actor.person and draft.kind not in MACHINE_KINDS:
        raise RefusedError(f"an entry of kind {draft.kind} needs a named person")
    _check_text("type", draft.type, _TYPE)
    _check_text("subject", draft.subject)
    _check_text("station", draft.actor.station)
    _check_text("person", draft.actor.person)
    _check_evidence(draft.evidence)
    shown = _plain_object(draft.open, "open")
    size = len(encode(shown)) + _REFERENCE_BYTES * len(draft.evidence) + _ENVELOPE_BYTES
    if size > LARGEST_ENTRY_BYTES:
        raise EntryError(f"open: the entry would take {size} bytes, at most {LARGEST_ENTRY_BYTES}")
    return replace(draft, open=shown, parts=_plain_parts(draft.parts))


def compose(
    draft: Draft,
    stamp: Stamp,
    *,
    segment: int,
    seq: int,
    bseq: int | None,
    part_hashes: Mapping[str, str],
) -> Entry:
    """Return the entry of a checked draft."""
    references = tuple(evidence.reference() for evidence in draft.evidence)
    body: dict[str, Any] = {
        "v": ENTRY_VERSION,
        "segment": segment,
        "seq": seq,
        "bseq": bseq,
        "at": stamp.at,
        "clock": stamp.clock.value,
        "up_ms": stamp.up_ms,
        "boot": stamp.boot,
        "kind": draft.kind,
        "type": draft.type,
        "actor": {
            "station": draft.actor.station,
            "person": draft.actor.person,
            "proof": draft.actor.proof.value,
        },
        "subject": draft.subject,
        "class": draft.classification.value,
        "open": draft.open,
        "parts": part_hashes,
        "evidence": [
            {"sha256": each.sha256, "size": each.size, "media": each.media} for each in references
        ],
    }
    return Entry(
        segment=segment,
        seq=seq,
        bseq=bseq,
        stamp=stamp,
        kind=draft.kind,
        type=draft.type,
        actor=draft.actor,
        subject=draft.subject,
        classification=draft.classification,
        open=draft.open,
        parts=part_hashes,
        evidence=references,
        body=encode(body).decode(),
    )


def parse(text: str) -> Entry:
    """Return the entry of a stored body; for our own store, which has checked its hash.

    Raises:
        RecordError: Not an entry of a version that we know.
    """
    try:
        body = json.loads(text)
        if body["v"] not in READ_VERSIONS:
            raise RecordError(f"an entry of version {body['v']}: a newer ispsd wrote it")
        return Entry(
            segment=body["segment"],
            seq=body["seq"],
            bseq=body["bseq"],
            stamp=Stamp(
                at=body["at"],
                clock=ClockStatus(body["clock"]),
                up_ms=body["up_ms"],
                boot=body["boot"],
            ),
            kind=body["kind"],
            type=body["type"],
            actor=Actor(
                body["actor"]["station"], body["actor"]["person"], Proof(body["actor"]["proof"])
            ),
            subject=body["subject"],
            classification=Classification(body["class"]),
            open=body["open"],
            parts=body["parts"],
            evidence=tuple(EvidenceReference(**each) for each in body["evidence"]),
            body=text,
        )
    except (ValueError, KeyError, TypeError) as err:
        raise RecordError(f"not an entry: {text[:80]!r}") from err


def parse_object(text: str) -> dict[str, Json]:
    """Return a stored object: a part, or a thing of the current state.

    Raises:
        RecordError: Not an object.
    """
    try:
        value = json.loads(text)
    except ValueError as err:
        raise RecordError(f"not JSON: {text[:80]!r}") from err
    if not isinstance(value, dict):
        raise RecordError(f"not an object: {text[:80]!r}")
    return value


def part_hash(salt: bytes, part: bytes) -> str:
    """Return how an entry commits to a part; the salt keeps a short part from being guessed."""
    return sha256(salt + part).hexdigest()


def _plain_parts(
    parts: Mapping[Classification, Mapping[str, Json]],
) -> dict[Classification, dict[str, Json]]:
    plain = {}
    for name, part in parts.items():
        shown = _plain_object(part, f"parts.{name}")
        size = len(encode(shown))
        if size > LARGEST_PART_BYTES:
            raise EntryError(f"parts.{name}: {size} bytes, at most {LARGEST_PART_BYTES}")
        plain[Classification(name)] = shown
    return plain


def _check_evidence(evidence: tuple[Evidence, ...]) -> None:
    if len(evidence) > MOST_EVIDENCE:
        raise EntryError(f"evidence: {len(evidence)} pieces, at most {MOST_EVIDENCE}")
    for index, each in enumerate(evidence):
        _check_text("media", each.media, _MEDIA)
        if len(each.body) > LARGEST_EVIDENCE_BYTES:
            raise EntryError(
                f"evidence[{index}]: {len(each.body)} bytes, at most {LARGEST_EVIDENCE_BYTES}"
            )


def _check_text(place: str, text: str | None, shape: re.Pattern[str] | None = None) -> None:
    if text is None:
        return
    if len(text) > _LONGEST[place]:
        raise EntryError(f"{place}: {len(text)} characters, at most {_LONGEST[place]}")
    if shape is not None and not shape.fullmatch(text):
        raise EntryError(f"{place} {text!r}: want {shape.pattern}")
    _plain(text, place, 0)


def _plain_object(value: Mapping[str, Json], place: str) -> dict[str, Json]:
    plain = _plain(value, place, DEEPEST)
    if not isinstance(plain, dict):
        raise EntryError(f"{place}: want an object")
    return plain


def _plain(value: Json, place: str, deeper: int) -> Json:
    """Return a copy in the plainest types; ``place`` is for the person who reads the error."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise EntryError(f"{place}: half a character (a lone surrogate)")
        return str(value)
    if isinstance(value, int):
        if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            raise EntryError(f"{place}: {value} is beyond 2^53 - 1; write it as text")
        return int(value)
    if isinstance(value, float):
        raise EntryError(f"{place}: {value} is a float; use an integer of a smaller unit, or text")
    if deeper == 0:
        raise EntryError(f"{place}: nested deeper than {DEEPEST}")
    if isinstance(value, Mapping):
        return {
            _key(key, place): _plain(inner, f"{place}.{key}", deeper - 1)
            for key, inner in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(inner, f"{place}[{index}]", deeper - 1) for index, inner in enumerate(value)]
    raise EntryError(f"{place}: {type(value).__name__} cannot stand in JSON")


def _key(key: str, place: str) -> str:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise EntryError(f"{place}: key {key!r}: want [a-z0-9_]+")
    return str(key)
