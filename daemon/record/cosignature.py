"""What does a witness put its name under, and how is it asked? The formats of C2SP, to the byte.

A cosignature (https://c2sp.org/tlog-cosignature, v1) says: at this time this was the largest head that I have seen of
this log, and it grew out of the one that I had seen before. A request (https://c2sp.org/tlog-witness, add-checkpoint)
is the size that the witness is thought to know, the proof of growth from there, a blank line and the checkpoint.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from daemon.errors import RecordError
from daemon.record.checkpoint import KEY_ID_BYTES
from daemon.record.merkle import HASH_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

COSIGNATURE: Final = b"\x04"
"""The signature type of C2SP signed-note for a timestamped Ed25519 cosignature."""
MOST_PROOF_LINES: Final = 63
LONGEST_NAME: Final = 100
LONGEST_LINE: Final = 300
"""Of a cosignature: 104 characters of base64 behind the name."""
MOST_LINES: Final = 16
"""Signature lines of one answer that are looked at."""
LARGEST_REQUEST: Final = 16 * 1024
"""Bytes: 63 lines of proof take 2.8 kB, a checkpoint with other people's lines at most 8 kB."""
EARLIEST_S: Final = 1_577_836_800
"""2020-01-01 UTC, in seconds since 1970: before there was such a record, no witness signed one."""
LATEST_S: Final = 253_402_300_799
"""The last second that the calendar has, in the year 9999."""
AHEAD_S: Final = 24 * 3600
"""So far the clock of a witness may be ahead of ours."""
SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}")

_VKEY: Final = re.compile(r"([!-*,-~]{1,100})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")
_LINE: Final = re.compile(r"— ([!-~]{1,100}) ([A-Za-z0-9+/]+={0,2})\n")
_PROOF_LINE: Final = re.compile(r"[A-Za-z0-9+/]{43}=")
_TIME_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Verifier:
    """Somebody's public key and the name that it goes by: a vkey line, read.

    Attributes:
        type: ``ED25519`` for a log, ``COSIGNATURE`` for a witness.
    """

    name: str
    key: Ed25519PublicKey
    type: bytes

    def id(self) -> bytes:
        """Return the short hash by which a signature line names the key."""
        named = self.name.encode() + b"\n" + self.type + self.key.public_bytes_raw()
        return sha256(named).digest()[:KEY_ID_BYTES]

    def line(self) -> str:
        """Return the vkey line, without its newline."""
        encoded = base64.b64encode(self.type + self.key.public_bytes_raw()).decode()
        return f"{self.name}+{self.id().hex()}+{encoded}"


def is_key(line: str) -> bool:
    """Return whether a line has the form of a vkey."""
    return _VKEY.fullmatch(line) is not None


def verifier(line: str, *, of: bytes) -> Verifier:
    """Read a vkey line (https://c2sp.org/signed-note#verifier-keys).

    Raises:
        RecordError: Not a vkey, of another signature type, or its short hash does not fit.
    """
    match = _VKEY.fullmatch(line.strip())
    if match is None:
        raise RecordError("not a public key line: want name+8 hex digits+base64 (vkey)")
    material = base64.b64decode(match[3])
    if material[:1] != of:
        raise RecordError(
            f"the key of {match[1]} is of signature type 0x{material[0]:02x}, want 0x{of[0]:02x}"
        )
    found = Verifier(match[1], Ed25519PublicKey.from_public_bytes(material[1:]), of)
    if found.id().hex() != match[2]:
        raise RecordError(f"the key line of {match[1]} was mistyped: its short hash does not fit")
    return found


def cosign(key: Ed25519PrivateKey, *, name: str, text: str, time_s: int) -> str:
    """Return the line with which a witness signs a checkpoint's text at a time, with its newline.

    Args:
        key: The witness's.
        name: Of the witness.
        text: Origin, size and root, each with its newline: the note up to its blank line.
        time_s: Seconds since 1970, UTC.
    """
    by = Verifier(name, key.public_key(), COSIGNATURE)
    signed = by.id() + time_s.to_bytes(_TIME_BYTES) + key.sign(_message(text, time_s))
    return f"— {name} {base64.b64encode(signed).decode()}\n"


