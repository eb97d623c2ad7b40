"""Where do the data files of ``config/`` live: in a checkout, in the wheel, or where the packager says?"""

from __future__ import annotations

import copy
import difflib
import functools
import os
import tomllib
from pathlib import Path
from typing import Any

from daemon.errors import ConfigError, Fault, IspsdError


def asset(relative: str) -> Path:
    """Return the path of a data file given relative to ``config/``.

    Looked for under ``$ISPSD_DATA``, then inside the installed package, then beside it in a checkout.

    Raises:
        IspsdError: No such file in any of them; the message lists what may have been meant, and the places.
    """
    roots = _roots()
    for root in roots:
        if (found := root / relative).exists():
            return found
    folder, _, name = relative.rpartition("/")
    near = ", ".join(_alike(roots, folder, name.removesuffix(".toml"))) or "none"
    raise IspsdError(f"no data file {relative}; there is {near} (in {', '.join(map(str, roots))})")


def tables(path: Path) -> dict[str, Any]:
    """Read a data file.

    Raises:
        ConfigError: It cannot be read, or is not TOML.
    """
    try:
        return copy.deepcopy(_parsed(path.read_text("utf-8")))
    except (OSError, ValueError) as err:  # of TOML and of UTF-8 too
        raise ConfigError(str(path), (Fault("file", f"cannot be read: {err}"),)) from err


@functools.lru_cache(maxsize=8)
def _parsed(text: str) -> dict[str, Any]:
    """Parse a data file: a start reads the same ones more than once, and to parse takes most of its time."""
    return tomllib.loads(text)


def _alike(roots: list[Path], folder: str, name: str) -> list[str]:
    """Return which TOML files of a folder, without their ending, somebody may have meant who wrote ``name``."""
    known = sorted({path.stem for root in roots for path in (root / folder).glob("*.toml")})
    close = difflib.get_close_matches(name, known)
    return [each for each in known if name in each] or close or known


@functools.cache
def _package() -> Path:
    return Path(__file__).resolve().parent


def _roots() -> list[Path]:
    package = _package()
    roots = [package / "_config", package.parent / "config"]
    if given := os.environ.get("ISPSD_DATA"):
        roots.insert(0, Path(given))
    return roots
