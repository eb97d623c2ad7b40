"""Where is a secret kept? In a file that nobody else may read, or handed over by systemd; never in the ship's file.

``credential:<name>`` is one that systemd hands over (systemd.exec(5), LoadCredential=).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator

from daemon.computer.paths import WHOLE
from daemon.errors import LinkError

CREDENTIAL: Final = "credential:"
CREDENTIALS: Final = Path("/run/credentials/ispsd.service")
"""Where systemd hands over secrets, when it does not say so itself (systemd.exec(5), LoadCredential=)."""
CREDENTIAL_PREFIX: Final = "secrets_"
"""What the unit's LoadCredential= of a whole folder puts before each name."""

LONGEST_SECRET: Final = 256
"""Bytes of a password."""


def credentials() -> Path:
    """Return the folder in which systemd hands over secrets."""
    return Path(os.environ.get("CREDENTIALS_DIRECTORY", CREDENTIALS))


def _secret(given: object) -> object:
    """Return where a secret is: ``credential:<name>`` is one that systemd hands over."""
    if not isinstance(given, str) or not given.startswith(CREDENTIAL):
        return given
    name = given.removeprefix(CREDENTIAL)
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name) is None:
        raise ValueError(
            f"{name!r} is no credential's name: letters, digits, dot, dash, underscore"
        )
    return str(credentials() / f"{CREDENTIAL_PREFIX}{name}")


SecretPath = Annotated[Path, BeforeValidator(_secret, json_schema_input_type=str), WHOLE]
"""A file that nobody else may read, or ``credential:<name>``."""


def read_secret(path: Path) -> str:
    """Return the first line of a file.

    Raises:
        LinkError: It cannot be read, or holds no secret; the message names the file and nothing of what is in it.
    """
    try:
        with path.open("rb") as file:
            line = file.read(LONGEST_SECRET + 1).split(b"\n")[0].rstrip(b"\r")
    except OSError as err:
        raise LinkError(f"password_file {path}: {err.strerror}", may_be_ours=True) from err
    if not line or len(line) > LONGEST_SECRET:
        raise LinkError(f"password_file {path}: holds no password", may_be_ours=True)
    return line.decode("utf-8", "replace")
