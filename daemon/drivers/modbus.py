"""What do the doors and seals on a remote I/O unit say? Modbus TCP, read functions only.

One request for all inputs at each poll. A unit that is late, gone or answers something else ends
the connection; a unit that refuses (an exception answer) stays connected and its points become
unknown. An SSAS test lamp on the unit does not exist outside a test window (invariant 1): its bit
is cleared while the answer is decoded, before anything else looks at it.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from daemon import logs
from daemon.drivers.api import DriverConfig, DriverContext, DriverSpec, Emit, Health, PointSpec
from daemon.drivers.modbus_frames import MismatchError, Question, Refusal
from daemon.drivers.modbus_line import Line
from daemon.drivers.modbus_pace import Cadence, Told
from daemon.drivers.modbus_plan import Seen, plan_inputs
from daemon.drivers.modbus_profile import Profile, load_profile
from daemon.errors import IspsdError
from daemon.model import Classification, Quality, Reading

if TYPE_CHECKING:
    from daemon.model import Value

SHORTEST_VALIDITY_S = 15.0
VALID_FOR_POLLS = 5
REPEATS_IN_VALIDITY = 3
"""An unchanged point is emitted at least so often while a value is valid."""
SHORTEST_SILENCE_S = 5.0
SILENT_AFTER_POLLS = 3
LAST_TRANSACTION = 0xFFFF


class ModbusConfig(DriverConfig):
    """One unit."""

    kind: Literal["modbus_tcp"]
    host: str
    """Its address in numbers: a name would need a name server, which may be the next thing dead."""
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    unit: Annotated[int, Field(ge=0, le=255)] | None = None
    """Its unit id; the profile's where it is not given."""
    profile: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    """A file of ``devices/``, without its ending."""
    poll_s: Annotated[float, Field(ge=0.02, le=10)] = 0.1
    """From one request to the next, in seconds."""
    timeout_s: Annotated[float, Field(ge=0.05, le=2)] = 0.4
    """How long an answer may take, in seconds."""

    @field_validator("host")
    @classmethod
    def _in_numbers(cls, host: str) -> str:
        return str(ip_address(host))

    @field_validator("profile")
    @classmethod
    def _is_there(cls, profile: str) -> str:
        try:
            load_profile(profile)
        except IspsdError as err:
            raise ValueError(str(err)) from err
        return profile

    @property
    def valid_for_s(self) -> float:
        """Return how long a contact may be believed without being seen again, in seconds."""
        return max(SHORTEST_VALIDITY_S, VALID_FOR_POLLS * self.poll_s)

    @property
    def silent_after_s(self) -> float:
        """Return how long the unit may say nothing before it counts as lost, in seconds."""
        return max(SHORTEST_SILENCE_S, SILENT_AFTER_POLLS * self.poll_s + self.timeout_s)


class ModbusUnit:
    """One remote I/O unit.

    Raises:
        ValueError: The wiring cannot be (``plan_inputs``).
    """

    def __init__(self, config: ModbusConfig, ctx: DriverContext, profile: Profile) -> None:
        self.health = Health()
        self._config = config
        self._ctx = ctx
        self._profile = profile
        self._plan = plan_inputs(profile, ctx.contacts, ctx.test_lamps)
        self._log = logs.get("modbus").bind(device=ctx.device)
        # Counts on over all connections: an answer that a gateway kept for an older connection
        # must not fit the first question of the next.
        self._transaction = 0

    def points(self) -> tuple[PointSpec, ...]:
        valid_for_s = self._config.valid_for_s
        return tuple(PointSpec(c.point, valid_for_s) for c in self._plan.contacts) + tuple(
            PointSpec(lamp.point, valid_for_s, classification=Classification.SSO)
            for lamp in self._plan.lamps
        )

    async def run(self, emit: Emit) -> None:
        line = await Line.open(self._config.host, self._config.port)
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
        refused = False
        poll = 0
        while True:
            began_s = clock.now_s()
            answer = await self._ask(line)
            ended_s = clock.now_s()
            self._note(answer, began_s=began_s, ended_s=ended_s)
            if refused is not isinstance(answer, Refusal):
                refused = not refused
                self._log_refusal(answer)
            self._tell(self._see(answer, began_s=began_s, ended_s=ended_s), told, ended_s, emit)
            poll = cadence.after(poll, clock.now_s())
            await clock.sleep(cadence.due_s(poll) - clock.now_s())

    async def _ask(self, line: Line) -> bytes | Refusal:
        self._transaction = self._transaction % LAST_TRANSACTION + 1
        question = Question(
            transaction=self._transaction,
            unit=self._profile.unit if self._config.unit is None else self._config.unit,
            function=self._profile.function,
            address=self._profile.address,
            count=self._profile.count,
        )
        try:
            return await line.ask(question, timeout_s=self._config.timeout_s)
        except MismatchError as err:
            self.health.drop(f"{err.reason} mismatch")
            raise

    def _note(self, answer: bytes | Refusal, *, began_s: float, ended_s: float) -> None:
        self.health.latency_s = ended_s - began_s
        if isinstance(answer, Refusal):
            self.health.drop(answer.reason)
            # A unit that refuses has spoken: its points are unknown, its link is not lost.
            self.health.last_good_s = ended_s
        else:
            self.health.frame(ended_s)

    def _log_refusal(self, answer: bytes | Refusal) -> None:
        if isinstance(answer, Refusal):
            self._log.warning("unit.refused", reason=answer.reason)
        else:
            self._log.info("unit.answers")

    def _see(self, answer: bytes | Refusal, *, began_s: float, ended_s: float) -> Seen:
        admitted = bool(self._plan.lamps) and self._ctx.gate.admits(
            began_s=began_s, ended_s=ended_s, is_test=True
        )
        if isinstance(answer, Refusal):
            return self._plan.see_nothing(lamps_admitted=admitted)
        return self._plan.see(answer, lamps_admitted=admitted)

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


def build(config: ModbusConfig, ctx: DriverContext) -> ModbusUnit:
    """Return the driver of one unit.

    Raises:
        ValueError: The wiring cannot be.
        IspsdError: The profile is no longer there, or no longer one.
    """
    return ModbusUnit(config, ctx, load_profile(config.profile))


def _inputs(config: ModbusConfig) -> int:
    return load_profile(config.profile).inputs


def _silent_after_s(config: ModbusConfig) -> float:
    return config.silent_after_s


DRIVER = DriverSpec(
    kind="modbus_tcp",
    config=ModbusConfig,
    build=build,
    inputs=_inputs,
    silent_after_s=_silent_after_s,
    lost_alert=lambda _: "io.unit_lost",
)
