"""Which profiles of units and flags are there? Data files of ``config/``, found by their names."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from daemon.assets import asset
from daemon.errors import IspsdError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def read_profile(folder: str, name: str) -> Mapping[str, object]:
    """Return what ``config/<folder>/<name>.toml`` says.

    Raises:
        ValueError: There is none of that name; the message names those that there are.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no profile name; there are {_known(folder)}")
    try:
        path = asset(f"{folder}/{name}.toml")
    except IspsdError as err:
        raise ValueError(f"there is no profile {name!r}; there are {_known(folder)}") from err
    return tomllib.loads(path.read_text("utf-8"))


def _known(folder: str) -> str:
    return ", ".join(sorted(path.stem for path in asset(folder).glob("*.toml")))
