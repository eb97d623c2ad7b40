"""Where does a remote I/O unit keep its digital inputs?

One data file a model, ``devices/<name>.toml``, with facts from the maker's manual. Only the four
read functions of the MODBUS Application Protocol (V1.1b3, 6.1 to 6.4) can be written in one, so
that no profile can make ispsd write.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from daemon.assets import asset
from daemon.errors import ConfigError, Fault

if TYPE_CHECKING:
    from pathlib import Path

REGISTER_FUNCTIONS = frozenset({3, 4})
"""Functions that read words: sixteen inputs each, bit 0 is the first."""
BITS_PER_REGISTER = 16
MOST_INPUTS = 2000
"""In one request: 2000 bits (6.1, 6.2), or 125 words (6.3, 6.4), which hold as many."""
LONGEST_FILE_BYTES = 64 * 1024
ADDRESSES = 65536


class Source(BaseModel):
    """Where a fact of the profile is written down."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    manual: Annotated[str, Field(min_length=1)]
    page: Annotated[str, Field(min_length=1)]


class Profile(BaseModel):
    """How the inputs of one model are read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    maker: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    function: Literal[1, 2, 3, 4]
    """Read coils, discrete inputs, holding registers or input registers."""
    address: Annotated[int, Field(ge=0, lt=ADDRESSES)]
    """Of the first input, counted from 0 as on the wire, not from 1 as in most manuals."""
    inputs: Annotated[int, Field(ge=1, le=MOST_INPUTS)]
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    """The unit id that the maker ships."""
    source: Annotated[tuple[Source, ...], Field(min_length=1, strict=False)]
    notes: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @property
    def count(self) -> int:
        """Return how many bits or words one request for all inputs asks for."""
        if self.function in REGISTER_FUNCTIONS:
            return -(-self.inputs // BITS_PER_REGISTER)
        return self.inputs

    @model_validator(mode="after")
    def _inputs_end_in_the_map(self) -> Self:
        if self.address + self.count > ADDRESSES:
            raise ValueError(f"{self.inputs} inputs from address {self.address} leave the map")
        return self


def load_profile(name: str) -> Profile:
    """Read the profile of that name.

    Raises:
        IspsdError: There is no such file.
        ConfigError: It is not a profile; every fault with its place.
    """
    return read_profile(asset(f"devices/{name}.toml"))


def read_profile(path: Path) -> Profile:
    """Read one profile file.

    Raises:
        ConfigError: It is not a profile; every fault with its place.
    """
    with path.open("rb") as file:
        raw = file.read(LONGEST_FILE_BYTES + 1)
    if len(raw) > LONGEST_FILE_BYTES:
        raise ConfigError(str(path), (Fault("file", f"longer than {LONGEST_FILE_BYTES} bytes"),))
    try:
        return Profile.model_validate(tomllib.loads(raw.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ConfigError(str(path), (Fault("file", str(err)),)) from err
    except ValidationError as err:
        faults = tuple(
            Fault(".".join(map(str, fault["loc"])) or "file", fault["msg"])
            for fault in err.errors()
        )
        raise ConfigError(str(path), faults) from err
