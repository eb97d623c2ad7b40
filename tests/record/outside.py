"""Who stands outside of the ship, for tests: a witness that signs as C2SP tlog-cosignature has it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Witness:
    """One that has a name and a key."""

    name: str
    seed: bytes = b"the key of a witness, 32 bytes.."

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def _typed(self) -> bytes:
        return b"\x04" + self._key.public_key().public_bytes_raw()

    @property
    def _id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + self._typed).digest()[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self._id.hex()}+{base64.b64encode(self._typed).decode()}"

    def line(self, note: str, *, time_s: int) -> str:
        """Return its line, with the newline, for a note."""
        text = note.partition("\n\n")[0] + "\n"
        signature = self._key.sign(f"cosignature/v1\ntime {time_s}\n{text}".encode())
        whole = self._id + time_s.to_bytes(8, "big") + signature
        return f"— {self.name} {base64.b64encode(whole).decode()}\n"


SHORE = Witness("shore.example/ships")
MATE = Witness("second-computer", b"another witness's key, 32 bytes.")
MORNING_S = 1_795_336_200
"""2026-11-22 08:30 UTC: six hours after the entries of the tests."""
