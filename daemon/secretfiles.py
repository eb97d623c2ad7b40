"""Where is a secret kept? In a file that nobody else may read, or handed over by systemd; never in the ship's file.

``credential:<name>`` is one that systemd hands over (systemd.exec(5), LoadCredential=).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator

CREDENTIAL: Final = "credential:"
CREDENTIALS: Final = Path("/run/credentials/ispsd.service")
"""Where systemd hands over secrets, when it does not say so itself (systemd.exec(5), LoadCredential=)."""
CREDENTIAL_PREFIX: Final = "secrets_"
"""What the unit's LoadCredential= of a whole folder puts before each name."""


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
    return credentials() / f"{CREDENTIAL_PREFIX}{name}"


SecretPath = Annotated[Path, BeforeValidator(_secret)]
"""A file that nobody else may read, or ``credential:<name>``."""
