"""What does an auditor see beside the pack? Who may do what, reviews, releases, and the evidence by its hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.papers import moments, release
from daemon.papers.layout import NOTHING, Column, Table
from daemon.papers.words import number, text

if TYPE_CHECKING:
    from daemon.papers.layout import Block
    from daemon.papers.source import Found
    from daemon.papers.testlog import Around

MOST_EVIDENCE: Final = 500
"""Pieces that are named on paper; the record holds all of them."""


def tables(around: Around) -> tuple[Block, ...]:
    """Return the tables behind the log."""
    return (
        _persons(around),
        _reviews(around),
        _releases(around),
        _files(around),
        _evidence(around),
    )


def _persons(around: Around) -> Table:
    ship = around.source.particulars
    return Table(
        title="Persons and their roles in the system",
        columns=(Column("Name", 2), Column("Rank", 1), Column("Roles", 3)),
        rows=tuple(
            (name, ship.rank(name) or NOTHING, roles or NOTHING)
            for name, roles in ship.roles.items()
        ),
        empty="not in this record",
    )


def _reviews(around: Around) -> Table:
    found = around.source.of("period.reviewed", "period.verified")[::-1]
    return Table(
        title="Reviewed by the SSO, verified by the Master",
        columns=(
            Column("No.", 1),
            Column("UTC", 2),
            Column("What", 1.5),
            Column("Up to no.", 1),
            Column("By", 2),
            Column("Remarks", 4),
        ),
        rows=tuple(
            (
                str(each.seq),
                moments.utc_words(each.at),
                "reviewed" if each.entry.type == "period.reviewed" else "verified",
                str(number(each.open.get("up_to")) or NOTHING),
                each.entry.actor.person or NOTHING,
                text(each.open, "remarks") or NOTHING,
            )
            for each in found
        ),
        empty="never",
    )


def _releases(around: Around) -> Table:
    found = around.source.of("record.exported")[::-1]
    return Table(
        title="Exports and disclosures",
        columns=(
            Column("No.", 1),
            Column("UTC", 2),
            Column("What", 1.5),
            Column("Period", 3),
            Column("To whom", 3),
            Column("By", 2),
            Column("Master's consent", 2),
        ),
        rows=tuple(
            (
                str(each.seq),
                moments.utc_words(each.at),
                f"{text(each.open, 'what')}, {text(each.open, 'format')}",
                _period(each),
                text(each.open, "to_whom") or NOTHING,
                each.entry.actor.person or NOTHING,
                _consent(each),
            )
            for each in found
        ),
        empty="none",
    )


def _consent(each: Found) -> str:
    consent = text(each.open, "consent")
    by = release.stated_by(consent or None, each.entry.actor.person)
    return f"{consent}, as stated by {by}" if by else consent or NOTHING


def _files(around: Around) -> Table:
    found = around.source.of("attachment.added")[::-1][:MOST_EVIDENCE]
    return Table(
        title="Files attached to entries: confirmations, declarations of security, photographs",
        columns=(
            Column("No.", 1),
            Column("To no.", 1),
            Column("UTC", 2),
            Column("What", 3),
            Column("Name", 2),
            Column("By", 2),
            Column("SHA-256", 5),
        ),
        rows=tuple(
            (
                str(each.seq),
                str(_named(each) or NOTHING),
                moments.utc_words(each.at),
                text(each.open, "what") or NOTHING,
                text(each.open, "name") or NOTHING,
                each.entry.actor.person or NOTHING,
                text(each.open, "sha256") or NOTHING,
            )
            for each in found
        ),
        empty="none",
    )


def _named(each: Found) -> int | None:
    to = each.open.get("to")
    return number(to.get("seq")) if isinstance(to, dict) else None


def _period(each: Found) -> str:
    begins, ends = moments.read(each.open.get("from")), moments.read(each.open.get("to"))
    return (
        f"{moments.utc_words(begins)} to {moments.utc_words(ends)}" if begins and ends else NOTHING
    )


def _evidence(around: Around) -> Table:
    named = [
        (
            str(each.seq),
            around.names.equipment(each),
            reference.media,
            f"{reference.size} bytes",
            reference.sha256,
        )
        for each in around.source.in_period("test.result")[::-1]
        for reference in each.entry.evidence
    ]
    left = len(named) - MOST_EVIDENCE
    return Table(
        title="Evidence behind the rows of the log",
        columns=(
            Column("No.", 1),
            Column("Equipment", 2.5),
            Column("Kind", 2),
            Column("Size", 1.2),
            Column("SHA-256", 6.5),
        ),
        rows=tuple(named[:MOST_EVIDENCE]),
        notes=(f"{left} older pieces are not named here.",) if left > 0 else (),
    )
