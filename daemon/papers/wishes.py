"""What does somebody want to export, and for whom? The fields of the request, each as it must be."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from daemon.control import fields
from daemon.errors import RefusedError
from daemon.papers import release, spans
from daemon.record.codec import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from daemon.model import Json


def read(request: Mapping[str, Any], now_utc: datetime) -> dict[str, Json]:
    """Return it, as the entry of the export says it; without a period it is the last thirty days.

    Raises:
        RefusedError: A field is missing or wrong.
    """
    what, form = fields.text(request, "what"), fields.text(request, "format")
    if what not in release.WHATS or form not in release.FORMATS:
        raise RefusedError(
            f"what is one of {', '.join(release.WHATS)}, format one of {', '.join(release.FORMATS)}"
        )
    seq = fields.number(request, "seq") if what == "test" else request.get("seq")
    must_fit(what, form, seq)
    begins, ends = (
        None if request.get(name) is None else fields.moment(request, name)
        for name in ("from", "to")
    )
    period = spans.period(begins, ends, now=now_utc, what=what)
    return {
        "what": what,
        "format": form,
        "profile": release.profile(what),
        "from": _utc(period.begins),
        "to": _utc(period.ends),
        "test": seq,
        "to_whom": fields.text(request, "to_whom"),
        "consent": fields.optional_text(request, "consent"),
    }


def must_fit(what: str, form: str, seq: object) -> None:
    """Refuse what no paper is.

    Raises:
        RefusedError: One test without its entry, an entry for another paper, or a form or a report as a spreadsheet.
    """
    if (what == "test") is not (seq is not None):
        raise RefusedError("`test` wants the number of its entry, the other papers none")
    if what == "gnss" and form == "csv":
        raise RefusedError("the GNSS report is a form: pdf, or jsonl for its entries")
    if what == release.DIGEST and form == "csv":
        raise RefusedError("the week for the company is no table: jsonl, or pdf")


def _utc(moment: datetime) -> str:
    return utc_text(moment.astimezone(UTC))
