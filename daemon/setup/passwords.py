"""Has every station a password, and the broker a line for each, that fits?

A password is made once, into a file of its own that is carried to its station. Its line is written after it, so that a
power cut between the two costs nothing; where the line is there and the file is gone, it was carried away and is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.config.exporters import readers
from daemon.mqtt.access import OWNER, new_password, password_fits, password_line
from daemon.setup import files
from daemon.setup.files import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from daemon.config import Config
    from daemon.setup.places import Places


def owner(config: Config) -> str:
    """Return the daemon's user at the broker."""
    return config.mqtt.user or OWNER


def secret_files(config: Config, places: Places) -> dict[str, Path]:
    """Return where the password of each user is made; the daemon's own first."""
    users = [*(s.id for s in config.stations), *readers(config)]
    stations = {user: places.station_password(user) for user in users}
    return {owner(config): places.password(config).source} | stations


def make(config: Config, places: Places, *, anew: Iterable[str] = ()) -> tuple[set[str], set[str]]:
    """Return the users who got a password, and those who are no station any more and lost their line.

    Args:
        config: The ship's.
        places: Where all lies.
        anew: Users who get another one, because theirs is lost or known.

    Raises:
        SetupError: A password and its line do not fit, or others may read one.
    """
    where = secret_files(config, places)
    lines = _lines(places.made_for_broker / "passwords")
    gone = lines.keys() - where.keys()
    fresh = {user: lines[user] for user in where if user in lines and user not in set(anew)}
    if fresh != lines:  # first nobody has the old password any more, then the new ones are made
        _write(places, fresh)
        for user in anew:
            where[user].unlink(missing_ok=True)
    made = set()
    for user, path in where.items():
        if files.exists(path):
            password = files.read_secret(path).decode("utf-8", "replace").strip()
            if not password:
                raise SetupError(f"{path}: is empty")
            if user not in fresh:
                fresh[user] = password_line(user, password)
            elif not password_fits(fresh[user], user, password):
                raise SetupError(
                    f"{path}: is not the password that the broker knows {user} by. If it is not known any more: "
                    f"ispsd init --new-password {user}"
                )
        elif user not in fresh:
            password = new_password()
            files.write_new(path, f"{password}\n".encode())
            fresh[user] = password_line(user, password)
            made.add(user)
    _write(places, {user: fresh[user] for user in where})
    return made, set(gone)


def _lines(path: Path) -> dict[str, str]:
    if not files.exists(path):
        return {}
    text = files.read_secret(path).decode("utf-8", "replace")
    return {line.partition(":")[0]: line for line in text.splitlines() if line}


def _write(places: Places, lines: dict[str, str]) -> None:
    text = "".join(f"{line}\n" for line in lines.values())
    files.replace(places.made_for_broker / "passwords", text.encode(), mode=files.SECRET)
