"""What does a witness know, and how does it lie on its disk? One folder that outlives any crash.

Check, store and sign are one step under a lock, and the new head is on disk before the cosignature leaves: after a
crash at any moment the witness knows at least every head that it ever signed, and asking again is answered again
(https://c2sp.org/tlog-witness: persist before responding, atomically with the check).

::

    witness.key      its key (0600)           heads/ispsd_9434761_1.note   the newest head of each log, cosigned
    witness.pub      its vkey line            refused/*.json               what it refused, with what it knew
    trusted.txt      the ships' vkey lines    lock
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import RecordError, RefusedError
from daemon.record import checkpoint, cosignature, keys, witness
from daemon.record.cosignature import COSIGNATURE, Verifier
from daemon.record.durable import put
from daemon.record.sqlite import store_errors
from daemon.record.witness import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from daemon.record.checkpoint import Checkpoint
    from daemon.record.witness import Decision

KEY: Final = "witness.key"
PUBLIC: Final = "witness.pub"
TRUSTED: Final = "trusted.txt"
LARGEST_FILE: Final = 64 * 1024
MOST_SHIPS_KEYS: Final = 500
MOST_REFUSED: Final = 1000
"""Of each ground: a flood of replayed heads must not fill the witness's disk."""
PLAIN: Final = "text/plain; charset=utf-8"
SIZE: Final = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the ship.

    Attributes:
        reason: In words; it stands in the witness's own log.
    """

    status: int
    body: str
    reason: str
    content_type: str = PLAIN

    @property
    def text(self) -> str:
        """Return the answer as a file that is mailed: its number on the first line."""
        return f"{self.status}\n{self.body}"


class Store:
    """The folder of a witness. Every method is whole by itself; any number of processes may use it."""

    def __init__(self, folder: Path) -> None:
        """Touch nothing yet."""
        self.folder = folder

    def init(self, name: str) -> Verifier:
        """Make a witness with a key of its own; return its public key.

        Raises:
            RecordError: There is one already, the name cannot be one, or the disk refuses.
        """
        if not 1 <= len(name) <= cosignature.LONGEST_NAME or "+" in name or not _is_plain(name):
            raise RecordError(
                f"{name!r} is no witness's name: printable ASCII without spaces and +, "
                f"at most {cosignature.LONGEST_NAME} characters, such as wheelhouse-2.example"
            )
        with store_errors(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in ("heads", "refused"):
                (self.folder / part).mkdir(mode=0o700, exist_ok=True)
            if any((self.folder / "heads").iterdir()) or (self.folder / PUBLIC).exists():
                raise RecordError(f"{self.folder}: holds a witness already; it is left alone")
        key = keys.create(self.folder / KEY)
        made = Verifier(name, key.public_key(), COSIGNATURE)
        with store_errors(self.folder):
            put(self.folder / PUBLIC, made.line() + "\n")
        return made

    def name(self) -> Verifier:
        """Return the witness's own public key and name.

        Raises:
            RecordError: No witness, or not whole.
        """
        return cosignature.verifier(self._read(self.folder / PUBLIC), of=COSIGNATURE)

    def trust(self, line: str, *, new_key: bool = False) -> Verifier:
        """Have heads of a ship cosigned that this key signed; return it.

        Raises:
            RecordError: Not a ship's vkey line, or the disk refuses.
            RefusedError: The ship has another key already, and nobody said that this is her new one.
        """
        ship = cosignature.verifier(line, of=checkpoint.ED25519)
        if witness.PREFIX.fullmatch(ship.name) is None:
            raise RecordError(f"{ship.name!r} is no ship: want ispsd/<IMO number>")
        with self._locked():
            known = [key.line() for key in self._trusted()]
            if ship.line() in known:
                return ship
            if any(key.startswith(f"{ship.name}+") for key in known) and not new_key:
                raise RefusedError(
                    f"{ship.name} has another key here. Compare the new one with what the Master gives you by another "
                    "way (phone, paper), and with the old key's endorsement in the record; then say --new-key"
                )
            if len(known) >= MOST_SHIPS_KEYS:
                raise RecordError(f"a witness trusts at most {MOST_SHIPS_KEYS} keys")
            with store_errors(self.folder):
                put(self.folder / TRUSTED, "\n".join([*known, ship.line(), ""]))
        return ship

    def trusted(self) -> list[Verifier]:
        """Return the ships' keys, in the order in which they were trusted.

        Raises:
            RecordError: They cannot be read.
        """
        return self._trusted()

    def answer(self, body: bytes, *, utc: datetime) -> Answer:
        """Decide on a request and sign; the head is on disk when this returns.

        Raises:
            RecordError: The disk refuses, or what it holds is damaged: nothing was signed.
        """
        try:
            asked = cosignature.request(body)
        except RecordError as err:
            return Answer(Status.MALFORMED, f"{err}\n", str(err))
        with self._locked():
            heads = self.heads(asked.note.partition("\n")[0])
            decision = witness.decide(asked, trusted=self._by_ship(), heads=heads)
            if decision.head is not None:
                return self._sign(decision.head, decision.reason, utc)
            if decision.keep is not None:
                self._keep(decision, heads, body, utc)
        if decision.size is not None:
            return Answer(decision.status, f"{decision.size}\n", decision.reason, SIZE)
        return Answer(decision.status, f"{decision.reason}\n", decision.reason)

    def heads(self, origin: str | None = None) -> dict[str, Checkpoint]:
        """Return by log what was cosigned last: of one ship, or of all.

        Raises:
            RecordError: One of them is damaged. It is not forgotten: a witness that forgets signs two histories.
        """
        named = None if origin is None else witness.ORIGIN.fullmatch(origin)
        if origin is not None and named is None:
            return {}
        pattern = "*.note" if named is None else f"{named[1].replace('/', '_')}_*.note"
        found = {}
        keys_by_ship = self._by_ship()
        with store_errors(self.folder):
            paths = sorted((self.folder / "heads").glob(pattern))
        for path in paths:
            note = self._read(path)
            of = note.partition("\n")[0]
            key = witness.signed_by(note, of, keys_by_ship.get(witness.prefix_of(of), ()))
            if key is None or path.name != _file(of):
                raise RecordError(
                    f"{path}: the head that this witness signed is damaged, or its ship's key is missing in {TRUSTED}; "
                    "nothing is signed for this ship until it is put back"
                )
            found[of] = checkpoint.opened(note, key.key, origin=of)
        return found

    def newest(self, of: str) -> Checkpoint | None:
        """Return the newest head of a log, or of a ship's newest segment; None: none is known.

        Raises:
            RecordError: It is damaged.
        """
        if witness.PREFIX.fullmatch(of) is None:
            return self.heads(of).get(of)
        heads = self.heads(f"{of}/1").values()
        return max(heads, key=lambda head: witness.segment(head.origin), default=None)

    def refused(self) -> list[Mapping[str, Any]]:
        """Return what was refused and kept, the oldest first.

        Raises:
            RecordError: It cannot be read.
        """
        with store_errors(self.folder):
            paths = sorted((self.folder / "refused").glob("*.json"))
        try:
            kept = [{"file": str(path), **json.loads(self._read(path))} for path in paths]
        except (ValueError, TypeError) as err:
            raise RecordError(f"{self.folder / 'refused'}: a file in it is damaged: {err}") from err
        return sorted(kept, key=lambda each: str(each.get("at")))

    def _sign(self, head: Checkpoint, reason: str, utc: datetime) -> Answer:
        own = self.name()
        key = keys.load(self.folder / KEY)
        if key.public_key().public_bytes_raw() != own.key.public_bytes_raw():
            raise RecordError(f"{self.folder}: {KEY} and {PUBLIC} do not belong together")
        text = cosignature.body_of(head.note)
        line = cosignature.cosign(key, name=own.name, text=text, time_s=int(utc.timestamp()))
        with store_errors(self.folder):
            put(self.folder / "heads" / _file(head.origin), witness.normal_note(head, line))
        return Answer(Status.SIGNED, line, reason)

    def _keep(
        self, decision: Decision, heads: Mapping[str, Checkpoint], body: bytes, utc: datetime
    ) -> None:
        refused, ground = decision.refused, decision.keep
        assert refused is not None and ground is not None  # noqa: S101, PT018 (a kept refusal has both)
        folder, kind = self.folder / "refused", ground.name.lower()
        digest = hashlib.sha256(cosignature.body_of(refused.note).encode()).hexdigest()
        path = folder / f"{kind}-{_file(refused.origin)[:-5]}-{refused.size}-{digest[:16]}.json"
        with store_errors(folder):
            if path.exists() or len(list(folder.glob(f"{kind}-*.json"))) >= MOST_REFUSED:
                return
            kept = {
                "at": f"{utc:%Y-%m-%dT%H:%M:%SZ}",
                "ground": ground.value,
                "reason": decision.reason,
                "known": heads[refused.origin].note,
                "refused": refused.note,
                "request": base64.b64encode(body).decode(),
            }
            put(path, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")

    def _by_ship(self) -> dict[str, list[Verifier]]:
        found: dict[str, list[Verifier]] = {}
        for key in self._trusted():
            found.setdefault(key.name, []).append(key)
        return found

    def _trusted(self) -> list[Verifier]:
        path = self.folder / TRUSTED
        if not path.exists():
            return []
        lines = self._read(path).splitlines()
        return [cosignature.verifier(line, of=checkpoint.ED25519) for line in lines if line]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep every other process out while one checks, stores and signs."""
        with store_errors(self.folder):
            self._read(self.folder / PUBLIC)
            if (owner := self.folder.stat().st_uid) != os.geteuid():
                # What another user writes here, root above all, the witness itself could not read.
                raise RecordError(
                    f"{self.folder}: belongs to user id {owner}; run this as that user"
                )
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with store_errors(self.folder):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _read(self, path: Path) -> str:
        with store_errors(path):
            with path.open("rb") as file:
                content = file.read(LARGEST_FILE + 1)
            if len(content) > LARGEST_FILE:
                raise RecordError(f"{path}: larger than {LARGEST_FILE} bytes")
        try:
            return content.decode()
        except UnicodeDecodeError as err:
            raise RecordError(f"{path}: not UTF-8") from err


def conflicting(refused: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether something that was kept proves that a ship's key signed two histories."""
    return any(each.get("ground") == witness.Ground.TWO_HEADS.value for each in refused)


def _file(origin: str) -> str:
    return origin.replace("/", "_") + ".note"


def _is_plain(name: str) -> bool:
    return name.isascii() and all("!" <= letter <= "~" for letter in name)
