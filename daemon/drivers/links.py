"""How do bytes come from a device: over a serial port, by TCP either way, by UDP, or from a recording?

Any driver that listens takes any of these links. They are read only: a port is never written to.
Serial ports are opened exclusive, without flow control, DTR and RTS low before the port is opened;
Linux may still pulse both for a moment, which is why a two-wire lead is asked for.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from daemon.drivers.byte_source import DISCARD_READS, READ_BYTES, ByteSource, PortSource
from daemon.drivers.datagrams import Datagrams, bound
from daemon.drivers.gathering import Gathering
from daemon.drivers.line_splitter import LONGEST_LINE_BYTES, OVERLONG, LineSplitter
from daemon.drivers.ports import connect, open_serial
from daemon.drivers.replay import ReplaySource
from daemon.drivers.tally import Tallies
from daemon.drivers.tcp_server import Listener
from daemon.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from daemon.computer.clock import Clock
    from daemon.drivers.tally import Tally

__all__ = [
    "DISCARD_READS",
    "LONGEST_LINE_BYTES",
    "OVERLONG",
    "READ_BYTES",
    "ByteSource",
    "LineSplitter",
    "Link",
    "ReplayLink",
    "SerialLink",
    "TcpLink",
    "TcpServerLink",
    "UdpLink",
    "opened",
]


MOST_SENDERS = 16
SEVEN = 7


class _LinkConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TcpLink(_LinkConfig):
    """A TCP serial server, or a device with a network port; ispsd is the client."""

    kind: Literal["tcp"]
    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)]
    connect_timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0

    @property
    def name(self) -> str:
        return f"tcp {self.host}:{self.port}"


class SerialLink(_LinkConfig):
    """A serial port of this computer."""

    kind: Literal["serial"]
    port: Annotated[str, Field(pattern=r"^/", max_length=1024)]
    """The device file; one under ``/dev/serial/by-path`` stays the same when cables move."""
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 4800
    data_bits: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1

    @property
    def name(self) -> str:
        return f"serial {self.port}"

    @property
    def setting(self) -> str:
        """Return how it is set, as people say it: "4800 8N1"."""
        return f"{self.baud} {self.data_bits}{self.parity}{self.stop_bits}"


def _multicast(address: IPv4Address) -> IPv4Address:
    if not address.is_multicast:
        raise ValueError("a multicast group is 224.0.0.0 to 239.255.255.255")
    return address


class UdpLink(_LinkConfig):
    """A UDP port of this computer to which a device, or a serial server, sends."""

    kind: Literal["udp"]
    port: Annotated[int, Field(ge=1, le=65535)]
    host: IPv4Address = IPv4Address("0.0.0.0")  # noqa: S104 (what it hears is read, never obeyed)
    """The address of this computer that is listened on; all of them unless told otherwise."""
    sender: IPv4Address | None = None
    """Only datagrams of this address are read; without it, anybody's on that network."""
    group: Annotated[IPv4Address, AfterValidator(_multicast)] | None = None
    """The multicast group to listen to (IEC 61162-450: 239.192.0.1 to .20), on the network of ``host``."""
    header: Literal["optional", "required"] = "optional"
    """Whether a datagram must begin with ``UdPbC`` (IEC 61162-450), or may."""

    @property
    def name(self) -> str:
        return f"udp {self.group or self.host}:{self.port}"


class TcpServerLink(_LinkConfig):
    """A TCP port of this computer to which a device, or a multiplexer, connects: one at a time.

    Whoever connects last is read: a device that lost its power leaves a connection behind that looks
    alive, and were the first one kept, it could not come back before that is found out.
    """

    kind: Literal["tcp_server"]
    port: Annotated[int, Field(ge=1, le=65535)]
    host: IPv4Address = IPv4Address("127.0.0.1")
    """The address of this computer that is listened on; nobody but this computer unless told otherwise."""
    senders: Annotated[
        tuple[IPv4Address, ...], Field(max_length=MOST_SENDERS, validate_default=True)
    ] = ()
    """Who may connect; must be said where ``host`` is an address on a network."""

    @field_validator("senders")
    @classmethod
    def _say_who(
        cls, senders: tuple[IPv4Address, ...], info: ValidationInfo
    ) -> tuple[IPv4Address, ...]:
        host = info.data.get("host")
        if not senders and host is not None and not host.is_loopback:
            raise ValueError(f'say who may connect to {host}: senders = ["address of the device"]')
        return senders

    @property
    def name(self) -> str:
        return f"tcp_server {self.host}:{self.port}"


class ReplayLink(_LinkConfig):
    """A recording, played as if it came now. What it says has the provenance *replay*: it proves nothing."""

    kind: Literal["replay"]
    path: Annotated[str, Field(pattern=r"^/", max_length=1024)]
    speed: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """How much faster than it was recorded."""
    sentences_per_s: Annotated[float, Field(gt=0, le=10_000)] = 10.0
    """How many lines a second where the recording has no times."""

    @property
    def name(self) -> str:
        return f"replay {self.path}"


Link: TypeAlias = Annotated[
    TcpLink | SerialLink | UdpLink | TcpServerLink | ReplayLink, Field(discriminator="kind")
]
"""Where a listening driver gets its bytes from."""

_NOWHERE = Tallies()


@asynccontextmanager
async def opened(
    link: Link,
    tally: Tally = _NOWHERE,
    listener: Listener | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[ByteSource]:
    """Open a link; it is closed on leaving.

    Args:
        link: Which.
        tally: Where to count what is handed to nobody; a covert source counts nowhere.
        listener: The port of a ``tcp_server`` link that stays open after leaving.
        clock: Gather what a busy port says; without it, each word is read at once.

    Raises:
        LinkError: It cannot be opened; the message names the link and the reason.
    """
    gathering = None if clock is None else Gathering(clock)
    async with AsyncExitStack() as closing:
        source: ByteSource
        match link:
            case UdpLink():
                source = _listen_to_datagrams(link, tally, closing, gathering)
            case TcpLink():
                connection = await connect(link)
                closing.callback(connection.close)
                source = PortSource(link.name, connection, gathering=gathering)
            case TcpServerLink():
                if listener is None:
                    listener = Listener(link)
                    closing.callback(listener.close)
                source = listener.open(tally, gathering)
            case ReplayLink():
                source = ReplaySource(link)
            case SerialLink():
                port = await open_serial(link)
                closing.callback(port.close)
                seven_bits = link.data_bits == SEVEN
                source = PortSource(link.name, port, seven_bits=seven_bits, gathering=gathering)
        closing.callback(source.stop)
        yield source


def _listen_to_datagrams(
    link: UdpLink, tally: Tally, closing: AsyncExitStack, gathering: Gathering | None
) -> ByteSource:
    try:
        port = bound(link.host, link.port, link.group)
    except OSError as err:
        raise LinkError(f"{link.name}: {err.strerror}") from err
    closing.callback(port.close)
    datagrams = Datagrams(
        port,
        longest=READ_BYTES,
        sender=link.sender,
        group=link.group,
        header_required=link.header == "required",
        tally=tally,
    )
    return PortSource(
        link.name,
        port,
        receive=datagrams.receive,
        silence=datagrams.silence,
        gathering=gathering,
    )
