"""Does the evidence of a test's result still prove what the result says? Judged again, from the record alone.

The judge of the check is asked, the same function as on the day, with what the entry has kept: its configuration, its
readings and its facts. Nothing is asked of the ship as she is now. Evidence whose hash is not the one that stands in
the entry is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

from pydantic import ValidationError

from daemon.checks.judged import as_kept, judged
from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification
from daemon.record import codec
from daemon.record.pending import LEFT_OUT
from daemon.record.reader import Query
from daemon.testing import evidence, results

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.checks.api import CheckSpec
    from daemon.model import Json, Verdict
    from daemon.record.entry import Entry, SealedPart
    from daemon.testing.evidence import Basis

NOT_KEPT: Final = "evidence not kept: there was no room for it when the entry was written"
NO_FACTS: Final = (
    "the entry holds no facts: nothing was judged (it was left out, broken off, interrupted, ended by force, or "
    "its check crashed), or the ispsd that wrote it kept none"
)
NO_PART: Final = "what the entry says to the SSO alone is not in this record"


class Agreement(StrEnum):
    """What judging again comes to."""

    SAME = "SAME"
    DIFFERENT = "DIFFERENT"
    NOT_PROVEN = "NOT PROVEN"
    """It cannot be judged again, and so proves nothing any more."""
    REFUSED = "REFUSED"
    """Its evidence is not what the entry names: nobody is asked what it would prove."""


class AlteredError(RecordError):
    """Evidence that is not what the entry names."""


@dataclass(frozen=True, slots=True)
class Rejudged:
    """One result, as it was recorded and as it is judged today.

    Attributes:
        reason: Why it cannot be judged again; empty where it can.
        today: What the judge says today; None where it cannot be asked.
        software: The version that judged then; empty where the entry does not say.
        verified: The SHA-256 of each piece of evidence that is the one which the entry names.
    """

    seq: int
    test: str
    outcome: str
    recorded_reason: str
    agreement: Agreement
    reason: str = ""
    today: Verdict | None = None
    software: str = ""
    verified: tuple[str, ...] = ()


def rejudged(
    entry: Entry,
    body_of: Callable[[str], bytes | None],
    checks: Mapping[str, CheckSpec],
    part: SealedPart | None = None,
) -> Rejudged:
    """Return how a result is judged today.

    Args:
        entry: Of a test's result.
        body_of: Returns a piece of evidence by its SHA-256; None where the record has it no more. It may raise
            ``RecordError``.
        checks: Every check that this ispsd knows, by its kind.
        part: What the entry says to the SSO alone; None where that is not here.

    Raises:
        RecordError: The entry is no test's result.
    """
    if entry.type != results.RESULT:
        raise RecordError(f"entry {entry.seq} is {entry.type}, not the result of a test")
    try:
        basis, verified = _basis(entry, body_of)
        told = _told(entry, part)
    except AlteredError as err:
        return replace(_not_proven(entry, str(err)), agreement=Agreement.REFUSED)
    except RecordError as err:
        return _not_proven(entry, str(err))
    try:
        verdict = _judged(basis, checks)
    except RecordError as err:
        return _not_proven(entry, str(err), software=basis.software, verified=verified)
    same = _said(entry) == _says(verdict) and _details(told) == _details(verdict.details)
    return Rejudged(
        entry.seq,
        str(entry.open["test"]),
        str(entry.open["outcome"]),
        str(entry.open["reason"]),
        Agreement.SAME if same else Agreement.DIFFERENT,
        today=verdict,
        software=basis.software,
        verified=verified,
    )


def message(entry: Entry, again: Rejudged, *, software: str) -> dict[str, Json]:
    """Return what whoever asks is told.

    Args:
        entry: The result's.
        again: How it is judged today.
        software: The version that judges today.
    """
    today = again.today
    return {
        "seq": again.seq,
        "at": entry.stamp.at,
        "test": again.test,
        "name": entry.open["name"],
        "recorded": {"outcome": again.outcome, "reason": again.recorded_reason},
        "today": None
        if today is None
        else {"outcome": today.outcome.value, "reason": today.reason},
        "agreement": again.agreement.value,
        "why": again.reason,
        "software_then": again.software or None,
        "software_now": software,
        "evidence": [
            {
                "sha256": each.sha256,
                "size": each.size,
                "media": each.media,
                "verified": each.sha256 in again.verified,
            }
            for each in entry.evidence
        ],
    }


class Records(Protocol):
    """The record, as far as it is judged again (``daemon.record.log``)."""

    async def entries(self, query: Query) -> list[Entry]: ...
    async def sealed_part(self, seq: int, classification: Classification) -> SealedPart | None: ...
    async def evidence(self, sha256: str) -> bytes | None: ...


class Rejudging:
    """Judges results of the running daemon's own record again, for whoever asks at its socket."""

    def __init__(self, record: Records, checks: Mapping[str, CheckSpec], *, software: str) -> None:
        self._record = record
        self._checks = checks
        self._software = software

    async def answer(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return how one result is judged today; of class ``sso`` too, as whoever asks here reads all entries.

        Raises:
            RefusedError: There is no such result, or the record cannot be read now.
        """
        seq = fields.number(request, "seq")
        try:
            found = await self._record.entries(Query(after=seq - 1, before=seq + 1, limit=1))
            if not found:
                raise RefusedError(f"there is no entry {seq}")
            part = await self._record.sealed_part(seq, Classification.SSO)
            bodies = {each.sha256: await self._body(each.sha256) for each in found[0].evidence}
            # Apart from the loop: a day of readings takes long to read, and alerts do not wait.
            again = await asyncio.to_thread(rejudged, found[0], bodies.get, self._checks, part)
        except RecordError as err:
            raise RefusedError(str(err)) from err
        return message(found[0], again, software=self._software)

    async def _body(self, sha256: str) -> bytes | None:
        try:
            return await self._record.evidence(sha256)
        except RecordError:  # damaged; what is left of it has another hash
            return b""


def _basis(entry: Entry, body_of: Callable[[str], bytes | None]) -> tuple[Basis, tuple[str, ...]]:
    """Return what the result rested on, and the hashes that were found right.

    Raises:
        RecordError: It is not there.
        AlteredError: It is not what the entry names.
    """
    if LEFT_OUT in entry.open:
        raise RecordError(NOT_KEPT)
    bodies: dict[str, bytes] = {}
    for each in entry.evidence:
        try:
            body = body_of(each.sha256)
        except RecordError as err:
            raise AlteredError(str(err)) from err
        if body is None:
            raise RecordError(f"evidence {each.sha256} is not in this record")
        if hashlib.sha256(body).hexdigest() != each.sha256:
            raise AlteredError(f"evidence {each.sha256} has been altered: its hash is another")
        bodies[each.media] = body
    if evidence.BASIS not in bodies:
        raise RecordError(NO_FACTS)
    basis = evidence.basis(bodies[evidence.BASIS], bodies.get(evidence.READINGS, b""))
    if len(basis.gathered.readings) != entry.open["readings"]:
        raise AlteredError(
            f"the entry tells of {entry.open['readings']} readings, {len(basis.gathered.readings)} are kept"
        )
    if basis.simulated is not entry.open["simulated"]:
        raise AlteredError("entry and evidence do not agree on whether it was simulated")
    return basis, tuple(each.sha256 for each in entry.evidence)


def _told(entry: Entry, part: SealedPart | None) -> Mapping[str, Json]:
    """Return what the entry says to the SSO alone.

    Raises:
        RecordError: It is not there.
        AlteredError: It is not what the entry names.
    """
    named = entry.parts.get(Classification.SSO.value)
    if named is None:
        return {}
    if part is None:
        raise RecordError(NO_PART)
    if codec.part_hash(part.salt, part.body.encode()) != named:
        raise AlteredError("what it says to the SSO alone has been altered: its hash is another")
    return codec.parse_object(part.body)


def _judged(basis: Basis, checks: Mapping[str, CheckSpec]) -> Verdict:
    """Return what the judge says today.

    Raises:
        RecordError: It cannot be asked.
    """
    spec = checks.get(basis.check)
    if spec is None:
        raise RecordError(f"this ispsd knows no check {basis.check!r}")
    try:
        config = spec.config.model_validate(basis.config)
    except ValidationError as err:
        raise RecordError(f"this ispsd takes no such configuration: {err}") from err
    try:
        return judged(spec, config, as_kept(basis.gathered), demo=basis.simulated)
    except Exception as err:
        # Whatever stops it: a judge that cannot read an older version's facts has judged nothing.
        raise RecordError(f"the judge of today stopped: {err!r}") from err


def _said(entry: Entry) -> tuple[Json, ...]:
    """Return what the entry says of it."""
    return entry.open["outcome"], entry.open["reason"], entry.open.get("items")


def _says(verdict: Verdict) -> tuple[Json, ...]:
    return verdict.outcome.value, verdict.reason, results.items_of(verdict)


def _details(part: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return what the entry says to the SSO alone, without the people, whom the conduct may have put there."""
    people = {results.PERFORMER, results.WITNESS}
    return {name: said for name, said in part.items() if name not in people}


def _not_proven(
    entry: Entry, reason: str, *, software: str = "", verified: tuple[str, ...] = ()
) -> Rejudged:
    return Rejudged(
        entry.seq,
        str(entry.open["test"]),
        str(entry.open["outcome"]),
        str(entry.open["reason"]),
        Agreement.NOT_PROVEN,
        reason=reason,
        software=software,
        verified=verified,
    )
