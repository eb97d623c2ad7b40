"""``ispsd rejudge``: what would the checks of today say of the evidence that the record has kept?

Of a running daemon's record, or without one of a closed record (``--record``), a single segment of it or an export.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import closing
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.console.asking import DONE, FAILED, UNUSABLE, asked, asking, say
from daemon.console.line import PAPER
from daemon.console.log import begin_of
from daemon.errors import IspsdError
from daemon.model import Classification
from daemon.record import exported, fold
from daemon.record.reader import Query, Reader
from daemon.testing import rejudging, results
from daemon.testing.rejudging import Agreement
from daemon.wording.terminal import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping

    from daemon.checks.api import CheckSpec
    from daemon.record.entry import Entry

    Again = Mapping[str, Any]
    """One result judged again, as ``rejudging.message`` says it."""

PAGE: Final = 200
TELL_EVERY: Final = 100
CODES: Final = {
    Agreement.SAME: DONE,
    Agreement.DIFFERENT: FAILED,
    Agreement.REFUSED: FAILED,
    Agreement.NOT_PROVEN: UNUSABLE,
}


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = asking(commands, "rejudge", "judge results of tests again, from their evidence alone")
    parser.add_argument("seq", type=int, nargs="*", help="the numbers of the results")
    parser.add_argument("--all", action="store_true", help="every result of the record")
    parser.add_argument("--since", metavar="UTC", help="every result since 2026-11-22")
    parser.add_argument(
        "--record",
        type=Path,
        metavar="PATH",
        help="without a daemon: the folder of a record, a segment, or an export (.jsonl)",
    )
    parser.add_argument("--json", action="store_true", help="one result a line, for programs")
    parser.set_defaults(act=_rejudge)


def _rejudge(given: argparse.Namespace) -> int:
    several = given.all or given.since is not None
    if several is bool(given.seq):
        raise IspsdError("say which: numbers of results, or --all, or --since")
    since = None if given.since is None else _since(given.since)
    found = _of_daemon(given, since) if given.record is None else _of_files(given, since)
    counted: Counter[Agreement] = Counter()
    worst, seen = DONE, set[int]()
    for again in found:
        seen.add(again["seq"])
        agreement = Agreement(again["agreement"])
        counted[agreement] += 1
        if given.json:
            say(json.dumps(again))
        elif not several or agreement is not Agreement.SAME:
            for row in rows(again, brief=several):
                say(row)
        worst = _worse(worst, _code(again, agreement, several=several))
        if several and sum(counted.values()) % TELL_EVERY == 0:
            sys.stderr.write(f"{sum(counted.values())} judged again, now at no. {again['seq']}\n")
    if missing := set(given.seq) - seen:
        raise IspsdError(f"no result of a test has the number {min(missing)} here")
    if several and not given.json:
        say(_summary(counted))
    return worst


def rows(again: Again, *, brief: bool) -> list[str]:
    """Return what is shown of one result; ``brief`` of one that stands among many."""
    recorded, today = again["recorded"], again["today"]
    said = [
        f"no. {again['seq']}  {again['at'][:16].replace('T', ' ')}Z  {again['name']} {again['test']}",
        f"  recorded: {_words(recorded)}",
    ]
    if today is not None:
        said.append(f"  today:    {_words(today)}")
    said.append(f"  {again['agreement']}" + (f": {again['why']}" if again["why"] else ""))
    if not brief:
        then = again["software_then"] or "not said"
        said.append(f"  judged by ispsd {then} then, by ispsd {again['software_now']} today")
        for each in again["evidence"]:
            fits = "is what the entry names" if each["verified"] else "NOT USED"
            said.append(
                f"  evidence: {each['media']}, {each['size']} bytes, sha256 {each['sha256']}: {fits}"
            )
    return [printable(row) for row in said]


def _words(said: Mapping[str, str]) -> str:
    return f"{PAPER.get(said['outcome'], said['outcome'])} · {said['reason']}"


def _code(again: Again, agreement: Agreement, *, several: bool) -> int:
    """Return the exit code; among many, what nobody could prove then takes nothing away now."""
    proved = again["recorded"]["outcome"] in fold.DECISIVE
    if several and agreement is Agreement.NOT_PROVEN and not proved:
        return DONE
    return CODES[agreement]


def _worse(one: int, other: int) -> int:
    """Return the worse of two codes: what is wrong goes before what is not proven."""
    return next(code for code in (FAILED, UNUSABLE, DONE) if code in {one, other})


def _summary(counted: Mapping[Agreement, int]) -> str:
    each = [
        f"{counted[agreement]} {agreement.value}"
        for agreement in Agreement
        if counted.get(agreement)
    ]
    return f"{sum(counted.values())} results judged again: {', '.join(each) or 'none'}"


def _since(typed: str) -> str:
    """Return a moment as the record writes it; a day is its begin, in UTC.

    Raises:
        IspsdError: It is no moment.
    """
    try:
        found = datetime.fromisoformat(begin_of(typed))
    except ValueError:
        raise IspsdError(f"--since {typed}: want 2026-11-22 or 2026-11-22T02:10Z") from None
    if found.tzinfo is None:
        raise IspsdError(f"--since {typed}: in UTC: {typed}Z")
    return forms.utc(found)


# Who judges


def _of_daemon(given: argparse.Namespace, since: str | None) -> Iterator[Again]:
    """Yield what the running daemon says of its record."""
    for seq in given.seq or _numbers(given, since):
        yield asked(given, {"do": "rejudge", "seq": seq})


def _numbers(given: argparse.Namespace, since: str | None) -> Iterator[int]:
    after: int | None = 0
    while after is not None:
        page = asked(
            given,
            {
                "do": "log",
                "type": results.RESULT,
                "since": since,
                "after": after,
                "forward": True,
                "count": PAGE,
            },
        )
        for body in page["entries"]:
            yield json.loads(body)["seq"]
        after = page["next"]


def _of_files(given: argparse.Namespace, since: str | None) -> Iterator[Again]:
    """Yield what this program says of a record that nobody writes now.

    Raises:
        RecordError: It cannot be read.
    """
    from daemon.config import registry  # noqa: PLC0415 (the other subcommands start faster without the drivers' libraries)

    checks = registry.checks()
    wanted = set(given.seq)

    def is_wanted(entry: Entry) -> bool:
        if wanted:
            return entry.seq in wanted
        return entry.type == results.RESULT and (since is None or entry.stamp.at >= since)

    path: Path = given.record
    source = _of_export if path.is_file() and path.suffix == ".jsonl" else _of_record
    yield from source(path, is_wanted, wanted, checks)


def _of_record(
    path: Path,
    is_wanted: Callable[[Entry], bool],
    wanted: set[int],
    checks: Mapping[str, CheckSpec],
) -> Iterator[Again]:
    with closing(Reader(path, closed=True)) as reader:
        for entry in _entries(reader, wanted):
            if is_wanted(entry):
                part = reader.sealed_part(entry.seq, Classification.SSO)
                again = rejudging.rejudged(entry, reader.evidence, checks, part)
                yield rejudging.message(entry, again, software=version("ispsd"))


def _entries(reader: Reader, wanted: set[int]) -> Iterator[Entry]:
    for seq in sorted(wanted):
        yield from reader.entries(Query(after=seq - 1, before=seq + 1, limit=1))
    after = None if wanted else 0
    while after is not None:
        page = reader.page(Query(type=results.RESULT, after=after, limit=PAGE))
        yield from page.entries
        after = page.next


def _of_export(
    path: Path, is_wanted: Callable[[Entry], bool], _: set[int], checks: Mapping[str, CheckSpec]
) -> Iterator[Again]:
    for each in exported.entries(path):
        if is_wanted(each.entry):
            part = each.parts.get(Classification.SSO.value)
            again = rejudging.rejudged(each.entry, each.evidence.get, checks, part)
            yield rejudging.message(each.entry, again, software=version("ispsd"))
