"""How does what was made get to where it is used? By commands for the ETO to type, or by the same steps done here."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

from daemon.setup import files
from daemon.setup.files import SetupError
from daemon.setup.places import PAGES_UNIT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.config import Config
    from daemon.setup.places import Copy, Places

BROKER_FOLDER_MODE = 0o750


def commands(config: Config, places: Places) -> Iterator[str]:
    """Yield what is to be typed, as root, in order."""
    folders = {
        places.etc / "credentials": "install -d -m 0700",
        places.broker: "install -d -o root -g mosquitto -m 0750",
    }
    for copy in places.copies(config):
        if words := folders.pop(copy.target.parent, None):
            yield f"{words} {copy.target.parent}"
        whose = "" if copy.owner == "root" else f"-o {copy.owner} -g {copy.owner} "
        yield f"install {whose}-m {copy.mode:04o} {copy.source} {copy.target}"
        if copy.source == places.key(config):
            yield f"rm {copy.source}"
    yield "systemctl restart mosquitto"
    yield start(places)


def start(places: Places) -> str:
    """Return what starts the watch, and its pages where they are installed."""
    pages = " ispsd-web" if places.unit(PAGES_UNIT) is not None else ""
    return f"systemctl enable --now ispsd{pages}"


def install(config: Config, places: Places) -> list[Path]:
    """Copy every file to where it is used; return those that were not there, or not the same.

    Raises:
        SetupError: Mosquitto is not installed, or a file cannot be written.
    """
    files.folder(places.etc, 0o755)
    files.folder(places.etc / "credentials")
    broker_user = _owner("mosquitto", places)
    files.folder(places.broker.parent, 0o755)
    files.folder(places.broker, BROKER_FOLDER_MODE)
    if broker_user is not None:
        os.chown(places.broker, 0, broker_user[1])
    key = places.key(config)
    changed = [copy.target for copy in tuple(places.copies(config)) if _is_copied(copy, places)]
    if key.parent == places.made_credentials and places.key(config) != key:
        key.unlink()  # there is one key, and it is where the service finds it
    return changed


def missing(config: Config, places: Places) -> list[Path]:
    """Return where a file is not there, or is not the one that was made.

    Raises:
        SetupError: It cannot be looked at.
    """
    return [
        copy.target
        for copy in places.copies(config)
        if not (files.exists(copy.target) and files.exists(copy.source))
        or files.read(copy.target) != files.read(copy.source)
    ]


def _is_copied(copy: Copy, places: Places) -> bool:
    files.folder(copy.target.parent, 0o755)
    owner = (0, 0) if copy.owner == "root" and os.geteuid() == 0 else _owner(copy.owner, places)
    return files.replace(copy.target, files.read(copy.source), mode=copy.mode, owner=owner)


def _owner(name: str, places: Places) -> tuple[int, int] | None:
    """Return the ids of a user; None where files cannot be given away, or the root is not this computer's."""
    if os.geteuid() != 0 or name == "root":
        return None
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        if places.root != places.root.parent:
            return None
        raise SetupError(
            f"there is no user {name} on this computer: install Mosquitto first (apt install mosquitto)"
        ) from None
    return user.pw_uid, user.pw_gid
