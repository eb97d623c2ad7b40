"""What is wrong with ispsd itself, and what is to be done? Decided from what it and its computer say of themselves.

Plain words for whoever stands before it; nothing here waits, reads or writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.console.page import age

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LEAST_FREE_BYTES: Final = 1_000_000_000
"""Of the record's disk: a year of a usual ship."""
LONG_PENDING_S: Final = 10.0
MOST_DROPPED: Final = 0.1
"""The share of what a device says that cannot be used, above which its line is looked at."""
ENOUGH_HEARD: Final = 100
STANDS_LONG_S: Final = 24 * 3600.0
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
        advice = "alerts reach no page: systemctl status mosquitto; then user and password (journalctl -u ispsd)"
        yield Finding("the broker is not reached", advice, is_grave=True)
    if status["simulated"]:
        yield Finding(
            "what it shows is simulated", "this is no ship's watch: run the ship's own file"
        )
    yield from _of_record(status["record"])
    yield from _of_stations(status["stations"])
    for device in status["devices"]:
        yield from _of_device(device)
    long = [each for each in status["alerts"] if each["age_s"] > STANDS_LONG_S]
    if long:
        names = ", ".join(f"{each['title']} {each['name']}" for each in long[:5])
        advice = "mend what it tells of, or have the SSO take it out of service with a measure"
        yield Finding(f"{len(long)} alerts stand for more than a day ({names})", advice)


def _of_record(record: Mapping[str, Any]) -> Iterator[Finding]:
    if not record["writable"]:
        advice = "look at the disk (df, dmesg); do not restart ispsd: what waits in memory would go with it"
        yield Finding(f"the record cannot be written: {record['reason']}", advice, is_grave=True)
    elif (record["pending_age_s"] or 0.0) > LONG_PENDING_S:
        yield Finding(
            f"the disk is slow: an entry waits for {record['pending_age_s']:.0f} s",
            "look at the disk (dmesg)",
        )
    if record["lost"]:
        yield Finding(
            f"{record['lost']} entries were lost in this run",
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


def _of_device(device: Mapping[str, Any]) -> Iterator[Finding]:
    if device["link"] != "up":
        reason = device["reason"] or "no reason is known"
        advice = "look for these words in docs/integrator.md, When it does not"
        yield Finding(
            f"{device['id']} is {device['link']} for {age(device['age_s'])}: {reason}", advice
        )
        return
    heard = device["good"] + device["dropped"]
    if heard >= ENOUGH_HEARD and device["dropped"] > heard * MOST_DROPPED:
        share = device["dropped"] / heard
        advice = "noise, polarity, baud or two talkers on one pair"
        yield Finding(f"{device['id']}: {share:.0%} of what it says cannot be used", advice)


def of_computer(system: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what the computer shows: its disks, and how often the service was begun again."""
    for disk in system["disks"]:
        if disk.get("fault"):
            yield Finding(f"{disk['folder']}: {disk['fault']}", "look at the disk", is_grave=True)
        elif disk["read_only"]:
            advice = "a disk that found a fault in itself goes read-only: dmesg; replace it, then procedure 6"
            yield Finding(f"{disk['folder']} is read-only", advice, is_grave=True)
        elif disk["free_bytes"] < LEAST_FREE_BYTES:
            free = disk["free_bytes"] // 1_000_000
            advice = "archive old segments (procedure 10), or give it more room"
            yield Finding(f"{disk['folder']}: {free} MB are free", advice)
    restarts = system["service"].get("NRestarts", "")
    if restarts.isdecimal() and int(restarts):
        advice = "journalctl -u ispsd says why each time; send the bundle to whoever mends ispsd"
        yield Finding(f"systemd has begun it again {restarts} times", advice)
    if system["faults_in_file"]:
        advice = "ispsd check says which, with their places; the next start would end at them"
        yield Finding(
            f"the ship's file has {system['faults_in_file']} faults", advice, is_grave=True
        )
