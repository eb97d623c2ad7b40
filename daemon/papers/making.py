"""Which papers are there, and what stands in each? From a snapshot to a paper, for its reader."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from daemon.papers import (
    amendments,
    books,
    companyweek,
    gnssform,
    logtable,
    onetest,
    pack,
    pdf,
    release,
)
from daemon.papers.calls import ENTRIES, Calls
from daemon.papers.defects import Defects
from daemon.papers.layout import Paper, Sheet
from daemon.papers.testlog import Around, rows
from daemon.papers.view import View, names
from daemon.papers.words import objects, text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from daemon.papers.proof import Proof
    from daemon.papers.release import Release
    from daemon.papers.source import Source

MOST_PAGES: Final = 8
"""Of a PSC pack."""
FIRST_TRY: Final = 60
"""Rows of the log in a pack, before its pages are counted."""
TIGHT_TRY: Final = 12
"""Rows of the log where every other part is kept to a page."""
TITLES: Final = {
    "test-log": "Equipment test log",
    "psc": "Port state control pack",
    "rso": "Security audit pack",
    "test": "Record of one test",
    "drills": "Drill log",
    "gnss": "GNSS interference report",
    release.DIGEST: "Security report to the company",
}
BASES: Final = {
    "test-log": "ISPS A/10.1.10",
    "psc": "SOLAS XI-2/9",
    "rso": "ISPS A/9, A/10",
    "test": "ISPS A/10.1.10",
    "drills": "ISPS A/10.1.1",
    "gnss": "MSC.1/Circ.1644",
    release.DIGEST: "ISPS A/11.2",
}
DEMO: Final = "DEMO · simulated data · not a ship's record"
PROTECTED: Final = "PROTECTED, ISPS A/9.7: for SSO, Master, company and auditor only"
"""Head of every paper that says more than port state control may see."""
OPEN_PAPERS: Final = frozenset({"psc", "gnss"})


@dataclass(frozen=True, slots=True)
class Asked:
    """Which paper, for whom.

    Attributes:
        seq: Of the one test, where one is asked for.
    """

    what: str
    release: Release
    seq: int | None = None

    @property
    def view(self) -> View:
        return View(self.what) if self.what in {"psc", "rso"} else View.FULL


def around(source: Source, view: View, known: Collection[str] = ()) -> Around:
    """Return what rows must know beside their own entries; ``known`` equipment keeps its number always."""
    found = source.of("test.result", "test.missed", "defect.opened")
    equipment = {text(each.open, "equipment") for each in found}
    labels = names(view, source.particulars.kinds, equipment, known)
    every = {
        text(each, "test"): text(each, "every")
        for planned in source.of("tests.planned")
        for each in objects(planned.open.get("tests"))
    }
    amended = amendments.by_entry(source.all("entry.amended"))
    return Around(
        source,
        labels,
        Calls(source.of(*ENTRIES), amended),
        Defects(
            source.of("defect.opened"),
            source.of("defect.told", "defect.changed", "defect.again", "unit.repaired"),
            source.of("defect.closed"),
            labels,
        ),
        amended,
        every,
    )


def made(
    asked: Asked, source: Source, proof: Proof, evidence: Callable[[str], bytes | None]
) -> tuple[bytes, int]:
    """Return a paper as PDF/A, and how many pages it has.

    Args:
        asked: Which paper.
        source: The record.
        proof: What the verifier said of it.
        evidence: Returns a piece of evidence by its SHA-256.

    Raises:
        IspsdError: It cannot be set, there is no such test, or a pack does not fit its pages.
    """
    here = around(source, asked.view)
    if asked.what != "psc":
        sheets = _sheets(asked, here, proof, evidence)
        return pdf.rendered(paper(asked, source, proof, sheets))
    # A pack keeps to its pages: what is older goes, and the paper says how many rows that were.
    most, tight = FIRST_TRY, False
    while True:
        sheets = pack.sheets(TITLES["psc"], here, proof, most_rows=most, tight=tight)
        found, pages = pdf.rendered(paper(asked, source, proof, sheets))
        if pages <= MOST_PAGES or (tight and most == 0):
            return found, pages
        if most == 0:
            most, tight = TIGHT_TRY, True
        else:
            most = most * 3 // 4 if most > 3 else 0  # noqa: PLR2004 (so that it ends)


def paper(asked: Asked, source: Source, proof: Proof, sheets: tuple[Sheet, ...]) -> Paper:
    """Return a paper around its sheets: head, foot, banner."""
    ship = source.particulars
    exported = [each for each in source.all("record.exported") if each.seq == asked.release.seq]
    at = exported[0].at if exported else proof.checked
    release = replace(asked.release, ranked=ship.ranked(asked.release.by))
    return Paper(
        ship=ship.ship or "ship's name not in this record",
        imo=ship.imo,
        title=TITLES[asked.what],
        basis=BASES[asked.what],
        period=source.period.words(),
        date=(at.year, at.month, at.day, at.hour, at.minute, at.second),
        banner=" · ".join(filter(None, (DEMO if ship.is_demo else "", _protected(asked)))),
        is_demo=ship.is_demo,
        checkpoint=proof.head.note,
        foot=(
            f"Entries {proof.first_seq}–{proof.last_seq} · fingerprint {proof.fingerprint} · {proof.short()}",
            _clipped(release.line()),
            f"The code holds the signed checkpoint of {proof.head.origin} at {proof.head.size} entries: "
            "keep it, it is a witness.",
        ),
        sheets=sheets,
    )


def _sheets(
    asked: Asked, here: Around, proof: Proof, evidence: Callable[[str], bytes | None]
) -> tuple[Sheet, ...]:
    title = TITLES[asked.what]
    match asked.what:
        case "rso":
            return pack.sheets(title, here, proof, most_rows=None)
        case "drills":
            table = books.drills(here, most=None)
            return (Sheet((table, *pack.closing(proof)), landscape=True),)
        case release.DIGEST:
            closing = pack.closing(proof)
            return companyweek.sheets(here.source, asked.release.seq, title, closing)
        case "gnss":
            return gnssform.sheets(here.source, evidence, title)
        case "test":
            return onetest.sheets(asked.seq, here, proof, evidence, title)
        case _:
            table = logtable.table(rows(here), here, title=title)
            upkeep = books.upkeep(here, most=None)
            return (Sheet((table, upkeep, *pack.closing(proof)), landscape=True),)


def _protected(asked: Asked) -> str:
    return "" if asked.what in OPEN_PAPERS else PROTECTED


def _clipped(line: str) -> str:
    longest = 330
    return line if len(line) <= longest else line[: longest - 1] + "…"
