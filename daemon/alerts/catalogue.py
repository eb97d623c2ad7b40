"""Which alerts are there? Each one declared in ``config/alerts.toml``: key, number, title, priority, delays, action.

Priority is three letters per situation, one for each security level: A alarm, W warning, C caution, L written down and
not told, - not evaluated.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from daemon.errors import ConfigError, Fault
from daemon.model import Classification, Priority, Situation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from daemon.model import Regime

Letters = Annotated[str, Field(pattern=r"^[AWCL-]{3}$")]
LOUDNESS = "-LCWA"
"""The letters, the quietest first."""
LOG = "L"


class AlertKind(BaseModel):
    """One declared alert."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: Annotated[int, Field(ge=10000, le=9999999)]
    """The numeric alert identifier; 10000 and above are a maker's own (IEC 61162-1 ALF)."""
    title: Annotated[str, Field(min_length=1, max_length=16)]
    sea: Letters
    anchor: Letters
    port: Letters
    yard: Letters = "LLL"
    threat: Annotated[str, Field(pattern=r"^[AWCL-]$")] = "-"
    """In a threat area the louder of this and of the letter of level 2 (of level 3 at level 3) counts."""
    on_delay_s: Annotated[float, Field(ge=0)]
    off_delay_s: Annotated[float, Field(ge=0)] = 0.0
    latch: Annotated[str, Field(max_length=40)] = ""
    """The named act until which it stays, whatever the sensor says; empty: it goes with its condition."""
    show: Classification = Classification.WATCH
    action: Annotated[str, Field(min_length=1, max_length=80)]
    depends_on: tuple[str, ...] = ()
    """Keys whose activity on the same device explains this alert, so that it is not raised as well."""

    def letter(self, regime: Regime) -> str:
        """Return the letter that counts now."""
        letters = {
            Situation.SEA: self.sea,
            Situation.MANOEUVRING: self.sea,
            Situation.ANCHOR: self.anchor,
            Situation.PORT: self.port,
            Situation.YARD: self.yard,
        }[regime.situation]
        if not regime.threat:
            return letters[regime.level - 1]
        return max(self.threat, letters[max(regime.level, 2) - 1], key=LOUDNESS.index)

    def priority(self, regime: Regime) -> Priority | None:
        """Return the priority now; None where the alert is only written down, or not evaluated."""
        letter = self.letter(regime)
        return None if letter in "-L" else Priority(letter)


def load(path: Path) -> Mapping[str, AlertKind]:
    """Read the catalogue.

    Raises:
        ConfigError: With every fault of the file.
    """
    with path.open("rb") as file:
        raw = tomllib.load(file)
    try:
        kinds = TypeAdapter(dict[str, AlertKind]).validate_python(raw)
    except ValidationError as err:
        faults = tuple(Fault(".".join(map(str, e["loc"])), e["msg"]) for e in err.errors())
        raise ConfigError(str(path), faults) from err
    faults = tuple(
        Fault(f"{key}.depends_on", f"there is no alert {other!r}")
        for key, kind in kinds.items()
        for other in kind.depends_on
        if other not in kinds
    )
    numbers = [kind.number for kind in kinds.values()]
    faults += tuple(
        Fault(f"{key}.number", f"{kind.number} stands twice")
        for key, kind in kinds.items()
        if numbers.count(kind.number) > 1
    )
    if faults:
        raise ConfigError(str(path), faults)
    return kinds
