"""What can be asked over the control socket, and what answers.

Acts of SSO and Master, and everything that is of class ``sso``, come this way only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.model import Json
from daemon.mqtt.commands import order_faults

if TYPE_CHECKING:
    from daemon.acts.acts import Acts
    from daemon.mqtt.commands import Reply
    from daemon.record.log import Record

Handler: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]]
"""Answers one kind of request; RefusedError is told to whoever asked."""


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
        more: Mapping[str, Handler] | None = None,
    ) -> None:
        """Answer with these.

        Args:
            acts: What people do on the watch.
            record: The security record.
            status: Who knows how everything stands.
            worklist: Returns what SSO and Master have to see to.
            more: By name of the request, who answers it.
        """
        self._acts = acts
        self._record = record
        self._status = status
        self._worklist = worklist
        self._answers: Mapping[str, Handler] = {
            "tests": self._tests,
            "worklist": self._list,
            "seal.record": self._seal,
            **({"status": self._stands} if status is not None else {}),
            **(more or {}),
        }

    async def carry_out(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Carry out one request.

        Raises:
            RefusedError: It cannot be done, or a field is missing or wrong; the message says which.
        """
        if (answer := self._answers.get(request["do"])) is not None:
            return await answer(request)
        return _said(await self._act(request), str(request["do"]))

    async def _tests(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        return {"tests": self._acts.tests()}

    async def _list(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        return {"items": self._worklist()}

    async def _stands(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        assert self._status is not None  # noqa: S101 (asked only where there is one)
        return self._status.gather(sso=request.get("sso") is True)

    async def _act(self, request: Mapping[str, Any]) -> Reply:
        """Carry out what a person does."""
        match request["do"]:
            case "notice":
                return await self._acts.notice(
                    fields.text(request, "flag"),
                    fields.claim(request),
                    sent_utc=fields.moment(request, "sent"),
                    to=fields.text(request, "to"),
                    reference=fields.text(request, "reference"),
                    occasion=fields.optional_text(request, "occasion") or "",
                    planned_utc=fields.moment(request, "planned") if "planned" in request else None,
                )
            case "window.open" | "window.close":
                return await self._window(request)
            case "test.start" | "test.answer" | "test.skip" | "test.abort":
                return await self._test(request)
            case "seal" | "release":
                return await self._release(request)
            case "ack" | "silence":
                return await self._watchkeeping(request)
            case "order":
                return await self._order(request)
            case other:
                raise RefusedError(f"there is no request {other[:40]!r}")

    async def _window(self, request: Mapping[str, Any]) -> Reply:
        if request["do"] == "window.close":
            return await self._acts.close_window(fields.names(request, count=1)[0])
        first, second = fields.claims(request, count=2)
        test = fields.optional_text(request, "test")
        return await self._acts.open_window(first, second, test=test)

    async def _test(self, request: Mapping[str, Any]) -> Reply:
        test, claim = fields.text(request, "test"), fields.claim(request)
        if request["do"] == "test.skip":
            return await self._acts.skip(test, claim, reason=fields.text(request, "reason"))
        if request["do"] == "test.start":
            item = fields.text(request, "item") if "item" in request else None
            remaining = request.get("remaining") is True
            return await self._acts.start_test(test, claim, item=item, remaining=remaining)
        if request["do"] == "test.abort":
            return await self._acts.abort_test(test, claim, reason=fields.text(request, "reason"))
        text = fields.writable(str(request.get("text", "")), "text")
        step = fields.number(request, "step")
        return _told(await self._acts.answer(test, claim, step=step, text=text))

    async def _watchkeeping(self, request: Mapping[str, Any]) -> Reply:
        """Do what a watch station's buttons do, where there is no such station but this computer."""
        station, person = fields.text(request, "station"), fields.text(request, "by")
        match request["do"]:
            case "silence":
                return await self._acts.silence(station, person=person)
            case _:
                alert = fields.text(request, "alert")
                return await self._acts.acknowledge_newest(station, alert=alert, person=person)

    async def _release(self, request: Mapping[str, Any]) -> Reply:
        alert, person = fields.text(request, "alert"), fields.text(request, "by")
        if request["do"] == "seal":
            number = fields.text(request, "number")
            return await self._acts.new_seal(alert, number=number, person=person)
        return await self._acts.release(alert, note=fields.text(request, "note"), person=person)

    async def _order(self, request: Mapping[str, Any]) -> Reply:
        """Carry out an order about the ship: the members are those of the command of that name."""
        verb = fields.text(request, "verb")
        said = request.get("said")
        if isinstance(said, dict) and "confirm" in request:
            said = {**said, "confirm": request["confirm"]}
        if not isinstance(said, dict) or (wrong := order_faults(verb, said)):
            raise RefusedError("; ".join(wrong) if isinstance(said, dict) else "said is wanted")
        return await self._acts.order(verb, said, fields.claim(request))

    async def _seal(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        try:
            checkpoint = await self._record.seal()
        except RecordError as err:
            raise RefusedError(f"the record cannot be sealed now: {err}") from err
        return {"origin": checkpoint.origin, "size": checkpoint.size, "note": checkpoint.note}


def _told(reply: Reply) -> Reply:
    """Return the answer.

    Raises:
        RefusedError: It is a refusal.
    """
    if not reply.accepted:
        raise RefusedError(reply.reason)
    return reply


def _said(reply: Reply, do: str) -> Mapping[str, Json]:
    """Return the answer; what writes nothing, or nothing yet, says nothing of the record."""
    is_silent = not reply.writes or do in {"test.start", "test.answer", "test.abort"}
    recorded = {} if is_silent else {"recorded": reply.recorded}
    return {**recorded, **(reply.extra or {})}
