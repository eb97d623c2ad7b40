"""Who sees to it that the record is still there in ten years? Copies, heads that others hold, segments, keys, archive.

What people ask for here is proven first; what is done is an entry of the record itself.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.assets import asset
from daemon.computer import logs
from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, Role
from daemon.people.authority import Act
from daemon.record import aftermath, archive, checkpoint, copies, copying, keys, retention
from daemon.record.entry import Draft
from daemon.record.heads import Heads
from daemon.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.acts.requests import Handler
    from daemon.computer.clock import Clock
    from daemon.config import Config
    from daemon.model import Json
    from daemon.mqtt.publisher import Publisher
    from daemon.people.claims import By
    from daemon.people.people import People
    from daemon.record.entry import Entry
    from daemon.record.log import Record

WITNESS_S: Final = 10.0
"""How long the first seal after a start waits for broker and second copy."""
COPY_HEAD_S: Final = 5.0
RETRY_S: Final = 1.0
"""A record that cannot be opened yet is tried so often (``daemon.record.scribe``)."""
LISTEN_S: Final = 1.0
"""Heads of others are compared at most so often: a flood of them costs nothing."""
ALARM_S: Final = 10.0
"""How long the condition of RECORD CHECK FLT holds after what raised it; the alert stays until the SSO releases it."""
BROKER: Final = "the head that the broker holds"
TROUBLES: Final = frozenset({aftermath.DAMAGED, aftermath.PARTED, aftermath.UNPROVEN})
_log = logs.get("safekeeping")


class Safekeeping:
    """Keeps the record of one ship."""

    def __init__(
        self,
        config: Config,
        *,
        record: Record,
        people: People,
        publisher: Publisher,
        met: asyncio.Event,
        clock: Clock,
    ) -> None:
        """Keep this one; ``met`` is set when every witness was asked which head it holds."""
        self._met = met
        section = config.record
        self._section = section
        self._prefix = f"{section.origin}/{config.ship.imo_number}"
        self._record = record
        self._people = people
        self._publisher = publisher
        self._clock = clock
        self._heads = Heads(section.directory)
        self._copier = copies.Copier(clock, public_key=section.public_key_file)
        self._trouble_s: float | None = None
        self._changing = asyncio.Lock()
        self._testing = False
        self.copies = copies.Copies(
            section.directory,
            section.copy_directory,
            public_key=section.public_key_file,
            journal=record,
            clock=clock,
            may_share_disk=section.copy_may_share_disk,
        )
        record.on_commit(self._note)

    def handlers(self) -> Mapping[str, Handler]:
        """Return who answers which request."""
        return {
            "rotate": self._rotate,
            "key.rotate": self._renew_key,
            "key.backed_up": self._backed_up,
            "restore_test": self._restore_test,
            "archive": self._archive,
            "retention": self._retention,
        }

    def faults(self) -> Mapping[str, bool]:
        """Return which conditions hold, by catalogue key."""
        trouble_s = self._trouble_s
        return {
            "record.copy_old": self.copies.is_old(),
            "record.check": self._record.health().unsealable is not None
            or (trouble_s is not None and self._clock.now_s() < trouble_s + ALARM_S),
        }

    async def run(self) -> None:
        """Compare the heads of others, and copy each hour, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._compare_heads())
            group.create_task(self.copies.run())

    def _note(self, entry: Entry) -> None:
        if entry.type in TROUBLES:
            self._trouble_s = self._clock.now_s()

    # Heads of others

    async def _compare_heads(self) -> None:
        place = self._section.copy_directory
        if place is not None:
            head = await copies.newest_head(place, self._clock, limit_s=COPY_HEAD_S)
            await self._compare_until_open(lambda: head, copies.TOLD_BY)
        connected = asyncio.ensure_future(self._connected())
        came = asyncio.Event()
        connected.add_done_callback(lambda _: came.set())
        try:
            await self._clock.wait(came, WITNESS_S)
        finally:
            connected.cancel()
        await self._compare_until_open(self._publisher.foreign_head, BROKER)
        await self._clock.wait(self._met, WITNESS_S)
        self._record.met_witnesses()
        while True:
            await self._publisher.head_heard()
            await self._compare(self._publisher.foreign_head(), BROKER)
            await self._clock.sleep(LISTEN_S)

    async def ask_broker(self) -> None:
        """Compare what the broker holds, where it can be asked at once, and let the head be signed."""
        if self._publisher.facts().connected:
            head = self._publisher.foreign_head()
            if await self._compare(head, BROKER) and self._record.health().writable:
                self._record.met_witnesses()

    async def _connected(self) -> None:
        while not self._publisher.facts().connected:
            await self._publisher.facts_changed()

    async def _compare_until_open(self, note: Callable[[], str | None], told_by: str) -> None:
        """Compare a head before anything is signed: of a record that cannot be opened yet as soon as it can."""
        while not await self._compare(note(), told_by):
            await self._clock.sleep(RETRY_S)

    async def _compare(self, note: str | None, told_by: str) -> bool:
        """Compare a head; return False where the record is not there to be compared."""
        if note is None:
            return True
        try:
            if await self._record.part_from(note, told_by):
                self._trouble_s = self._clock.now_s()
        except RecordError as err:
            if not self._record.health().writable:
                return False
            _log.info("head.not_compared", told_by=told_by, reason=str(err))
        return True

    # What people ask for

    async def _rotate(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        by = await self._people.prove(fields.claim(request), Act.SEGMENT)
        reason = fields.text(request, "reason")
        async with self._changing:
            await self._done(self._record.rotate(f"by order of {by.person.name}"))
        return {"recorded": await self._enter("segment.rotated", by, {"reason": reason})}

    async def _renew_key(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        master, sso = await self._master_and_sso(request)
        reason, path = fields.text(request, "reason"), self._section.key_file
        public = self._section.public_key_file
        if self._changing.locked():
            raise RefusedError("another change of the record is under way")
        async with self._changing:
            worker = Worker("record-key")
            try:
                old = self._record.ship().key
                prepare = partial(
                    keys.prepare_next, path, record=self._section.directory, signs=old
                )
                new = await self._done(worker.call(prepare))
                # A change that was interrupted may have left the key that signs now out of the verifiers' file.
                known = partial(keys.add_public, public, name=self._prefix, key=old)
                await self._done(worker.call(known))
                vouched = f"new key, by {master.person.name} (Master) and {sso.person.name} (SSO)"
                await self._done(self._record.renew_key(new, vouched))
                await self._done(worker.call(partial(keys.promote, path)))
                add = partial(keys.add_public, public, name=self._prefix, key=new.public_key())
                await self._done(worker.call(add))
            finally:
                worker.finish()
        said: dict[str, Json] = {
            "old_key": checkpoint.fingerprint(old),
            "new_key": checkpoint.fingerprint(new.public_key()),
            "master": master.person.name,
            "sso": sso.person.name,
            "reason": reason,
        }
        return {"recorded": await self._enter("key.rotated", master, said), **said}

    async def _backed_up(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        by = await self._people.prove(fields.claim(request), Act.KEY)
        fingerprint = fields.text(request, "fingerprint")
        if fingerprint != self._record.fingerprint():
            raise RefusedError(
                f"that is the backup of the key {fingerprint}; the record is signed with "
                f"{self._record.fingerprint()}"
            )
        seq = await self._enter("key.backed_up", by, {"fingerprint": fingerprint})
        return {"recorded": seq, "fingerprint": fingerprint}

    async def _restore_test(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        by = await self._people.prove(fields.claim(request), Act.SEGMENT)
        place = self._section.copy_directory
        if place is None:
            raise RefusedError("the ship has no second copy ([record] copy_directory)")
        if self._testing:
            raise RefusedError("a restore test is under way")
        self._testing = True
        try:
            word, sentence, head = await copies.restore_test(
                place,
                self._section.directory,
                public_key=self._section.public_key_file,
                notes=self._heads.notes,
                copier=self._copier,
            )
        finally:
            self._testing = False
        good_utc = self.copies.standing.good_utc
        said: dict[str, Json] = {
            "verdict": word,
            "words": sentence,
            "head": head,
            "copied": None if good_utc is None else f"{good_utc:%Y-%m-%dT%H:%M:%SZ}",
        }
        return {"recorded": await self._enter("record.restore_tested", by, said), **said}

    async def _archive(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        by = await self._people.prove(fields.claim(request), Act.SEGMENT)
        to, before = Path(fields.text(request, "to")), fields.number(request, "before")
        if not to.is_absolute():
            raise RefusedError("to is a folder's whole path, from /")
        worker = Worker("record-archive")
        moved: list[Json] = []
        try:
            async with self._changing:
                record, flag = self._section.directory, self._flag()
                segments = await self._done(
                    worker.call(partial(archive.closed_before, record, before))
                )
                archive.refuse_too_early(
                    segments, flag, self._section.keep_years, self._clock.utc()
                )
                for segment in segments:  # the oldest first: what is left goes on where this stops
                    moved += [await self._move(segment, to, by, worker)]
        finally:
            worker.finish()
        return {"archived": moved, "to": str(to)}

    async def _move(self, segment: archive.Closed, to: Path, by: By, worker: Worker) -> int:
        """Copy, verify, keep the head, enter it, and only then remove the file."""
        said = await self._done(
            self._copier.copied(
                segment.path,
                to / segment.path.name,
                outside=self._section.directory,
                other_disk_than=None
                if self._section.copy_may_share_disk
                else self._section.directory,
            )
        )
        if said.get("became") not in {copying.COPIED, copying.SAME}:
            why = said.get("reason", "another one of that name is there")
            raise RefusedError(f"segment {segment.number} stays: {why}")
        sha256 = str(said["sha256"])
        keep = partial(
            archive.keep_head, self._section.directory, segment, sha256=sha256, place=str(to)
        )
        await self._done(worker.call(keep))
        entered = await self._enter(
            "segment.archived",
            by,
            {
                "segment": segment.number,
                "first_seq": segment.first_seq,
                "last_seq": segment.last_seq,
                "sha256": sha256,
                "place": str(to),
                "head": segment.head,
            },
        )
        if entered is None:
            raise RefusedError(f"segment {segment.number} stays: its entry is not on disk")
        await self._done(worker.call(partial(archive.remove, segment)))
        await self._done(
            self._record.refresh()
        )  # what is open is not freed, and its evidence counts
        return segment.number

    async def _retention(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        flag = self._flag()
        return {
            "flag": flag.name,
            "years": flag.years,
            "incident_years": flag.incident_years,
            "keep_years": self._section.keep_years,
            "source": flag.source,
        }

    def _flag(self) -> retention.Retention:
        table = retention.load(asset(retention.TABLE))
        return table.get(self._section.flag, table[retention.DEFAULT])

    async def _master_and_sso(self, request: Mapping[str, Any]) -> tuple[By, By]:
        """Return the two whose word it takes, in this order.

        Raises:
            RefusedError: Not a Master and an SSO, who are two persons.
        """
        found = await self._people.prove_all(fields.claims(request, count=2), Act.KEY)
        for master, sso in (found, found[::-1]):
            two = master.person.name != sso.person.name
            if two and Role.MASTER in master.person.roles and Role.SSO in sso.person.roles:
                return master, sso
        raise RefusedError("it takes two persons: the Master and the SSO")

    async def _enter(self, type_: str, by: By, said: Mapping[str, Json]) -> int | None:
        """Make an entry; return its number, None where the disk does not take it now."""
        future = self._record.submit(
            by.sign(
                Draft(
                    kind="system",
                    type=type_,
                    subject="record",
                    classification=Classification.SSO,
                    open=said,
                )
            )
        )
        await self._record.drained()
        with suppress(RecordError):
            return (await future).seq if future.done() else None
        return None

    async def _done(self, act: Any) -> Any:
        """Wait for something of the record; tell the person why it could not be done."""
        try:
            return await act
        except RecordError as err:
            raise RefusedError(str(err)) from err
