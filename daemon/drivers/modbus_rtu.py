"""What do the doors and seals on a unit of a Modbus RTU bus say? One device is one unit.

All units of a bus ask over one line. RS-485 loses a frame now and then: a unit that has answered so
far is asked once more before it counts as lost. After any failure the first answer of a unit may be
a late one to an earlier question, which no number in it could tell: it is thrown away, and the unit
is asked again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from daemon.drivers.api import DriverContext, DriverSpec
from daemon.drivers.links import SerialLink, TcpLink
from daemon.drivers.modbus_frames import MismatchError
from daemon.drivers.modbus_rtu_line import LONGEST_BACK_OFF_S, BusLine, NoAnswerError
from daemon.drivers.modbus_unit import ModbusUnit, UnitConfig

if TYPE_CHECKING:
    import asyncio

    from daemon.drivers.api import Health
    from daemon.drivers.modbus_frames import Question, Refusal
    from daemon.drivers.modbus_poll import Line

LONGEST_UNIT_ID = 247
"""MODBUS over Serial Line 2.2; 0 is broadcast, to which nobody answers."""
POLLS_IN_SILENCE = 3
QUESTIONS_IN_POLL = 3
"""At worst: one that gets no answer, one whose answer is thrown away, and the one that counts."""


class ModbusRtuConfig(UnitConfig):
    """One unit on a bus."""

    kind: Literal["modbus_rtu"]
    bus: Annotated[str, Field(min_length=1, max_length=31)]
    """The bus that it hangs on, by name."""
    unit: Annotated[int, Field(ge=1, le=LONGEST_UNIT_ID)]
    """Its unit id, as set by its switches."""
    poll_s: Annotated[float, Field(ge=0.05, le=10)] = 0.5
    """From one request to the next, in seconds; all units of a bus share its time."""
    timeout_s: Annotated[float, Field(ge=0.05, le=2)] = 0.3
    """How long the unit may think before it answers, in seconds; the wire's time comes on top."""
    silent_after_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    """How long the unit may say nothing before it counts as lost, in seconds."""

    @model_validator(mode="after")
    def _silence_is_longer_than_polls(self) -> Self:
        shortest_s = POLLS_IN_SILENCE * self.poll_s + QUESTIONS_IN_POLL * self.timeout_s
        if self.silent_after_s < shortest_s:
            raise ValueError(
                f"silent_after_s of {self.silent_after_s:g} s is too short; with this poll_s and "
                f"timeout_s it is at least {shortest_s:g} s"
            )
        return self


class UnitOnBus:
    """One unit's share of its bus, for one run."""

    def __init__(self, bus: BusLine, health: Health) -> None:
        self._bus = bus
        self._health = health
        self._in_step_at: int | None = None
        """The opening of the port in which the unit answered its last question; None: it did not."""
        health.hint = bus.hint
        bus.join()

    def turn(self) -> asyncio.Lock:
        return self._bus.turn()

    async def ask(self, question: Question, *, timeout_s: float) -> bytes | Refusal:
        if self._in_step_at == self._bus.openings:
            try:
                return await self._ask(question, timeout_s)
            except MismatchError as err:
                self._health.drop(f"{err.reason} mismatch")
            except NoAnswerError:
                self._health.drop("no answer")
        await self._ask(question, timeout_s)
        return await self._ask(question, timeout_s)

    def close(self) -> None:
        self._bus.leave()

    async def _ask(self, question: Question, timeout_s: float) -> bytes | Refusal:
        self._in_step_at = None
        try:
            answer = await self._bus.ask(question, timeout_s=timeout_s)
        except MismatchError as err:
            err.costs_others = True
            raise
        self._in_step_at = self._bus.openings
        return answer


def build(config: ModbusRtuConfig, ctx: DriverContext) -> ModbusUnit:
    """Return the driver of one unit.

    Raises:
        ValueError: The wiring cannot be, or the bus is not there or no line for RTU.
        IspsdError: The profile is no longer there, or no longer one.
    """
    link = ctx.buses.get(config.bus)
    if not isinstance(link, SerialLink | TcpLink):
        raise ValueError(f"bus {config.bus!r} has to be a serial or tcp link")  # noqa: TRY004

    async def connect(health: Health) -> Line:
        line = ctx.shared.one(
            f"modbus_rtu {config.bus}", lambda: BusLine(config.bus, link, ctx.clock)
        )
        return UnitOnBus(line, health)

    return ModbusUnit(config, ctx, config.fitted_profile(), unit_id=config.unit, connect=connect)


def _inputs(config: ModbusRtuConfig) -> int:
    return config.fitted_profile().inputs


def _silent_after_s(config: ModbusRtuConfig) -> float:
    return config.silent_after_s


def _longest_back_off_s(_: ModbusRtuConfig) -> float:
    return LONGEST_BACK_OFF_S


def _bus(config: ModbusRtuConfig) -> str:
    return config.bus


DRIVER = DriverSpec(
    kind="modbus_rtu",
    config=ModbusRtuConfig,
    build=build,
    inputs=_inputs,
    silent_after_s=_silent_after_s,
    lost_alert=lambda _: "io.unit_lost",
    longest_back_off_s=_longest_back_off_s,
    bus=_bus,
)
