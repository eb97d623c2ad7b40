"""At which address is a unit asked? An address in the ship's file, in numbers and without a secret in it. Pure."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

LONGEST: Final = 500


def checked(url: str, scheme: str, *, like: str) -> str:
    """Return an address that may be asked.

    Args:
        url: As the ship's file has it.
        scheme: What it must begin with.
        like: An example, for whoever has to mend it.

    Raises:
        ValueError: It is none; the message repeats nothing of it, for a password may stand in it.
    """
    if len(url) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("has characters that no address has")
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "takes no user and no password: say user and password_file, which no log repeats"
        )
    if parts.scheme != scheme or not parts.hostname or parts.fragment:
        raise ValueError(f"want {like}")
    try:
        _ = parts.port
        ip_address(parts.hostname)
    except ValueError as err:
        reason = "an address in numbers: a name would need a name server, which may be dead as well"
        raise ValueError(f"want {reason}, and a port to 65535") from err
    return url


def host_of(url: str) -> str:
    """Return whom it leads to."""
    return urlsplit(url).hostname or ""


def port_of(url: str, usual: int) -> int:
    """Return at which port."""
    return urlsplit(url).port or usual
