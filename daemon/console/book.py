"""What people write at the command line: forms, amendments, attachments, reviews."""

from __future__ import annotations

import argparse
import base64
import csv
import io
import os
import re
import stat
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.console.asking import DONE, asked, asking, say
from daemon.errors import IspsdError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.console.asking import Request

LARGEST_FILE_BYTES = 16 * 1024 * 1024
_HASH = re.compile(r"[0-9a-f]{64}")


def add(commands: Any) -> None:
    """Add every subcommand that writes into the book, or takes evidence out of it."""
    _forms(commands)
    _corrections(commands)
    _files(commands)
    _reviews(commands)


def pair(word: str) -> tuple[str, str]:
    """Read ``field=value``."""
    name, sign, value = word.partition("=")
    if not sign or not name:
        raise argparse.ArgumentTypeError(f"{word!r} is not field=value")
    return name, value


def _forms(commands: Any) -> None:
    forms = asking(commands, "forms", "list the forms, or the fields of one")
    forms.add_argument("form", nargs="?", help="its name: drill")
    forms.set_defaults(act=_show_forms)

    enter = asking(commands, "enter", "fill in a form: an entry of the security record", by=True)
    enter.add_argument("form", help="its name: drill; ispsd forms lists them")
    enter.add_argument("--done-at", metavar="UTC", help="when it was done, if not now")
    enter.add_argument(
        "--csv",
        type=Path,
        metavar="FILE",
        help="several at once: a list whose first row names the fields",
    )
    enter.set_defaults(act=_enter)

    seals = asking(commands, "seals", "print the register of numbered seals")
    seals.set_defaults(act=_seals)

    raised = asking(
        commands, "raise", "raise what ispsd detected to a threat, incident or breach", by=True
    )
    raised.add_argument("seq", type=int, help="the number of the entry")
    raised.add_argument(
        "--as", dest="form", required=True, choices=["threat", "incident", "breach"]
    )
    raised.set_defaults(act=_raise, done_at=None)
    for parser in (enter, raised):
        parser.is_mixed = True
        parser.add_argument(
            "fields",
            nargs="*",
            type=pair,
            metavar="FIELD=VALUE",
            help="without any, on a terminal, each is asked for",
        )


def _corrections(commands: Any) -> None:
    amend = asking(commands, "amend", "correct an entry by a new one that names it", by=True)
    amend.add_argument("seq", type=int, help="the number of the entry")
    amend.add_argument("--reason", required=True, help="why it has to be corrected")
    amend.add_argument("fields", nargs="+", type=pair, metavar="FIELD=VALUE")
    amend.is_mixed = True
    amend.set_defaults(act=_amend)


def _files(commands: Any) -> None:
    attach = asking(commands, "attach", "attach a file to an entry", by=True)
    attach.add_argument("seq", type=int, help="the number of the entry")
    attach.add_argument("file", type=Path, help="PDF, JPEG, PNG, text or mail (.eml), ≤ 16 MiB")
    attach.add_argument("--what", required=True, help="what it shows")
    attach.set_defaults(act=_attach)

    evidence = asking(commands, "evidence", "write a piece of evidence into a file")
    evidence.add_argument("which", help="the entry's number, or the SHA-256 that it gives")
    evidence.add_argument("--out", type=Path, required=True, help="a file that is not there yet")
    evidence.set_defaults(act=_evidence)


def _reviews(commands: Any) -> None:
    review = asking(commands, "review", "the SSO has reviewed the record up to an entry", by=True)
    verify = asking(
        commands, "countersign", "the Master verifies what the SSO has reviewed", by=True
    )
    for parser, do in ((review, "review"), (verify, "countersign")):
        parser.add_argument("--up-to", type=int, required=True, metavar="SEQ")
        parser.set_defaults(act=_review, do=do)


def _show_forms(given: argparse.Namespace) -> int:
    forms = asked(given, {"do": "forms"})["forms"]
    if given.form is None:
        for form in forms:
            say(f"{form['form']:<20} {form['kind']:<4} {form['says']}")
        return DONE
    form = _named(forms, given.form)
    say(f"{form['form']}: {form['says']} ({form['kind']})")
    for field in form["fields"]:
        optional = " (may be left away)" if field["optional"] else ""
        say(f"  {field['name']:<20} {field['says']}{optional}: {field['wants']}")
    return DONE


