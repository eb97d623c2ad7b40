"""What does a person sign with, and what exactly is signed?

An Ed25519 key of the person's own, kept under a key that only the PIN gives (argon2id, ChaCha20-Poly1305). The signed
text is that of ``docs/decisions/0013``.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from daemon.errors import IspsdError
from daemon.people import hashing
from daemon.people.hashing import RFC_9106, Hardness
from daemon.record import codec
from daemon.record.entry import Draft, Proof

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from daemon.model import Json

HEADING: Final = b"ispsd signed entry\n"
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


class SealedKeyError(IspsdError):
    """A person's key cannot be opened: another PIN sealed it, or its bytes are not what they were."""


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A person's key as it lies in the file.

    Attributes:
        public: The raw public half.
        sealed: The private half, readable with the PIN alone.
    """

    public: bytes
    salt: bytes
    nonce: bytes
    sealed: bytes = field(repr=False)
    hardness: Hardness = RFC_9106


def made(person: str, pin: str, *, salt: bytes, nonce: bytes, hardness: Hardness) -> SealedKey:
    """Return a new key, sealed with the PIN."""
    cipher = _cipher(pin, salt, hardness)
    return _sealed(
        Ed25519PrivateKey.generate(), person, cipher, SealedKey(b"", salt, nonce, b"", hardness)
    )


def sealed_again(
    key: SealedKey,
    person: str,
    *,
    old: str,
    new: str,
    salt: bytes,
    nonce: bytes,
    hardness: Hardness,
) -> SealedKey:
    """Return the same key, sealed with a new PIN.

    Raises:
        SealedKeyError: The old one does not open it.
    """
    cipher = _cipher(new, salt, hardness)
    return _sealed(
        _opened(key, person, old), person, cipher, SealedKey(b"", salt, nonce, b"", hardness)
    )


def signer(key: SealedKey, person: str, pin: str, *, utc: Callable[[], datetime]) -> Signer:
    """Return what signs for a person who has just given his PIN.

    Raises:
        SealedKeyError: The PIN does not open the key.
    """
    return Signer(person, _opened(key, person, pin), utc)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs entries for one person, for as long as one act takes."""

    person: str
    _key: Ed25519PrivateKey = field(repr=False)
    _utc: Callable[[], datetime] = field(repr=False)

    @property
    def public(self) -> str:
        """Return the public half as entries have it."""
        return text(self._key.public_key().public_bytes_raw())

    def signed(self, draft: Draft) -> Draft:
        """Return the draft with this person's signature over what it says.

        Raises:
            EntryError: What it says cannot stand in an entry.
        """
        said = {**draft.open, "said_at": codec.utc_text(self._utc())}
        signature = self._key.sign(signed_text(self.person, draft.type, draft.subject, said))
        return replace(
            draft,
            actor=replace(draft.actor, person=self.person, proof=Proof.SIGNATURE),
            open={**said, "signed": {"key": self.public, "signature": text(signature)}},
        )


def signed_text(person: str, type_: str, subject: str, said: Mapping[str, Json]) -> bytes:
    """Return the bytes that are signed.

    Raises:
        EntryError: Something in them cannot stand in an entry.
    """
    shown = {name: value for name, value in said.items() if name != "signed"}
    codec.canonical(shown)  # refuses what the encoder below would let through
    return HEADING + codec.encode(
        {
            "at": shown.get("said_at"),
            "open": shown,
            "person": person,
            "subject": subject,
            "type": type_,
        }
    )


def is_signed(draft: Draft, public: bytes) -> bool:
    """Return whether a draft carries that key's signature over what it says."""
    signed = draft.open.get("signed")
    if not isinstance(signed, dict) or signed.get("key") != text(public):
        return False
    try:
        signature = base64.b64decode(str(signed.get("signature")), validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(
            signature,
            signed_text(draft.actor.person or "", draft.type, draft.subject, draft.open),
        )
    except (ValueError, InvalidSignature):
        return False
    return True


def text(raw: bytes) -> str:
    """Return bytes as entries have them."""
    return base64.b64encode(raw).decode()


def _cipher(pin: str, salt: bytes, hardness: Hardness) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(hashing.derived(pin, salt, hardness))


def _sealed(
    key: Ed25519PrivateKey, person: str, cipher: ChaCha20Poly1305, blank: SealedKey
) -> SealedKey:
    # Bound to the name, so that nobody signs as another by moving a line of the file.
    sealed = cipher.encrypt(blank.nonce, key.private_bytes_raw(), person.encode())
    return replace(blank, public=key.public_key().public_bytes_raw(), sealed=sealed)


def _opened(key: SealedKey, person: str, pin: str) -> Ed25519PrivateKey:
    cipher = _cipher(pin, key.salt, key.hardness)
    try:
        raw = cipher.decrypt(key.nonce, key.sealed, person.encode())
    except InvalidTag as err:
        raise SealedKeyError(
            f"the key of {person} does not open; a reset of the PIN makes a new one"
        ) from err
    opened = Ed25519PrivateKey.from_private_bytes(raw)
    if opened.public_key().public_bytes_raw() != key.public:
        raise SealedKeyError(f"the key of {person} is not the one that the record knows")
    return opened
