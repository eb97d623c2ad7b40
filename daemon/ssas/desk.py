"""What does the SSO ask about the SSAS before a test: rule, notice, activation points, window, card?

All of it is of class ``sso`` and is answered on the control socket only. It rests on the ship's file, on what people
entered and on results that are on disk; nothing of it is read from SSAS equipment (invariant 1). The card is answered
without a name and without a PIN: whoever needs it needs it now.
"""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.checks.api import Attached
from daemon.checks.flags import VERIFY, load_flag
from daemon.checks.ssas_end_to_end import SsasEndToEndConfig
from daemon.checks.ssas_settings import evidence_valid_until
from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, Outcome
from daemon.record.search import Query
from daemon.ssas.papers import false_alert_card, notice_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from daemon.computer.clock import Clock
    from daemon.model import Json, Position, Ship
    from daemon.record.log import Record
    from daemon.ssas.papers import Call
    from daemon.ssas.window import Window
    from daemon.testing.readiness import Test, Tests
    from daemon.testing.schedule import LastResult

ATTACHED: Final = "attachment.added"
READABLE: Final = frozenset({"text/plain", "message/rfc822"})
LEAST_POINTS: Final = 2
"""From the bridge and from at least one other place (SOLAS XI-2/6.3.1)."""


class SsasBook:
    """Answers."""

    def __init__(
        self,
        *,
        ship: Ship,
        tests: Tests,
        window: Window,
        clock: Clock,
        calls: Sequence[Call],
        card_paragraph: str,
        position: Callable[[], Position | None],
    ) -> None:
        self._ship = ship
        self._tests = tests
        self._window = window
        self._clock = clock
        self._calls = tuple(calls)
        self._card_paragraph = card_paragraph
        self._position = position

    def requests(
        self,
    ) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]]]:
        """Return who answers which request of the control socket."""
        return {"ssas": self._stands, "ssas.card": self._card, "ssas.notice": self._notice}

    async def _card(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        if not self._calls:
            raise RefusedError(
                "the ship's file has no [ssas.false_alert]: whom to call stands nowhere"
            )
        return {"text": false_alert_card(self._ship, self._calls, self._card_paragraph)}

    async def _notice(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        test = self._test(fields.text(request, "test"))
        config = test.config
        if not isinstance(config, SsasEndToEndConfig):
            raise RefusedError(f"{config.id} is no end-to-end test of an SSAS")
        flag = load_flag(config.flag_profile)
        text = notice_text(
            self._ship,
            flag,
            planned_utc=fields.moment(request, "planned"),
            position=self._position(),
            addressees=[each.name for each in config.addressees],
            contact=fields.optional_text(request, "contact") or "",
            occasion=fields.optional_text(request, "occasion") or "",
        )
        return {"text": text, "rule": flag.quoted, "source": flag.source}

    async def _stands(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        tests = [test for test in self._tests.tests.values() if is_end_to_end(test)]
        points = [self._point(test) for test in tests]
        next_ = min(tests, key=_proved_key, default=None)
        for row in points:
            row["next"] = next_ is not None and row["test"] == next_.config.id
        return {
            "points": list(points),
            "too_few_points": 0 < len({row["point"] for row in points}) < LEAST_POINTS,
            "flags": [self._flag(name) for name in sorted({_flag_of(test) for test in tests})],
            "card": bool(self._calls),
        }

    def _point(self, test: Test) -> dict[str, Json]:
        config = test.config
        assert isinstance(config, SsasEndToEndConfig)  # noqa: S101 (only those are asked)
        proved = test.proven if test.proven and test.proven.outcome is Outcome.PASSED else None
        if test.last is not None and test.last.outcome is Outcome.PASSED:
            proved = test.last
        due = self._tests.next_due_utc(test)
        return {
            "point": config.activation_point,
            "test": config.id,
            "name": config.name,
            "readiness": self._tests.readiness(test),
            "proved_utc": None if proved is None else forms.utc(proved.ended_utc),
            "seq": None if proved is None else proved.seq,
            "evidence_valid_until": None
            if proved is None
            else f"{evidence_valid_until(_sent_utc(test, proved)):%Y-%m-%d}",
            "due_utc": None if due is None else forms.utc(due),
            "window_min": round(self._window.proposed_s(test) / 60),
            "refused": self._window.refusal(test, self._tests.tests.values()),
        }

    def _flag(self, name: str) -> dict[str, Json]:
        flag = load_flag(name)
        newest = max(
            (each for each in self._window.notices if each.flag == name),
            key=lambda each: each.sent_utc,
            default=None,
        )
        return {
            "flag": name,
            "rule": flag.quoted,
            "source": flag.source,
            "read_on": flag.read_on.isoformat(),
            "verify": VERIFY,
            "notes": list(flag.notes),
            "occasions": dict(flag.occasions),
            "yearly_occasion": flag.yearly_occasion,
            "again_after": list(flag.again_after),
            "notice": None
            if newest is None
            else f"{forms.utc(newest.sent_utc)} to {newest.to}: {newest.reference}",
        }

    def _test(self, id_: str) -> Test:
        test = self._tests.tests.get(id_)
        if test is None:
            raise RefusedError(f"there is no test {id_[:40]!r}")
        return test


def _sent_utc(test: Test, proved: LastResult) -> datetime:
    """Return when the test that proved it was sent: not when the last answer came, days later."""
    proven = test.proven
    is_same = proven is not None and proven.ended_utc == proved.ended_utc
    sent_utc = proven.sent_utc if proven is not None and is_same else proved.sent_utc
    return sent_utc or proved.ended_utc


def is_end_to_end(test: Test) -> bool:
    """Return whether a test proves a ship security alert from a point of activation to the shore."""
    return isinstance(test.config, SsasEndToEndConfig)


async def attached(record: Record, seq: int) -> Attached | None:
    """Return the file that an entry attaches; None where it attaches none, or cannot be read."""
    try:
        found = await record.entries(Query(after=seq - 1, before=seq + 1, limit=1))
        entry = found[0] if found else None
        if entry is None or entry.type != ATTACHED or not entry.evidence:
            return None
        reference = entry.evidence[0]
        content = await record.evidence(reference.sha256)
    except RecordError:
        return None
    name, media = entry.open.get("name"), reference.media
    text = None if content is None or media not in READABLE else _words_of(content, media)
    return Attached(
        str(name) if name is not None else None,
        reference.sha256,
        forms.from_utc(entry.stamp.at),
        entry.classification is Classification.SSO,
        text,
    )


def _words_of(content: bytes, media: str) -> str:
    if media != "message/rfc822":
        return content.decode("utf-8", "replace")
    mail = message_from_bytes(content, policy=policy.default)
    body = mail.get_body(preferencelist=("plain",))
    words = body.get_content() if body is not None else ""
    return f"{mail.get('subject', '')}\n{words}"


def _flag_of(test: Test) -> str:
    return str(getattr(test.config, "flag_profile", ""))


def _proved_key(test: Test) -> tuple[float, str]:
    """Order the points by how long ago each was proved; never comes first."""
    proved = test.past.passed_utc
    return (0.0 if proved is None else proved.timestamp(), test.config.id)
