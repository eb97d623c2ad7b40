"""Which exporters does the ship's file name, and what is wrong with them? For ``ispsd check``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from daemon.config import registry
from daemon.config.faults import said
from daemon.config.shape import Export
from daemon.config.validating import validated
from daemon.errors import Fault
from daemon.mqtt.access import OWNER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from daemon.config.shape import Config, ConfigFile
    from daemon.exporters.api import Rights


def exports(parts: Mapping[str, Any]) -> tuple[list[Export], list[Fault]]:
    """Return the exporters of ``[exporter.…]``, and what is wrong with the others."""
    kinds = registry.exporters()
    found: list[Export] = []
    faults: list[Fault] = []
    for name, part in parts.items():
        place = f"exporter.{name}"
        kind = part.get("kind") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            known = ", ".join(sorted(kinds))
            faults.append(Fault(f"{place}.kind", f"no exporter {kind!r}; there are {known}"))
            continue
        try:
            config = validated(kinds[kind].config, part)
        except ValidationError as err:
            faults += said(err, place, part)
            continue
        found.append(Export(name, config, kinds[kind]))
    return found, faults


def exporter_faults(file: ConfigFile, found: Sequence[Export]) -> Iterator[Fault]:
    """Yield what is wrong with exporters and dashboards' users beside the rest of the file."""
    ship = str(file.ship.imo_number)
    of_exporters = [
        (f"exporter.{each.name}.user", user)
        for each in found
        for user in each.spec.rights(each.config, ship).readers
    ]
    taken = {station.id for station in file.station} | {file.mqtt.user or OWNER}
    users = [*(("mqtt.readers", user) for user in sorted(file.mqtt.readers)), *of_exporters]
    for place, user in users:
        if user in taken:
            yield Fault(place, f"{user!r} is a station or ispsd itself; a reader is neither")
    again = [user for _, user in of_exporters]
    for place, user in of_exporters:
        if again.count(user) > 1:
            yield Fault(place, f"{user!r} is the user of two exporters")


def rights(config: Config) -> list[Rights]:
    """Return what the exporters need at the broker."""
    ship = str(config.ship.imo_number)
    return [each.spec.rights(each.config, ship) for each in config.exporters]


def readers(config: Config) -> dict[str, tuple[str, ...]]:
    """Return every user who only reads, with what he is let beside that."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys(sorted(config.mqtt.readers), ())
    for each in rights(config):
        found |= {user: (*found.get(user, ()), *lines) for user, lines in each.readers.items()}
    return found
