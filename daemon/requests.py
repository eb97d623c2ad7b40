"""What can be asked over the control socket, and what answers.

Acts of SSO and Master, and everything that is of class ``sso``, come this way only.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from daemon.acts import LONGEST_TEXT
from daemon.errors import RecordError, RefusedError
from daemon.mqtt.commands import order_faults
from daemon.record.reader import MOST_ENTRIES, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.acts import Acts
    from daemon.model import Json
    from daemon.mqtt.commands import Reply
    from daemon.record.log import Record

DEFAULT_COUNT = 20


class StatusSource(Protocol):
    """Who knows how everything stands (``daemon.console.gather``)."""

    def gather(self, *, sso: bool) -> Mapping[str, Json]:
        """Return it; never waits."""
        ...


class Requests:
    """Carries out requests of the control socket."""

    def __init__(
        self,
        *,
        acts: Acts,
        record: Record,
        status: StatusSource | None = None,
        worklist: Callable[[], list[dict[str, Json]]] = list,
    ) -> None:
        """Answer with these; ``worklist`` returns what SSO and Master have to see to."""
        self._acts = acts
        self._record = record
        self._status = status
        self._worklist = worklist

    async def carry_out(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Carry out one request.

        Raises:
            RefusedError: It cannot be done, or a field is missing or wrong; the message says which.
        """
        match request["do"]:
            case "tests":
                return {"tests": self._acts.tests()}
            case "worklist":
                return {"items": self._worklist()}
            case "status" if self._status is not None:
                return self._status.gather(sso=request.get("sso") is True)
            case "log":
                return await self._log(request)
            case "seal.record":
                return await self._seal()
            case _:
                return _said(await self._act(request), str(request["do"]))

    async def _act(self, request: Mapping[str, Any]) -> Reply:
        """Carry out what a person does."""
        match request["do"]:
            case "notice":
                return await self._acts.notice(
                    _text(request, "flag"),
                    person=_text(request, "by"),
                    sent_utc=_moment(request, "sent"),
                    to=_text(request, "to"),
                    reference=_text(request, "reference"),
                )
            case "window.open" | "window.close":
                return await self._window(request)
            case "test.start" | "test.answer" | "test.skip":
                return await self._test(request)
            case "seal" | "release":
                return await self._release(request)
            case "ack" | "silence" | "take_watch":
                return await self._watchkeeping(request)
            case "order":
                return await self._order(request)
            case other:
                raise RefusedError(f"there is no request {other[:40]!r}")

    async def _window(self, request: Mapping[str, Any]) -> Reply:
        if request["do"] == "window.close":
            return await self._acts.close_window(_names(request, count=1)[0])
        first, second = _names(request, count=2)
        return await self._acts.open_window(first, second)

    async def _test(self, request: Mapping[str, Any]) -> Reply:
        test, person = _text(request, "test"), _text(request, "by")
        if request["do"] == "test.skip":
            return await self._acts.skip(test, person=person, reason=_text(request, "reason"))
        if request["do"] == "test.start":
            item = _text(request, "item") if "item" in request else None
            return await self._acts.start_test(test, person=person, item=item)
        text = _writable(str(request.get("text", "")), "text")
        return await self._acts.answer(
            test, step=_number(request, "step"), person=person, text=text
        )

    async def _watchkeeping(self, request: Mapping[str, Any]) -> Reply:
        """Do what a watch station's buttons do, where there is no such station but this computer."""
        station, person = _text(request, "station"), _text(request, "by")
        match request["do"]:
            case "take_watch":
                return await self._acts.take_watch(station, person=person)
            case "silence":
                return await self._acts.silence(station, person=person)
            case _:
                alert = _text(request, "alert")
                return await self._acts.acknowledge_newest(station, alert=alert, person=person)

    async def _release(self, request: Mapping[str, Any]) -> Reply:
        alert, person = _text(request, "alert"), _text(request, "by")
        if request["do"] == "seal":
            number = _text(request, "number")
            return await self._acts.new_seal(alert, number=number, person=person)
        return await self._acts.release(alert, note=_text(request, "note"), person=person)

    async def _order(self, request: Mapping[str, Any]) -> Reply:
        """Carry out an order about the ship: the members are those of the command of that name."""
        verb = _text(request, "verb")
        said = request.get("said")
        if not isinstance(said, dict) or (wrong := order_faults(verb, said)):
            raise RefusedError("; ".join(wrong) if isinstance(said, dict) else "said is wanted")
        return await self._acts.order(verb, said, person=_text(request, "by"))

    async def _log(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        count = request.get("count", DEFAULT_COUNT)
        before = request.get("before")
        type_ = request.get("type")
        if not isinstance(count, int) or not 1 <= count <= MOST_ENTRIES:
            raise RefusedError(f"count is 1 to {MOST_ENTRIES}")
        if not isinstance(before, int | None) or not isinstance(type_, str | None):
            raise RefusedError("before is an entry's number, type a text")
        try:
            entries = await self._record.entries(
                Query(before=before, type=type_, newest_first=True, limit=count)
            )
        except RecordError as err:
            raise RefusedError(f"the record cannot be read now: {err}") from err
        return {"entries": [entry.body for entry in entries][::-1]}

    async def _seal(self) -> Mapping[str, Json]:
        try:
            checkpoint = await self._record.seal()
        except RecordError as err:
            raise RefusedError(f"the record cannot be sealed now: {err}") from err
        return {"origin": checkpoint.origin, "size": checkpoint.size, "note": checkpoint.note}


def _said(reply: Reply, do: str) -> Mapping[str, Json]:
    """Return the answer; what writes nothing yet says nothing of the record."""
    recorded = {} if do in {"test.start", "test.answer"} else {"recorded": reply.recorded}
    return {**recorded, **(reply.extra or {})}


def _text(request: Mapping[str, Any], field: str) -> str:
    value = request.get(field)
    if not isinstance(value, str) or not value:
        raise RefusedError(f"{field} is wanted, as text")
    return _writable(value, field)


def _moment(request: Mapping[str, Any], field: str) -> datetime:
    """Read a moment in UTC: ``2026-11-22T02:10Z``."""
    try:
        moment = datetime.fromisoformat(_text(request, field))
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise RefusedError(f"{field} is a moment with its zone: 2026-11-22T02:10Z")
    return moment


def _writable(value: str, field: str) -> str:
    """Return a text that can stand in an entry: JSON lets half a character through, UTF-8 does not."""
    if len(value) > LONGEST_TEXT or not value.isprintable():
        raise RefusedError(f"{field} has at most {LONGEST_TEXT} characters, all of them printable")
    return value


def _number(request: Mapping[str, Any], field: str) -> int:
    value = request.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise RefusedError(f"{field} is wanted, as a number")
    return value


def _names(request: Mapping[str, Any], *, count: int) -> list[str]:
    names = request.get("by")
    if (
        not isinstance(names, list)
        or len(names) != count
        or not all(isinstance(name, str) for name in names)
    ):
        persons = "one person" if count == 1 else f"{count} persons"
        raise RefusedError(f"by is wanted: {persons}, by name")
    return names
