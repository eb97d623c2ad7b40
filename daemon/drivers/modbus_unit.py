"""What do the doors and seals on a remote I/O unit say? Read functions only, over any Modbus line.

One request for all inputs at each poll, and one for each table beside them. A unit that is late, gone or
answers something else ends the run; a unit that refuses (an exception answer) stays and what it refuses becomes
unknown. An SSAS test lamp on the unit does not exist outside a test window (invariant 1): its bit is cleared
while the answer is decoded, before anything else looks at it, and its counter and latches are never looked at.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from daemon.drivers.api import DriverConfig, DriverContext, Emit, Health, PointSpec
from daemon.drivers.contacts import Band
from daemon.drivers.gauges import ToldFigures
from daemon.drivers.modbus_pace import Cadence, Told
from daemon.drivers.modbus_plan import Seen, plan_inputs
from daemon.drivers.modbus_poll import Answers, Poller
from daemon.drivers.modbus_profile import MOST_INPUTS, Profile, load_profile
from daemon.drivers.modbus_reach import Part, blocks
from daemon.drivers.modbus_read import Reader
from daemon.drivers.modbus_tables import LineName
from daemon.drivers.modbus_trouble import BUSY_WAIT_S, Trouble
from daemon.errors import IspsdError
from daemon.model import Classification, Quality, Reading

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from daemon.drivers.modbus_poll import Line
    from daemon.model import Value

SHORTEST_VALIDITY_S = 15.0
VALID_FOR_POLLS = 5
REPEATS_IN_VALIDITY = 3
"""An unchanged point is emitted at least so often while a value is valid."""
LAST_TRANSACTION = 0xFFFF


Connect: TypeAlias = "Callable[[Health], Awaitable[Line]]"
"""Reaches the unit, or raises LinkError; what is dropped on the line is counted in the health."""


class UnitConfig(DriverConfig):
    """What every unit has, whatever its line."""

    profile: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    """A file of ``devices/``, without its ending."""
    inputs: Annotated[int, Field(ge=1, le=MOST_INPUTS)] | None = None
    """How many inputs a modular unit has; the profile's where it is not given."""
    closed_ma: Band | None = None
    """The current of a closed contact in a supervised loop, in mA; the profile's where not given."""
    open_ma: Band | None = None
    """The current of an open contact in a supervised loop, in mA; the profile's where not given."""
    line: LineName | None = None
    """Which resistors are at the contacts of a unit that measures ohms; the profile's where not given."""
    counters: bool = False
    """Read the counter of each input too: what opened and closed between two polls is noticed."""
    latches: bool = False
    """Read the latches of each input too; they are never cleared."""
    poll_s: Annotated[float, Field(ge=0.02, le=10)] = 0.1
    """From one request to the next, in seconds."""
    timeout_s: Annotated[float, Field(ge=0.05, le=2)] = 0.4
    """How long an answer may take, in seconds."""

    @field_validator("profile")
    @classmethod
    def _is_there(cls, profile: str) -> str:
        try:
            load_profile(profile)
        except IspsdError as err:
            raise ValueError(str(err)) from err
        return profile

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.fitted_profile()
        return self

    def fitted_profile(self) -> Profile:
        """Return the profile of this very unit.

        Raises:
            ValueError: The unit's own settings do not fit its model.
            IspsdError: The profile is no longer there, or no longer one.
        """
        profile = load_profile(self.profile)
        for name in ("counters", "latches"):
            if getattr(self, name) and getattr(profile, name) is None:
                raise ValueError(f"{name}: none are known of {profile.maker} {profile.model}")
        return profile.fitted(
            inputs=self.inputs, closed_ma=self.closed_ma, open_ma=self.open_ma, line=self.line
        )

    @property
    def valid_for_s(self) -> float:
        """Return how long a contact may be believed without being seen again, in seconds."""
        return max(SHORTEST_VALIDITY_S, VALID_FOR_POLLS * self.poll_s)


