"""What does the week's report to the company look like on its one page? What its entry says, in words and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.errors import IspsdError
from daemon.papers import moments, release
from daemon.papers.layout import NOTHING, Column, Facts, Sheet, Span, Table, Title
from daemon.papers.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.papers.layout import Block, Cell
    from daemon.papers.source import Source

NO_NAMES: Final = "Counts, dates and exceptions only: no movement of a door, no name of anybody who went through one."
WRITTEN: Final = {True: "yes", False: "NO"}


def report(source: Source, seq: int | None) -> Mapping[str, Any]:
    """Return what the entry of the release says of the week.

    Raises:
        IspsdError: There is no such entry.
    """
    for each in source.all("record.exported"):
        said = each.open.get(release.DIGEST)
        if each.seq == seq and isinstance(said, dict):
            return said
    raise IspsdError("the week's report stands in the entry of its release, and there is none")


def sheets(
    source: Source, seq: int | None, title: str, closing: Sequence[Block]
) -> tuple[Sheet, ...]:
    """Return the page."""
    said = report(source, seq)
    return (Sheet((Title(title), _facts(said), _defects(said), _eased(said), *closing)),)


def _facts(said: Mapping[str, Any]) -> Facts:
    ship, tests, ssas, record = said["ship"], said["tests"], said["ssas"], said["record"]
    stands = ", ".join(f"{each['count']} {each['readiness']}" for each in tests["stands"])
    results = ", ".join(f"{each['count']} {each['result']}" for each in said["results"])
    more = [f"{tests['more']} more"] if tests["more"] else []
    overdue = ", ".join([*(each["test"] for each in tests["overdue"]), *more])
    threat = " · threat area" if said["threat"] else ""
    return Facts(
        (
            ("Ship", f"{ship['name']} · IMO {ship['imo']} · {ship['call_sign']} · {ship['flag']}"),
            ("Week", f"{_utc(said['from'])} to {_utc(said['to'])}"),
            ("Now", f"{said['situation']}, security level {said['security_level']}{threat}"),
            ("Tests stand", stands or NOTHING),
            ("Overdue", overdue or "none that is named here"),
            ("Results of the week", results or "none"),
            ("Last SSAS test", _ssas(ssas)),
            ("Last drill, next by", _training(said["drill"])),
            ("Last exercise, next by", _training(said["exercise"])),
            ("Alerts that sounded", NOTHING if said["sounded"] is None else str(said["sounded"])),
            *((f"Paper: {each['name']}", _paper(each)) for each in said["papers"]),
            *((("Other papers", _more(said["more_papers"])),) if said["more_papers"] else ()),
            (
                "Record",
                f"{record['newest']} entries · reviewed to {record['reviewed_to'] or NOTHING} · "
                f"verified to {record['verified_to'] or NOTHING} · second copy "
                + (NOTHING if record["copy_age_h"] is None else f"{record['copy_age_h']} h old"),
            ),
            (
                "Software, configuration",
                f"ispsd {said['software']}, SHA-256 {said['configuration'][:16]}…",
            ),
            ("Computer's clock", said["clock"]),
        )
    )


def _ssas(said: Mapping[str, Any]) -> Cell:
    if said["last"] is None:
        return "none on file"
    shore = ""
    if said["confirmed"] is not None:
        shore = f", confirmed by {said['confirmed']} of {said['recipients']}"
    due = f"; next {_utc(said['next'])}" if said["next"] else ""
    return f"{_utc(said['last']['at'])} {said['last']['result']}{shore}{due}"


def _training(said: Mapping[str, Any]) -> Cell:
    if said["last"] is None:
        return (Span("none in the record", "bold"),)
    return f"{_utc(said['last'])}, {_utc(said['limit'])}"


def _paper(said: Mapping[str, Any]) -> str:
    window = (
        f", to be endorsed {said['window_from'] or ''} to {said['window_until']}"
        if said["window_until"]
        else ""
    )
    endorsed = f", last endorsed {said['endorsed']}" if said["endorsed"] else ""
    return f"expires {said['expires'] or 'with no date'}{window}{endorsed}"


def _defects(said: Mapping[str, Any]) -> Table:
    found = said["defects"]
    lead = f"{counted(found['open'], 'open defect')}, {found['over_7_days']} for more than 7 days"
    return Table(
        title="Defects",
        lead=(lead,),
        columns=(
            Column("No."),
            Column("Equipment", 2),
            Column("Found", 2),
            Column("Measure instead"),
            Column("Somebody told"),
        ),
        rows=tuple(
            (
                each["defect"].upper(),
                each["equipment"].upper(),
                _utc(each["found"]),
                WRITTEN[each["measure"]],
                WRITTEN[each["told"]],
            )
            for each in found["list"]
        ),
        empty="none",
        notes=(_more(found["more"]),) if found["more"] else (),
    )


def _eased(said: Mapping[str, Any]) -> Table:
    found = said["eased"]
    notes = [_more(found["more"]), NO_NAMES] if found["more"] else [NO_NAMES]
    return Table(
        title="Inhibited, permitted, out of service: by what it was about",
        columns=(Column("What", 2), Column("How", 2), Column("Times"), Column("Nights")),
        rows=tuple(
            (
                each["what"].upper(),
                each["how"],
                str(each["times"]),
                (Span(f"{each['nights']}: REPEATED", "bold"),)
                if each["repeated"]
                else str(each["nights"]),
            )
            for each in found["list"]
        ),
        notes=tuple(notes),
    )


def _more(count: int) -> str:
    return f"{count} more in the record."


def _utc(said: object) -> str:
    return moments.utc_words(moments.read(said))
