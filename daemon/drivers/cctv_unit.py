"""What a camera and a recorder have in common: what the ship's file says of them, who asks them, how they tell."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator

from daemon.computer.secretfiles import SecretPath, read_secret
from daemon.drivers.addresses import host_of, port_of
from daemon.drivers.api import DriverConfig, PointSpec
from daemon.model import Quality, Reading
from daemon.wording.lines import LINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from daemon.drivers.api import DriverContext
    from daemon.model import Value

MISSED_LOOKS: Final = 2.5
"""What was seen is believed for so many looks: one may be missed."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user of a unit."""

    user: str
    password: str = field(repr=False)


class CctvUnitConfig(DriverConfig):
    """A camera or a recorder."""

    usual_port: ClassVar[int]

    name: Annotated[str, Field(min_length=1, max_length=16), LINE]
    """The short name that watch stations show."""
    place: Annotated[str, Field(min_length=1, max_length=80), LINE]
    """Where it is; only the SSO sees it."""
    url: str
    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9@._-]{1,64}$")] | None = None
    """A user of the unit that may look and nothing else."""
    password_file: SecretPath | None = None
    look_s: Annotated[float, Field(ge=5, le=3600)] = 60.0
    """How often it is looked at, in seconds."""
    limit_s: Annotated[float, Field(ge=1, le=60)] = 15.0
    """How long a look may take, in seconds; longer than a camera's key pictures are apart."""
    behind: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")] | None = None
    """What it hangs on with others, such as a switch or recorder: when all of those are lost, that is one alert."""

    @model_validator(mode="after")
    def _has_both_or_neither(self) -> Self:
        if (self.user is None) is not (self.password_file is None):
            raise ValueError("user and password_file belong together")
        return self

    @property
    def host(self) -> str:
        """Return its address, which is what is opened for it."""
        return host_of(self.url)

    @property
    def port(self) -> int:
        """Return the port at which it is asked."""
        return port_of(self.url, self.usual_port)

    def points(self, device: str, units: Mapping[str, str | None]) -> tuple[PointSpec, ...]:
        """Return what it tells, by names and their units."""
        valid_for_s = MISSED_LOOKS * self.look_s + self.limit_s
        return tuple(
            PointSpec(f"{device}.{name}", valid_for_s, unit) for name, unit in units.items()
        )

    async def login(self) -> Login | None:
        """Return who asks; None where none is said. The password is read anew each time, for it may be changed.

        Raises:
            LinkError: The password cannot be read.
        """
        if self.user is None or self.password_file is None:
            return None
        return Login(self.user, await asyncio.to_thread(read_secret, self.password_file))


def told(
    context: DriverContext,
    values: Mapping[str, Value | None],
    units: Mapping[str, str | None],
    *,
    at_s: float,
    at_utc: datetime,
) -> Iterator[Reading]:
    """Yield what one look has found, and when; what is None is not known."""
    for name, value in values.items():
        yield Reading(
            point=f"{context.device}.{name}",
            value=value,
            unit=units[name],
            quality=Quality.UNKNOWN if value is None else Quality.GOOD,
            provenance=context.provenance,
            received_utc=at_utc,
            received_s=at_s,
            source=context.device,
        )
