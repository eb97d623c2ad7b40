"""How does paho's network thread talk to the event loop?

paho 2.2 works in a thread of its own, and an exception in any callback ends that thread without a
word. So a callback does nothing but hand its arguments to the event loop, and the end of the
thread, whatever ended it, is told as the end of the connection. A client is used for one connection
and never reconnects: one that does sends new state first and its old in-flight messages after it.

Source: OASIS MQTT Version 5.0; paho-mqtt 2.2.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any, Protocol

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from daemon.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from paho.mqtt.client import MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

    from daemon.mqtt.wire import Broker, Will

PACKET_LIMIT_BYTES = 256 * 1024
"""What the broker is asked not to exceed; iotcore 0.4 does not listen."""
PASSWORD_LIMIT_BYTES = 1024
UNSPECIFIED_ERROR = 0x80


class Listener(Protocol):
    """Who is told, in the event loop, what happened in paho's thread. Refusals come in words."""

    def on_connected(self, refusal: str | None, receive_maximum: int | None) -> None: ...

    def on_published(self, mid: int, refusal: str | None) -> None: ...

    def on_subscribed(self, mid: int, refusal: str | None) -> None: ...

    def on_message(self, message: MQTTMessage) -> None: ...

    def on_ended(self, reason: str) -> None: ...


class PahoThread:
    """One paho client with its thread; lives as long as one connection."""

    def __init__(
        self, listener: Listener, *, client_id: str, will: Will | None, connect_s: float
    ) -> None:
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._abandoned = False
        self._starting = threading.Lock()
        self._client = client = _Client(self._ended, client_id)
        client.connect_timeout = connect_s
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_socket_open = _send_at_once
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_subscribe = self._subscribed
        client.on_message = lambda _c, _u, message: self._tell(listener.on_message, message)

    def dial(self, broker: Broker, keepalive_s: int) -> None:
        """Resolve, connect and start the thread; blocks.

        Raises:
            OSError: No broker there, a file that cannot be read, a certificate that does not hold.
        """
        if broker.user is not None:
            self._client.username_pw_set(broker.user, _password(broker.password_file))
        if broker.ca_file is not None:
            context = ssl.create_default_context(cafile=broker.ca_file)
            context.sslsocket_class = _TidySocket
            self._client.tls_set_context(context)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = PACKET_LIMIT_BYTES
        self._client.connect(
            broker.host,
            broker.port,
            keepalive=keepalive_s,
            clean_start=True,
            properties=properties,
        )
        with self._starting:
            self._client.loop_start()
        if self._abandoned:
            self.shut()
            self.join()

    def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, expiry_s: int | None
    ) -> int:
        """Hand over a publication; return its message id.

        Raises:
            LinkError: paho did not take it.
        """
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        info = self._client.publish(topic, payload, qos, retain, properties)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(f"{topic}: not taken: {info.rc.name}")
        return info.mid

    def subscribe(self, topic_filter: str, options: dict[str, Any]) -> int:
        """Hand over a subscription; return its message id.

        Raises:
            LinkError: paho did not take it.
        """
        result, mid = self._client.subscribe(topic_filter, options=SubscribeOptions(**options))
        if result is not MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise LinkError(f"{topic_filter}: not taken: {result.name}")
        return mid

    def say_goodbye(self) -> None:
        """Send a DISCONNECT, so that the broker forgets the will."""
        self._client.disconnect()

    def shut(self) -> None:
        """Shut the connection under paho's feet, also one that is still being made."""
        self._abandoned = True
        if (sock := self._client.socket()) is None:
            return
        # A copy of the descriptor: an SSLSocket that is shut loses its state under paho's hands.
        with (
            contextlib.suppress(OSError),
            socket.socket(fileno=os.dup(sock.fileno())) as copy,
        ):
            copy.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        """Wait for the end of the thread, and close what it was woken by; blocks."""
        with self._starting:  # a thread that is known but does not run yet cannot be joined
            self._client.loop_stop()
            self._client.let_go()

    # In paho's thread: nothing below may raise.

    def _tell(self, act: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(act, *arguments)

    def _connected(
        self, _client: Client, _user: Any, _flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        receive_maximum = getattr(properties, "ReceiveMaximum", None)
        self._tell(self._listener.on_connected, _refusal(reason), receive_maximum)

    def _disconnected(
        self, _client: Client, _user: Any, flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        # paho says "Unspecified error" for a socket that broke.
        told = flags.is_disconnect_packet_from_server or reason.value != UNSPECIFIED_ERROR
        self._ended(str(reason) if told else "connection lost")

    def _published(
        self, _client: Client, _user: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        self._tell(self._listener.on_published, mid, _refusal(reason))

    def _subscribed(
        self, _client: Client, _user: Any, mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        refusals = [words for reason in reasons if (words := _refusal(reason)) is not None]
        self._tell(self._listener.on_subscribed, mid, refusals[0] if refusals else None)

    def _ended(self, reason: str) -> None:
        self._tell(self._listener.on_ended, reason)


class _Client(Client):
    """A paho client that tells when its thread ends, whatever ended it."""

    def __init__(self, ended: Callable[[str], None], client_id: str) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTv5,
            reconnect_on_failure=False,
        )
        self._tell_ended = ended

    def loop_forever(  # type: ignore[explicit-override]  # typing.override is Python 3.12
        self,
        timeout: float = 1.0,
        retry_first_connection: bool = False,  # noqa: FBT001, FBT002 (paho's signature)
    ) -> MQTTErrorCode:
        try:
            return super().loop_forever(timeout, retry_first_connection)
        except Exception as err:  # noqa: BLE001 (whatever kills paho's thread must be told)
            self._tell_ended(f"paho failed: {err!r}")
            return MQTTErrorCode.MQTT_ERR_UNKNOWN
        finally:
            self._tell_ended("connection lost")

    def let_go(self) -> None:
        """Close what paho leaves to Python's collector: a broker that comes and goes would use up all descriptors."""
        self._reset_sockets()


class _TidySocket(ssl.SSLSocket):
    """Closes itself where the handshake fails; paho leaves it open, one for every try."""

    def do_handshake(  # type: ignore[explicit-override]
        self,
        block: bool = False,  # noqa: FBT001, FBT002 (the signature of ssl)
    ) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _send_at_once(_client: Client, _user: Any, sock: Any) -> None:
    """Let no small packet wait for the acknowledgement of another (RFC 896): alerts are small."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _refusal(reason: ReasonCode) -> str | None:
    return str(reason) if reason.is_failure else None


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    with file.open(encoding="utf-8") as text:
        return text.read(PASSWORD_LIMIT_BYTES).partition("\n")[0]
