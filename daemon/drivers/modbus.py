"""What do the doors and seals on a remote I/O unit say? Modbus TCP, one connection for each unit.

Any failure ends the connection, so that nothing of it can be taken for an answer on the next.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from daemon.drivers.api import DriverContext, DriverSpec
from daemon.drivers.modbus_line import TcpLine
from daemon.drivers.modbus_unit import ModbusUnit, UnitConfig

if TYPE_CHECKING:
    from daemon.drivers.api import Health
    from daemon.drivers.modbus_unit import Line

SHORTEST_SILENCE_S = 5.0
SILENT_AFTER_POLLS = 3


class ModbusConfig(UnitConfig):
    """One unit with a network port."""

    kind: Literal["modbus_tcp"]
    host: str
    """Its address in numbers: a name would need a name server, which may be the next thing dead."""
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    unit: Annotated[int, Field(ge=0, le=255)] | None = None
    """Its unit id; the profile's where it is not given."""

    @field_validator("host")
    @classmethod
    def _in_numbers(cls, host: str) -> str:
        return str(ip_address(host))

    @property
    def silent_after_s(self) -> float:
        """Return how long the unit may say nothing before it counts as lost, in seconds."""
        return max(SHORTEST_SILENCE_S, SILENT_AFTER_POLLS * self.poll_s + self.timeout_s)


def build(config: ModbusConfig, ctx: DriverContext) -> ModbusUnit:
    """Return the driver of one unit.

    Raises:
        ValueError: The wiring cannot be.
        IspsdError: The profile is no longer there, or no longer one.
    """

    async def connect(_: Health) -> Line:
        return await TcpLine.open(config.host, config.port)

    profile = config.fitted_profile()
    unit_id = profile.unit if config.unit is None else config.unit
    return ModbusUnit(config, ctx, profile, unit_id=unit_id, connect=connect)


def _inputs(config: ModbusConfig) -> int:
    return config.fitted_profile().inputs


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
