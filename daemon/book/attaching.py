"""A person attaches a file to an entry, and anybody at this computer takes evidence out again.

The file comes over the control socket in chunks, never by a path: the daemon runs as a user of its own that may not
read people's folders, and a path that it opened for whoever asks would be read with its rights, not with theirs. One
file at a time is taken, in memory and bounded; whoever breaks off loses his turn after a minute.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from daemon.book.desk import naming
from daemon.book.media import media_of
from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.people.authority import COMMAND, Act
from daemon.record.entry import (
    LARGEST_EVIDENCE_BYTES,
    MACHINE_KINDS,
    Draft,
    Entry,
    Evidence,
    subject_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.book.desk import Desk
    from daemon.computer.entropy import Entropy
    from daemon.model import Json
    from daemon.people.claims import By

ATTACHED: Final = "attachment.added"
CHUNK_BYTES: Final = 32 * 1024
"""Of a file on its way in: as base64 it fits into a request."""
PIECE_BYTES: Final = 512 * 1024
"""Of evidence on its way out, in one answer."""
IDLE_S: Final = 60.0
_MB: Final = 1024 * 1024


@dataclass(slots=True)
class Upload:
    """A file on its way in."""

    token: str
    entry: Entry
    by: By
    what: str
    name: str | None
    size: int
    digest: str
    seen_s: float
    content: bytearray = field(default_factory=bytearray)


class Attaching:
    """Takes files in and gives evidence out."""

    def __init__(self, desk: Desk, entropy: Entropy) -> None:
        self._desk = desk
        self._entropy = entropy
        self._upload: Upload | None = None

    async def begin(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Begin to take a file.

        Raises:
            RefusedError: A person who may not, no such entry, too large, no room, or another file is coming in.
        """
        what = fields.text(request, "what")
        size = fields.number(request, "size")
        if not 0 < size <= LARGEST_EVIDENCE_BYTES:
            raise RefusedError(f"a file has 1 to {LARGEST_EVIDENCE_BYTES} bytes, not {size}")
        by = await self._desk.who(request, Act.ATTACH)
        entry = await self._desk.entry(fields.number(request, "seq"))
        if entry.kind not in MACHINE_KINDS:
            by.must_be(COMMAND, f"attach to an entry of kind {entry.kind}")
        self._check_room(size)
        now_s = self._desk.clock.now_s()
        if self._upload is not None and now_s - self._upload.seen_s < IDLE_S:
            raise RefusedError("another file is being attached; try again in a minute")
        self._upload = Upload(
            token=self._entropy.token(),
            entry=entry,
            by=by,
            what=what,
            name=fields.optional_text(request, "name"),
            size=size,
            digest=fields.text(request, "sha256"),
            seen_s=now_s,
        )
        return {"upload": self._upload.token, "chunk_bytes": CHUNK_BYTES}

    async def chunk(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Take the next piece of the file.

        Raises:
            RefusedError: It does not follow the one before, or is more than was said.
        """
        upload = self._known(request)
        try:
            body = base64.b64decode(str(request.get("body", "")), validate=True)
        except (binascii.Error, ValueError):
            raise RefusedError("body is wanted, in base64") from None
        if fields.number(request, "offset") != len(upload.content):
            raise RefusedError(f"offset {len(upload.content)} is next")
        if not body or len(body) > CHUNK_BYTES or len(upload.content) + len(body) > upload.size:
            self._upload = None
            raise RefusedError(f"more than the {upload.size} bytes that were said")
        upload.content += body
        upload.seen_s = self._desk.clock.now_s()
        return {"received": len(upload.content)}

    async def end(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Write the entry of the file that has come in.

        Raises:
            RefusedError: It is not whole, of a kind that is not taken, or there is no room for it now.
        """
        upload = self._known(request)
        self._upload = None
        self._desk.must_still_be(upload.by)
        content = bytes(upload.content)
        if len(content) != upload.size or sha256(content).hexdigest() != upload.digest:
            raise RefusedError("the file did not come in whole; attach it again")
        if (media := media_of(content)) is None:
            raise RefusedError("it is none of PDF, JPEG, PNG, text and mail (.eml): not taken")
        seq = await self._desk.write(
            Draft(
                kind=upload.entry.kind,
                type=ATTACHED,
                subject=subject_of(upload.entry.seq),
                classification=upload.entry.classification,
                actor=upload.by.actor(),
                open={
                    "to": naming(upload.entry),
                    "what": upload.what,
                    "name": upload.name,
                    "sha256": upload.digest,
                },
                evidence=(Evidence(media, content),),
            ),
            upload.by,
            check=lambda: self._check_room(len(content)),
        )
        return {"recorded": seq, "sha256": upload.digest, "media": media, "size": len(content)}

    async def evidence(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return a piece of evidence, from ``offset`` on; named by its hash, or by the entry that has it.

        Raises:
            RefusedError: There is none, the entry has several, or it cannot be read.
        """
        digest = fields.optional_text(request, "sha256")
        if digest is None:
            digest = _only_one(await self._desk.entry(fields.number(request, "seq")))
        offset = fields.number(request, "offset") if "offset" in request else 0
        if offset < 0:
            raise RefusedError("offset is 0 or more")
        try:
            content = await self._desk.record.evidence(digest)
        except RecordError as err:
            raise RefusedError(f"the evidence cannot be read: {err}") from err
        if content is None:
            raise RefusedError(f"there is no evidence {digest[:64]!r} in this record")
        piece = content[offset : offset + PIECE_BYTES]
        return {
            "sha256": digest,
            "size": len(content),
            "body": base64.b64encode(piece).decode("ascii"),
        }

    def _known(self, request: Mapping[str, Any]) -> Upload:
        token = fields.text(request, "upload")
        upload, now_s = self._upload, self._desk.clock.now_s()
        if upload is None or upload.token != token or now_s - upload.seen_s >= IDLE_S:
            raise RefusedError("no such file is coming in; attach it again")
        return upload

    def _check_room(self, size: int) -> None:
        used, quota = self._desk.record.evidence_used()
        if used + size > quota:
            raise RefusedError(
                f"no room: {used / _MB:,.1f} of {quota / _MB:,.0f} MB of evidence are used and this file "
                f"has {size / _MB:,.1f} MB; raise evidence_quota_mb, or keep it on paper and say so"
            )


def _only_one(entry: Entry) -> str:
    if len(entry.evidence) == 1:
        return entry.evidence[0].sha256
    if not entry.evidence:
        raise RefusedError(f"entry {entry.seq} has no evidence beside it")
    pieces = "; ".join(f"{each.sha256} ({each.media})" for each in entry.evidence)
    raise RefusedError(f"entry {entry.seq} has {len(entry.evidence)} pieces, name one: {pieces}")
