"""What is done, and what is still to be done, in the order in which an ETO does it?

Whatever can be looked at is looked at; the rest is said, and nobody claims that it was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from daemon.config.advice import advice
from daemon.model import Role
from daemon.setup import broker, certificates, files, installing, passwords
from daemon.setup.certificates import RENEW_BEFORE
from daemon.setup.making import STATIONS_AUTHORITY
from daemon.setup.places import OWN_UNITS, PAGES_UNIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from daemon.config import Config
    from daemon.model import Person
    from daemon.setup.certificates import Certified
    from daemon.setup.places import Places

NEEDS_A_PIN = frozenset({Role.OFFICER, Role.SSO, Role.MASTER})
"""Roles with an act that asks for a PIN."""
PIN_SET, PIN_RESET, BACKED_UP = "pin.set", "pin.reset", "key.backed_up"
NEW_KEYS = ("key.rotated", "record.adopted")
ENVELOPE_MADE, ENVELOPE_OPENED = "envelope.made", "envelope.opened"
ENTRIES_THAT_COUNT = (PIN_SET, PIN_RESET, BACKED_UP, *NEW_KEYS, ENVELOPE_MADE, ENVELOPE_OPENED)
"""What people did is in the record."""
UNIT = "ispsd.service"
BROKER_UNIT = "mosquitto.service.d/ispsd.conf"


class State(StrEnum):
    """How one line stands."""

    DONE = "done"
    TO_DO = "TO DO"
    YOURS = "yours"
    """Only people can know whether it was done."""
    MIND = "mind"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list."""

    state: State
    text: str
    how: tuple[str, ...] = ()
    """What is to be typed, or written into the ship's file."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the running daemon's record says.

    Attributes:
        newest: The number of the newest entry of a type about a subject.
        aboard: Who needs a PIN of those on board now; None where the ship's file is all that is known.
    """

    newest: Mapping[tuple[str, str], int]
    aboard: tuple[str, ...] | None = None

    def of(self, *types: str, subject: str | None = None) -> int:
        """Return the number of the newest entry of these types; 0 where there is none."""
        return max(
            (
                seq
                for (type_, about), seq in self.newest.items()
                if type_ in types and subject in {None, about}
            ),
            default=0,
        )

    def has_pin(self, person: str) -> bool:
        return self.of(PIN_SET, subject=person) > self.of(PIN_RESET, subject=person)


NOTHING_SAID = Asked({})


def lines(
    config: Config, places: Places, *, asked: Asked | None, now_utc: datetime
) -> Iterator[Line]:
    """Yield the whole list.

    Raises:
        SetupError: Something cannot be looked at.
    """
    yield from (Line(State.MIND, text) for text in advice(config))
    yield from _file_lines(config, places)
    key = places.key(config)
    has_key = files.exists(key)
    yield Line(
        State.DONE if has_key else State.TO_DO,
        f"the record's key: {key}",
        ("ispsd init",) * (not has_key),
    )
    yield from _broker_lines(config, places, now_utc=now_utc)
    yield from _unit_lines(places)
    if asked is None:
        yield Line(State.TO_DO, "ispsd does not run here", (installing.start(places),))
    yield from _people_lines(config, asked or NOTHING_SAID)
    yield from _shore_lines(config, places, asked or NOTHING_SAID)


def persons_by_role(config: Config) -> Iterator[tuple[str, Sequence[Person]]]:
    """Yield every role on board with who has it."""
    for role in Role:
        yield role.value, [p for p in config.persons if role in p.roles]


def needs_pin(roles: Iterable[str]) -> bool:
    """Return whether somebody with these roles has an act that asks for a PIN."""
    return not NEEDS_A_PIN.isdisjoint(roles)


def _file_lines(config: Config, places: Places) -> Iterator[Line]:
    how = []
    if config.mqtt.user is None:
        how.append(f'user = "{passwords.owner(config)}"')
    if config.mqtt.password_file is None:
        how.append('password_file = "credential:mqtt-password"')
    if how:
        yield Line(State.TO_DO, "write into [mqtt] of the ship's file", tuple(how))
    else:
        yield Line(State.DONE, "the ship's file names the daemon's user and password")
    if config.control.web_user is None and places.unit(PAGES_UNIT) is not None:
        yield Line(
            State.TO_DO,
            "write into [control] of the ship's file, or nobody reaches the pages of SSO and Master",
            ('web_user = "ispsd-web"',),
        )