def _seals(given: argparse.Namespace) -> int:
    listed = asked(given, {"do": "seals"})["seals"]
    if not listed:
        say("no numbered seal is entered (ispsd enter seal-fitted)")
    for each in listed:
        how = "fitted" if each["is_fitted"] else "REMOVED"
        why = f" · {each['why']}" if each["why"] else ""
        at = f"{each['at'][:16]}Z"
        say(
            f"{each['seal']:<6} {each['number']:<14} {how:<8} {at} {each['by']} · {each['place']}{why}"
        )
    return DONE


def _enter_many(given: argparse.Namespace) -> int:
    rows = rows_of(_content(given.csv).decode("utf-8-sig", "replace"))
    request = {"do": "enter.many", "form": given.form, "rows": rows, "by": given.by}
    answer = asked(given, request)
    late = sum(each is True for each in answer["late"])
    seqs = [str(seq) for seq in answer["recorded"] if seq is not None]
    say(f"recorded: no. {', '.join(seqs)}" if seqs else "not yet recorded: the disk takes long")
    if late:
        say(f"{late} marked LATE: more than 24 hours after it was done")
    return DONE


def rows_of(text: str) -> list[dict[str, str]]:
    """Return the rows of a list, each by the names of the first row; what is empty is left away.

    The columns stand between tabs, as a spreadsheet pastes them, semicolons or commas.

    Raises:
        IspsdError: No rows, or one with more or fewer columns.
    """
    first, _, _ = text.partition("\n")
    between = next((sign for sign in "\t;" if sign in first), ",")
    lines = [row for row in csv.reader(io.StringIO(text), delimiter=between) if any(row)]
    if len(lines) < 2:  # noqa: PLR2004 (the names, and one row)
        raise IspsdError("a list has a first row with the names of the fields, and rows below it")
    names = [name.strip() for name in lines[0]]
    rows = []
    for number, cells in enumerate(lines[1:], 1):
        if len(cells) != len(names):
            raise IspsdError(f"row {number} has {len(cells)} columns, not {len(names)}")
        rows.append({n: cell.strip() for n, cell in zip(names, cells, strict=True) if cell.strip()})
    return rows


def _enter(given: argparse.Namespace) -> int:
    if given.csv is not None:
        if given.fields or given.done_at:
            raise IspsdError("--csv stands alone: every row says its fields")
        return _enter_many(given)
    return _filled(given, {"do": "enter", "form": given.form})


def _raise(given: argparse.Namespace) -> int:
    return _filled(given, {"do": "raise", "as": given.form, "seq": given.seq})


def _filled(given: argparse.Namespace, request: Request) -> int:
    request |= {"by": given.by, "done_at": given.done_at}
    if given.fields or not sys.stdin.isatty():
        answer = asked(given, {**request, "fields": _joined(given.fields)})
    else:
        form = _named(asked(given, {"do": "forms"})["forms"], given.form)
        try:
            answer = by_field(
                form["fields"],
                ask=input,
                send=lambda said: asked(given, {**request, "fields": said}),
            )
        except EOFError:
            raise IspsdError("broken off: nothing was entered") from None
    _say_recorded(answer)
    if answer.get("defect"):
        say(f"the defect's number is {answer['defect']}")
    if answer["late"]:
        say("marked LATE: more than 24 hours after it was done")
    elif answer["late"] is None:
        say(str(answer["late_unknown"]))
    return DONE


def by_field(
    fields: list[dict[str, Any]],
    *,
    ask: Callable[[str], str],
    send: Callable[[Mapping[str, str]], dict[str, Any]],
) -> dict[str, Any]:
    """Ask for one field after the other; a field that is refused is asked for again.

    Raises:
        RefusedError: Something else is refused than one of the fields.
    """
    said = {field["name"]: ask(_prompt(field)) for field in fields}
    while True:
        try:
            return send(said)
        except RefusedError as err:
            name = re.split(r"\W", str(err), maxsplit=1)[0]
            wrong = next((field for field in fields if field["name"] == name), None)
            if wrong is None:
                raise
            say(f"ispsd: {err}")
            said[name] = ask(_prompt(wrong))


