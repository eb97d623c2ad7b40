"""What is written of tests: results, and periods that ended without one; the plan is ``daemon.testing.planning``'s.

Machines write kind .10 only (ISPS A/10.1.10: testing of security equipment). What a test of class ``sso`` says beside
its outcome, and which items were not tested, is for the SSO alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.checks.api import ItemsVerdict, Mode
from daemon.model import Classification, Outcome, Situation
from daemon.navigation import geodesy
from daemon.record.entry import Actor, Draft, Evidence
from daemon.testing import evidence

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from daemon.checks.api import Gathered
    from daemon.checks.asking import Event
    from daemon.model import Json, Position, Regime, Verdict
    from daemon.testing.schedule import Period
    from daemon.testing.session import Session
    from daemon.testing.standing import Test

RESULT, MISSED = "test.result", "test.missed"
BEGUN, KEPT = "test.begun", "test.kept"
SENT = "sent"
"""When a test sent something ashore, among what its verdict says."""
PERFORMER, WITNESS = "performer", "witness"
_BERTHED: Final = frozenset({Situation.PORT, Situation.YARD})
"""Where the port says where she was."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept beside a result: how many readings, and the pieces that hold them."""

    readings: int
    pieces: tuple[Evidence, ...]


def result(
    test: Test,
    session: Session,
    verdict: Verdict,
    *,
    ended_utc: datetime,
    regime: Regime,
    demo: bool,
    kept: Kept,
    position: Position | None = None,
) -> Draft:
    """Return the one entry of a test that has ended; ``position`` is where the ship was then, as far as she knows."""
    config = test.config
    private = test.classification is Classification.SSO
    details: dict[str, Json] = {**verdict.details}
    if private:
        details = {PERFORMER: session.person, **details}
        if session.witness is not None:
            details[WITNESS] = session.witness
    said: dict[str, Json] = {
        "test": config.id,
        "equipment": config.equipment,
        "name": config.name,
        "mode": _mode(test, session, verdict).value,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "began": forms.utc(session.began_utc),
        "ended": forms.utc(ended_utc),
        "situation": regime.situation.value,
        "security_level": int(regime.level),
        "ssp_paragraph": config.ssp_paragraph,
        "simulated": demo,
        "readings": kept.readings,
    }
    if session.witness is not None and not private:
        said[WITNESS] = session.witness
    if verdict.outcome is Outcome.SKIPPED:
        # Only the SSO and the Master leave a test out (Tests.skip); what others say of it is theirs to sign.
        said["signed_off"] = session.signs_off
    if position is not None and session.day is None and regime.situation not in _BERTHED:
        said["position"] = geodesy.written(position.lat_deg, position.lon_deg, decimals=1)
    if (items := items_of(verdict)) is not None:
        said["items"] = items
    if session.day is not None:
        said["day"] = f"{session.day:%Y-%m-%d}"
    return Draft(
        kind=".10",
        type=RESULT,
        subject=config.equipment,
        classification=test.classification,
        actor=Actor(person=session.person, proof=session.proof),
        open=said,
        parts={Classification.SSO: details} if details else {},
        evidence=kept.pieces,
    )


def begun(test: Test, session: Session) -> Draft:
    """Return the entry that a person has begun a test: if ispsd stops before it ends, the next start says so."""
    said: dict[str, Json] = {
        "test": test.config.id,
        "equipment": test.config.equipment,
        "began": forms.utc(session.began_utc),
    }
    who: dict[str, Json] = {"person": session.person}
    if session.item is not None:
        who["item"] = session.item
    private = test.classification is Classification.SSO
    return Draft(
        kind="system",
        type=BEGUN,
        subject=test.config.equipment,
        classification=test.classification,
        actor=Actor(person=session.person, proof=session.proof),
        open=said if private else said | who,
        parts={Classification.SSO: who} if private else {},
    )


def items_of(verdict: Verdict) -> list[Json] | None:
    """Return what an entry says of each item; None where the verdict is on one thing."""
    if not isinstance(verdict, ItemsVerdict):
        return None
    return [{"item": item, **each} for item, each in verdict.items.items()]


def evidence_of(
    test: Test,
    verdict: Verdict,
    gathered: Gathered | None,
    *,
    demo: bool,
    software: str,
    salt: Callable[[], bytes],
) -> Kept:
    """Return what is kept beside the entry, so that it can be judged again (``daemon.testing.rejudging``).

    Args:
        test: The test.
        verdict: How it came out.
        gathered: What it was judged by; None where nothing was judged.
        demo: Whether simulated readings counted.
        software: The version that judged.
        salt: Makes random bytes.

    Raises:
        EntryError: Something that was gathered cannot be written down.
    """
    if gathered is None:
        return Kept(len(verdict.readings), evidence.readings_piece(verdict.readings))
    pieces = basis_of(test, gathered, demo=demo, software=software, salt=salt)
    if verdict.outcome is not Outcome.PASSED or test.spec.mode is Mode.ASSISTED:
        pictures = (Evidence("image/jpeg", each) for each in gathered.pictures)
        pieces = (*pieces[:-1], *pictures, pieces[-1])
    return Kept(len(gathered.readings), pieces)


def basis_of(
    test: Test, gathered: Gathered, *, demo: bool, software: str, salt: Callable[[], bytes]
) -> tuple[Evidence, ...]:
    """Return what was gathered, and what the test was then, as pieces of evidence.

    Raises:
        EntryError: Something that was gathered cannot be written down.
    """
    basis = evidence.Basis(
        check=test.spec.kind,
        config=configured(test),
        gathered=gathered,
        simulated=demo,
        software=software,
    )
    return evidence.pieces(basis, salt=salt())


def configured(test: Test) -> dict[str, Json]:
    """Return the test as the ship's file has it, as plain JSON."""
    return test.config.model_dump(mode="json")


def kept(test: Test, session: Session, pieces: tuple[Evidence, ...]) -> Draft:
    """Return the entry of what a test has found until now: if ispsd stops, the next start goes on from there."""
    said: dict[str, Json] = {
        "test": test.config.id,
        "equipment": test.config.equipment,
        "began": forms.utc(session.began_utc),
    }
    return Draft(
        kind="system",
        type=KEPT,
        subject=test.config.equipment,
        classification=test.classification,
        actor=Actor(person=session.person, proof=session.proof),
        open=said,
        parts={Classification.SSO: {WITNESS: session.witness}} if session.witness else {},
        evidence=pieces,
    )


def missed(test: Test, period: Period, reason: str, *, after: Event | None = None) -> Draft:
    """Return the one entry of a period, or of the days ``after`` an event, that ended without the test: NOT DONE."""
    config = test.config
    remaining = test.remaining(period.begins_utc)
    said: dict[str, Json] = {
        "test": config.id,
        "equipment": config.equipment,
        "name": config.name,
        "outcome": Outcome.SKIPPED.value,
        "reason": reason,
        "period_begins": forms.utc(period.begins_utc),
        "period_ends": forms.utc(period.ends_utc),
        "ssp_paragraph": config.ssp_paragraph,
    }
    if after is not None:
        said["after"] = after.value
    if remaining:
        said["items_missed"] = len(remaining)
    return Draft(
        kind=".10",
        type=MISSED,
        subject=config.equipment,
        classification=test.classification,
        open=said,
        parts={Classification.SSO: {"items": list(remaining)}} if remaining else {},
    )


def _mode(test: Test, session: Session, verdict: Verdict) -> Mode:
    if isinstance(verdict, ItemsVerdict) and verdict.mode is not None:
        return verdict.mode
    return Mode.ASSISTED if session.item is not None else test.spec.mode
