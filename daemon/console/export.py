"""``ispsd export``: a paper for somebody, made here from a snapshot that the daemon lends.

The daemon decides who may and writes it down; pages are set in this process, so that nothing on the bridge waits for
them. Without a daemon (``--record``) there is no entry, and the paper says so.
"""

from __future__ import annotations

import argparse
import glob
import shlex
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.console.asking import DONE, asked, asking, members, say
from daemon.control import fields
from daemon.errors import IspsdError, RefusedError
from daemon.papers import making, outcome, release, source, spans, wishes
from daemon.papers.release import Release
from daemon.papers.steps import Part, Step
from daemon.papers.words import counted
from daemon.record import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daemon.papers.moments import Period

NEWEST_ANCHORS: Final = 32
WIDTH: Final = 70


@dataclass(frozen=True, slots=True)
class Loan:
    """What a paper is made from.

    Attributes:
        id: Of the export at the daemon; None: there is none.
    """

    folder: Path
    keys: tuple[str, ...]
    anchors: tuple[str, ...]
    release: Release
    profile: str
    id: str | None


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = asking(commands, "export", "make a paper: log, pack, report", by=True)
    parser.add_argument("what", choices=release.WHATS, help="which paper")
    parser.add_argument("seq", type=int, nargs="?", help="of `test`: the entry's number")
    parser.add_argument(
        "--from",
        dest="begins",
        type=_moment,
        metavar="UTC",
        help=f"a day or moment (default: {spans.DEFAULT_DAYS} days ago)",
    )
    parser.add_argument(
        "--to",
        dest="ends",
        type=_end,
        metavar="UTC",
        help="a day, with it, or a moment (default: now)",
    )
    parser.add_argument("--format", choices=release.FORMATS, default="pdf")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--to-whom", required=True, metavar="WHO", help="who receives it")
    parser.add_argument(
        "--consent", metavar="MASTER", help="the Master who consents: wanted for psc and rso"
    )
    parser.add_argument(
        "--record", type=Path, metavar="DIR", help="without a daemon: the folder of its record"
    )
    parser.add_argument(
        "--key", action="append", default=[], metavar="FILE", help="with --record: the public key"
    )
    parser.add_argument(
        "--anchor",
        type=Path,
        action="append",
        default=[],
        metavar="NOTE",
        help="a checkpoint that somebody else holds",
    )
    parser.add_argument(
        "--replace", action="store_true", help="an earlier file of that name may go"
    )
    parser.set_defaults(act=_export)
    _add_digest(commands)


def _add_digest(commands: Any) -> None:
    """Add the week for the company by a name of its own: what is mailed each Sunday."""
    parser = asking(commands, "digest", "write the week for the company: one small file", by=True)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--to-whom", required=True, metavar="WHO", help="who receives it")
    parser.add_argument("--format", choices=("jsonl", "pdf"), default="jsonl")
    parser.add_argument(
        "--replace", action="store_true", help="an earlier file of that name may go"
    )
    ours = {"what": release.DIGEST, "seq": None, "begins": None, "ends": None, "consent": None}
    parser.set_defaults(act=_export, record=None, key=[], anchor=[], **ours)


def _export(given: argparse.Namespace) -> int:
    wishes.must_fit(given.what, given.format, given.seq)
    if given.what == release.DIGEST and given.record:
        raise IspsdError(
            "a running ispsd makes the week's report: it stands in the entry of its release"
        )
    now = datetime.now(UTC)
    period = spans.period(
        given.begins, given.ends, now=now, what=given.what, names=("--from", "--to")
    )
    if not given.replace:
        _free(given.out, given.format)
    progress = Progress()
    with _offline(given) if given.record else _lent(given, period, progress) as loan:
        asked_for = making.Asked(given.what, loan.release, given.seq)
        made = outcome.made(
            asked_for,
            given.format,
            period,
            folder=loan.folder,
            keys=loan.keys,
            anchors=(*loan.anchors, *(path.read_text("utf-8") for path in given.anchor)),
            profile=loan.profile,
            now=now,
            say=progress,
        )
        written = outcome.write(made, given.out, say=progress)
        progress.end()
        ended = _told(given, loan, made)
    pages = f", {counted(made.pages, 'page')}" if made.pages else ""
    say(
        f"{', '.join(str(each.path) for each in written)}: {made.size} bytes{pages}, sha256 {made.sha256}"
    )
    say(made.proof.sentence())
    if made.segments:
        keys = [word for key in loan.keys or ("KEY",) for word in ("--key", key)]
        say(
            "A file for each segment, each verified by itself:"
            if len(written) > 1
            else "Verify it:"
        )
        for each in written:
            say(shlex.join(["ispsd", "verify", str(each.path), *keys, "--anchor", "NOTE"]))
    say(ended)
    return DONE


