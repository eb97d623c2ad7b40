"""The results as a table for people: what the bridge saw, what the record says, what was lost, how soon it was over."""

from __future__ import annotations

import platform
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from tests.faults.judge import gone_unconfirmed, raised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.capture import Capture
    from tests.faults.fault import Fault
    from tests.faults.judge import Finding

TEMPLATE = Path(__file__).with_name("report.md")
SHOWN = ("alert.changed", "segment.opened", "watch.taken", "station.changed")
"""Types that stand in every record."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one fault ended."""

    fault: Fault
    lasted_s: float
    capture: Capture
    findings: Sequence[Finding]

    @property
    def holds(self) -> bool:
        return all(each.holds for each in self.findings)

    def finding(self, begins: str) -> Finding:
        return next(each for each in self.findings if each.promise.startswith(begins))


def page(
    results: Sequence[Result], skipped: Sequence[tuple[str, str]], *, day: str, minutes: int
) -> str:
    """Return the whole report as Markdown."""
    table = [
        "| fault | what the bridge saw | what the record says | lost | back to normal after |",
        "|---|---|---|---|---|",
        *(_row(each) for each in results),
        *(f"| **{title}** | not run: {why} | | | |" for title, why in skipped),
    ]
    text = Template(TEMPLATE.read_text("utf-8")).substitute(
        day=day,
        machine=f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}",
        minutes=minutes,
        table="\n".join(table),
    )
    broken = [(r.fault.title, f) for r in results for f in r.findings if not f.holds]
    if broken:
        kept = "\n".join(f"- {title}: {f.promise}: {f.words}" for title, f in broken)
        text += f"\n## Not kept\n\n{kept}\n"
    return text


def _row(result: Result) -> str:
    fault, capture = result.fault, result.capture
    notes = "".join(f". {note[0].upper()}{note[1:]}" for note in capture.notes)
    what = f"**{fault.title}**, {_duration(result.lasted_s)}: {fault.how}{notes}"
    lost = result.finding("nothing that was confirmed")
    extra = [f"{f.promise}: {f.words}" for f in result.findings[11:]]
    back = result.finding("back")
    after = result.finding("memory")
    cells = (
        what.strip(),
        saw(result),
        "; ".join([said(capture), *extra]),
        _lost(capture, lost),
        f"{back.words if back.holds else f'**{back.words}**'}; {after.words if after.holds else f'**{after.words}**'}",
    )
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


def _lost(capture: Capture, finding: Finding) -> str:
    """Return what was lost of what was confirmed, and what nobody had confirmed."""
    words = f"nothing ({finding.words})" if finding.holds else f"**{finding.words}**"
    gone = len(gone_unconfirmed(capture))
    if gone:
        words += f"; gone with the power: {gone} door's alert and acknowledgement, *not yet recorded* at the page"
    return words


def saw(result: Result) -> str:
    """Return what the bridge saw, in plain words."""
    capture = result.capture
    titles = {
        h.body["id"]: h.body.get("title", h.body["id"])
        for h in capture.named("alert/")
        if h.payload
    }
    alerts = sorted({titles.get(each, each) for each in raised(capture)})
    grey = result.finding("nothing is green").words
    over_s = capture.normal_s or float("inf")
    states = dict.fromkeys(
        h.body["state"]
        for h in capture.named("status")
        if h.payload and capture.begins_s <= h.at_s <= over_s
    )
    during = [each for each in capture.rounds if each.when == "during"]
    way = (
        "at the ship's own computer"
        if during and during[0].by == "computer"
        else "at the gangway's page"
    )
    unrecorded = sum(1 for each in during if each.accepted and each.recorded is None)
    acts = f"{len(during)} door{'s' * (len(during) > 1)} told and acknowledged {way}"
    if unrecorded:
        acts += f" ({unrecorded} *not yet recorded*)"
    return "; ".join(
        filter(
            None,
            (
                acts,
                result.finding("alerts come").words.partition("; ")[2],
                f"alerts: {', '.join(alerts)}" if alerts else "no alert but the doors'",
                f"status {', '.join(states)}" if states else "",
                grey,
            ),
        )
    )


def said(capture: Capture) -> str:
    """Return what the record says, in plain words."""
    types = Counter(entry["type"] for entry in capture.written() if entry["type"] not in SHOWN)
    told = ", ".join(
        f"{name} {count}" if count > 1 else name for name, count in sorted(types.items())
    )
    return f"{len(capture.entries)} entries ({told}); {capture.verdict[1].strip().splitlines()[0]}"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
