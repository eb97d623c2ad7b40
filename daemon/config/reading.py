"""What stands in a ship's file, whatever may be wrong with it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.config import formats
from daemon.errors import ConfigError, Fault

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_FILE = 1 << 20


def raw(path: Path) -> bytes:
    """Read a file; one that is too large is cut off one byte later.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as err:
        raise ConfigError(str(path), (Fault("file", err.strerror or str(err)),)) from err


def parsed(content: bytes, name: str) -> dict[str, Any]:
    """Return a file's tables.

    Raises:
        ConfigError: It is too large, or no TOML.
    """
    if len(content) > LARGEST_FILE:
        raise ConfigError(name, (Fault("file", f"larger than {LARGEST_FILE} bytes"),))
    try:
        text = content.decode()
    except UnicodeDecodeError as err:
        raise ConfigError(name, (Fault("file", f"not TOML: {err}"),)) from err
    return formats.parsed(name, text)


def tree(path: Path) -> dict[str, Any]:
    """Read a file; return its tables.

    Raises:
        ConfigError: It cannot be read, is too large, or no TOML.
    """
    return parsed(raw(path), str(path))
