"""How does what a check was judged by stand beside its entry, and how is it read again?

Two pieces of evidence: the readings, one JSON object a line (``application/jsonl``), and one document
(``application/json``) with the kind of check, its configuration, the facts and the version of ispsd that judged. Both
can be read again without any loss, so that the same judge says the same of them years later.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic import TypeAdapter

from daemon.checks.api import Gathered
from daemon.errors import RecordError
from daemon.model import (
    AisIdentity,
    AisOffLog,
    AisReport,
    AisTraffic,
    CameraView,
    Classification,
    ContactState,
    EquipmentReport,
    Fix,
    Heading,
    LampState,
    Motion,
    Provenance,
    Quality,
    Reading,
    Sky,
    SsasMessage,
)
from daemon.record.entry import EntryError, Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daemon.model import Json, Value

READINGS: Final = "application/jsonl"
BASIS: Final = "application/json"
BASIS_VERSION: Final = 1
_KINDS: Final[Mapping[str, type[Any]]] = {
    "contact": ContactState,
    "lamp": LampState,
    "fix": Fix,
    "motion": Motion,
    "heading": Heading,
    "sky": Sky,
    "equipment_report": EquipmentReport,
    "ais_report": AisReport,
    "ais_identity": AisIdentity,
    "ais_traffic": AisTraffic,
    "ais_off_log": AisOffLog,
    "camera_view": CameraView,
    "ssas_message": SsasMessage,
    "number": float,
    "text": str,
}
"""What a value is, as its line says: ``open`` of a contact is another thing than the word *open*."""
_NAMES: Final = {type_: name for name, type_ in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class Basis:
    """All that a verdict rested on.

    Attributes:
        config: The test's configuration, as the ship's file had it, with the defaults of that day.
        simulated: Whether simulated readings counted: only in a demonstration's record.
        software: The version of ispsd that judged.
    """

    check: str
    config: Mapping[str, Json]
    gathered: Gathered
    simulated: bool
    software: str


def pieces(basis: Basis, *, salt: bytes) -> tuple[Evidence, ...]:
    """Return what is kept of a basis; the document is the last.

    Args:
        basis: What the verdict rested on.
        salt: Random bytes that are kept with it. The document's hash stands in the entry, which watch stations may
            read, and what the document says is for the SSO alone: a short answer must not be found by trying.

    Raises:
        EntryError: Something in it cannot be written down.
    """
    said = {
        "v": BASIS_VERSION,
        "check": basis.check,
        "config": basis.config,
        "item": basis.gathered.item,
        "facts": basis.gathered.facts,
        "simulated": basis.simulated,
        "software": basis.software,
        "salt": salt.hex(),
    }
    document = Evidence(BASIS, f"{_text(said)}\n".encode())
    return (*readings_piece(basis.gathered.readings), document)


def readings_piece(readings: Iterable[Reading]) -> tuple[Evidence, ...]:
    """Return the evidence that holds these readings; none where there are none.

    Raises:
        EntryError: One of them cannot be written down.
    """
    lines = "".join(f"{_text(line(each))}\n" for each in readings)
    return (Evidence(READINGS, lines.encode()),) if lines else ()


def basis(document: bytes, readings: bytes) -> Basis:
    """Return what ``pieces`` wrote.

    Raises:
        RecordError: It is something else, or of a later version.
    """
    try:
        said = json.loads(document)
        if said["v"] != BASIS_VERSION:
            raise RecordError(
                f"evidence of version {said['v']!r}; this ispsd reads {BASIS_VERSION}"
            )
        seen = tuple(reading(json.loads(each)) for each in readings.splitlines())
        return Basis(
            check=str(said["check"]),
            config=dict(said["config"]),
            gathered=Gathered(seen, dict(said["facts"]), said["item"]),
            simulated=said["simulated"] is True,
            software=str(said["software"]),
        )
    except (ValueError, TypeError, KeyError) as err:
        raise RecordError(f"the evidence cannot be read: {err!r}") from err


def line(reading: Reading) -> dict[str, Json]:
    """Return a reading as a line of evidence: everything in it, to the last digit.

    Raises:
        EntryError: Its value is of no kind that could be read again.
    """
    value = reading.value
    if value is not None and type(value) not in _NAMES:
        raise EntryError(f"evidence: {reading.point} says {value!r}, which is no value")
    return {
        "point": reading.point,
        "is": None if value is None else _NAMES[type(value)],
        "value": _plain(value),
        "unit": reading.unit,
        "quality": reading.quality.value,
        "provenance": reading.provenance.value,
        "received": f"{reading.received_utc.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z",
        "up": reading.received_s,
        "source": reading.source,
        "class": reading.classification.value,
    }


def plain(line_: bytes) -> Mapping[str, Any]:
    """Return a line of evidence as ``reading`` takes it.

    Raises:
        ValueError: It is no JSON object.
    """
    said = json.loads(line_)
    if not isinstance(said, dict):
        raise ValueError("no object")  # noqa: TRY004 (a line that is none of ours, whatever it is)
    return said


def reading(said: Mapping[str, Any]) -> Reading:
    """Return the reading that ``line`` wrote.

    Raises:
        ValueError: It is none; one of a version that did not say what a value is has lost that.
        KeyError: It lacks something.
    """
    value = said["value"]
    if value is not None:
        value = _reader(said["is"]).validate_python(value)
    return Reading(
        point=said["point"],
        value=value,
        unit=said["unit"],
        quality=Quality(said["quality"]),
        provenance=Provenance(said["provenance"]),
        received_utc=datetime.fromisoformat(said["received"]),
        received_s=float(said["up"]),
        source=said["source"],
        classification=Classification(said["class"]),
    )


@cache
def _reader(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_KINDS[name])


def _plain(value: Value | None) -> Json:
    """Return a value by its fields; of AIS traffic the counts, as the ships around are nobody's evidence."""
    if value is None or isinstance(value, float | str):
        return value
    said = asdict(value)
    if isinstance(value, AisTraffic):
        said["targets"] = ()
    return cast("dict[str, Json]", said)


def _text(said: object) -> str:
    """Return JSON in ASCII: half a character, as somebody may type it, would be no UTF-8.

    Raises:
        EntryError: It is not plain, or holds a number that is none.
    """
    try:
        return json.dumps(said, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError) as err:
        raise EntryError(f"evidence: {err}") from err
