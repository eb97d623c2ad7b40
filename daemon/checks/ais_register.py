"""Are own static data those of the ship's register (A.1106(29) 23)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from daemon.model import AisIdentity, Ship

SIZE_M: Final = 2.0
"""AIS has whole metres from the antenna to each side, so that two roundings add up."""
SHIP_TYPES: Final = range(20, 100)
"""ITU-R M.1371-5 table 53; 1 to 19 are reserved, 100 and above no ships'."""


def identity_fault(said: AisIdentity, ship: Ship) -> str | None:
    """Return in what the static data are not as the register has them."""
    if said.imo_number != ship.imo_number:
        return f"IMO number {said.imo_number} sent, register has {ship.imo_number}"
    if said.call_sign != ship.call_sign:
        return f"call sign {said.call_sign} sent, register has {ship.call_sign}"
    if said.name != ship.name_sent:
        return f"name {said.name} sent, register has {ship.name_sent}"
    return _size_fault(said, ship)


def _size_fault(said: AisIdentity, ship: Ship) -> str | None:
    """Return in what size and type cannot be hers; of a size that the register's file leaves out nothing is said."""
    sizes = (("length", said.length_m, ship.length_m), ("beam", said.beam_m, ship.beam_m))
    for what, sent_m, register_m in sizes:
        if register_m is not None and (sent_m is None or abs(sent_m - register_m) > SIZE_M):
            sent = "not set" if sent_m is None else f"{sent_m} m sent"
            return f"{what} {sent}, register has {register_m:g} m"
    if said.length_m and said.beam_m and said.beam_m >= said.length_m:
        return f"beam {said.beam_m} m sent with length {said.length_m} m"
    if said.ship_type is not None and said.ship_type not in SHIP_TYPES:
        return f"type of ship {said.ship_type} sent, which is none"
    return None
