"""What is a driver? The contract that every file of this folder keeps.

A driver turns one device into readings and knows nothing else. Its constructor validates and touches nothing;
``run`` connects and emits until it is cancelled, and raises ``LinkError`` when the device cannot be reached or has
gone silent: the supervisor retries. A bad frame is counted in ``health`` and dropped. Decoding is pure functions,
apart from the reading and writing.

To add one: write ``daemon/drivers/<kind>.py`` with a ``DRIVER = DriverSpec(...)``; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from daemon.model import Classification, Provenance, Reading

if TYPE_CHECKING:
    from daemon.computer.clock import Clock
    from daemon.drivers.links import Link
    from daemon.gate import Gate

Thing = TypeVar("Thing")

Emit: TypeAlias = Callable[[Reading], None]
"""Where a driver puts a reading; never blocks, never raises."""


class DriverConfig(BaseModel):
    """The part of the configuration that one device needs; each driver's is a subclass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str


class Wiring(StrEnum):
    """How the contact of a door or seal is wired to inputs."""

    NC = "nc"
    """One input, on while closed. Cannot tell a cut cable from an open door."""
    NO = "no"
    """One input, on while open. Cannot tell a cut cable from a closed door."""
    DOUBLE = "double"
    """Two inputs, first on while closed, second on while open; both or neither is a line fault."""
    NAMUR = "namur"
    """Two inputs of a NAMUR module: the state, on while closed, and its error bit, on while the line is faulty."""
    LOOP_4_20_MA = "loop_4_20_ma"
    """One analogue input: one band of current while closed, one while open, all else a line fault."""
    RESISTANCE = "resistance"
    """One analogue input: one band of resistance while closed, one while open, all else a line fault."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """What the current of a loop measures, and from where on it is too little."""

    point: str
    """Where the figure is told, beside the contact."""
    unit: str
    at_4_ma: float
    at_20_ma: float
    low: float
    """Below it the contact is open."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A door or seal contact wired to inputs of this device."""

    point: str
    inputs: tuple[int, ...]
    """Zero-based input numbers, as printed on the module (DI0, DI1, ...)."""
    wiring: Wiring
    gauge: Gauge | None = None
    """Of a loop of 4-20 mA that carries a measure; the bands of its unit are then not asked."""
    has_between: bool = False
    """Of a loop of 4-20 mA: a current in neither band is no line fault, but not known: a light sensor's at dusk."""


@dataclass(frozen=True, slots=True)
class TestLamp:
    """The *test* lamp or relay of an SSAS unit as a dry contact; read only inside a test window."""

    __test__ = False

    point: str
    input: int
    lit_when: bool
    """The input's state while the lamp is lit; makers differ."""


@dataclass(frozen=True, slots=True)
class SideDoor:
    """A door that its own system tells of (IEC 61162-1 DOR): by system, division and number."""

    point: str
    system: str
    """DOR field 3: WT, WS, FD, HD or OT."""
    division: str
    """DOR field 4."""
    number: int
    """DOR field 6."""


class Shared:
    """What several devices of one daemon have in common, such as the bus that they hang on.

    The first who asks makes it; everybody after that gets the same.
    """

    def __init__(self) -> None:
        self._things: dict[str, Any] = {}

    def one(self, name: str, make: Callable[[], Thing]) -> Thing:
        """Return the thing of that name."""
        if name not in self._things:
            self._things[name] = make()
        thing: Thing = self._things[name]
        return thing


@dataclass(frozen=True, slots=True)
class PointSpec:
    """A point that a driver may emit."""

    id: str
    valid_for_s: float
    """How long a value may be believed without being seen again, in seconds."""
    unit: str | None = None
    classification: Classification = Classification.WATCH


@dataclass(slots=True)
class Health:
    """What a driver knows about its device; plain facts, written by the driver alone."""

    good: int = 0
    """Frames that were read."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Frames that were not, by reason; the reasons are a small fixed set."""
    last_good_s: float | None = None
    """Seconds since boot of the last good frame."""
    latency_s: float | None = None
    """How long the device took to answer last, in seconds; None for a device that is not asked."""
    hint: Callable[[], str | None] = lambda: None
    """Says in plain words what is heard instead of anything good; asked when the device counts as lost.

    The driver of a covert source never sets it."""
    noticed: dict[str, int] = field(default_factory=dict)
    """What was odd, or says nothing of any point, and was taken all the same; a small fixed set."""
    remark: str | None = None
    """What is wrong with the device although it answers, in plain words; shown where a lost one has its reason."""

    def frame(self, now_s: float) -> None:
        """Note a good frame."""
        self.good += 1
        self.last_good_s = now_s

    def drop(self, reason: str) -> None:
        """Note a frame that could not be read."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1

    def notice(self, what: str) -> None:
        """Note something odd."""
        self.noticed[what] = self.noticed.get(what, 0) + 1


@dataclass(frozen=True, slots=True)
class DriverContext:
    """What a driver is given beside its own configuration."""

    device: str
    clock: Clock
    gate: Gate
    provenance: Provenance
    contacts: tuple[Contact, ...] = ()
    test_lamps: tuple[TestLamp, ...] = ()
    side_doors: tuple[SideDoor, ...] = ()
    buses: Mapping[str, Link] = field(default_factory=dict)
    """The links of the ship's buses, by name: several units hang on one."""
    shared: Shared = field(default_factory=Shared)


class Driver(Protocol):
    """One device."""

    health: Health

    def points(self) -> tuple[PointSpec, ...]:
        """Return every point that this driver may emit."""
        ...

    async def run(self, emit: Emit) -> None:
        """Connect and emit until cancelled.

        Raises:
            LinkError: The device cannot be reached or has gone silent.
        """
        ...


@dataclass(frozen=True, slots=True)
class DriverSpec:
    """How the registry finds a driver.

    Attributes:
        covert: An SSAS source: no open topic, no alert, no log line ever speaks of it.
        inputs: How many inputs a device of this configuration has; None where it has none to wire to.
        silent_after_s: How long the device may say nothing before it counts as lost; None where silence is normal.
        lost_alert: The catalogue key of the alert when it is lost; None: no alert.
        longest_back_off_s: How long it is waited at most before a lost device is tried again, where nobody else has to
            wait for that; errors that say ``costs_others`` are tried at the supervisor's own pace.
        bus: The bus that a device of this configuration hangs on; None where it has a line of its own.
        side_doors: Whether a device of this configuration tells of side doors.
        unit_is: What a device of this configuration is, for pages; None where its id says it, as of a receiver.
    """

    kind: str
    config: type[DriverConfig]
    build: Callable[[Any, DriverContext], Driver]
    covert: bool = False
    inputs: Callable[[Any], int] | None = None
    silent_after_s: Callable[[Any], float | None] = field(default=lambda _: None)
    lost_alert: Callable[[Any], str | None] = field(default=lambda _: None)
    longest_back_off_s: Callable[[Any], float | None] = field(default=lambda _: None)
    bus: Callable[[Any], str | None] = field(default=lambda _: None)
    side_doors: Callable[[Any], bool] = field(default=lambda _: False)
    unit_is: Callable[[Any], str | None] = field(default=lambda _: None)
