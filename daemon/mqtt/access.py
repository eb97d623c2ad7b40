"""Who may say and hear what at the broker? The one text of the access list, for the demo's broker and for a ship's.

Mosquitto has no *deny* that wins, so everything that may be read is named. A station is whom the broker
authenticated: its user name stands in the topic of its commands, so no station speaks for another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.mqtt.commands import VERBS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OWNER = "ispsd"
"""The daemon's own user."""
OPEN_TOPICS = (
    *("status", "heartbeat", "snapshot", "event", "record/head", "ship", "crew", "permit/+"),
    *("loop_check", "inhibit/+", "curtain", "palette"),
    *("point/+", "driver/+", "alert/+", "equipment/+", "test/+", "station/+", "reply/+"),
)
"""What every station reads."""
STATION_TOPICS = ("selftest/+",)
"""What every station reads, because it has to answer there, and nobody without a user."""
COMMANDS = tuple(sorted(VERBS))
"""What a station may ask for. Each by its name: a broker keeps what is sent with the retain flag, and whoever may
write below any name at all leaves behind as much as its memory holds."""
PBKDF2_ROUNDS = 101
"""What mosquitto_passwd 2.0 uses; our passwords are random, so nobody guesses them from a dictionary."""
_SALT_BYTES = 12
_PASSWORD_BYTES = 18


@dataclass(frozen=True, slots=True)
class Access:
    """What one station may do beside reading what is open and sending commands of its own name.

    Attributes:
        user: The station's id, which is its user name.
        sso: Reads ``sso/…``.
        citadel: Reads ``citadel/…``, the watch topics that go on while the curtain is down.
    """

    user: str
    sso: bool = False
    citadel: bool = False


def access_list(
    stations: Iterable[Access],
    *,
    ship: str | None = None,
    owner: str = OWNER,
    anonymous_reads: bool = False,
    owner_also: Iterable[str] = (),
    readers: Mapping[str, Iterable[str]] | None = None,
) -> str:
    """Return Mosquitto's access list.

    Args:
        stations: Everybody but the daemon and those who only read.
        ship: The one ship whose topics exist here; None for any.
        owner: The daemon's user, who alone writes state.
        anonymous_reads: Whether somebody without a user reads what is open (the demo only).
        owner_also: Lines for the daemon beside its own topics: what exporters write.
        readers: Users of dashboards, who read what is open, with the lines that each has beside that.
    """
    any_ship = f"ispsd/{ship or '+'}/v1"
    own = f"{any_ship}/#" if ship else "ispsd/#"
    opened = [f"topic read {any_ship}/{name}" for name in OPEN_TOPICS]
    answered = [f"topic read {any_ship}/{name}" for name in STATION_TOPICS]
    lines = ["# Made by ispsd. What is not named here is refused."]
    if anonymous_reads:
        lines += ["# Without a user: what is open.", *opened]
    lines += ["", f"user {owner}", f"topic readwrite {own}", *owner_also]
    for station in stations:
        lines += ["", f"user {station.user}", *opened, *answered]
        if station.sso:
            lines.append(f"topic read {any_ship}/sso/#")
        if station.citadel:
            lines.append(f"topic read {any_ship}/citadel/#")
    for user, also in (readers or {}).items():
        lines += ["", f"user {user}", *opened, *also]
    lines += [
        "",
        "# Every station: commands of its own name only.",
        *(f"pattern write {any_ship}/cmd/%u/{verb}" for verb in COMMANDS),
    ]
    return "\n".join(lines) + "\n"


def new_password() -> str:
    """Return a password that nobody can guess, of characters that every form takes."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def password_line(user: str, password: str) -> str:
    """Return a line of Mosquitto's password file: PBKDF2 with SHA-512, as its own."""
    salt = secrets.token_bytes(_SALT_BYTES)
    encoded = (base64.b64encode(part).decode() for part in (salt, _derived(password, salt)))
    return f"{user}:$7${PBKDF2_ROUNDS}${'$'.join(encoded)}"


def password_fits(line: str, user: str, password: str) -> bool:
    """Return whether a line of the password file is of this user and this password."""
    try:
        name, _, hashed = line.strip().partition(":")
        _, kind, rounds, salt, key = hashed.split("$")
        wanted = _derived(password, base64.b64decode(salt), rounds=int(rounds))
        return (name, kind) == (user, "7") and hmac.compare_digest(base64.b64decode(key), wanted)
    except (ValueError, OverflowError, binascii.Error):
        return False


def _derived(password: str, salt: bytes, *, rounds: int = PBKDF2_ROUNDS) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
