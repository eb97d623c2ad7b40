"""What should come of a scenario: which alerts, entries and states of devices?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from daemon.errors import Fault
from daemon.model import LinkState, Priority
from daemon.simulate.tables import (
    checked,
    refuse_strangers,
    seconds,
    short_text,
    strangers,
    table_of,
    tables_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class ExpectedAlert:
    """One alert that should come.

    Attributes:
        raised_s: Not before, not after, in seconds after the start.
        ended_s: When its condition ended; None where it should stand at the end.
        then: The priorities that it took after the first, as regimes came and went.
        detail: What its detail has among its words, such as the reason of an outage.
    """

    title: str
    name: str
    priority: Priority
    raised_s: tuple[float, float]
    ended_s: tuple[float, float] | None = None
    then: tuple[Priority, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedDevice:
    """How one device should stand at the end.

    Attributes:
        reason: What the reason of its outage has among its words; empty for any, and for none.
        dropped: What should have been dropped of it, by the names of ``driver/<id>``; a part of each is enough.
    """

    device: str
    link: LinkState
    reason: str = ""
    dropped: tuple[str, ...] = ()

    def differs(self, status: Mapping[str, Any]) -> str | None:
        """Return what is otherwise in the body of ``driver/<id>``; None where all is as it should be."""
        if status.get("link") != self.link.value:
            return f"{self.device} is {status.get('link')}, not {self.link.value}"
        if self.reason not in (status.get("reason") or ""):
            return f"{self.device}: {self.reason!r} is not in {status.get('reason')!r}"
        counted = status.get("dropped", {})
        missing = [name for name in self.dropped if not any(name in each for each in counted)]
        return f"{self.device}: {missing} not among the dropped {counted}" if missing else None


@dataclass(frozen=True, slots=True)
class Expected:
    """All that should come.

    Attributes:
        entries: How many entries of each type should be written, beside those of every watch.
    """

    alerts: tuple[ExpectedAlert, ...] = ()
    devices: tuple[ExpectedDevice, ...] = ()
    entries: Mapping[str, int] = field(default_factory=dict)


def promised(alerts: Iterable[ExpectedAlert], devices: Iterable[ExpectedDevice]) -> Iterator[str]:
    """Yield what should come, a line each, for whoever watches a scenario."""
    for alert in alerts:
        low_s, high_s = alert.raised_s
        yield f"{alert.priority} {alert.title} {alert.name}, {low_s:g} to {high_s:g} s"
    for device in devices:
        reason = f", {device.reason}" if device.reason else ""
        yield f"{device.device} {device.link}{reason}"


def expected(given: object, devices: Collection[str], faults: list[Fault]) -> Expected:
    """Return what a scenario's table ``expect`` names; what is wrong with it is noted as faults."""
    table = table_of("expect", given, faults)
    strangers("expect", table, {"alerts", "devices", "entries"}, faults)
    entries = table_of("expect.entries", table.get("entries", {}), faults)
    for type_, count in entries.items():
        if type(count) is not int or count < 1:
            faults.append(Fault(f"expect.entries.{type_}", f"is a number from 1, not {count!r}"))
    return Expected(
        _each("expect.alerts", table.get("alerts", []), _alert, faults),
        _each(
            "expect.devices", table.get("devices", []), lambda said: _device(said, devices), faults
        ),
        dict(entries),
    )


def _each(
    place: str, given: object, read: Callable[[Mapping[str, Any]], Any], faults: list[Fault]
) -> tuple[Any, ...]:
    read_ones = (
        checked(f"{place}[{number}]", each, read, faults)
        for number, each in enumerate(tables_of(place, given, faults))
    )
    return tuple(each for each in read_ones if each is not None)


def _device(table: Mapping[str, Any], devices: Collection[str]) -> ExpectedDevice:
    refuse_strangers(table, {"device", "link", "reason", "dropped"})
    device = table.get("device")
    if device not in devices:
        raise ValueError(f"no device {device!r} is simulated; known are {', '.join(devices)}")
    dropped = table.get("dropped", [])
    if not isinstance(dropped, list):
        raise ValueError("dropped is a list of names")  # noqa: TRY004 (a scenario's fault, as any other)
    return ExpectedDevice(
        str(device),
        LinkState(str(table.get("link"))),
        short_text(table.get("reason", "")),
        tuple(map(short_text, dropped)),
    )


def _alert(table: Mapping[str, Any]) -> ExpectedAlert:
    refuse_strangers(table, {"title", "name", "priority", "raised_s", "ended_s", "then", "detail"})
    if missing := {"title", "name", "priority", "raised_s"} - table.keys():
        raise ValueError(f"wanted: {', '.join(sorted(missing))}")
    then = table.get("then", [])
    if not isinstance(then, list):
        raise ValueError("then is a list of priorities")  # noqa: TRY004 (a scenario's fault, as any other)
    return ExpectedAlert(
        short_text(table["title"]),
        short_text(table["name"]),
        Priority(table["priority"]),
        _span(table["raised_s"]),
        _span(table["ended_s"]) if "ended_s" in table else None,
        tuple(Priority(each) for each in then),
        short_text(table.get("detail", "")),
    )


def _span(given: object) -> tuple[float, float]:
    if not isinstance(given, list) or len(given) != 2:  # noqa: PLR2004 (not before, not after)
        raise ValueError(f"a time is [not before, not after] in seconds, not {given!r}")
    low_s, high_s = map(seconds, given)
    if low_s > high_s:
        raise ValueError(f"{low_s:g} s is after {high_s:g} s")
    return low_s, high_s
