"""Does the evidence of a test's result still prove what the result says? Judged again, from the record alone.

The judge of the check is asked, the same function as on the day, with what the entry has kept: its configuration, its
readings and its facts. Nothing is asked of the ship as she is now. Evidence whose hash is not the one that stands in
the entry is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from daemon import evidence, results
from daemon.checks.judged import as_kept, judged
from daemon.errors import RecordError
from daemon.record.pending import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.checks.api import CheckSpec
    from daemon.evidence import Basis
    from daemon.model import Json, Verdict
    from daemon.record.entry import Entry

NOT_KEPT: Final = "evidence not kept: there was no room for it when the entry was written"
NO_FACTS: Final = (
    "the entry holds no facts: nothing was judged (it was skipped, crashed or was ended by force), "
    "or the ispsd that wrote it kept none"
)


class Agreement(StrEnum):
    """What judging again comes to."""

    SAME = "SAME"
    DIFFERENT = "DIFFERENT"
    NOT_PROVEN = "NOT PROVEN"
    """It cannot be judged again, and so proves nothing any more."""


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
    part: Mapping[str, Json] | None = None,
) -> Rejudged:
    """Return how a result is judged today.

    Args:
        entry: Of a test's result.
        body_of: Returns a piece of evidence by its SHA-256; None where the record has it no more. It may raise
            ``RecordError``.
        checks: Every check that this ispsd knows, by its kind.
        part: What the entry says to the SSO alone; None where it says nothing, or that is not here.

    Raises:
        RecordError: The entry is no test's result.
    """
    if entry.type != results.RESULT:
        raise RecordError(f"entry {entry.seq} is {entry.type}, not the result of a test")
    try:
        basis, verified = _basis(entry, body_of)
    except RecordError as err:
        return _not_proven(entry, str(err))
    try:
        verdict = _judged(basis, checks)
    except RecordError as err:
        return _not_proven(entry, str(err), software=basis.software, verified=verified)
    same = _said(entry) == _says(verdict) and (part is None or _details(part) == verdict.details)
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


def _basis(entry: Entry, body_of: Callable[[str], bytes | None]) -> tuple[Basis, tuple[str, ...]]:
    """Return what the result rested on, and the hashes that were found right.

    Raises:
        RecordError: It is not there, or is not what the entry names.
    """
    if LEFT_OUT in entry.open:
        raise RecordError(NOT_KEPT)
    bodies: dict[str, bytes] = {}
    for each in entry.evidence:
        body = body_of(each.sha256)
        if body is None:
            raise RecordError(f"evidence {each.sha256} is not in this record")
        if hashlib.sha256(body).hexdigest() != each.sha256:
            raise RecordError(f"evidence {each.sha256} has been altered: its hash is another")
        bodies[each.media] = body
    if evidence.BASIS not in bodies:
        raise RecordError(NO_FACTS)
    basis = evidence.basis(bodies[evidence.BASIS], bodies.get(evidence.READINGS, b""))
    if len(basis.gathered.readings) != entry.open["readings"]:
        raise RecordError(
            f"the entry tells of {entry.open['readings']} readings, {len(basis.gathered.readings)} are kept"
        )
    if basis.simulated is not entry.open["simulated"]:
        raise RecordError("entry and evidence do not agree on whether it was simulated")
    return basis, tuple(each.sha256 for each in entry.evidence)


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
    """Return the check's own details of what the entry says to the SSO alone."""
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
