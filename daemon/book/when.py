"""When was it done, and was it entered late? Whoever types in bulk the night before arrival is seen to have done so.

Source: trade practice of port state control: more than 24 hours between done and entered is printed LATE.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.book import values
from daemon.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.model import Json

LATE_AFTER: Final = timedelta(hours=24)
UNKNOWN: Final = "the computer's clock is wrong: nobody can tell whether this is late"


def done_at(
    typed: str | None,
    found: Mapping[str, Json],
    done: Sequence[str],
    *,
    now_utc: datetime | None,
) -> str | None:
    """Return when it was done: as the form says, else as typed for it, else now.

    Args:
        typed: What was given as ``--done-at``.
        found: The form's values.
        done: The form's fields that say when, the best first.
        now_utc: Now; None where the clock cannot be trusted.

    Raises:
        RefusedError: It lies ahead, or the form says it already.
    """
    said = next((value for name in done if (value := found.get(name)) is not None), None)
    if said is not None:
        if typed is not None:
            raise RefusedError(f"{' or '.join(done)} says when it was done; leave --done-at away")
        return str(said)
    if typed is None:
        return None if now_utc is None else forms.utc(now_utc)
    moment = values.moment("done-at", typed)
    if now_utc is not None and moment > now_utc:
        raise RefusedError(
            f"done-at: {moment:%Y-%m-%dT%H:%MZ} lies ahead; it is {now_utc:%Y-%m-%dT%H:%MZ} now"
        )
    return forms.utc(moment)


def frame(done: str | None, *, now_utc: datetime, is_trusted: bool) -> dict[str, Json]:
    """Return the members that say when it was done and entered, and whether that was late."""
    said: dict[str, Json] = {"done_at": done, "entered_at": forms.utc(now_utc)}
    if done is None or not is_trusted:
        return {**said, "late": None, "late_unknown": UNKNOWN}
    # To the millisecond, as both are written: whoever computes it again finds the same.
    took = datetime.fromisoformat(forms.utc(now_utc)) - datetime.fromisoformat(done)
    return {**said, "late": took > LATE_AFTER}
