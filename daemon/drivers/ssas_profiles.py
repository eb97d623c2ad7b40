"""Which SSAS units are there, and what is known of their ports? Data files of ``config/ssas``.

A file has ``[text]`` for a port that prints its messages or ``[at]`` for the dialogue of a satellite
modem. What a GMDSS terminal says of itself is in ``config/gmdss``: no security alert ever shows there.
"""

from __future__ import annotations

import re
import tomllib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from daemon.assets import asset
from daemon.errors import IspsdError

Words = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[\x21-\x7e ]+$")]

_PROFILE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
HEALTH_ONLY = (
    "{!r} tells of its own GMDSS alerts only, which are no security alerts: it is no SSAS source; "
    'wire it as kind = "nmea", feed = "equipment"'
)
_OF_THE_UNIT = ("maker", "model", "source", "as_of")


class PortProfile(BaseModel):
    """One unit's port."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    maker: str
    model: str
    source: str
    """Where this was read: the maker's manual, and where it was found."""
    as_of: str
    """The edition of that, or when it was read."""
    serial: dict[str, int | str]
    """The port as the unit leaves the factory, by the names of ``SerialLink``."""


def read_port(name: str, port: str, port_words: str) -> dict[str, Any]:
    """Return the table ``port`` of ``config/ssas/<name>.toml`` with what is said of the unit.

    Raises:
        ValueError: There is none of that name, or it has no such port; the message calls it ``port_words``.
    """
    if not _PROFILE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no profile name: lower case, digits, hyphens")
    try:
        path = asset(f"ssas/{name}.toml")
    except IspsdError as err:
        if is_health_only(name):
            raise ValueError(HEALTH_ONLY.format(name)) from err
        raise ValueError(f"no SSAS profile {name!r}: {err}") from err
    unit = tomllib.loads(path.read_text("utf-8"))
    if port not in unit:
        raise ValueError(f"no {port_words} is known of {name!r}: watch its test lamp alone")
    return {**{key: unit[key] for key in _OF_THE_UNIT if key in unit}, **unit[port]}


def is_health_only(name: str) -> bool:
    """Return whether this is a GMDSS terminal that tells of its own health."""
    try:
        asset(f"gmdss/{name}.toml")
    except IspsdError:
        return False
    return True