def cosigned_at(line: str, by: Verifier, *, text: str) -> int:
    """Return when a witness signed a checkpoint's text, in seconds since 1970.

    Raises:
        RecordError: Not its line, or it does not verify.
    """
    match = _LINE.fullmatch(line)
    if match is None or match[1] != by.name:
        raise RecordError(f"not a signature line of {by.name}")
    try:
        signed = base64.b64decode(match[2], validate=True)
        if signed[:KEY_ID_BYTES] != by.id():
            raise RecordError(f"signed as {by.name}, with another key than the one that is known")
        time = signed[KEY_ID_BYTES:][:_TIME_BYTES]
        signature = signed[KEY_ID_BYTES + _TIME_BYTES :]
        by.key.verify(signature, _message(text, int.from_bytes(time)))
    except (binascii.Error, InvalidSignature) as err:
        raise RecordError(f"the cosignature of {by.name} does not verify") from err
    return int.from_bytes(time)


def own_line(answer: str, by: Verifier, *, text: str) -> tuple[str, int]:
    """Return the line of an answer that this witness signed, and when; lines of other keys are passed over.

    Raises:
        RecordError: None of it is, or one that says so does not verify.
    """
    for line in answer.splitlines(keepends=True)[:MOST_LINES]:
        if len(line) <= LONGEST_LINE and _is_by(line, by):
            return line, cosigned_at(line, by, text=text)
    raise RecordError(f"the answer has no signature line of {by.name}")


def refuse_time(time_s: int, *, now_s: float | None) -> None:
    """Refuse a cosignature of a time that cannot be, in other units perhaps: it would be in the record for ever.

    Args:
        time_s: When the witness says it signed, in seconds since 1970.
        now_s: The time now; None: our clock is not set.

    Raises:
        RecordError: Before there was such a record, or later than a day from now.
    """
    latest_s = LATEST_S if now_s is None else now_s + AHEAD_S
    if not EARLIEST_S <= time_s <= latest_s:
        raise RecordError(
            f"signed at a time that cannot be ({time_s} seconds since 1970): see to the clock of the witness, and "
            "to this computer's"
        )


def body_of(note: str) -> str:
    """Return what a checkpoint's signatures sign: all before the blank line, with its newline."""
    return note.partition("\n\n")[0] + "\n"


@dataclass(frozen=True, slots=True)
class Request:
    """What a witness is asked to sign.

    Attributes:
        old: The size that the witness is thought to know; 0: none.
        proof: That the tree of that size is the beginning of the new one.
        note: The new checkpoint, signed by the log.
    """

    old: int
    proof: tuple[bytes, ...]
    note: str

    def encode(self) -> bytes:
        lines = [f"old {self.old}", *(base64.b64encode(each).decode() for each in self.proof)]
        return ("\n".join(lines) + "\n\n" + self.note).encode()


def request(body: bytes) -> Request:
    """Read a request.

    Raises:
        RecordError: It is none; the message says what is wrong with it.
    """
    if len(body) > LARGEST_REQUEST:
        raise RecordError(f"a request has at most {LARGEST_REQUEST} bytes")
    try:
        head, blank, note = body.decode().partition("\n\n")
    except UnicodeDecodeError as err:
        raise RecordError("a request is UTF-8") from err
    first, *lines = head.split("\n")
    if not blank or not first.startswith("old ") or SIZE.fullmatch(first[4:]) is None:
        raise RecordError("a request begins with a line 'old <size>' and ends with the checkpoint")
    if len(lines) > MOST_PROOF_LINES:
        raise RecordError(f"a proof has at most {MOST_PROOF_LINES} lines")
    return Request(int(first[4:]), tuple(_hashes(lines)), note)


def _hashes(lines: Iterable[str]) -> Iterable[bytes]:
    for line in lines:
        if _PROOF_LINE.fullmatch(line) is None or len(each := base64.b64decode(line)) != HASH_BYTES:
            raise RecordError("a line of the proof is not a hash in base64")
        yield each


def _is_by(line: str, by: Verifier) -> bool:
    match = _LINE.fullmatch(line)
    if match is None or match[1] != by.name:
        return False
    try:
        return base64.b64decode(match[2], validate=True)[:KEY_ID_BYTES] == by.id()
    except binascii.Error:
        return False


def _message(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()
