"""What is wrong with ispsd itself, and what is to be done? Decided from what it and its computer say of themselves.

Plain words for whoever stands before it; nothing here waits, reads or writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.console.page import age
from daemon.supervision.quarantine import REASON

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LEAST_FREE_BYTES: Final = 1_000_000_000
"""Of the record's disk: a year of a usual ship."""
NO_ROOM_BYTES: Final = 50_000_000
"""Below it the record ends within days, and what else writes there may end it within minutes."""
LONG_PENDING_S: Final = 10.0
MOST_DROPPED: Final = 0.1
"""The share of what a device says that cannot be used, above which its line is looked at."""
ENOUGH_HEARD: Final = 100
STANDS_LONG_S: Final = 24 * 3600.0
CONNECTS_WITHIN_S: Final = 60.0
"""So long a device may be connecting before anybody looks at it."""
MANY: Final = 3
"""So many devices that are down for one reason have something in common."""
CERTIFICATE_DAYS: Final = 90
"""As ``ispsd init --check`` begins to say so."""
WHERE: Final = "docs/integrator.md, When it does not"
CLOCKS: Final = {
    "unset": (
        "the computer's clock cannot be right",
        "set it (timedatectl set-time), or let it find its time server; till then tests are not testable",
    ),
    "holdover": (
        "the computer's clock runs on its own",
        "it was not told the time lately: look at its time server or GNSS time source (docs/integrator.md)",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        is_grave: The watch, the record or the alerts hang on it.
    """

    what: str
    advice: str
    is_grave: bool = False

    def line(self) -> str:
        """Return it in a line."""
        return f"{'! ' if self.is_grave else '  '}{self.what}: {self.advice}"


def of_daemon(status: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what the answer to ``status`` shows."""
    if status["clock"] in CLOCKS:
        what, advice = CLOCKS[status["clock"]]
        yield Finding(what, advice)
    if not status["broker"]:
        reason = status.get("broker_reason") or "no reason is known"
        advice = "no page shows an alert, no sounder sounds one: systemctl status mosquitto; then ispsd init --check"
        yield Finding(f"the broker is not reached: {reason}", advice, is_grave=True)
    if status["simulated"]:
        yield Finding(
            "what it shows is simulated", "this is no ship's watch: run the ship's own file"
        )
    yield from _of_record(status["record"])
    yield from _of_stations(status["stations"])
    yield from _of_devices(status["devices"])
    long = [each for each in status["alerts"] if each["age_s"] > STANDS_LONG_S]
    if long:
        names = ", ".join(f"{each['title']} {each['name']}" for each in long[:5])
        advice = "mend what it tells of, or have the SSO take it out of service with a measure"
        stand = "1 alert stands" if len(long) == 1 else f"{len(long)} alerts stand"
        yield Finding(f"{stand} for more than a day ({names})", advice)


def _of_record(record: Mapping[str, Any]) -> Iterator[Finding]:
    if not record["writable"]:
        reason = record["reason"] or "no reason is known"
        what = "procedure 3, Lost key" if _is_of_key(reason) else "look at the disk (df, dmesg)"
        advice = f"{what}; do not restart ispsd: what waits in memory would go with it"
        yield Finding(f"the record cannot be written: {reason}", advice, is_grave=True)
    elif (record["pending_age_s"] or 0.0) > LONG_PENDING_S:
        yield Finding(
            f"the disk is slow: an entry waits for {record['pending_age_s']:.0f} s",
            "look at the disk (dmesg)",
        )
    if record["lost"]:
        yield Finding(
            f"{_count(record['lost'], 'entry was', 'entries were')} lost in this run",
            "the gap is an entry; tell the SSO",
            is_grave=True,
        )


def _of_stations(stations: list[Mapping[str, Any]]) -> Iterator[Finding]:
    if stations and not any(each["live"] for each in stations):
        advice = "nobody hears an alert: open the page or start the sounder of a station that is attended"
        yield Finding("no station is live", advice, is_grave=True)
    for each in stations:
        if each["live"] and not each["sound_armed"]:
            lacks = ", ".join(each["lacks"]) or "its sound"
            yield Finding(f"station {each['id']} is not armed", f"it lacks: {lacks} (docs/mqtt.md)")


def _of_devices(devices: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    held = [each for each in devices if each["link"] != "up" and each["reason"] == REASON]
    for each in held:
        advice = (
            "it is not read, all others are: send the bundle to whoever mends ispsd; the SSO tries it again with "
            f"ispsd restart-driver {each['id']} --by NAME"
        )
        yield Finding(f"{each['id']} is not read: {each['reason']}", advice, is_grave=True)
    down = [each for each in devices if each not in held and _is_down(each)]
    for alike in _by_reason(down):
        yield _of_down(alike)
    for each in devices:
        if each["link"] == "up":
            yield from _of_line(each)


def _is_down(device: Mapping[str, Any]) -> bool:
    if device["link"] == "connecting" and device["age_s"] < CONNECTS_WITHIN_S:
        return False
    return bool(device["link"] != "up")


def _by_reason(down: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return devices that are down for one reason together, where they are many; the others alone."""
    alike: dict[str, list[Mapping[str, Any]]] = {}
    for each in down:
        reason = (each["reason"] or "").rpartition(": ")[2]
        alike.setdefault(reason, []).append(each)
    return [
        group
        for reason, found in alike.items()
        for group in ([found] if reason and len(found) >= MANY else [[each] for each in found])
    ]


def _of_down(devices: Sequence[Mapping[str, Any]]) -> Finding:
    first, *others = devices
    reason = first["reason"] or "nothing was heard of it yet"
    if not others:
        advice = f"look for these words in {WHERE}"
        return Finding(
            f"{first['id']} is {first['link']} for {age(first['age_s'])}: {reason}", advice
        )
    names = ", ".join(each["id"] for each in devices)
    advice = f"look first at what they have in common, switch, its power, this computer's cable; then in {WHERE}"
    return Finding(
        f"{len(devices)} devices are not reached ({names}): {reason.rpartition(': ')[2]}", advice
    )


def _of_line(device: Mapping[str, Any]) -> Iterator[Finding]:
    heard = device["good"] + device["dropped"]
    if heard >= ENOUGH_HEARD and device["dropped"] > heard * MOST_DROPPED:
        share = device["dropped"] / heard
        advice = "noise, polarity, baud or two talkers on one pair"
        yield Finding(f"{device['id']}: {share:.0%} of what it says cannot be used", advice)


def of_computer(system: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what the computer shows: its disks, its services, the ship's file, the broker's certificate."""
    for disk in system["disks"]:
        if disk.get("fault"):
            yield Finding(f"{disk['folder']}: {disk['fault']}", "look at the disk", is_grave=True)
        elif disk["read_only"]:
            advice = "a disk that found a fault in itself goes read-only: dmesg; replace it, then procedure 6"
            yield Finding(f"{disk['folder']} is read-only", advice, is_grave=True)
        elif disk["free_bytes"] < LEAST_FREE_BYTES:
            free = disk["free_bytes"] // 1_000_000
            advice = "archive old segments (procedure 10), or give it more room"
            is_grave = disk["free_bytes"] < NO_ROOM_BYTES
            yield Finding(f"{disk['folder']}: {free} MB are free", advice, is_grave=is_grave)
    for unit, said in system["services"].items():
        yield from _of_service(unit, said)
    yield from _of_file(system["ship_file"])
    yield from _of_certificate(system["certificate"])


def _of_service(unit: str, said: Mapping[str, str]) -> Iterator[Finding]:
    state = said.get("ActiveState", "")
    if said.get("UnitFileState") == "enabled" and state in {"failed", "inactive"}:
        advice = f"journalctl -u {unit} -n 30 says why; then systemctl restart {unit}"
        yield Finding(f"{unit} does not run ({state})", advice, is_grave=True)
    restarts = said.get("NRestarts", "")
    if restarts.isdecimal() and int(restarts):
        often = _count(int(restarts), "time", "times")
        advice = f"journalctl -u {unit} says why each time; send the bundle to whoever mends ispsd"
        yield Finding(f"systemd has begun {unit} again {often}", advice)


def _of_file(ship_file: Mapping[str, Any]) -> Iterator[Finding]:
    if reason := ship_file["unreadable"]:
        advice = "is this ispsd's computer, and are you root? Procedure 1; the next start would end at it"
        yield Finding(f"the ship's file {ship_file['path']}: {reason}", advice, is_grave=True)
    elif faults := ship_file["faults"]:
        advice = "ispsd check says which, with their places; the next start would end at them"
        yield Finding(
            f"the ship's file has {_count(faults, 'fault', 'faults')}", advice, is_grave=True
        )


def _of_certificate(certificate: Mapping[str, Any] | None) -> Iterator[Finding]:
    if certificate is None or certificate["days"] >= CERTIFICATE_DAYS:
        return
    advice = "put the authority's key back, ispsd init --install, systemctl restart mosquitto ispsd-web (procedure 11)"
    if certificate["days"] < 0:
        what = f"the broker's certificate has ended on {certificate['ends']}: no station with TLS gets in"
        yield Finding(what, advice, is_grave=True)
    else:
        yield Finding(f"the broker's certificate is good until {certificate['ends']} only", advice)


def _is_of_key(reason: str) -> bool:
    return "key" in reason.replace(":", " ").replace(".", " ").split() or "record-key" in reason


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