class ModbusUnit:
    """One remote I/O unit.

    Raises:
        ValueError: The wiring cannot be (``plan_inputs``).
    """

    def __init__(
        self,
        config: UnitConfig,
        ctx: DriverContext,
        profile: Profile,
        *,
        unit_id: int,
        connect: Connect,
    ) -> None:
        self.health = Health()
        self._config = config
        self._ctx = ctx
        self._profile = profile
        self._unit_id = unit_id
        self._connect = connect
        self._plan = plan_inputs(profile, ctx.contacts, ctx.test_lamps)
        self._gauges = tuple(c.gauge for c in self._plan.contacts if c.gauge is not None)
        # Counts on over all connections: an answer that a gateway kept for an older connection
        # must not fit the first question of the next.
        self._transaction = 0

    def points(self) -> tuple[PointSpec, ...]:
        valid_for_s = self._config.valid_for_s
        return (
            *(PointSpec(c.point, valid_for_s) for c in self._plan.contacts),
            *(PointSpec(gauge.point, valid_for_s, unit=gauge.unit) for gauge in self._gauges),
            *(
                PointSpec(lamp.point, valid_for_s, classification=Classification.SSO)
                for lamp in self._plan.lamps
            ),
        )

    async def run(self, emit: Emit) -> None:
        line = await self._connect(self.health)
        self.health.remark = None
        try:
            await self._poll(line, emit)
        finally:
            line.close()

    async def _poll(self, line: Line, emit: Emit) -> None:
        clock = self._ctx.clock
        cadence = Cadence(clock.now_s(), self._config.poll_s)
        told = Told(
            repeat_after_s=self._config.valid_for_s / REPEATS_IN_VALIDITY,
            longest_gap_s=self._config.poll_s + self._config.timeout_s,
        )
        figures = ToldFigures(repeat_after_s=self._config.valid_for_s / REPEATS_IN_VALIDITY)
        poller = self._poller(line)
        trouble = Trouble(self._ctx.device, self.health, self._unit_id)
        reader = Reader(self._plan, self._profile, self._config)
        poll = 0
        while True:
            answers = await poller.poll()
            self._note(answers)
            if trouble.take(answers, poller):
                seen, between = reader.read(answers, lamps_admitted=self._admits(answers))
                trouble.say(reader, answers)
                for contact, states in between:
                    for state in states:
                        emit(self._reading(contact, state, answers.ended_s, Classification.WATCH))
                self._tell(seen, told, answers.ended_s, emit)
                self._tell_figures(reader, figures, answers.ended_s, emit)
            poll = cadence.after(poll, clock.now_s())
            wait_s = cadence.due_s(poll) - clock.now_s()
            await clock.sleep(min(wait_s, BUSY_WAIT_S) if trouble.is_busy else wait_s)

    def _poller(self, line: Line) -> Poller:
        tables = blocks(self._profile, counters=self._config.counters, latches=self._config.latches)
        return Poller(
            line,
            self._profile,
            tuple(tables),
            unit_id=self._unit_id,
            timeout_s=self._config.timeout_s,
            health=self.health,
            clock=self._ctx.clock,
            transaction=self._next_transaction,
        )

    def _next_transaction(self) -> int:
        self._transaction = self._transaction % LAST_TRANSACTION + 1
        return self._transaction

    def _note(self, answers: Answers) -> None:
        self.health.latency_s = answers.ended_s - answers.began_s
        if Part.STATES in answers.payloads:
            self.health.frame(answers.ended_s)
        else:
            # A unit that refuses has spoken: its points are unknown, its link is not lost.
            self.health.last_good_s = answers.ended_s

    def _admits(self, answers: Answers) -> bool:
        return bool(self._plan.lamps) and self._ctx.gate.admits(
            began_s=answers.began_s, ended_s=answers.ended_s, is_test=True
        )

    def _tell(self, seen: Seen, told: Told, now_s: float, emit: Emit) -> None:
        for index in told.due(seen.contacts, now_s):
            point = self._plan.contacts[index].point
            emit(self._reading(point, seen.contacts[index], now_s, Classification.WATCH))
        if seen.lamps is None:
            return
        # At every poll, unlike the contacts: nothing about a lamp is kept from one poll to the
        # next, so there is nothing to forget when a window closes.
        for lamp, state in zip(self._plan.lamps, seen.lamps, strict=True):
            emit(self._reading(lamp.point, state, now_s, Classification.SSO))

    def _tell_figures(self, reader: Reader, told: ToldFigures, now_s: float, emit: Emit) -> None:
        for gauge in self._gauges:
            said = reader.figures.get(gauge.point)
            if told.due(gauge.point, said, now_s):
                reading = self._reading(gauge.point, said, now_s, Classification.WATCH)
                emit(replace(reading, unit=gauge.unit))

    def _reading(
        self, point: str, value: Value | None, now_s: float, classification: Classification
    ) -> Reading:
        return Reading(
            point=point,
            value=value,
            quality=Quality.UNKNOWN if value is None else Quality.GOOD,
            provenance=self._ctx.provenance,
            received_utc=self._ctx.clock.utc(),
            received_s=now_s,
            source=self._ctx.device,
            classification=classification,
        )
