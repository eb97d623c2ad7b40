"""What does the ship's Mosquitto read? Its configuration, from a template, and its access list."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from daemon.assets import asset
from daemon.config.exporters import readers, rights
from daemon.mqtt.access import Access, access_list
from daemon.mqtt.embedded import LARGEST_PAYLOAD_BYTES, QUEUED_BYTES, QUEUED_MESSAGES
from daemon.mqtt.wire import LOOPBACK
from daemon.setup import files
from daemon.setup.passwords import owner

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from daemon.config import Config
    from daemon.setup.places import Places

MQTT_PORT, TLS_PORT, WEBSOCKET_PORT, TLS_WEBSOCKET_PORT = 1883, 8883, 9001, 8084
TOPIC_AND_HEADER_BYTES = 4096
"""What a packet has beside its payload, and more."""
CONNECTIONS = 64
"""At one listener: a ship has some ten stations, and a dashboard opens several."""


def make(config: Config, places: Places, *, is_for_others: bool) -> list[Path]:
    """Have the broker's configuration and access list say what the ship's file says; return what changed.

    Raises:
        SetupError: They cannot be written.
    """
    return [
        path
        for path, text, mode in _texts(config, places, is_for_others=is_for_others)
        if files.replace(path, text.encode(), mode=mode)
    ]


def outdated(config: Config, places: Places, *, is_for_others: bool) -> list[Path]:
    """Return which of them do not say what the ship's file and this version of ispsd say.

    Raises:
        SetupError: They cannot be read.
    """
    return [
        path
        for path, text, _ in _texts(config, places, is_for_others=is_for_others)
        if not files.exists(path) or files.read(path) != text.encode()
    ]


def _texts(config: Config, places: Places, *, is_for_others: bool) -> list[tuple[Path, str, int]]:
    folder = places.made_for_broker
    conf = settings(config, places, is_for_others=is_for_others)
    return [
        (folder / "ispsd.conf", conf, files.READABLE),
        (folder / "acl", accesses(config), files.SECRET),
    ]


def accesses(config: Config) -> str:
    """Return the access list of a ship."""
    stations = [Access(s.id, sso=s.sso, citadel=s.citadel) for s in config.stations]
    return access_list(
        stations,
        ship=str(config.ship.imo_number),
        owner=owner(config),
        owner_also=[line for each in rights(config) for line in each.owner],
        readers=readers(config),
    )


def settings(config: Config, places: Places, *, is_for_others: bool) -> str:
    """Return Mosquitto's configuration; the paths in it are those of the ship, without a root."""
    is_here = config.mqtt.host in LOOPBACK and config.mqtt.ca_file is None
    values: Mapping[str, object] = {
        "folder": f"/{places.broker.relative_to(places.root)}",
        "packet_bytes": LARGEST_PAYLOAD_BYTES + TOPIC_AND_HEADER_BYTES,
        "payload_bytes": LARGEST_PAYLOAD_BYTES,
        "queued_messages": QUEUED_MESSAGES,
        "queued_bytes": QUEUED_BYTES,
        "connections": CONNECTIONS,
        "port": config.mqtt.port if is_here else MQTT_PORT,
        "ws_port": WEBSOCKET_PORT,
        "tls_port": TLS_PORT,
        "wss_port": TLS_WEBSOCKET_PORT,
        "bind": "" if is_for_others else " 127.0.0.1",
    }
    template = asset("mosquitto/ispsd.conf").read_text("utf-8")
    return Template(template).substitute(values)
