"""Alerts, and a port over them, with a time that is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from daemon.alerts.alert import Alert, Source
from daemon.bam.port import Asked, Port
from daemon.bam.settings import BamSection
from daemon.drivers.nmea_words import AlertCommand
from daemon.model import AlertState, Classification, Priority

UTC_1015 = datetime(2026, 11, 22, 10, 15, 30, tzinfo=UTC)
DECK_C = Source("d12", "STRG GEAR ESC", "io1")


def section(**said: Any) -> BamSection:
    return BamSection.model_validate({"port": "/dev/ttyBAM", "maker": "XXX", **said})


def alert(instance: int = 1, state: str = "V", **said: Any) -> Alert:
    number = said.pop("number", 10011)
    return Alert(
        **{
            "id": f"door.{number}.{instance}",
            "key": "door.escape.open",
            "instance": instance,
            "number": number,
            "title": "INTRUSION DECK C",
            "source": DECK_C,
            "priority": Priority(said.pop("priority", "W")),
            "state": AlertState(state),
            "raised_utc": UTC_1015,
            "changed_utc": UTC_1015,
            "changed_s": 0.0,
            "action": "Look.",
            "show": Classification.WATCH,
            **said,
        }
    )


def acn(command: str, number: int = 10011, instance: int | None = 1, **said: Any) -> AlertCommand:
    given = {"time": None, "maker": "XXX", "is_command": True, **said}
    return AlertCommand(
        given["time"], given["maker"], number, instance, command, given["is_command"]
    )


class Line:
    """A port whose line is as fast as it takes, over alerts that are put here."""

    def __init__(self, *alerts: Alert, **said: Any) -> None:
        self.alerts = {a.id: a for a in alerts}
        self.looks = 0
        self.now_s = 0.0
        self.sent: list[tuple[float, str]] = []
        self.port = Port(
            section(**said),
            alerts=self._open,
            progress=self._progress,
            now_s=0.0,
        )
        self.port.opened(0.0)

    def _open(self) -> list[Alert]:
        return list(self.alerts.values())

    def _progress(self) -> int:
        self.looks += 1
        return self.looks

    def change(self, changed: Alert) -> None:
        if changed.state is AlertState.NORMAL:
            self.alerts.pop(changed.id, None)
        else:
            self.alerts[changed.id] = changed
        self.port.changed(changed)

    def become(self, instance: int, state: str, **said: Any) -> None:
        was = next(a for a in self.alerts.values() if a.instance == instance)
        self.change(replace(was, state=AlertState(state), revision=was.revision % 99 + 1, **said))

    def run(self, until_s: float) -> list[str]:
        """Let time pass from one due moment to the next; return what was sent."""
        began = len(self.sent)
        while True:
            for line in self.port.take(self.now_s):
                self.sent.append((self.now_s, line.text))
            next_s = max(self.port.wake_s(), self.now_s + 1e-9)
            if next_s > until_s:
                self.now_s = until_s
                return [text for _, text in self.sent[began:]]
            self.now_s = next_s

    def hear(self, sentence: bytes) -> Asked | None:
        return self.port.hear(sentence, self.now_s, UTC_1015)
