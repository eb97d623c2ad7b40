"""What does the SSO hold in his hand and paste into a mail? The false alert card, and the notice of an SSAS test.

The card says whom to call if a real alert went out by mistake (MSC/Circ.1155 annex II.5: all concerned at once). It
is made of the ship's file and of nothing else, so it is the same to the byte whatever any sensor says (invariant 1):
position and times are written in by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta, timezone
from typing import TYPE_CHECKING, Final

from daemon.navigation.geodesy import written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from daemon.checks.flags import FlagProfile
    from daemon.model import Position, Ship

LINE: Final = "________________"
BLANK: Final = "[to be filled in]"


@dataclass(frozen=True, slots=True)
class Call:
    """One to be called: who, under which number, and within how many minutes."""

    who: str
    number: str
    within_min: int


def false_alert_card(ship: Ship, calls: Sequence[Call], ssp_paragraph: str) -> str:
    """Return the card."""
    lines = [
        "FALSE SECURITY ALERT - WHOM TO CALL",
        f"Ship Security Plan {ssp_paragraph}; MSC/Circ.1155 annex II.5: tell all concerned at once.",
        "",
        "Say nothing of it where others hear it: a ship security alert is covert.",
        "If it may be real: it is real. Act by the plan, and put this card away.",
        "",
        *(
            f"{number}. {call.who}: {call.number}   within {call.within_min} min   "
            f"called at {LINE} UTC   spoke to {LINE}"
            for number, call in enumerate(calls, start=1)
        ),
        "",
        "Then reset the unit as its procedure says, and see that no further message goes out.",
        "",
        "SAY:",
        f"This is {ship.name}, IMO number {ship.imo_number}, call sign {ship.call_sign}, "
        f"MMSI {ship.mmsi}.",
        "Our ship security alert was sent by mistake. There is no threat. It is a FALSE ALERT.",
        f"Sent at {LINE} UTC, position {LINE}.",
        f"Master {LINE}   SSO {LINE}",
        "",
        "Afterwards: enter it (ispsd enter communication), and follow up in writing.",
    ]
    return "\n".join(lines) + "\n"


def notice_text(
    ship: Ship,
    flag: FlagProfile,
    *,
    planned_utc: datetime,
    position: Position | None,
    addressees: Sequence[str],
    contact: str,
    occasion: str = "",
) -> str:
    """Return the notice of a test, ready to paste into a mail or a portal."""
    times = [f"{planned_utc.astimezone(UTC):%Y-%m-%d %H:%M} UTC"]
    if flag.also_time is not None:
        zone = timezone(timedelta(minutes=flag.also_time.offset_min))
        local = planned_utc.astimezone(zone)
        times.append(f"{local:%Y-%m-%d %H:%M} {flag.also_time.name}")
    where = BLANK if position is None else written(position.lat_deg, position.lon_deg, decimals=2)
    lines = [
        f"To: {flag.to}",
        f"Subject: TEST - SSAS TEST - {ship.name} - IMO {ship.imo_number}",
        "",
        "This is notice of a TEST of our ship security alert system. It is no alert.",
        "",
        f"Ship's name: {ship.name}",
        f"IMO number: {ship.imo_number}",
        f"Call sign: {ship.call_sign}",
        f"MMSI: {ship.mmsi}",
        f"Position: {where}",
        f"Planned time: {' / '.join(times)}",
        f"Addressees of the message: {', '.join(addressees)}",
    ]
    if flag.occasions:
        said = flag.occasions.get(occasion, "")
        lines.append(f"Occasion and reason: {said or BLANK}")
    lines += [
        f"Contact: {contact or BLANK}",
        "",
        "Please confirm that you have received the test message, with its date and time.",
    ]
    return "\n".join(lines) + "\n"
