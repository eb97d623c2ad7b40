"""What does the ship put its name under? A checkpoint: origin, size and root of the tree, signed.

Signed notes as C2SP has them (https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint), so
that verifiers which we did not write can check them. The name of the key is the origin,
``ispsd/<IMO>/<segment>``, so a signature for one segment cannot stand under another.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature

from daemon.errors import RecordError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

ED25519 = b"\x01"
"""The signature type of C2SP signed-note for plain Ed25519."""
KEY_ID_BYTES = 4
LONGEST_NOTE = 8192
"""Ours takes about 250 characters; cosignatures may stand below."""

_BODY = re.compile(r"([!-~]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n")
_SIGNATURE = re.compile(r"— ([!-~]+) ([A-Za-z0-9+/]+={0,2})\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a segment at one moment.

    Attributes:
        note: The whole signed note, as stored, published and printed.
    """

    origin: str
    size: int
    root: bytes
    note: str

    def digest(self) -> str:
        """Return the SHA-256 of the note, in hex: what the next segment commits to."""
        return sha256(self.note.encode()).hexdigest()


def sign(key: Ed25519PrivateKey, *, origin: str, size: int, root: bytes) -> Checkpoint:
    """Return the signed checkpoint; Ed25519 has no chance in it: one head, one note."""
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    return Checkpoint(origin, size, root, text + "\n" + signature_line(key, name=origin, text=text))


def signature_line(key: Ed25519PrivateKey, *, name: str, text: str) -> str:
    """Return the line that signs a text under a name, with its newline."""
    signature = key_id(name, key.public_key()) + key.sign(text.encode())
    return f"— {name} {base64.b64encode(signature).decode()}\n"


def unverified(note: str) -> Checkpoint:
    """Return the checkpoint of a note, whoever signed it; nothing of it is proven.

    Raises:
        RecordError: Not a checkpoint.
    """
    body = _BODY.fullmatch(note.partition("\n\n")[0] + "\n")
    if not is_checkpoint(note) or body is None:
        raise RecordError("not a checkpoint: want origin, size, root, a blank line and signatures")
    return Checkpoint(body[1], int(body[2]), base64.b64decode(body[3]), note)


def is_checkpoint(note: str) -> bool:
    """Tell whether a note has the form of a checkpoint, whoever signed it."""
    text, blank, _ = note.partition("\n\n")
    return len(note) <= LONGEST_NOTE and bool(blank) and _BODY.fullmatch(text + "\n") is not None


def opened(note: str, key: Ed25519PublicKey, *, origin: str) -> Checkpoint:
    """Return the checkpoint of a note that this key signed under this origin.

    Raises:
        RecordError: Not a checkpoint, of another origin, or not signed by this key.
    """
    text, blank, signatures = note.partition("\n\n")
    text += "\n"
    body = _BODY.fullmatch(text)
    if len(note) > LONGEST_NOTE or not blank or body is None:
        raise RecordError("not a checkpoint: want origin, size, root, a blank line and signatures")
    if body[1] != origin:
        raise RecordError(f"a checkpoint of {body[1]}, not of {origin}")
    if not _is_signed(text, signatures, key, name=origin):
        raise RecordError(f"the checkpoint of {origin} at {body[2]} is not signed by this key")
    return Checkpoint(origin, int(body[2]), base64.b64decode(body[3]), note)


def names_another_key(note: str, key: Ed25519PublicKey, *, origin: str) -> bool:
    """Tell whether a note is signed under its origin, but by the word of its key ids not with this key."""
    lines = note.partition("\n\n")[2].splitlines(keepends=True)
    found = [match for match in map(_SIGNATURE.fullmatch, lines) if match and match[1] == origin]
    ours = base64.b64encode(key_id(origin, key)).decode()[:5]
    # Five characters are 30 of the key id's 32 bits, and need no decoding of what may be damaged.
    return bool(found) and not any(match[2].startswith(ours) for match in found)


def key_id(name: str, key: Ed25519PublicKey) -> bytes:
    """Return the short hash by which a note's signature names its key."""
    named = name.encode() + b"\n" + ED25519 + key.public_bytes_raw()
    return sha256(named).digest()[:KEY_ID_BYTES]


def verifier_key(name: str, key: Ed25519PublicKey) -> str:
    """Return the public key in the one-line form that verifiers of notes read (``vkey``)."""
    encoded = base64.b64encode(ED25519 + key.public_bytes_raw()).decode()
    return f"{name}+{key_id(name, key).hex()}+{encoded}"


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return what people compare: five groups of four hexadecimal digits, of SHA-256 of the raw key."""
    digest = sha256(key.public_bytes_raw()).hexdigest().upper()
    return " ".join(digest[begin : begin + 4] for begin in range(0, 20, 4))


def endorsement_text(*, prefix: str, vkey: str, previous_root: bytes) -> bytes:
    """Return what the old key signs to vouch for a new one (decision 0013)."""
    return f"ispsd new key\n{prefix}\n{vkey}\n{previous_root.hex()}\n".encode()


def endorse(old: Ed25519PrivateKey, *, prefix: str, vkey: str, previous_root: bytes) -> str:
    """Return the old key's word for a new one, in base64."""
    text = endorsement_text(prefix=prefix, vkey=vkey, previous_root=previous_root)
    return base64.b64encode(old.sign(text)).decode()


def _is_signed(text: str, signatures: str, key: Ed25519PublicKey, *, name: str) -> bool:
    """Tell whether our signature is among the lines; other people's lines are theirs to judge."""
    wanted_id = key_id(name, key)
    for line in signatures.splitlines(keepends=True):
        match = _SIGNATURE.fullmatch(line)
        if match is None:
            return False
        if match[1] != name:
            continue
        try:
            signature = base64.b64decode(match[2], validate=True)
            if signature[:KEY_ID_BYTES] == wanted_id:
                key.verify(signature[KEY_ID_BYTES:], text.encode())
                return True
        except (binascii.Error, InvalidSignature):
            return False
    return False
