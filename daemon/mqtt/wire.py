"""What goes over an MQTT connection, and where it goes: plain types, no paho."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.errors import IspsdError

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class PublishRefusedError(IspsdError):
    """The broker refused a publication or a subscription: a reason of 0x80 or above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is and how it is entered.

    Attributes:
        ca_file: Whose signature the broker's certificate must bear; given, the connection is TLS.
        password_file: Its first line is the password of ``user``.

    Raises:
        ValueError: A password has no user, or would cross a network in the clear.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    ca_file: Path | None = None
    user: str | None = None
    password_file: Path | None = None

    def __post_init__(self) -> None:
        if self.password_file is None:
            return
        if self.user is None:
            raise ValueError(f"{self.place}: password_file needs user")
        if self.ca_file is None and self.host not in LOOPBACK:
            raise ValueError(f"{self.place}: a password for another computer needs TLS (ca_file)")

    @property
    def place(self) -> str:
        """Return what to call it in a message."""
        return f"broker {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained and with QoS 1, when the connection breaks."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it arrived.

    Attributes:
        payload: Empty where it was ``too_long``.
        retained: From the broker's memory; with retain-as-published also a live one sent so.
        expiry_s: Seconds it had left to live; None where it never expires.
    """

    topic: str
    payload: bytes
    retained: bool
    qos: int
    expiry_s: int | None
    too_long: bool = False
