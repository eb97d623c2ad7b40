"""A certificate for the pages, as `ispsd init` makes one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from daemon.model import Ship
from daemon.setup.certificates import make
from daemon.setup.places import Places

if TYPE_CHECKING:
    from pathlib import Path


def certified(folder: Path) -> dict[str, Path]:
    """Return certificate and key for 127.0.0.1, as the section ``[web]`` names them."""
    places = Places(folder, folder / "setup")
    for each in (places.authority, places.made_for_broker):
        each.mkdir(parents=True, exist_ok=True)
    register = Ship("KESTREL STRAIT", 9999993, 299000019, "9VKS0")
    today = datetime.now(UTC)  # the browser's own clock judges it
    make(places, ship=register, addresses=["127.0.0.1"], now_utc=today, days=400)
    return {
        "certificate_file": places.made_for_broker / "server.crt",
        "key_file": places.made_for_broker / "server.key",
    }
