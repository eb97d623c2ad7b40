"""What is allowed in a ship's file, and yet hardly meant?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.assets import asset
from daemon.config import sharing
from daemon.config.formats import NEWEST
from daemon.config.panel import panel_advice
from daemon.config.ports import port_advice
from daemon.drivers.links import UdpLink
from daemon.model import Role
from daemon.record import retention
from daemon.wording.lines import folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.config.shape import Config

SAMPLE_IMO, SAMPLE_MMSI = 9999993, 299000019
"""KESTREL STRAIT, whom nobody built."""


def advice(config: Config, *, checking: bool = False) -> Iterator[str]:
    """Yield what somebody should look at before this file is a ship's.

    With ``checking``, for whoever has the file in his hands, also what is doubtful about SSAS sources, and where the
    ship listens otherwise than others: of these no log speaks.
    """
    if config.written_in != NEWEST:
        yield (
            f"format: the file is of format {config.written_in}, the newest is {NEWEST}; it is read as that. "
            "`ispsd migrate` writes it so, and keeps the old one"
        )
    yield from _of_links(config, covert=checking)
    if checking and config.alterations:
        keys = ", ".join(config.alterations)
        yield f"alerts: other than the table that was shipped: {keys}; `ispsd alerts` shows how"
    if checking:
        yield from _of_names(config)
    if config.is_demo:
        return
    yield from _of_ship(config)
    for role, why in ((Role.MASTER, "verify the record"), (Role.SSO, "review it")):
        if not any(role in person.roles for person in config.persons):
            yield f"person: nobody has the role {role.value}, so nobody can {why}"
    if checking and not any(station.citadel for station in config.stations):
        yield (
            "station: none has citadel = true: while the curtain is down nobody sees or hears an alert. "
            "Put one where the crew would go"
        )
    if config.mqtt.password_file is None:
        yield "mqtt: without user and password_file the broker that ispsd init sets up refuses the daemon"
    yield from panel_advice(config)
    yield from port_advice(config, covert=checking)
    yield from sharing.contradictions(config)


def _of_names(config: Config) -> Iterator[str]:
    """Yield which of what is watched are called alike: an alert names them by nothing else."""
    called: dict[str, list[str]] = {}
    for opening in config.openings:
        if opening.of is None:
            called.setdefault(folded(opening.name), []).append(opening.id)
    for ids in called.values():
        if len(ids) > 1:
            yield f"{' and '.join(ids)} have one name: nobody can tell their alerts apart"


def _of_ship(config: Config) -> Iterator[str]:
    if config.ship.imo_number == SAMPLE_IMO:
        yield (
            f"ship.imo_number: {SAMPLE_IMO} is the sample ship's, and no ship's. Every signature of the record carries "
            "the number, and none can change it: put your ship's into the file first"
        )
    if config.ship.mmsi == SAMPLE_MMSI:
        yield f"ship.mmsi: {SAMPLE_MMSI} is the sample ship's: own AIS would be told to be wrong"
    if (flag := config.record.flag) not in retention.load(asset(retention.TABLE)):
        yield f"record.flag: no retention of {flag!r} is known: that of {retention.DEFAULT!r} counts"


def _of_links(config: Config, *, covert: bool) -> Iterator[str]:
    for device in config.devices:
        if device.spec.covert and not covert:
            continue
        link = device.link
        if device.is_replayed:
            yield f"device.{device.id}: a recording speaks in its place: nothing it says is evidence, in any record"
        elif isinstance(link, UdpLink) and link.group is not None and link.host.is_unspecified:
            yield (
                f"device.{device.id}: group {link.group} is joined on whichever network the default route has; "
                "say host = our address on the shipboard network"
            )
