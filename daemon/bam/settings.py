"""Where is the ship's bridge alert management, and how is it spoken to? The ``[bam]`` section; without it, never."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from daemon.drivers.links import SerialLink
from daemon.wording.lines import LINE

GROUPS: Final = "239.192.0.1 to 239.192.0.20"
FIRST_GROUP, LAST_GROUP = IPv4Address("239.192.0.1"), IPv4Address("239.192.0.20")
"""The groups of IEC 61162-450 that carry sentences; those above them carry files, routes and network alerts."""
FIRST_PORT: Final = 60_000
"""Group .1 has port 60001, .2 has 60002, and so on."""
STATION: Final = "cam"
"""As which station the panel acts: it stands in the record and beside the alert."""
NETWORK_BAUD: Final = 38_400
"""A network has no speed of its own to keep to; behind many a gateway there is a line of this one (IEC 61162-2)."""


class Mode(StrEnum):
    """In which sentences alerts are told."""

    ALF = "alf"
    """ALF, ALC, HBT out; ACN in (IEC 62923)."""
    ALR = "alr"
    """ALR out, ACK in: equipment from before."""


class Category(StrEnum):
    """Where an alert may be acknowledged."""

    HERE = "A"
    """At ispsd's own stations only; the panel shows it."""
    ANYWHERE = "B"
    """At the panel as well."""


def _group(address: IPv4Address) -> IPv4Address:
    if not FIRST_GROUP <= address <= LAST_GROUP:
        raise ValueError(f"a group for sentences is {GROUPS} (IEC 61162-450)")
    return address


class BamSection(BaseModel):
    """The port of the bridge alert management, which nothing else may use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: Annotated[str, Field(pattern=r"^/", max_length=1024)] | None = None
    """The serial port; or ``group``."""
    baud: Literal[4800, 9600, 19200, 38400, 57600, 115200] = 4800
    """Of the serial port (IEC 61162-1: 4800, IEC 61162-2: 38400), 8N1."""
    group: Annotated[IPv4Address, AfterValidator(_group)] | None = None
    """The multicast group (IEC 61162-450) that is sent to and listened to."""
    udp_port: Annotated[int, Field(ge=1024, le=65535)] | None = None
    """Of the group; 60000 and its last number unless said."""
    interface: IPv4Address | None = None
    """With ``group``: our address on that network; never left to the default route."""
    panel_address: IPv4Address | None = None
    """With ``group``: who is obeyed; a datagram from any other address is counted and dropped."""
    sfi: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]\d{4}$")] | None = None
    """With ``group``: by which system function id we are known; the talker and 0001 unless said."""
    talker: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]$")] = "U0"
    """No talker is there for ship security; U0 to U9 are the ship's own."""
    maker: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    """The manufacturer's mnemonic code that stands with our alert numbers."""
    mode: Mode = Mode.ALF
    category: Category = Category.ANYWHERE
    """A: the panel shows, and ispsd's own stations acknowledge. B: it acknowledges as well."""
    heartbeat_expected: bool = True
    """The panel sends HBT (in mode alr: HBT, or ACK without a number); false: its loss cannot be seen, and nothing is
    handed over to it."""
    hbt_s: Annotated[float, Field(ge=5, le=60)] = 30.0
    """How often our heartbeat is sent, in seconds."""
    alc_s: Annotated[float, Field(ge=5, le=60)] = 30.0
    """How often the list of alerts is sent, in seconds; in mode alr every alert is."""
    alc_entries: Annotated[int, Field(ge=1, le=9)] = 3
    """How many alerts one ALC names at most; some equipment reads no more than 3."""
    local: Annotated[str, Field(min_length=1, max_length=200), LINE] | None = None
    """Why a port on this very computer is right on a ship."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Refuse what cannot work, with the reason."""
        if (self.port is None) == (self.group is None):
            raise ValueError("say either port = a serial port, or group = a multicast group")
        of_group = ("interface", "panel_address")
        if self.group is not None:
            missing = [name for name in of_group if getattr(self, name) is None]
            if missing:
                raise ValueError(f"with group say {' and '.join(missing)} as well")
        elif given := [n for n in (*of_group, "udp_port", "sfi") if getattr(self, n) is not None]:
            raise ValueError(f"{given[0]} belongs to a group, not to a serial port")
        if self.maker is None and self.mode is Mode.ALF:
            raise ValueError(
                "say maker = three letters: alert numbers from 10000 are a manufacturer's own, and without his "
                "mnemonic code, which NMEA registers, a panel cannot tell whose they are"
            )
        return self

    @property
    def serial(self) -> SerialLink | None:
        """Return the serial port; None with a group."""
        if self.port is None:
            return None
        return SerialLink(kind="serial", port=self.port, baud=self.baud)

    @property
    def group_port(self) -> int:
        """Return the port of the group."""
        if self.udp_port is not None:
            return self.udp_port
        return FIRST_PORT if self.group is None else FIRST_PORT + self.group.packed[-1]

    @property
    def own_sfi(self) -> str:
        """Return the system function id that we send under."""
        return self.sfi or f"{self.talker}0001"

    @property
    def may_take_over(self) -> bool:
        """Whether an alert may be handed over to the panel: it can ask for it, and be missed."""
        return self.mode is Mode.ALF and self.heartbeat_expected

    @property
    def name(self) -> str:
        """Return what the port is called in messages."""
        return f"serial {self.port}" if self.port else f"udp {self.group}:{self.group_port}"

    @property
    def pace_baud(self) -> int:
        """Return for which speed what is sent is spread out, in bits a second."""
        return self.baud if self.port else NETWORK_BAUD