@contextmanager
def _lent(given: argparse.Namespace, period: Period, progress: Progress) -> Iterator[Loan]:
    """Borrow a snapshot of the daemon; whatever goes wrong from there on is told to it."""
    progress(Step(Part.SNAPSHOT))
    request = {
        "do": "export.begin",
        "what": given.what,
        "format": given.format,
        "from": period.begins.isoformat(),
        "to": period.ends.isoformat(),
        "to_whom": given.to_whom,
        "by": given.by,
        **members(consent=given.consent or None, seq=given.seq),
    }
    answer = asked(given, request)
    try:
        yield Loan(
            Path(answer["folder"]),
            tuple(answer["keys"]),
            tuple(answer["anchors"]),
            Release(given.to_whom, given.by, answer["consent"], answer["recorded"]),
            answer["profile"],
            answer["id"],
        )
    except BaseException as err:
        reason = fields.as_writable(f"{type(err).__name__}: {err}")
        with suppress(IspsdError):
            asked(given, {"do": "export.failed", "id": answer["id"], "reason": reason})
        raise


@contextmanager
def _offline(given: argparse.Namespace) -> Iterator[Loan]:
    """Copy a record that no daemon writes."""
    with (
        snapshot.at_rest(given.record),
        tempfile.TemporaryDirectory(prefix="ispsd-export-") as place,
    ):
        folder = Path(place) / "record"
        snapshot.take(given.record, folder, resting=True)
        # Nobody proves here who he is; but the record says who he would have to be.
        people = source.people(folder)
        consent = release.allowed(given.what, given.by, given.consent, people)
        yield Loan(
            folder,
            tuple(given.key),
            (),
            Release(given.to_whom, given.by, consent, None),
            release.profile(given.what),
            None,
        )


def _told(given: argparse.Namespace, loan: Loan, made: outcome.Made) -> str:
    """Tell the daemon how it ended; return the sentence for who asked."""
    if loan.id is None:
        return release.OFFLINE
    answer = asked(
        given,
        {
            "do": "export.done",
            "id": loan.id,
            "sha256": made.sha256,
            "bytes": made.size,
            "pages": made.pages,
            "verdict": made.proof.verdict,
        },
    )
    return f"entries {loan.release.seq} (begun) and {answer['recorded']} (written)"


class Progress:
    """Shows on a terminal how far it has come; says nothing to a pipe."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, step: Step) -> None:
        self._show(f"\r{step.words():<{WIDTH}.{WIDTH}}")

    def end(self) -> None:
        """Leave nothing on the line."""
        self._show(f"\r{'':<{WIDTH}}\r")

    def _show(self, line: str) -> None:
        if self._shown:
            sys.stderr.write(line)
            sys.stderr.flush()


def _free(out: Path, form: str) -> None:
    """Refuse to write over an earlier paper; of JSON lines also over one of the files beside it.

    Raises:
        IspsdError: There is one.
    """
    there = [out] if out.exists() else []
    if form == "jsonl" and out.parent.is_dir():
        numbered = f"{glob.escape(out.stem)}-[0-9][0-9][0-9][0-9]{glob.escape(out.suffix)}"
        there += sorted(out.parent.glob(numbered))
    if there:
        raise IspsdError(f"{there[0]} is there already: choose another name, or say --replace")


def _moment(text: str) -> datetime:
    """Return a day's beginning or a moment, in UTC."""
    return _typed(spans.moment, text)


def _end(text: str) -> datetime:
    """Return a moment; of a day its end."""
    return _typed(spans.end, text)


def _typed(read: Callable[[str], datetime], text: str) -> datetime:
    try:
        return read(text)
    except RefusedError as err:
        raise argparse.ArgumentTypeError(str(err)) from None
