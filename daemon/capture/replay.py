"""What does a driver make of a tape? The same each time: a talker's on a clock of the tape, a unit's from a server.

So each case folder is a test: what the driver made of it when it was captured must come out again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.capture.tape import LOOPBACK, READ_BYTES, is_tcp, serving
from daemon.computer.clock import SystemClock
from daemon.config import registry
from daemon.drivers.api import Contact, DriverContext, Shared, SideDoor, Wiring
from daemon.drivers.links import TcpLink
from daemon.drivers.tape import TAPES
from daemon.errors import IspsdError, LinkError
from daemon.gate import CovertGate
from daemon.model import ClockStatus, Provenance
from daemon.mqtt.contract import value_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from daemon.capture.case import Case, Moment
    from daemon.drivers.api import Driver, DriverSpec
    from daemon.model import Reading

DEVICE: Final = "case"
BUS: Final = "line"
UNIT_SETTINGS: Final = {"poll_s": 0.05, "timeout_s": 1.0}
"""Quicker than on board; a slow computer is no silent unit."""
TIMES: Final = 2
LONGEST_S: Final = 20.0
NOWHERE: Final = {"kind": "udp", "port": 1}


async def replayed(case: Case) -> list[dict[str, Any]]:
    """Return the readings that a case's driver makes of its tape.

    Raises:
        IspsdError: There is no such driver, or its settings are not in order.
    """
    spec = registry.drivers().get(case.manifest["kind"])
    if spec is None or spec.covert:
        raise IspsdError(f"no case can be of kind {case.manifest['kind']!r}")
    if any(moment.asked for moment in case.tape):
        return await _of_unit(case, spec)
    return await _of_talker(case, spec)


async def _of_talker(case: Case, spec: DriverSpec) -> list[dict[str, Any]]:
    clock = TapeClock(datetime.fromisoformat(case.manifest["began_utc"]))
    driver = _built(
        case, spec, {"link": NOWHERE}, clock=clock, shared=_TapeShared(case.tape, clock)
    )
    made: list[dict[str, Any]] = []

    def emit(reading: Reading) -> None:
        made.append({"at_ms": clock.at_ms, **_of(reading)})

    with suppress(LinkError):  # the tape is over
        await driver.run(emit)
    return made


async def _of_unit(case: Case, spec: DriverSpec) -> list[dict[str, Any]]:
    answers = _Answers(case.tape)
    made: list[dict[str, Any]] = []
    newest: dict[str, dict[str, Any]] = {}

    def emit(reading: Reading) -> None:
        said = _of(reading)
        if newest.get(reading.point) != said:
            newest[reading.point] = said
            made.append(said)

    async with serving(answers.visit) as port:
        place = (
            {"bus": BUS} if "bus" in spec.config.model_fields else {"host": LOOPBACK, "port": port}
        )
        link = TcpLink(kind="tcp", host=LOOPBACK, port=port)
        driver = _built(
            case, spec, {**place, **UNIT_SETTINGS}, clock=SystemClock(), buses={BUS: link}
        )
        running = asyncio.ensure_future(driver.run(emit))
        over = asyncio.ensure_future(answers.over.wait())
        try:
            async with asyncio.timeout(LONGEST_S):
                await asyncio.wait({running, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (running, over):
                task.cancel()
            await asyncio.gather(running, over, return_exceptions=True)
    return made


def _built(case: Case, spec: DriverSpec, place: Mapping[str, Any], **context: Any) -> Driver:
    manifest = case.manifest
    try:
        config = spec.config.model_validate({**case.settings, **place})
        contacts = tuple(
            Contact(each["point"], tuple(each["inputs"]), Wiring(each["wiring"]))
            for each in manifest.get("contact", [])
        )
        side_doors = tuple(SideDoor(**each) for each in manifest.get("side_door", []))
        clock = context["clock"]
        return spec.build(
            config,
            DriverContext(
                device=DEVICE,
                gate=CovertGate(clock),
                provenance=Provenance.REPLAY,
                contacts=contacts,
                side_doors=side_doors,
                **context,
            ),
        )
    except (KeyError, TypeError, ValueError) as err:
        raise IspsdError(f"the case's settings are not in order: {err}") from err


def _of(reading: Reading) -> dict[str, Any]:
    return {
        "point": reading.point,
        "value": value_of(reading.value),
        "quality": reading.quality.value,
    }


class TapeClock:
    """A clock that stands at the newest moment of a tape."""

    def __init__(self, began_utc: datetime) -> None:
        self._began_utc = began_utc.astimezone(UTC)
        self.at_ms = 0

    def utc(self) -> datetime:
        return self._began_utc + timedelta(milliseconds=self.at_ms)

    def now_s(self) -> float:
        return self.at_ms / 1000

    def status(self) -> ClockStatus:
        return ClockStatus.UNSET

    def boot_id(self) -> str:
        return DEVICE

    async def sleep(self, seconds: float) -> None:
        """Wait for ever: only the tape moves time."""
        del seconds
        await asyncio.Event().wait()

    async def pause(self, seconds: float) -> None:
        del seconds
        await asyncio.sleep(0)

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        del seconds
        return await event.wait()


class _TapeShared(Shared):
    """Hands out the tape for whatever line a driver asks for."""

    def __init__(self, tape: tuple[Moment, ...], clock: TapeClock) -> None:
        super().__init__()
        self._tape = deque(tape)
        self._clock = clock

    def one(self, name: str, make: Any) -> Any:  # type: ignore[explicit-override]  # typing.override is Python 3.12
        return super().one(name, make) if name == TAPES else self

    @asynccontextmanager
    async def listened(self, *_: object) -> AsyncIterator[_TapeShared]:
        """Listen to the tape, as to a port that several share."""
        yield self

    def silence(self) -> None:
        """Know of no reason why nothing is heard: a tape is a tape."""

    async def read(self) -> bytes:
        """Return what came next; time goes on to then.

        Raises:
            LinkError: The tape is over.
        """
        if not self._tape:
            raise LinkError("the tape is over")
        moment = self._tape.popleft()
        self._clock.at_ms = max(self._clock.at_ms, moment.at_ms)
        return moment.heard


class _Answers:
    """A server that answers each question as on the tape, each answer twice: drivers throw a first one away."""

    def __init__(self, tape: tuple[Moment, ...]) -> None:
        self._left: dict[bytes, deque[bytes]] = {}
        for moment in tape:
            self._left.setdefault(_question(moment.asked), deque()).extend([moment.heard] * TIMES)
        self._last: dict[bytes, bytes] = {}
        self.over = asyncio.Event()
        """Every answer was given, and heard: each question came once more."""

    async def visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer whoever asks."""
        while asked := await reader.read(READ_BYTES):
            answer = self._answer(asked)
            if not any(self._left.values()) and answer is None:
                self.over.set()
            elif answer is not None:
                writer.write(answer)

    def _answer(self, asked: bytes) -> bytes | None:
        """Return the next answer, the last one again while others still have some; None when all were given."""
        question = _question(asked)
        if not any(self._left.values()):
            return None
        if left := self._left.get(question):
            self._last[question] = left.popleft()
        answer = self._last.get(question)
        if answer is None:
            return None
        return asked[:2] + answer[2:] if is_tcp(asked) else answer


def _question(asked: bytes) -> bytes:
    return asked[2:] if is_tcp(asked) else asked
