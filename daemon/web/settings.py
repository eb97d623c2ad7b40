"""Where is the page served, and where does it find the broker? The ``[web]`` section of the ship's file."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from daemon.computer.paths import WholePath

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
WEBSOCKET_PORT, TLS_WEBSOCKET_PORT = 9001, 8084
"""What `ispsd init` has the ship's broker listen on for pages: on this computer, and with TLS for all others."""
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_BROKER: Final = re.compile(
    r"wss?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?"
)


def _name(said: str) -> str:
    """Return a host as a browser names it.

    Raises:
        ValueError: It is no name and no address.
    """
    if _NAME.fullmatch(said) or _is_address(said):
        return said
    raise ValueError(f"{said!r} is not a host name in small letters, nor an address")


def _broker(said: str) -> str:
    """Return the address of a broker's WebSocket.

    Raises:
        ValueError: It is none, or a password stands in it.
    """
    if _BROKER.fullmatch(said) is None:
        raise ValueError(f"{said!r} is not ws://HOST:PORT or wss://HOST:PORT")
    return said


class WebSection(BaseModel):
    """The page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, AfterValidator(_name)] = "127.0.0.1"
    """Where it listens: another address than this computer's own only with TLS."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    certificate_file: WholePath | None = None
    key_file: WholePath | None = None
    names: Annotated[tuple[Annotated[str, AfterValidator(_name)], ...], Field(max_length=20)] = ()
    """What browsers call this computer, beside ``host``: whoever asks for another name is sent away."""
    broker: Annotated[str, AfterValidator(_broker)] | None = None
    """The broker's WebSocket as a browser reaches it; the ports that `ispsd init` makes, where nothing is said."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file go together")
        if self.host not in LOOPBACK and self.certificate_file is None:
            raise ValueError(f"on {self.host} a password would cross the network: TLS is needed")
        if self.is_tls and self.broker is not None and self.broker.startswith("ws:"):
            raise ValueError(f"a page with TLS may not speak to {self.broker}: wss:// is needed")
        return self

    @property
    def is_tls(self) -> bool:
        """Whether it is served over TLS."""
        return self.certificate_file is not None

    def answers_to(self, host: str) -> bool:
        """Return whether a browser may call this computer so."""
        own = set() if _is_every_address(self.host) else {self.host}
        return host in {*self.names, *own, *(LOOPBACK if self.host in LOOPBACK else ())}

    def broker_for(self, host: str) -> str:
        """Return the broker's address for a browser that calls this computer so."""
        if self.broker is not None:
            return self.broker
        shown = f"[{host}]" if ":" in host else host
        if self.is_tls:
            return f"wss://{shown}:{TLS_WEBSOCKET_PORT}"
        return f"ws://{shown}:{WEBSOCKET_PORT}"


def _is_address(said: str) -> bool:
    try:
        ipaddress.ip_address(said)
    except ValueError:
        return False
    return True


def _is_every_address(said: str) -> bool:
    return _is_address(said) and ipaddress.ip_address(said).is_unspecified
