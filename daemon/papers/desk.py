"""How does the daemon let somebody export? It asks who may, writes it down, seals, and lends a snapshot for an hour.

The paper itself is made by the command that asked, in a process of its own: setting pages never keeps the watch from
its work. That an export was begun is an entry before the first byte leaves; how it ended is another, also when it
failed, nobody came back within the hour, or ispsd was restarted.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from daemon.computer import logs
from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification
from daemon.papers import release, wishes
from daemon.papers.lent import Begun, Lent
from daemon.people.authority import Act
from daemon.record import snapshot
from daemon.record.entry import SYSTEM, Actor, Draft
from daemon.record.worker import once

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.model import Json
    from daemon.people.claims import By
    from daemon.people.people import People
    from daemon.record.entry import Entry
    from daemon.record.log import Record

FOLDER: Final = "exports"  # beside the record
LENT_S: Final = 3600.0
SWEPT_EVERY_S: Final = 300.0
MOST_AT_ONCE: Final = 3  # each takes as much room as the newest segment
WRITTEN_WITHIN_S: Final = 10.0
"""A disk that takes longer than this for an entry lends no snapshot now."""
SUBJECT: Final = "record"
NO_SUCH: Final = "there is no such export, or its hour is over"
_PLACE: Final = re.compile(r"(\d{1,16})-[0-9a-f]+")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class ExportDesk:
    """Begins exports and takes down how they ended."""

    def __init__(
        self,
        *,
        record: Record,
        directory: Path,
        public_key: Path,
        people: People,
        particulars: Callable[[], Mapping[str, Json]],
        held_head: Callable[[], Awaitable[str | None]],
        digest: Callable[[], Awaitable[Mapping[str, Json]]],
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Touch nothing yet.

        Args:
            record: What is exported, and where it is written down.
            directory: The folder of the segments.
            public_key: The file of the key that verifies.
            people: Who may.
            particulars: Returns what papers say of the ship.
            held_head: Returns the newest checkpoint that somebody else holds; None: nobody.
            digest: Returns the week for the company.
            clock: Ages.
            entropy: Names of folders.
        """
        self._record = record
        self._directory = directory
        self.place = directory.parent / FOLDER
        """Where snapshots lie, each in a folder of its own."""
        self._public_key = public_key
        self._people = people
        self._particulars = particulars
        self._held_head = held_head
        self._digest = digest
        self._clock = clock
        self._entropy = entropy
        self._lent: dict[str, Lent] = {}
        self._beginning = asyncio.Lock()
        self._log = logs.get("exports")

    def requests(
        self,
    ) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]]]:
        """Return what can be asked here, by the name of the request."""
        return {"export.begin": self.begin, "export.done": self.done, "export.failed": self.failed}

    async def begin(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Write that an export begins, and lend a snapshot that holds this very entry.

        Raises:
            RefusedError: A person who may not, no consent where it is wanted, or a disk that refuses.
        """
        begun = await self.enter(request)
        await self.lend(begun.id)
        return {
            "id": begun.id,
            "recorded": begun.seq,
            "folder": str(begun.folder),
            "keys": [*begun.keys],
            "anchors": [*begun.anchors],
            "consent": begun.wish["consent"],
            "profile": begun.wish["profile"],
        }

    async def enter(self, request: Mapping[str, Any]) -> Begun:
        """Write that an export begins; ``lend`` takes its snapshot.

        Raises:
            RefusedError: A person who may not, no consent where it is wanted, or a disk that refuses.
        """
        wish = wishes.read(request, self._clock.utc())
        by = await self._people.prove(fields.claim(request), Act.EXPORT)
        consent = release.consenting(
            str(wish["what"]), wish["consent"], by.person, self._people.known
        )
        wish["consent"] = consent
        wish["consent_stated_by"] = release.stated_by(consent, by.person.name)
        async with self._beginning:
            return await self._entered(wish, by)

    async def _entered(self, wish: Mapping[str, Json], by: By) -> Begun:
        if len(self._lent) >= MOST_AT_ONCE:
            raise RefusedError(
                f"{MOST_AT_ONCE} exports are being made now; try again when one has ended"
            )
        # What others hold *before* this export seals: a head that we hand out now would vouch for nothing.
        anchor = await self._held_head()
        said = dict(wish)
        # Beside the entry, not in it: the week for the company is an excerpt of this very entry, and who is on board
        # and what is tested how stays here.
        beside: dict[str, Json] = {"particulars": self._particulars()}
        if wish["what"] == release.DIGEST:
            try:
                said[release.DIGEST] = await self._digest()
            except RecordError as err:
                raise RefusedError(f"the week cannot be read from the record: {err}") from err
        written = self._submit("record.exported", by.actor(), said, by, beside)
        entry = await self._on_disk(written, "record.exported")
        name = self._entropy.token()
        folder = self.place / f"{entry.seq}-{name}"
        actor = Actor(by.station, by.person.name)
        self._lent[name] = Lent(entry.seq, folder, self._clock.now_s(), actor)
        anchors = () if anchor is None else (anchor,)
        return Begun(
            name, entry.seq, folder, by.person.name, wish, (str(self._public_key),), anchors
        )

    def hold(self, name: str) -> None:
        """Let no hour count for an export: whoever holds it ends it, however long it waits for its turn."""
        self._lent[name] = replace(self._lent[name], since_s=None)

    async def lend(self, name: str) -> None:
        """Take the snapshot of an export that was entered.

        Raises:
            RefusedError: There is no such export, or the disk refuses; then the export has ended.
        """
        if (lent := self._lent.get(name)) is None:
            raise RefusedError(NO_SUCH)
        try:
            await self._record.seal()
            await once("export", partial(snapshot.take, self._directory, lent.folder))
        except RecordError as err:
            await self.end(name, "export.failed", {"reason": f"no snapshot: {err}"[:400]})
            raise RefusedError(
                f"the export failed, which is entry {lent.seq} and the next: {err}"
            ) from err

    async def done(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Write how a paper was written, and take the snapshot back.

        Raises:
            RefusedError: There is no such export, or a field is wrong.
        """
        name = self._known(request)
        said: dict[str, Json] = {
            "sha256": fields.text(request, "sha256"),
            "bytes": fields.number(request, "bytes"),
            "pages": fields.number(request, "pages"),
            "verdict": fields.text(request, "verdict"),
        }
        if _SHA256.fullmatch(str(said["sha256"])) is None:
            raise RefusedError("sha256 is 64 hex digits")
        return {"recorded": await self.end(name, "export.written", said)}

    async def failed(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Write that no paper came of it, and take the snapshot back.

        Raises:
            RefusedError: There is no such export.
        """
        name = self._known(request)
        return {
            "recorded": await self.end(
                name, "export.failed", {"reason": fields.text(request, "reason")}
            )
        }

    async def run(self) -> None:
        """Clear up what an earlier run left behind, then what nobody comes back for, until cancelled."""
        await self._clear_up()
        while True:
            await self._clock.sleep(SWEPT_EVERY_S)
            now_s = self._clock.now_s()
            for name in [
                name
                for name, lent in self._lent.items()
                if lent.since_s is not None and now_s - lent.since_s > LENT_S
            ]:
                with suppress(RefusedError):
                    await self.end(
                        name, "export.failed", {"reason": "nobody came back within an hour"}
                    )

    async def _clear_up(self) -> None:
        ours = {lent.folder for lent in self._lent.values()}
        try:
            left = await once("export", lambda: set(self.place.iterdir()))
        except OSError:
            return
        # And those that began while the disk was asked.
        ours |= {lent.folder for lent in self._lent.values()}
        for folder in sorted(each for each in left - ours if _PLACE.fullmatch(each.name)):
            await once("export", partial(shutil.rmtree, folder, ignore_errors=True))
            seq = int(folder.name.partition("-")[0])
            with suppress(RefusedError):
                reason = "ispsd was stopped before it was written"
                written = self._submit("export.failed", SYSTEM, {"export": seq, "reason": reason})
                await self._on_disk(written, "export.failed")

    def _known(self, request: Mapping[str, Any]) -> str:
        name = fields.text(request, "id")
        if name not in self._lent:
            raise RefusedError(NO_SUCH)
        return name

    async def end(self, name: str, type_: str, said: Mapping[str, Json]) -> int:
        """Write how an export ended, and take its snapshot back; return the number of that entry.

        Raises:
            RefusedError: It has ended already, or the disk takes no entry.
        """
        if (lent := self._lent.pop(name, None)) is None:  # it ended meanwhile
            raise RefusedError(NO_SUCH)
        # First the word, so that no end of ours comes between; then the room, which a full disk needs for it.
        written = self._submit(type_, lent.actor, {"export": lent.seq, **said})
        await once("export", partial(shutil.rmtree, lent.folder, ignore_errors=True))
        return (await self._on_disk(written, type_)).seq

    def _submit(
        self,
        type_: str,
        actor: Actor,
        said: Mapping[str, Json],
        by: By | None = None,
        beside: Mapping[str, Json] | None = None,
    ) -> asyncio.Future[Entry]:
        """Give the record an entry of class sso: who gets what is nobody's business on the watch."""
        draft = Draft(
            kind="system",
            type=type_,
            subject=SUBJECT,
            classification=Classification.SSO,
            actor=actor,
            open=said,
            parts={Classification.SSO: beside} if beside else {},
        )
        # With the signature of who acts, where he has a key to sign with.
        sign: Callable[[Draft], Draft] | None = getattr(by, "sign", None)
        return self._record.submit(draft if sign is None else sign(draft))

    async def _on_disk(self, written: asyncio.Future[Entry], type_: str) -> Entry:
        """Return an entry that was submitted.

        Raises:
            RefusedError: It is not on disk, so nobody may rely on it.
        """
        try:
            async with asyncio.timeout(WRITTEN_WITHIN_S):
                return await asyncio.shield(written)
        except (RecordError, TimeoutError) as err:
            self._log.warning("export.not_recorded", type=type_)
            raise RefusedError(
                f"an export is an entry first, and the disk does not take it: {err}"
            ) from err
