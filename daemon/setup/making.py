"""In which order is everything made, so that a power cut at any moment leaves what a second run completes?

Each file is whole or absent, and each step looks first at what is there: run twice, it makes nothing the second time.
What is already in use counts as there, so that a setup folder which was cleared away is filled again from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.setup import broker, certificates, files, keyring, passwords
from daemon.setup.files import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from daemon.config import Config
    from daemon.setup.certificates import Certified
    from daemon.setup.keyring import RecordKey
    from daemon.setup.places import Places

STATIONS_AUTHORITY = "ispsd-ca.crt"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for beside what the ship's file says.

    Attributes:
        addresses: What stations on other computers call the broker.
        days: How long a new certificate of the broker is good.
        new_passwords: Users who get another password.
    """

    addresses: tuple[str, ...] = ()
    days: int = certificates.SERVER_DAYS
    new_passwords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What there is now.

    Attributes:
        fresh: The paths of what this run made or changed.
        users: Who got a password in this run.
        gone: Who had one, and is no station any more.
    """

    key: RecordKey
    certified: Certified
    fresh: tuple[Path, ...]
    users: frozenset[str]
    gone: frozenset[str]


def make(config: Config, places: Places, wish: Wish, *, now_utc: datetime) -> Made:
    """Make what is missing.

    Raises:
        SetupError: Something cannot be made, or what is there does not belong together.
        RecordError: The record's key cannot be read safely, or is missing while its record exists.
    """
    _must_be_users(passwords.secret_files(config, places), wish.new_passwords)
    files.folder(places.setup)
    with files.alone_in(places.setup):
        for folder in (
            places.made_credentials,
            places.made_for_stations,
            places.made_for_broker,
            places.authority,
        ):
            files.folder(folder)
            files.clear(folder)
        key, fresh = keyring.make(config, places)
        _take_back(config, places)
        # Certificates first: where they cannot be made, no password is another yet.
        certified, certificate_files = certificates.make(
            places, ship=config.ship, addresses=wish.addresses, now_utc=now_utc, days=wish.days
        )
        users, gone = passwords.make(config, places, anew=wish.new_passwords)
        fresh += [passwords.secret_files(config, places)[user] for user in sorted(users)]
        fresh += certificate_files
        fresh += broker.make(config, places, is_for_others=certified.is_for_others)
        fresh += _for_stations(places)
    return Made(key, certified, tuple(fresh), frozenset(users), frozenset(gone))


def _must_be_users(known: Iterable[str], wanted: Iterable[str]) -> None:
    for user in wanted:
        if user not in known:
            raise SetupError(
                f"{user!r} is no station, reader or exporter; there are {', '.join(sorted(known))}"
            )


def _take_back(config: Config, places: Places) -> None:
    for copy in places.copies(config):
        if not files.exists(copy.source) and files.exists(copy.target):
            files.write_new(copy.source, files.read(copy.target), mode=copy.mode)


def _for_stations(places: Places) -> list[Path]:
    path = places.made_for_stations / STATIONS_AUTHORITY
    content = files.read(places.made_for_broker / "ca.crt")
    return [path] if files.replace(path, content, mode=files.READABLE) else []
