"""Which alerts are there? Each one declared in ``config/alerts.toml``: number, title, priority, delays, cause, action.

Priority is three letters per situation, one for each security level: A alarm, W warning, C caution, L written down and
not told, - not evaluated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from daemon import assets
from daemon.alerts.explanations import causes
from daemon.errors import ConfigError, Fault
from daemon.model import Classification, Priority, Situation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from daemon.model import Regime

RESERVED = frozenset("!$*\\^~")
"""They steer an IEC 61162-1 sentence. So does the comma, without which no words are written: it is sent as ``^2C``."""


def _may_be_sent(text: str) -> str:
    if found := sorted(RESERVED & set(text)):
        raise ValueError(f"{' '.join(found)} cannot stand in an alert sentence (IEC 61162-1)")
    return text


Letters = Annotated[str, Field(pattern=r"^[AWCL-]{3}$")]
LetterOfThreat = Annotated[str, Field(pattern=r"^[AWCL-]$")]
Words = Annotated[str, Field(pattern=r"^[ -}]+$"), AfterValidator(_may_be_sent)]
"""What may stand in a text field of an alert sentence."""
LOUDNESS = "-LCWA"
"""The letters, the quietest first."""
LOG = "L"


class AlertKind(BaseModel):
    """One declared alert."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: Annotated[int, Field(ge=10000, le=9999999)]
    """The numeric alert identifier; 10000 and above are a maker's own (IEC 61162-1 ALF)."""
    title: Annotated[Words, Field(min_length=1, max_length=16)]
    sea: Letters
    anchor: Letters
    port: Letters
    yard: Letters = "LLL"
    threat: LetterOfThreat = "-"
    """In a threat area the louder of this and of the letter of level 2 (of level 3 at level 3) counts."""
    on_delay_s: Annotated[float, Field(ge=0)]
    off_delay_s: Annotated[float, Field(ge=0)] = 0.0
    latch: Annotated[str, Field(max_length=40)] = ""
    """The named act until which it stays, whatever the sensor says; empty: it goes with its condition."""
    show: Classification = Classification.WATCH
    cause: Annotated[Words, Field(min_length=1, max_length=80)]
    """What the system saw."""
    action: Annotated[Words, Field(min_length=1, max_length=80)]
    """What the officer does about it."""
    may_inhibit: bool = True
    """Whether a person may inhibit it, and equipment that is out of service or a planned blackout silence it."""
    in_blackout: bool = True
    """Whether it is told in a planned blackout as ever; false: what hangs on power, which that explains."""
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
    raw = assets.tables(path)
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
    faults += tuple(
        Fault(f"{key}.depends_on", "explains itself in the end: neither would ever be told")
        for key in kinds
        if key in causes(key, kinds)
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
