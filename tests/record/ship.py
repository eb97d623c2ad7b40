"""A ship's record for tests: the same key, clock, salts and entries each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daemon.model import Classification
from daemon.record.checkpoint import verifier_key
from daemon.record.entry import Actor, Draft, Evidence, Proof
from daemon.record.log import Record
from tests.clocks import FixedEntropy, ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.computer.clock import Clock

ORIGIN = "demo/9999993"
KEY = Ed25519PrivateKey.from_private_bytes(b"a test key that is 32 bytes long")
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"another test key, 32 bytes long.")
VKEY = verifier_key(ORIGIN, KEY.public_key())
SSO = Actor(station="office", person="M. Okafor", proof=Proof.PIN)


def record(directory: Path, clock: Clock | None = None, **options: object) -> Record:
    """Return a record that was not started."""
    arguments: dict[str, object] = {
        "origin": ORIGIN,
        "key": KEY,
        "clock": clock or ManualClock(),
        "entropy": FixedEntropy(),
        "software": "26.1",
        "configuration": "c0" * 32,
    }
    return Record(directory, **(arguments | options))  # type: ignore[arg-type]


def alert(door: str, state: str = "V", instance: int = 1, **more: object) -> Draft:
    return Draft(
        kind="system",
        type="alert.changed",
        subject=door,
        classification=Classification.WATCH,
        open={"id": f"{door}.opened", "state": state, "instance": instance, **more},  # type: ignore[dict-item]
    )


def result(test: str, outcome: str = "passed", *, raw: bytes = b"", sso: bool = False) -> Draft:
    return Draft(
        kind=".10",
        type="test.result",
        subject=test,
        classification=Classification.SSO if sso else Classification.WATCH,
        open={"test": test, "outcome": outcome},
        parts={Classification.SSO: {"place": f"where {test} is", "millivolts": 24600}},
        evidence=(Evidence("application/nmea0183", raw),) if raw else (),
    )


def breach() -> Draft:
    return Draft(
        kind=".3",
        type="breach.reported",
        subject="d3",
        actor=SSO,
        classification=Classification.SSO,
        open={"what": "Gangway door forced"},
    )
