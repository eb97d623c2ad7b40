"""What do the doors and seals on a remote I/O unit say? Modbus TCP, one connection for each unit.

Any failure ends the connection, so that nothing of it can be taken for an answer on the next. Units behind a gateway
that takes few connections can share one.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from daemon.drivers.api import DriverContext, DriverSpec
from daemon.drivers.modbus_tcp_line import SharedRoad, TcpRoad
from daemon.drivers.modbus_unit import ModbusUnit, UnitConfig

if TYPE_CHECKING:
    from daemon.drivers.api import Health
    from daemon.drivers.modbus_poll import Line

SHORTEST_SILENCE_S = 5.0
SILENT_AFTER_POLLS = 3
SHORTEST_RETRY_S = 1.0


class ModbusConfig(UnitConfig):
    """One unit with a network port."""

    kind: Literal["modbus_tcp"]
    host: str
    """Its address in numbers: a name would need a name server, which may be the next thing dead."""
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    unit: Annotated[int, Field(ge=0, le=255)] | None = None
    """Its unit id; the profile's where it is not given."""
    one_connection: bool = False
    """All devices of this host and port that say so share one connection: the units behind one gateway."""

    @field_validator("host")
    @classmethod
    def _in_numbers(cls, host: str) -> str:
        return str(ip_address(host))

    @property
    def silent_after_s(self) -> float:
        """Return how long the unit may say nothing before it counts as lost, in seconds."""
        return max(SHORTEST_SILENCE_S, SILENT_AFTER_POLLS * self.poll_s + self.timeout_s)

    @property
    def longest_back_off_s(self) -> float:
        """Return how long a unit that is not there is waited for between two tries, in seconds.

        A try costs nobody else anything, so a unit that is back is seen within two of these, or two polls.
        """
        return max(SHORTEST_RETRY_S, self.poll_s)


def build(config: ModbusConfig, ctx: DriverContext) -> ModbusUnit:
    """Return the driver of one unit.

    Raises:
        ValueError: The wiring cannot be.
        IspsdError: The profile is no longer there, or no longer one.
    """
    profile = config.fitted_profile()

    async def connect(_: Health) -> Line:
        if config.one_connection:
            shared = ctx.shared.one(
                f"modbus_tcp {config.host}:{config.port}",
                lambda: SharedRoad(config.host, config.port, ctx.clock, settle_s=profile.settle_s),
            )
            return shared.join()
        road = TcpRoad(config.host, config.port, ctx.clock, settle_s=profile.settle_s)
        await road.open()
        return road

    unit_id = profile.unit if config.unit is None else config.unit
    return ModbusUnit(config, ctx, profile, unit_id=unit_id, connect=connect)


def _inputs(config: ModbusConfig) -> int:
    return config.fitted_profile().inputs


def _silent_after_s(config: ModbusConfig) -> float:
    return config.silent_after_s


def _longest_back_off_s(config: ModbusConfig) -> float:
    return config.longest_back_off_s


DRIVER = DriverSpec(
    kind="modbus_tcp",
    config=ModbusConfig,
    build=build,
    inputs=_inputs,
    silent_after_s=_silent_after_s,
    lost_alert=lambda _: "io.unit_lost",
    longest_back_off_s=_longest_back_off_s,
)
