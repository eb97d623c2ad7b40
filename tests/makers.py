"""Short makers of the things that tests need, each as an ordinary ship would have it."""

from __future__ import annotations

from datetime import UTC, datetime

from daemon.model import (
    AisIdentity,
    AisReport,
    Classification,
    DoorClass,
    Opening,
    OpeningKind,
    Provenance,
    Quality,
    Reading,
    Ship,
    Value,
)

UTC_0210 = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)
SHIP = Ship(name="KESTREL STRAIT", imo_number=9999993, mmsi=299000019, call_sign="9VKS0")
HATCH = Opening("d12", "STRG GEAR ESC", OpeningKind.DOOR, "poop", DoorClass.ESCAPE, "io1")
SEAL = Opening("s01", "BOND STORE", OpeningKind.SEAL, "accommodation", None, "io1")


def reading(
    point: str,
    value: Value | None,
    *,
    at_s: float = 1000.0,
    quality: Quality | None = None,
    provenance: Provenance = Provenance.LIVE,
    classification: Classification = Classification.WATCH,
) -> Reading:
    """A good reading of a value, or an unknown one of None."""
    return Reading(
        point=point,
        value=value,
        quality=quality or (Quality.UNKNOWN if value is None else Quality.GOOD),
        provenance=provenance,
        received_utc=UTC_0210,
        received_s=at_s,
        source=point.partition(".")[0],
        classification=classification,
    )


def own_report(**changed: object) -> AisReport:
    """An own report as a moored class A sends it."""
    said: dict[str, object] = {
        "mmsi": SHIP.mmsi,
        "message_type": 1,
        "channel": "A",
        "position": None,
        "sog_kn": 0.0,
        "navigation_status": 5,
    }
    return AisReport(**{**said, **changed})  # type: ignore[arg-type]


def own_identity(**changed: object) -> AisIdentity:
    """Own static data as the register has it."""
    said: dict[str, object] = {
        "mmsi": SHIP.mmsi,
        "imo_number": SHIP.imo_number,
        "name": SHIP.name,
        "call_sign": SHIP.call_sign,
    }
    return AisIdentity(**{**said, **changed})  # type: ignore[arg-type]
