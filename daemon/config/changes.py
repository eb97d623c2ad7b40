"""What is another in one ship's file than in another, by section and setting, and what of that needs a restart? Pure.

Values are never said, so that no place of a door stands in the open part of an entry; of SSAS equipment nothing is said
at all (invariants 1 and 14).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.computer.secretfiles import credentials
from daemon.model import Classification

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from daemon.config.shape import Config

FIXED: Final = (
    ("ship", "name"),
    ("ship", "imo_number"),
    ("ship", "mmsi"),
    ("ship", "call_sign"),
    ("record", "directory"),
    ("record", "key_file"),
    ("record", "origin"),
    ("people", "credentials_file"),
    ("control", "socket"),
    ("control", "web_user"),
)
"""What a running ispsd cannot change: whose record it is, where its state lies, where it is spoken to."""
NAMED_BY: Final = ("id", "use", "name")
UNNAMED: Final = frozenset({"person"})
"""Persons are not named in what everybody reads."""
COVERT: Final = "ssas"


def needs_restart(old: Config, new: Config) -> list[str]:
    """Return what cannot change while ispsd runs, a line each."""
    lines = [
        f"{section}.{setting}: needs a restart"
        for section, setting in FIXED
        if _said(old, section, setting) != _said(new, section, setting)
    ]
    # systemd hands secrets over when a service starts, and never after that.
    missing = {path.name for path in _secrets(new) if not path.exists()}
    lines += [
        f"{name}: needs a restart: systemd hands a secret over at a start" for name in missing
    ]
    return lines


def _said(config: Config, section: str, setting: str) -> object:
    match section, setting:
        case "people", "credentials_file":
            return config.credentials_file
        case _:
            return getattr(getattr(config, section), setting)


def _secrets(config: Config) -> Iterator[Path]:
    parts = [config.mqtt, *(device.config for device in config.devices)]
    for part in parts:
        path = getattr(part, "password_file", None)
        if path is not None and path.parent == credentials():
            yield path


def changes(old: Config, new: Config) -> list[str]:
    """Return what everybody may know of what is another, a line each: ``door d05: inputs, wiring``."""
    hidden = _covert(old) | _covert(new)
    lines = []
    for section in dict.fromkeys((*old.tree, *new.tree)):
        if section == COVERT:
            continue
        was, now = _parts(old.tree.get(section)), _parts(new.tree.get(section))
        for name in dict.fromkeys((*was, *now)):
            if (section, name) in hidden or was.get(name) == now.get(name):
                continue
            place = f"{section} {name}".strip() if section not in UNNAMED else section
            if name not in was or name not in now:
                lines.append(f"{place}: {'added' if name in now else 'removed'}")
            else:
                lines.append(f"{place}: {', '.join(_settings(was[name], now[name]))}")
    return list(dict.fromkeys(lines))


def of_pages(old: Config, new: Config) -> bool:
    """Return whether anything is another that the pages' server reads at its start."""
    return old.web != new.web or [s.id for s in old.stations] != [s.id for s in new.stations]


def _parts(section: Any) -> dict[str, Any]:
    """Return the parts of a section by their names; one of plain settings is one part without a name."""
    if isinstance(section, list):
        return {_name(part, number): part for number, part in enumerate(section)}
    if (
        isinstance(section, dict)
        and section
        and all(isinstance(each, dict) for each in section.values())
    ):
        return section
    return {} if section is None else {"": section}


def _name(part: Any, number: int) -> str:
    said = part if isinstance(part, dict) else {}
    return next((str(said[key]) for key in NAMED_BY if key in said), str(number))


def _settings(was: Any, now: Any) -> list[str]:
    if not isinstance(was, dict) or not isinstance(now, dict):
        return ["changed"]
    return [key for key in dict.fromkeys((*was, *now)) if was.get(key) != now.get(key)]


def _covert(config: Config) -> set[tuple[str, str]]:
    """Return the parts that are of SSAS equipment, by section and name."""
    found = {("device", device.id) for device in config.devices if device.spec.covert}
    for test in config.tests:
        if test.classification is Classification.SSO:
            found |= {("test", test.config.id), ("test", str(getattr(test.config, "use", "")))}
    return found


def unchanged(old: Config, new: Config) -> set[str]:
    """Return the devices that are in both as they were, with all that is wired to them and the bus they hang on."""
    was = {device.id: device for device in old.devices}
    return {
        device.id
        for device in new.devices
        if was.get(device.id) == device
        and (device.bus is None or _bus(old.buses, device.bus) == _bus(new.buses, device.bus))
    }


def _bus(buses: Mapping[str, Any], name: str) -> Any:
    return buses.get(name)