def _broker_lines(config: Config, places: Places, *, now_utc: datetime) -> Iterator[Line]:
    certified = certificates.found(places)
    if certified is None:
        yield Line(State.TO_DO, "passwords, certificates and access list", ("ispsd init",))
        return
    if broker.outdated(config, places, is_for_others=certified.is_for_others):
        text = "the broker's settings or access list are of another ship's file or version of ispsd"
        yield Line(State.TO_DO, text, ("ispsd init",))
    missing = installing.missing(config, places)
    how = tuple(installing.commands(config, places)) if missing else ()
    text = (
        f"{len(missing)} file{'s' if len(missing) > 1 else ''} of the broker and the daemon to be installed"
        if missing
        else ("the files of the broker and the daemon are where they are used")
    )
    yield Line(State.TO_DO if missing else State.DONE, text, how)
    yield from _certificate_lines(certified, now_utc=now_utc)
    waiting = [s.id for s in config.stations if files.exists(places.station_password(s.id))]
    if waiting:
        yield Line(
            State.YOURS,
            f"carry to each station its password, and {STATIONS_AUTHORITY} beside it; then delete the password here",
            tuple(str(places.station_password(id_)) for id_ in waiting),
        )


def _certificate_lines(certified: Certified, *, now_utc: datetime) -> Iterator[Line]:
    called = ", ".join(certified.addresses)
    ends = f"until {certified.ends_utc:%Y-%m-%d}"
    if now_utc + RENEW_BEFORE >= certified.ends_utc:
        yield Line(State.TO_DO, f"the broker's certificate is good {ends} only", ("ispsd init",))
    elif certified.is_for_others:
        yield Line(State.DONE, f"stations reach the broker as {called}, {ends}")
    else:
        yield Line(
            State.MIND,
            "no station on another computer can reach the broker",
            ("ispsd init --address 192.168.60.5",),
        )


def _unit_lines(places: Places) -> Iterator[Line]:
    for unit, what in ((UNIT, "the service"), (BROKER_UNIT, "the broker's restart")):
        if (there := places.unit(unit)) is not None:
            yield Line(State.DONE, f"{what}: /{there.relative_to(places.root)}")
            continue
        target = f"/{OWN_UNITS}/{unit}"
        how = (f"install -D -m 0644 systemd/{unit} {target}", "systemctl daemon-reload")
        yield Line(State.TO_DO, f"{what}: {target}", how)


def _people_lines(config: Config, asked: Asked) -> Iterator[Line]:
    in_file = tuple(person.name for person in config.persons if needs_pin(person.roles))
    aboard = in_file if asked.aboard is None else asked.aboard
    without = [name for name in aboard if not asked.has_pin(name)]
    if without:
        how = tuple(f'ispsd pin set --by "{name}"' for name in without)
        few = "1 person needs a PIN" if len(without) == 1 else f"{len(without)} persons need a PIN"
        yield Line(State.TO_DO, f"{few}, each sets his own", how)
    elif aboard:
        yield Line(State.DONE, "everybody who needs a PIN has one")
    if asked.of(ENVELOPE_MADE) > asked.of(ENVELOPE_OPENED):
        yield Line(State.DONE, "the Master's sealed envelope is made")
    else:
        master = next((p.name for p in config.persons if Role.MASTER in p.roles), "MASTER")
        yield Line(
            State.TO_DO, "the Master's sealed envelope", (f'ispsd envelope --by "{master}"',)
        )


def _shore_lines(config: Config, places: Places, asked: Asked) -> Iterator[Line]:
    public = places.at(config.record.public_key_file)
    if asked.of(BACKED_UP) > asked.of(*NEW_KEYS):
        yield Line(State.DONE, "the record's key has a backup")
    else:
        sso = next((p.name for p in config.persons if Role.SSO in p.roles), "SSO")
        backup = f'ispsd key backup /media/usb/record-key.backup --by "{sso}"'
        yield Line(State.TO_DO, "a backup of the record's key, away from this computer", (backup,))
    yield Line(State.YOURS, "the public key is ashore with the CSO, signed for", (str(public),))
    if files.exists(places.authority / "ca.key"):
        yield Line(
            State.YOURS,
            "the authority's key is away from this computer; it is needed for a new certificate only",
            (str(places.authority / "ca.key"),),
        )
