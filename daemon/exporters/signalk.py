"""A Signal K server hears of alerts and doors: deltas by UDP, one a datagram.

One way, and to the one address that the ship's file names: the server listens there (a data connection of the kind
*Signal K, UDP*), and nothing it sends is read. Everything is told again each half minute, since a datagram may be lost
and a server may have been started anew.
"""

from __future__ import annotations

import json
import socket
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import AfterValidator, Field

from daemon.errors import LinkError
from daemon.exporters.api import ExporterConfig, ExporterContext, ExporterSpec, Tally
from daemon.exporters.signalk_deltas import delta, over, stopped, true_at, values, withdrawn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.exporters.feed import Shown
    from daemon.exporters.signalk_deltas import Value

KIND: Final = "signalk"
PAUSE_S: Final = 0.1
"""What changes within it goes out together: a contact that bounces costs ten deltas a second at most."""

Address = IPv4Address | IPv6Address


def _one_host(address: Address) -> Address:
    if address.is_multicast or address.is_unspecified or str(address) == "255.255.255.255":
        raise ValueError("is not the address of one computer: what is sent is for the server alone")
    return address


class SignalKConfig(ExporterConfig):
    """One Signal K server."""

    kind: Literal["signalk"]
    host: Annotated[Address, AfterValidator(_one_host)] = IPv4Address("127.0.0.1")
    """Its address; a number, so that nobody has to be asked for it."""
    port: Annotated[int, Field(ge=1024, le=65535)]
    """Where its data connection *Signal K, UDP* listens."""
    repeat_s: Annotated[float, Field(ge=5, le=300)] = 30.0
    """How often everything is told again, in seconds."""
    sound: bool = False
    """Its displays sound as well; a ship's stations sound by themselves, and only where somebody has the watch."""


class SignalK:
    """The exporter."""

    def __init__(self, config: SignalKConfig, context: ExporterContext) -> None:
        self.tally = Tally()
        self._config = config
        self._context = context
        self._told: dict[tuple[str, str], tuple[str, ...]] = {}
        """The paths that each topic has been told on."""

    async def run(self) -> None:
        """Tell until cancelled, then say that nothing is current any more.

        Raises:
            LinkError: Nobody listens there, or the network is down.
        """
        feed, clock = self._context.feed, self._context.clock
        with self._opened() as port:
            try:
                repeat_s = clock.now_s()
                while True:
                    for shown in feed.take():
                        self._tell(port, shown, with_meta=False)
                    if (now_s := clock.now_s()) >= repeat_s:
                        repeat_s = now_s + self._config.repeat_s
                        for shown in feed.everything():
                            self._tell(port, shown, with_meta=True)
                    await clock.sleep(PAUSE_S)
                    await feed.news(max(0.0, repeat_s - clock.now_s()))
            finally:
                self._stop(port)

    def _opened(self) -> socket.socket:
        """Return a socket that speaks to the server alone, and never waits.

        Raises:
            LinkError: The network is down.
        """
        host = self._config.host
        family = socket.AF_INET if host.version == 4 else socket.AF_INET6  # noqa: PLR2004 (IPv4)
        port = socket.socket(family, socket.SOCK_DGRAM)
        try:
            port.setblocking(False)  # noqa: FBT003 (its signature)
            port.connect((str(host), self._config.port))
        except OSError as err:
            port.close()
            raise LinkError(f"{host}:{self._config.port}: {err.strerror}") from err
        return port

    def _tell(self, port: socket.socket, shown: Shown, *, with_meta: bool) -> None:
        key = (shown.kind, shown.id)
        said = values(shown, sound=self._config.sound)
        paths = tuple(each.path for each in said)
        gone = [path for path in self._told.get(key, ()) if path not in paths]
        if gone:
            is_over = shown.kind == "alert" and self._context.feed.is_open
            said += (over(shown.id),) if is_over else withdrawn(gone)
        if paths:
            self._told[key] = paths
        else:
            self._told.pop(key, None)
        if said:
            self._send(port, said, up_s=shown.up_s, with_meta=with_meta)

    def _send(
        self, port: socket.socket, said: Iterable[Value], *, up_s: float, with_meta: bool
    ) -> None:
        """Send one delta.

        Raises:
            LinkError: Nobody listens there; the system tells so of the datagram before.
        """
        now_s = self._context.clock.now_s()
        at_utc = true_at(self._context.clock.utc(), now_s=now_s, up_s=up_s)
        made = delta(said, at_utc=at_utc, with_meta=with_meta, demo=self._context.demo)
        try:
            port.send(json.dumps(made, ensure_ascii=False).encode())
        except BlockingIOError:
            self.tally.refused += 1  # no room in the system: this one is lost, and told again
        except OSError as err:
            self.tally.refused += 1
            raise LinkError(f"{self._config.host}:{self._config.port}: {err.strerror}") from err
        else:
            self.tally.count(now_s)

    def _stop(self, port: socket.socket) -> None:
        """Take back the values that were told, and say that ispsd stops, where anything had been said.

        An alert is left as it stands: to a Signal K server a notification of null is *normal*, and it is not over.
        """
        paths = [path for (kind, _), told in self._told.items() if kind != "alert" for path in told]
        paths.sort(key=lambda path: path == stopped().path)  # that is the last word
        self._told.clear()
        now_s = self._context.clock.now_s()
        try:
            for path in paths:
                last = (stopped(),) if path == stopped().path else withdrawn([path])
                self._send(port, last, up_s=now_s, with_meta=False)
        except LinkError:
            return


EXPORTER = ExporterSpec(
    kind=KIND,
    config=SignalKConfig,
    build=SignalK,
    address=lambda config: (str(config.host), config.port),
)
