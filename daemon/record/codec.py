"""How does a draft become the bytes of an entry, and how are they read back?

Canonical JSON (RFC 8785) of a smaller world: no floats, integers that every reader holds exactly,
keys of lower-case ASCII. In that world the canonical form is sorted keys, no blanks and the
shortest escapes.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, ClockStatus, Json
from daemon.record.entry import (
    DEEPEST,
    ENTRY_VERSION,
    KINDS,
    LARGEST_ENTRY_BYTES,
    LARGEST_EVIDENCE_BYTES,
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
from daemon.record.plain import plain_copy, plain_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, check_circular=False, separators=(",", ":")
)
_quoted = json.encoder.encode_basestring
_ENVELOPE_BYTES = 8192
"""More than all fields beside ``open`` and ``evidence`` take: 448 letters of six bytes at most."""
_REFERENCE_BYTES = 256
LONGEST_TIME = len("2026-11-22T02:10:00.000")
KNOWN_TEXTS = 4096
"""Types and names of which it is remembered that they are in order: a ship has some hundred."""
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_MEDIA = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")
_LONGEST = {"type": 64, "subject": 256, "station": 64, "person": 128, "media": 100}


def utc_text(utc: datetime) -> str:
    """Return a time as entries have it: UTC, always with milliseconds."""
    return utc.isoformat(timespec="milliseconds")[:LONGEST_TIME] + "Z"


def canonical(value: Json) -> bytes:
    """Return the canonical bytes of a value.

    Raises:
        EntryError: Something in it cannot stand in an entry.
    """
    return encode(plain_copy(value, "value", DEEPEST))


def encode(plain: Any) -> bytes:
    """Return the canonical bytes of what is plain already; a test holds it against a full RFC 8785 encoder."""
    return canonical_text(plain).encode()


def _encoder() -> Callable[[Any], str]:
    """Return how a text is made: ``JSONEncoder`` makes its encoder in C anew for each, which takes longer than most."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _ENCODER.encode
    in_c = make(
        None, _ENCODER.default, _quoted, None, _ENCODER.key_separator, _ENCODER.item_separator,
        _ENCODER.sort_keys, _ENCODER.skipkeys, _ENCODER.allow_nan,
    )  # fmt: skip
    return lambda plain: "".join(in_c(plain, 0))


canonical_text: Final = _encoder()
"""Returns the canonical text of what is plain already.

In our smaller world the standard library's encoder, which is in C, writes the canonical form: six times as fast as a
full encoder in Python, which would be most of the cost of an entry."""


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
    shown = plain_object(draft.open, "open")
    shown_text = canonical_text(shown)
    size = len(shown_text.encode()) + _REFERENCE_BYTES * len(draft.evidence) + _ENVELOPE_BYTES
    if size > LARGEST_ENTRY_BYTES:
        raise EntryError(f"open: the entry would take {size} bytes, at most {LARGEST_ENTRY_BYTES}")
    return Draft(
        kind=draft.kind,
        type=draft.type,
        subject=draft.subject,
        classification=draft.classification,
        actor=draft.actor,
        open=shown,
        parts=_plain_parts(draft.parts),
        evidence=draft.evidence,
        open_text=shown_text,
    )


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
    actor = draft.actor
    # The fields in the order of their names: what a text of the whole would say, without making ``open`` once more.
    body = (
        f'{{"actor":{{"person":{_optional(actor.person)},"proof":{_quoted(actor.proof.value)},'
        f'"station":{_optional(actor.station)}}},"at":{_quoted(stamp.at)},"boot":{_quoted(stamp.boot)},'
        f'"bseq":{"null" if bseq is None else bseq},"class":{_quoted(draft.classification.value)},'
        f'"clock":{_quoted(stamp.clock.value)},"evidence":{_evidence_text(references)},'
        f'"kind":{_quoted(draft.kind)},"open":{draft.open_text or canonical_text(draft.open)},'
        f'"parts":{canonical_text(part_hashes) if part_hashes else "{}"},"segment":{segment},"seq":{seq},'
        f'"subject":{_quoted(draft.subject)},"type":{_quoted(draft.type)},"up_ms":{stamp.up_ms},'
        f'"v":{ENTRY_VERSION}}}'
    )
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
        body=body,
    )


def _optional(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


def _evidence_text(references: Sequence[EvidenceReference]) -> str:
    if not references:
        return "[]"
    return canonical_text(
        [{"sha256": r.sha256, "size": r.size, "media": r.media} for r in references]
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
        shown = plain_object(part, f"parts.{name}")
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


@lru_cache(maxsize=KNOWN_TEXTS)
def _check_text(place: str, text: str | None, shape: re.Pattern[str] | None = None) -> None:
    if text is None:
        return
    if len(text) > _LONGEST[place]:
        raise EntryError(f"{place}: {len(text)} characters, at most {_LONGEST[place]}")
    if shape is not None and not shape.fullmatch(text):
        raise EntryError(f"{place} {text!r}: want {shape.pattern}")
    plain_copy(text, place, 0)