def _prompt(field: Mapping[str, Any]) -> str:
    optional = ", may be left empty" if field["optional"] else ""
    return f"{field['says']} ({field['wants']}{optional}): "


def _amend(given: argparse.Namespace) -> int:
    answer = asked(
        given,
        {
            "do": "amend",
            "seq": given.seq,
            "reason": given.reason,
            "by": given.by,
            "fields": _joined(given.fields),
        },
    )
    _say_recorded(answer)
    say(f"amends no. {answer['amends']}, which stays as it is")
    if answer["is_test"]:
        say("how the equipment stands hangs on the test alone: do it again")
    return DONE


def _attach(given: argparse.Namespace) -> int:
    content = _content(given.file)
    begun = asked(
        given,
        {
            "do": "attach.begin",
            "seq": given.seq,
            "what": given.what,
            "name": given.file.name,
            "size": len(content),
            "sha256": sha256(content).hexdigest(),
            "by": given.by,
        },
    )
    upload, step = begun["upload"], begun["chunk_bytes"]
    for offset in range(0, len(content), step):
        body = base64.b64encode(content[offset : offset + step]).decode("ascii")
        asked(given, {"do": "attach.chunk", "upload": upload, "offset": offset, "body": body})
    answer = asked(given, {"do": "attach.end", "upload": upload})
    _say_recorded(answer)
    say(f"{answer['media']}, {answer['size']} bytes, sha256 {answer['sha256']}")
    return DONE


def _content(path: Path) -> bytes:
    """Return a file's bytes, of one that is no larger than may be attached."""
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise IspsdError(f"{path}: is not a file")
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as err:
        raise IspsdError(f"{path}: {err.strerror}") from err
    if not content or len(content) > LARGEST_FILE_BYTES:
        raise IspsdError(f"{path}: a file that is attached has 1 byte to 16 MiB")
    return content


def _evidence(given: argparse.Namespace) -> int:
    request: Request = {"do": "evidence"}
    if _HASH.fullmatch(given.which):
        request["sha256"] = given.which
    elif given.which.isdecimal():
        request["seq"] = int(given.which)
    else:
        raise IspsdError(f"{given.which[:70]!r} is neither an entry's number nor a SHA-256")
    content = bytearray()
    while True:
        piece = asked(given, {**request, "offset": len(content)})
        content += base64.b64decode(piece["body"])
        if len(content) >= piece["size"] or not piece["body"]:
            break
    if sha256(content).hexdigest() != piece["sha256"]:
        raise IspsdError("the evidence did not come whole; ask again")
    _write_new(given.out, bytes(content))
    say(f"{given.out}: {len(content)} bytes, sha256 {piece['sha256']}")
    return DONE


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; one that is there already is left alone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as err:
        raise IspsdError(f"{path}: {err.strerror}") from err


def _review(given: argparse.Namespace) -> int:
    answer = asked(given, {"do": given.do, "up_to": given.up_to, "by": given.by})
    _say_recorded(answer)
    say(f"no. {answer['from']} to {answer['up_to']}")
    for row in answer.get("kinds", []):
        say(f"  {row['kind']:<7} {row['count']}")
    for row in answer.get("results", []):
        say(f"  {row['outcome']:<13} {row['count']}")
    if not answer["sealed"]:
        say("no head is signed over this entry yet; one follows when the disk takes it")
    if answer.get("same_person"):
        say("reviewed and verified by the same person: the entry says so")
    return DONE


def _say_recorded(answer: Mapping[str, Any]) -> None:
    seq = answer["recorded"]
    say("not yet recorded: the disk takes long" if seq is None else f"recorded: no. {seq}")


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the fields; what is given twice is joined, as persons told are."""
    said: dict[str, str] = {}
    for name, value in pairs:
        said[name] = f"{said[name]}; {value}" if name in said else value
    return said


def _named(forms: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for form in forms:
        if form["form"] == name:
            return form
    raise IspsdError(f"there is no form {name!r}; there are {', '.join(f['form'] for f in forms)}")
