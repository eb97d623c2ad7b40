"""What is wired where? One row for each input, as it goes into the ship's drawings; and what is to be proved?

No SSAS channel is ever among them: a list that is printed, mailed and pinned up in a cabinet is no place for it
(invariants 1 and 14).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from daemon.commissioning.looprun import Tag
from daemon.config.sharing import unit_of
from daemon.drivers.api import Wiring
from daemon.drivers.cctv_unit import CctvUnitConfig
from daemon.drivers.modbus_unit import UnitConfig
from daemon.drivers.reach import ReachConfig
from daemon.points.proving import Wired
from daemon.wording.openings import LINE_FAULT, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from daemon.config.shape import Config, Device
    from daemon.drivers.api import Contact
    from daemon.model import Opening

MEASURED: Final = {Wiring.LOOP_4_20_MA: "current", Wiring.RESISTANCE: "resistance"}
SUPERVISED_BY: Final = {
    Wiring.DOUBLE: "the second contact",
    Wiring.NAMUR: "the module's error bit",
    **{wiring: f"its {measured}" for wiring, measured in MEASURED.items()},
}
"""What tells a cut cable from an open door; nothing of a single contact."""


@dataclass(frozen=True, slots=True)
class Row:
    """One wired input, or one port that is listened to."""

    device: str
    kind: str
    address: str
    unit: str
    input: str
    """As the ship's file has it: from 0."""
    printed: str
    """As the module has it on its front."""
    tag: str
    name: str
    what: str
    place: str
    wiring: str
    on_while: str
    normal: str
    """On or off while the door is closed, the bolt out, nothing moves."""
    supervised_by: str


COLUMNS: Final = tuple(each.name for each in fields(Row))


def contacts(config: Config) -> tuple[Wired, ...]:
    """Return every contact that is wired to a device."""
    names = {opening.id: _name(opening) for opening in config.openings}
    return tuple(
        Wired(
            contact.point,
            names[contact.point],
            device.id,
            contact.inputs,
            contact.wiring,
            str(getattr(device.config, "profile", "")),
            float(getattr(device.config, "poll_s", 0.0)),
        )
        for device in config.devices
        for contact in device.contacts
    )


def tags(config: Config, points_of: Mapping[str, Iterable[str]]) -> Iterator[Tag]:
    """Yield everything that a loop check can cover: contacts, side doors, and what else these devices tell of.

    Args:
        config: The ship's file.
        points_of: The points of every device that is no SSAS source, none of class ``sso`` among them.
    """
    openings = {opening.id: opening for opening in config.openings}
    for device in config.devices:
        wired = {contact.point: contact for contact in device.contacts}
        for point in points_of.get(device.id, ()):
            if (opening := openings.get(point)) is None:
                yield Tag(point, point, "sensor", device.id)
                continue
            name, kind, inputs, wiring = opening.name, opening.kind.value, "", ""
            if (contact := wired.get(point)) is not None:
                printed = (_printed(device, n) or str(n) for n in contact.inputs)
                inputs, wiring = ", ".join(printed), contact.wiring.value
            yield Tag(point, name, kind, device.id, opening.place, inputs, wiring)


def rows(config: Config) -> Iterator[Row]:
    """Yield every input of every device, in the order of the ship's file; no SSAS channel."""
    openings = {opening.id: opening for opening in config.openings}
    for device in config.devices:
        if device.spec.covert:
            continue
        inputs = [
            row
            for contact in device.contacts
            for row in _of_contact(config, device, contact, openings[contact.point])
        ]
        yield from sorted(inputs, key=lambda row: int(row.input))
        for side in device.side_doors:
            opening = openings[side.point]
            number = " ".join(
                part for part in (side.system, side.division, str(side.number)) if part
            )
            yield _row(config, device, input=number, tag=side.point, opening=opening, wiring="DOR")
        if not (device.contacts or device.side_doors):
            yield _row(config, device, tag=device.id, **_itself(device))


def _itself(device: Device) -> dict[str, Any]:
    """Return what a device is to which nothing is wired: a feed, a camera, or a unit that waits for its first cable."""
    if isinstance(device.config, CctvUnitConfig):
        what = device.spec.unit_is(device.config)
        return {"what": what, "name": device.config.name, "place": device.config.place}
    if isinstance(device.config, ReachConfig):
        return {"what": f"network unit: {device.config.unit_is.replace('_', ' ')}"}
    return {"what": str(getattr(device.config, "feed", "")) or "no input is wired"}


def address(config: Config, device: Device) -> str:
    """Return where a device is reached."""
    if device.bus is not None:
        return f"bus {device.bus}, {config.buses[device.bus].name}"
    return "" if device.port is None else device.port.name


def _of_contact(
    config: Config, device: Device, contact: Contact, opening: Opening
) -> Iterator[Row]:
    for place, number in enumerate(contact.inputs):
        yield _row(
            config,
            device,
            input=str(number),
            printed=_printed(device, number),
            tag=contact.point,
            opening=opening,
            wiring=contact.wiring.value,
            **_means(contact.wiring, place, opening),
        )


def _means(wiring: Wiring, place: int, opening: Opening) -> dict[str, str]:
    closed, open_ = WORDS[opening.kind]
    if wiring is Wiring.NC or (wiring is Wiring.DOUBLE and place == 0):
        said = {"on_while": closed, "normal": "on"}
    elif wiring is Wiring.NO or wiring is Wiring.DOUBLE:
        said = {"on_while": open_, "normal": "off"}
    elif wiring is Wiring.NAMUR:
        state, error = (
            {"on_while": closed, "normal": "on"},
            {"on_while": LINE_FAULT, "normal": "off"},
        )
        said = error if place else state
    else:
        measured = MEASURED[wiring]
        said = {"on_while": f"by its {measured}", "normal": f"{measured} of {closed}"}
    if wiring in SUPERVISED_BY:
        said["supervised_by"] = SUPERVISED_BY[wiring]
    return said


def _row(config: Config, device: Device, *, opening: Opening | None = None, **said: Any) -> Row:
    profile = getattr(device.config, "profile", None)
    row = {
        **dict.fromkeys(COLUMNS, ""),
        "device": device.id,
        "kind": device.spec.kind if profile is None else f"{device.spec.kind} {profile}",
        "address": address(config, device),
        "unit": _unit(device),
        **said,
    }
    if opening is not None:
        row |= {"name": opening.name, "what": opening.kind.value, "place": opening.place}
    return Row(**row)


def _unit(device: Device) -> str:
    if not isinstance(device.config, UnitConfig):
        return ""
    return str(unit_of(device.config))


def _printed(device: Device, number: int) -> str:
    if not isinstance(device.config, UnitConfig):
        return ""
    profile = device.config.fitted_profile()
    return f"{profile.label}{number + profile.first_label}" if profile.label else ""


def _name(opening: Opening) -> str:
    return opening.name if opening.of is None else f"{opening.name} {opening.kind.value}"
