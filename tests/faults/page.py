"""What does a page show at a moment, that keeps the six rules of docs/mqtt.md? Pure: it is told what came, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.faults.capture import Heard

SILENT_S = 5.0
"""Rule 3: no heartbeat for so long, and nothing is green."""


@dataclass(slots=True)
class Page:
    """A page of the contract."""

    topics: dict[str, dict[str, Any]] = field(default_factory=dict)
    session: str | None = None
    _beat: tuple[float, float] | None = None

    def hear(self, heard: Heard) -> None:
        """Take a message."""
        body = heard.body
        if not body:
            self.topics.pop(heard.name, None)
            return
        if (
            heard.name == "status"
            and body["state"] != "offline"
            and body["session"] != self.session
        ):
            self.session, self._beat = body["session"], None
        if heard.name == "heartbeat":
            if body["session"] == self.session:
                self._beat = (heard.at_s, body["up"])
            return
        if heard.name == "snapshot" and body["session"] == self.session:
            self.topics = {k: v for k, v in self.topics.items() if v.get("session") == self.session}
        self.topics[heard.name] = body

    def is_fresh(self, at_s: float) -> bool:
        """Return whether anything may be green."""
        return self._beat is not None and at_s - self._beat[0] <= SILENT_S

    def shows(self, point: str, at_s: float) -> tuple[str | None, float]:
        """Return the value that is not grey, if there is one, and how old the page says that it is."""
        body = self.topics.get(f"point/{point}")
        if body is None or self._beat is None or not self.is_fresh(at_s):
            return None, 0.0
        age_s = max(0.0, self._beat[1] - body["up"] + at_s - self._beat[0])
        is_good = body["quality"] == "good" and body["session"] == self.session
        return (body["value"] if is_good and age_s <= body["valid_for"] else None), age_s

    def alerts(self) -> dict[str, dict[str, Any]]:
        """Return the alerts that stand, by id."""
        return {
            name.removeprefix("alert/"): body
            for name, body in self.topics.items()
            if name.startswith("alert/") and body["state"] != "N"
        }
