"""What does the maker say of testing his SSAS unit? The profiles of ``config/ssas``, without the ports.

The ports are the drivers' (``ssas_text``, ``ssas_at``). What a maker does not document is absent here, and is then
supplied by a named person.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from daemon.checks.lamp_patterns import LampProfile
from daemon.checks.profiles import read_profile

SENDING_MARGIN = 1.2
"""Makers say *about*: so much longer than they say is waited."""

Words = Annotated[str, StringConstraints(min_length=1, max_length=120)]


class TestProcedure(BaseModel):
    """How a person tests the unit."""

    __test__ = False

    model_config = ConfigDict(extra="forbid", frozen=True)

    quiet_s: Annotated[float, Field(gt=0)] | None = None
    """A button that is let go before this sends nothing, in seconds; None where the maker does not say so."""
    sending_min: tuple[Annotated[float, Field(gt=0)], ...] = ()
    """How long a test takes, in minutes, to one, two, ... addressees; empty where the maker does not say."""
    press: Words
    release: Words


class UnitProfile(BaseModel):
    """One unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    maker: Words
    model: Words
    source: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    """Where this was read: the maker's manual, and where it was found."""
    as_of: Words
    """The edition of that, or when it was read."""
    text: dict[str, Any] | None = None
    """The port that prints its messages, if the unit has one: read by its driver."""
    at: dict[str, Any] | None = None
    """The dialogue of its satellite modem, where that can be listened to: read by its driver."""
    lamp: LampProfile | None = None
    test: TestProcedure

    @property
    def tells_by_port(self) -> bool:
        """Return whether a port of the unit tells of a test."""
        return self.text is not None or self.at is not None

    def sending_s(self, addressees: int | None) -> float | None:
        """Return how long to wait for a test to so many, None for the most; None where the maker does not say.

        Raises:
            ValueError: The unit has not so many.
        """
        times = self.test.sending_min
        if not times:
            return None
        if addressees is not None and addressees > len(times):
            raise ValueError(f"{self.maker} {self.model} has at most {len(times)} addressees")
        minutes = max(times) if addressees is None else times[addressees - 1]
        return (self.test.quiet_s or 0.0) + minutes * 60.0 * SENDING_MARGIN


def load_unit(name: str) -> UnitProfile:
    """Return the profile ``config/ssas/<name>.toml``.

    Raises:
        ValueError: There is none of that name, or it cannot be used.
    """
    return UnitProfile.model_validate(read_profile("ssas", name))


def load_lamp(name: str) -> LampProfile:
    """Return what the test lamp of a unit shows.

    Raises:
        ValueError: As ``load_unit``; or its maker does not describe the lamp.
    """
    if (lamp := load_unit(name).lamp) is None:
        raise ValueError(f'{name} knows of no test lamp: say lamp = ""')
    return lamp


UnitName = Annotated[
    str,
    Field(min_length=1, max_length=60),
    AfterValidator(lambda name: load_unit(name) and name),
]
"""A file of ``config/ssas`` without its ``.toml``."""
