"""Where does a remote I/O unit keep its digital inputs?

One data file a model, ``devices/<name>.toml``, with facts from the maker's manual. Only the four
read functions of the MODBUS Application Protocol (V1.1b3, 6.1 to 6.4) can be written in one, so
that no profile can make ispsd write.
"""

from __future__ import annotations

import functools
import tomllib
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from daemon.assets import asset
from daemon.drivers.modbus_tables import (
    ADDRESSES,
    BITS_PER_WORD,
    REGISTER_FUNCTIONS,
    Counters,
    Latches,
    LineName,
    Loops,
    Resistances,
    Source,
)
from daemon.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.drivers.contacts import Band

MOST_INPUTS = 2000
"""In one request: 2000 bits (6.1, 6.2), or 125 words (6.3, 6.4), which hold as many."""
MOST_WORDS = 125
LONGEST_FILE_BYTES = 64 * 1024


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
    modular: bool = False
    """How many inputs there are is up to the modules; ``inputs`` is then what most have."""
    inverted: bool = False
    """An input reads 0 while it is on: turned round at decode, before anything else sees it."""
    label: Annotated[str, Field(pattern=r"^[A-Z]{0,4}$")] = "DI"
    """What the module prints before the number of an input; empty where its inputs have no number of their own."""
    first_label: Annotated[int, Field(ge=0, le=1)] = 0
    """The number that it prints at its first input."""
    loops: Loops | None = None
    """The inputs are analogue, one word each, and tell currents; None: they do not."""
    resistances: Resistances | None = None
    """The inputs are analogue, one word each, and tell ohms; None: they do not."""
    counters: Counters | None = None
    latches: Latches | None = None
    most_bits: Annotated[int, Field(ge=1, le=MOST_INPUTS)] = MOST_INPUTS
    """How many bits the model takes to be asked for in one request."""
    most_words: Annotated[int, Field(ge=1, le=MOST_WORDS)] = MOST_WORDS
    """How many words the model takes to be asked for in one request."""
    pause_s: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.0
    """What the model needs between an answer and the next request, in seconds."""
    settle_s: Annotated[float, Field(ge=0, le=5, strict=False)] = 0.0
    """What the model needs between a connection and the first request, in seconds."""
    source: Annotated[tuple[Source, ...], Field(min_length=1, strict=False)]
    notes: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @property
    def is_analogue(self) -> bool:
        """Return whether an input is a measured value, and not on or off."""
        return self.loops is not None or self.resistances is not None

    @property
    def count(self) -> int:
        """Return how many bits or words all inputs are."""
        if self.is_analogue:
            return self.inputs
        if self.function in REGISTER_FUNCTIONS:
            return -(-self.inputs // BITS_PER_WORD)
        return self.inputs

    @model_validator(mode="after")
    def _inputs_end_in_the_map(self) -> Self:
        if self.address + self.count > ADDRESSES:
            raise ValueError(f"{self.inputs} inputs from address {self.address} leave the map")
        return self

    @model_validator(mode="after")
    def _analogue_inputs_are_words(self) -> Self:
        if not self.is_analogue:
            return self
        if self.function not in REGISTER_FUNCTIONS or self.inverted or self.inputs > MOST_WORDS:
            raise ValueError(
                f"loops are read by function 3 or 4, not inverted, at most {MOST_WORDS} at once"
            )
        if self.loops is not None and self.resistances is not None:
            raise ValueError("loops or resistances, not both")
        return self

    @model_validator(mode="after")
    def _what_was_between_is_of_plain_inputs(self) -> Self:
        if self.counters is None and self.latches is None:
            return self
        if self.is_analogue or self.inverted:
            raise ValueError("counters and latches are of inputs that are on or off, not inverted")
        for name, address, count in self._tables():
            if address + count > ADDRESSES:
                raise ValueError(f"{name} of {self.inputs} inputs leave the map")
        return self

    def _tables(self) -> Iterator[tuple[str, int, int]]:
        if self.counters is not None:
            yield "counters", self.counters.address, self.counters.words * self.inputs
        if self.latches is not None:
            yield "latches", self.latches.on_address, self.inputs
            yield "latches", self.latches.off_address, self.inputs

    def fitted(
        self,
        *,
        inputs: int | None = None,
        closed_ma: Band | None = None,
        open_ma: Band | None = None,
        line: LineName | None = None,
    ) -> Profile:
        """Return the profile as one ship has it: its number of modules, its resistors.

        Raises:
            ValueError: The model is not modular, or has no loops, or it cannot be so.
        """
        if inputs is not None and not self.modular:
            raise ValueError(f"inputs: a {self.maker} {self.model} always has {self.inputs}")
        fields = self.model_dump(exclude_none=True)
        if inputs is not None:
            fields["inputs"] = inputs
        bands = {"closed_ma": closed_ma, "open_ma": open_ma}
        if given := {name: band for name, band in bands.items() if band is not None}:
            if self.loops is None:
                raise ValueError(f"{' and '.join(given)}: a {self.maker} {self.model} has no loops")
            fields["loops"] |= given
        if line is not None:
            if self.resistances is None:
                raise ValueError(f"line: a {self.maker} {self.model} measures no resistance")
            fields["resistances"]["line"] = line
        try:
            return Profile.model_validate(fields)
        except ValidationError as err:
            raise ValueError("; ".join(fault["msg"] for fault in err.errors())) from err


def load_profile(name: str) -> Profile:
    """Read the profile of that name.

    Raises:
        IspsdError: There is no such file.
        ConfigError: It is not a profile; every fault with its place.
    """
    return read_profile(asset(f"devices/{name}.toml"))


@functools.lru_cache(maxsize=32)
def _profile(raw: bytes) -> Profile:
    """Return the profile that a file says; most units of a ship are of few models, and nobody changes a profile."""
    return Profile.model_validate(tomllib.loads(raw.decode()))


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
        return _profile(raw)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ConfigError(str(path), (Fault("file", str(err)),)) from err
    except ValidationError as err:
        faults = tuple(
            Fault(".".join(map(str, fault["loc"])) or "file", fault["msg"])
            for fault in err.errors()
        )
        raise ConfigError(str(path), faults) from err
