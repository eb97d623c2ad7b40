"""One test: its row, what was asked and answered, its evidence drawn and listed, and how to check all of it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import RefusedError
from daemon.exhibits.pieces import PICTURES
from daemon.papers.words import result
from daemon.review.page import LARGEST_FILE, File, Page
from daemon.review.typed import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.review.reader import Reader

CHEAP: Final = 256 * 1024
"""Bytes of evidence that are judged again for a page; a day of readings is judged again when somebody asks for it."""
DIGEST: Final = 64
ENDINGS: Final = {
    "application/jsonl": "jsonl",
    "application/json": "json",
    "text/plain": "txt",
    "image/jpeg": "jpg",
    "image/png": "png",
    "application/pdf": "pdf",
    "message/rfc822": "eml",
}


async def read(reader: Reader, asked: Mapping[str, str]) -> Mapping[str, Json]:
    """Return everything that is kept of one test.

    Raises:
        RefusedError: There is none of that number.
    """
    seq = _number(asked)
    shown = await reader.ask("testlog.one", seq=seq)
    return {**shown, "again": await _again(reader, shown), "pictures": sorted(PICTURES)}


async def _again(reader: Reader, shown: Mapping[str, Any]) -> Json:
    """Return how today's judge judges it; None where nothing was judged, or where that takes longer."""
    size = sum(each["size"] for each in shown["evidence"])
    if not shown["evidence"] or size > CHEAP:
        return None
    try:
        again = await reader.ask("rejudge", seq=shown["seq"])
    except RefusedError as err:
        return {"agreement": "NOT PROVEN", "why": str(err), "today": None}
    today = again["today"]
    said = (
        None if today is None else {"result": result(today["outcome"]), "reason": today["reason"]}
    )
    return {"agreement": again["agreement"], "why": again["why"], "today": said}


async def evidence(reader: Reader, asked: Mapping[str, str]) -> File:
    """Hand out a piece of evidence, by its hash, whole.

    Raises:
        RefusedError: It is not there, or too large to hand out here.
    """
    digest = asked.get("sha256", "")
    if len(digest) != DIGEST or not set(digest) <= set("0123456789abcdef"):
        raise RefusedError("there is no such file", wants={"page": True})
    entry = json.loads((await reader.ask("entry", seq=_number(asked)))["entries"][0])
    named = {each["sha256"]: each["media"] for each in entry["evidence"]}
    if digest not in named:
        raise RefusedError("there is no such file", wants={"page": True})
    body = bytearray()
    while True:
        piece = await reader.ask("evidence", sha256=digest, offset=len(body))
        if piece["size"] > LARGEST_FILE:
            raise RefusedError(
                f"it has {piece['size']} bytes: take it at the ship's computer: ispsd evidence {digest}"
            )
        some = base64.b64decode(piece["body"])
        body += some
        if not some or len(body) >= piece["size"]:
            break
    media = str(named[digest])
    return File(f"{digest}.{ENDINGS.get(media, 'bin')}", media, bytes(body))


def _number(asked: Mapping[str, str]) -> int:
    if (found := number(asked.get("seq", ""))) is None:
        raise RefusedError("which test? It is reached from the log", wants={"page": True})
    return found


def document(asked: Mapping[str, str]) -> str:
    """Return what is read, as an entry names it."""
    return f"entry {_number(asked)}"


PAGE = Page(
    name="test",
    title="One test",
    read=read,
    document=document,
    files={"evidence": evidence},
    listed=False,
)
