"""Is this PIN right? One guess at a time, in a thread of its own, so that guessing costs time and nobody waits for it.

A wrong one counts even when whoever gave it has hung up. What is counted lies in the file with the hashes, so that
a restart forgets nothing. A disk that hangs or fails keeps nobody from proving to be himself; only a new PIN has to
be on the disk before it counts.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from daemon.computer import logs
from daemon.errors import RefusedError
from daemon.model import ClockStatus
from daemon.people import credentials, hashing, personkey
from daemon.people.credentials import Credential, CredentialsError, Moment
from daemon.people.knocks import Knocks
from daemon.people.lockout import FRESH, TRIES, Tries
from daemon.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime
    from pathlib import Path

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.people.hashing import Hardness
    from daemon.people.personkey import Signer

_T = TypeVar("_T")
MOST_WAITING: Final = 8
"""Guesses that may wait for their turn; more are a flood."""
WAIT_FOR_DISK_S: Final = 1.0
"""How long a count waits for the disk; it counts in memory already."""
NEW_ON_DISK_S: Final = 10.0
"""How long a new PIN waits for the disk before it is refused."""
READ_S: Final = 5.0
"""A file that cannot be read by then is as good as unreadable until it is; the watch begins without it."""


class Proofs:
    """Everybody's PIN, and the code in the sealed envelope."""

    def __init__(
        self,
        path: Path | None,
        *,
        clock: Clock,
        entropy: Entropy,
        hardness: Hardness = hashing.RFC_9106,
    ) -> None:
        """Touch nothing yet.

        Args:
            path: The file; None: nobody has a PIN.
            clock: For locks.
            entropy: For salts.
            hardness: What one guess costs.
        """
        self._path = path
        self._clock = clock
        self._entropy = entropy
        self._hardness = hardness
        self._held: dict[str, Credential] = {}
        self._one = asyncio.Lock()
        self._running: set[asyncio.Future[Any]] = set()
        self._reading: asyncio.Future[dict[str, Credential]] | None = None
        self._hasher = Worker("pins")
        self._disk = Worker("pins-disk")
        self._log = logs.get("people")
        self._nobody = _nobodys_hash(hardness)
        self._strangers = FRESH
        self._knocks = Knocks()
        self.unreadable: str | None = None
        """Why nobody can prove anything; None where the file could be read."""
        self.on_lock: Callable[[str, str | None], None] = lambda *_: None
        """Told whose PIN has just been locked, and at which station it was guessed."""
        self.on_change: Callable[[str], None] = lambda _: None
        """Told whose PIN is another now, or none any more."""

    async def open(self) -> None:
        """Read the file; where that fails, nobody can prove anything, and the watch goes on.

        What a slow disk brings later counts from then on.
        """
        path, now = self._path, self._now()
        if path is None:
            return
        reading = asyncio.ensure_future(self._disk.call(lambda: credentials.read(path, now)))
        self._reading = reading
        await asyncio.wait({reading}, timeout=READ_S)
        if reading.done():
            self._take(reading)
            return
        self._cannot_read(f"{path}: the disk does not answer")
        reading.add_done_callback(self._take)

    def close(self) -> None:
        """Let the threads end after what they were asked."""
        if self._reading is not None:
            self._reading.cancel()
        self._hasher.finish()
        self._disk.finish()

    def names(self) -> frozenset[str]:
        """Return who has a PIN."""
        return frozenset(self._held) - {credentials.ENVELOPE}

    def has(self, name: str) -> bool:
        return name in self._held

    def public_key(self, name: str) -> bytes | None:
        """Return what this person's signatures are held against."""
        held = self._held.get(name)
        return held.key.public if held is not None and held.key is not None else None

    def locked(self) -> dict[str, datetime]:
        """Return whose PIN is locked now, and until when."""
        now_s, now_utc = self._clock.now_s(), self._clock.utc()
        left = {name: held.tries.locked_for_s(now_s) for name, held in self._held.items()}
        return {name: now_utc + timedelta(seconds=s) for name, s in left.items() if s}

    async def check(
        self,
        name: str | None,
        pin: str,
        *,
        station: str | None = None,
        what: str = "PIN",
    ) -> None:
        """Hold a PIN against what is kept; for a name that nobody has (None) it takes as long.

        Args:
            name: Whose.
            pin: As it was typed.
            station: Where; None at ispsd's own computer.
            what: What it is called in a refusal.

        Raises:
            RefusedError: Wrong, locked, or too many are being checked; how many tries are left is said.
        """
        await self._in_turn(self._attempt(name, pin, station, what))

    async def knock(self, name: str | None, pin: str, *, place: str, station: str) -> bool:
        """Return whether a PIN is right at a door where anybody may try.

        What is wrong there locks there (``Knocks``) and nowhere else, or every stranger could keep the SSO and the
        Master from what they do with their PINs elsewhere. A name that nobody has and one that is locked cost as much
        as any other, so whoever opens such a door bounds how often it is tried.

        Args:
            name: Whose; None: nobody's.
            pin: As it was typed.
            place: From where.
            station: What the entry of a lock calls the door.

        Raises:
            RefusedError: Too many are being checked, or none can be.
        """
        return await self._in_turn(self._knocked(name, pin, place, station))

    async def set(self, name: str, pin: str, *, old: str | None, signs: bool) -> bytes | None:
        """Keep a new PIN; return the public half of a signing key that is new, None where none is.

        Args:
            name: Whose.
            pin: The new one, checked against the rules.
            old: The one before, which has just been checked; with it the same key goes on.
            signs: Whether this person signs.

        Raises:
            RefusedError: It cannot be put on disk, and the one before still counts; or none can be checked now.
        """
        # Now, not in its turn: the file may be read meanwhile, and a first PIN would replace one that nobody asked for.
        self._must_be_readable()
        return await self._in_turn(self._set(name, pin, old, signs=signs))

    async def forget(self, name: str) -> None:
        """Let a PIN, and the key behind it, be no more.

        Raises:
            RefusedError: It cannot be put on disk.
        """
        await self._in_turn(self._keep(name, None))

    async def signer(self, name: str, pin: str) -> tuple[Signer, bool]:
        """Return what signs for a person whose PIN has just been checked, and whether its key is new.

        Raises:
            RefusedError: The key does not open, or a new one cannot be put on disk.
        """
        return await self._in_turn(self._signer(name, pin))

    def _take(self, reading: asyncio.Future[dict[str, Credential]]) -> None:
        """Take what stands in the file, or why it cannot be read."""
        if reading.cancelled():
            return
        try:
            held = reading.result()
        except CredentialsError as err:
            self._cannot_read(str(err))
            return
        if self.unreadable is not None:
            self._log.info("pins.read_late")
        self._held, self.unreadable = held, None

    def _cannot_read(self, reason: str) -> None:
        self.unreadable = reason
        self._log.error("pins.unreadable", reason=reason)

    async def _knocked(self, name: str | None, pin: str, place: str, station: str) -> bool:
        self._must_be_readable()
        held = None if name is None else self._held.get(name)
        is_right = await self._fits(self._nobody if held is None else held.hash, pin)
        now_s = self._clock.now_s()
        if held is None or name is None or self._knocks.locked_for_s(name, place, now_s):
            return False
        if is_right:
            self._knocks.right(name, place)
        elif self._knocks.wrong(name, place, now_s):
            self._log.warning("pin.locked")
            self.on_lock(name, station)
        return is_right

    async def _attempt(self, name: str | None, pin: str, station: str | None, what: str) -> None:
        self._must_be_readable()
        held = None if name is None else self._held.get(name)
        tried = FRESH if held is None else held.tries
        if left_s := tried.locked_for_s(self._clock.now_s()):
            raise RefusedError(self._locked(what, left_s))
        if held is None or name is None:
            await self._waste(pin)
            raise RefusedError(f"the {what} is wrong")
        if await self._fits(held.hash, pin):
            if tried != FRESH:
                await self._count(name, held, FRESH)
            return
        tries = tried.after_wrong(self._clock.now_s())
        await self._count(name, held, tries)
        if left_s := tries.locked_for_s(self._clock.now_s()):
            self._log.warning("pin.locked")
            self.on_lock(name, station)
            raise RefusedError(f"the {what} is wrong; {self._locked(what, left_s)}")
        left = f"{tries.left} tries are" if tries.left > 1 else "1 try is"
        raise RefusedError(f"the {what} is wrong; {left} left before it is locked")

    async def _waste(self, pin: str) -> None:
        """Take as long as for somebody who has a PIN; not without end, or a flood of names would keep the computer.

        Where it is asked for, the refusal says in words that there is no such name or PIN; where it must not tell,
        ``knock`` takes its time for every one.
        """
        now_s = self._clock.now_s()
        if self._strangers.locked_for_s(now_s):
            return
        self._strangers = self._strangers.after_wrong(now_s)
        await self._fits(self._nobody, pin)

    async def _fits(self, stored: str, pin: str) -> bool:
        """Return whether a PIN is the one that was kept.

        Raises:
            RefusedError: It could not be tried: no guess, and nothing to count.
        """
        try:
            return await self._hasher.call(partial(hashing.fits, stored, pin))
        except hashing.UntriedError as err:
            self._log.error("pin.untried", reason=str(err))
            raise RefusedError(f"no PIN can be checked now ({err}): try again in a moment") from err

    def _locked(self, what: str, left_s: float) -> str:
        until = self._clock.utc() + timedelta(seconds=left_s)
        return (
            f"after {TRIES} wrong ones the {what} is locked until {until:%H:%M:%S} UTC; "
            "acknowledging needs none"
        )

    async def _count(self, name: str, held: Credential, tries: Tries) -> None:
        self._held[name] = replace(held, tries=tries)
        if not await self._save(WAIT_FOR_DISK_S):
            self._log.warning("pins.not_written", reason="the count stands in memory only")

    async def _set(self, name: str, pin: str, old: str | None, *, signs: bool) -> bytes | None:
        before = self._held.get(name)
        salt = self._entropy.salt()
        stored = await self._hasher.call(partial(hashing.hashed, pin, salt, self._hardness))
        key, is_new = None, False
        if signs:
            if before is not None and before.key is not None and old is not None:
                seal = partial(personkey.sealed_again, before.key, name, old=old, new=pin)
            else:
                seal, is_new = partial(personkey.made, name, pin), True
            key = await self._sealed(seal)
        await self._keep(name, Credential(stored, key))
        return key.public if key is not None and is_new else None

    async def _sealed(self, seal: Callable[..., personkey.SealedKey]) -> personkey.SealedKey:
        salt, nonce = self._entropy.salt(), self._entropy.salt()[: personkey.NONCE_BYTES]
        try:
            return await self._hasher.call(
                partial(seal, salt=salt, nonce=nonce, hardness=self._hardness)
            )
        except personkey.SealedKeyError as err:
            raise RefusedError(str(err)) from err

    async def _signer(self, name: str, pin: str) -> tuple[Signer, bool]:
        held = self._held.get(name)
        if held is None:
            raise RefusedError(f"no PIN is set for {name} any more")
        key, is_new = held.key, held.key is None
        if key is None:
            key = await self._sealed(partial(personkey.made, name, pin))
            await self._keep(name, replace(held, key=key))
        opening = partial(personkey.signer, key, name, pin, utc=self._clock.utc)
        try:
            return await self._hasher.call(opening), is_new
        except personkey.SealedKeyError as err:
            raise RefusedError(str(err)) from err

    async def _keep(self, name: str, held: Credential | None) -> None:
        """Let something new count once it is on disk."""
        self._must_be_readable()
        before = dict(self._held)
        if held is None:
            self._held.pop(name, None)
        else:
            self._held[name] = held
        if not await self._save(NEW_ON_DISK_S):
            self._held = before
            # A disk that only hung will have what was given up here: what counts is written behind it.
            await self._save(0.0)
            raise RefusedError(
                "it cannot be put on disk now, so nothing has changed; see the log of ispsd"
            )
        old = before.get(name)
        if held is None or old is None or old.hash != held.hash:
            self._knocks.forget(name)
            self.on_change(name)

    async def _save(self, within_s: float) -> bool:
        """Write the file; return whether it is on disk by then."""
        path = self._path
        if path is None:
            return False
        content = credentials.content(self._held, self._now())
        writing = asyncio.ensure_future(self._disk.call(lambda: credentials.write(path, content)))
        done = asyncio.Event()
        writing.add_done_callback(lambda _: done.set())
        await self._clock.wait(done, within_s)
        if not writing.done():
            writing.add_done_callback(_seen)
            return False
        if (error := writing.exception()) is not None:
            self._log.error("pins.not_written", reason=str(error))
            return False
        return True

    async def _in_turn(self, work: Coroutine[object, object, _T]) -> _T:
        """Do one thing after the other, to its end even where nobody waits for it any more."""
        if len(self._running) >= MOST_WAITING:
            work.close()
            raise RefusedError("too many PINs are being checked now; try again in a moment")
        running: asyncio.Future[_T] = asyncio.ensure_future(self._alone(work))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        running.add_done_callback(_seen)
        return await asyncio.shield(running)

    async def _alone(self, work: Coroutine[object, object, _T]) -> _T:
        async with self._one:
            return await work

    def _must_be_readable(self) -> None:
        if self.unreadable is not None:
            raise RefusedError(f"no PIN can be checked: {self.unreadable}")

    def _now(self) -> Moment:
        is_set = self._clock.status() is not ClockStatus.UNSET
        utc = self._clock.utc() if is_set else None
        return Moment(self._clock.boot_id(), self._clock.now_s(), utc)


def _seen(future: asyncio.Future[_T]) -> None:
    """Look at how it ended, so that nobody is warned of what was told already, or to nobody."""
    if not future.cancelled():
        future.exception()


def _nobodys_hash(hardness: Hardness) -> str:
    """Return a hash that no PIN has, and that costs as much to find that out."""
    salt, tag = (
        base64.b64encode(bytes(size)).decode().rstrip("=")
        for size in (hashing.SALT_BYTES, hashing.HASH_BYTES)
    )
    cost = f"m={hardness.memory_kib},t={hardness.passes},p={hardness.lanes}"
    return f"$argon2id$v=19${cost}${salt}${tag}"
