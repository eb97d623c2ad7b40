"""How does paho work inside the event loop, without a thread of its own?

paho 2.2 brings its own thread, which the interpreter's lock lets run when nobody else does: an alert would wait for
that thread to wake, and so would every acknowledgement. So paho is driven from outside, as its documentation offers
(``loop_read``, ``loop_write``, ``loop_misc``): what is published goes to the socket at once, what arrives is read when
the loop sees it. Only the connecting, which may wait for a name server or a handshake, is done in a thread.

A callback does nothing but leave its arguments for the loop's next turn, so that nobody is called while paho is at
work. Whatever ends the connection is told as its end, paho's own failures too. A client is used for one connection and
never reconnects: one that does sends new state first and its old in-flight messages after it.

Source: OASIS MQTT Version 5.0; paho-mqtt 2.2.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any, Final, Protocol

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
TICKS: Final = 5
"""How often in a keep-alive's time it is looked whether a ping is due: the broker waits for one and a half."""
CONNECTION_LOST: Final = "connection lost"


class Listener(Protocol):
    """Who is told, in the event loop, what happened to the connection. Refusals come in words."""

    def on_connected(self, refusal: str | None, receive_maximum: int | None) -> None: ...

    def on_published(self, mid: int, refusal: str | None) -> None: ...

    def on_subscribed(self, mid: int, refusal: str | None) -> None: ...

    def on_message(self, message: MQTTMessage) -> None: ...

    def on_ended(self, reason: str) -> None: ...


class PahoClient:
    """One paho client; lives as long as one connection, in one event loop."""

    def __init__(
        self, listener: Listener, *, client_id: str, will: Will | None, connect_s: float
    ) -> None:
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._dialling = threading.Lock()
        self._is_dialled = False
        self._is_shut = False
        self._is_attached = False
        self._is_writing = False
        self._tick: asyncio.TimerHandle | None = None
        self._client = client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = connect_s
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_socket_open = _send_at_once
        client.on_socket_close = lambda _c, _u, sock: self._let_go(sock)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_subscribe = self._subscribed
        client.on_message = lambda _c, _u, message: self._tell(listener.on_message, message)

    def dial(self, broker: Broker, keepalive_s: int) -> None:
        """Resolve, connect and send the CONNECT; blocks, in a thread. ``attach`` goes on.

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
        with self._dialling:
            self._is_dialled = True
            if self._is_shut:
                self._close()

    def attach(self) -> None:
        """Go on in the event loop with the connection that was dialled."""
        sock = self._client.socket()
        if self._is_shut or sock is None:
            self._tell(self._listener.on_ended, CONNECTION_LOST)
            return
        self._is_attached = True
        self._loop.add_reader(sock, self._work, self._read)
        self._look_later()
        self._await_room()

    def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, expiry_s: int | None
    ) -> int:
        """Send a publication, as far as the socket takes it now; return its message id.

        Raises:
            LinkError: paho did not take it.
        """
        properties = None  # to make an empty one takes paho longer than to send the rest
        if expiry_s is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = expiry_s
        info = self._client.publish(topic, payload, qos, retain, properties)
        self._await_room()
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(f"{topic}: not taken: {info.rc.name}")
        return info.mid

    def subscribe(self, topic_filter: str, options: dict[str, Any]) -> int:
        """Send a subscription; return its message id.

        Raises:
            LinkError: paho did not take it.
        """
        result, mid = self._client.subscribe(topic_filter, options=SubscribeOptions(**options))
        self._await_room()
        if result is not MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise LinkError(f"{topic_filter}: not taken: {result.name}")
        return mid

    def say_goodbye(self) -> None:
        """Send a DISCONNECT, so that the broker forgets the will."""
        self._work(self._client.disconnect)

    def shut(self) -> None:
        """Shut the connection without a word, also one that is still being made."""
        with self._dialling:
            self._is_shut = True
            if self._is_dialled:
                self._close()
            elif (sock := self._client.socket()) is not None:
                # A copy of the descriptor: an SSLSocket that is shut loses its state under the hands of the thread.
                with (
                    contextlib.suppress(OSError),
                    socket.socket(fileno=os.dup(sock.fileno())) as copy,
                ):
                    copy.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        if (sock := self._client.socket()) is not None:
            self._let_go(sock)
            sock.close()

    # In the event loop

    def _work(self, act: Callable[[], object]) -> None:
        """Let paho do something; whatever ends the connection by it is told."""
        try:
            act()
        except Exception as err:  # noqa: BLE001 (whatever paho fails of must be told)
            self._tell(self._listener.on_ended, f"paho failed: {err!r}")
            self.shut()
        else:
            self._await_room()
        if self._client.socket() is None:
            self._tell(self._listener.on_ended, CONNECTION_LOST)

    def _read(self) -> None:
        """Read what has arrived, and of TLS also what was decrypted with it: for that no descriptor becomes ready."""
        self._client.loop_read()
        while isinstance(sock := self._client.socket(), ssl.SSLSocket) and sock.pending():
            self._client.loop_read()

    def _look(self) -> None:
        """Send a ping that is due, and see whether an answer is overdue."""
        self._look_later()
        self._work(self._client.loop_misc)

    def _look_later(self) -> None:
        self._tick = self._loop.call_later(self._client.keepalive / TICKS, self._look)

    def _await_room(self) -> None:
        """Have what the socket did not take written when it does."""
        sock = self._client.socket()
        if not self._is_attached or sock is None:
            return
        if self._client.want_write() and not self._is_writing:
            self._is_writing = True
            self._loop.add_writer(sock, self._work, self._client.loop_write)
        elif self._is_writing and not self._client.want_write():
            self._is_writing = False
            self._loop.remove_writer(sock)

    def _let_go(self, sock: Any) -> None:
        """Have the loop forget a socket that is about to be closed."""
        if self._is_attached:
            self._is_attached = self._is_writing = False
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            if self._tick is not None:
                self._tick.cancel()

    # Called by paho, in the event loop or in the thread that dials.

    def _tell(self, act: Callable[..., None], *arguments: Any) -> None:
        if self._is_attached:
            self._loop.call_soon(act, *arguments)
            return
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
        self._tell(self._listener.on_ended, str(reason) if told else CONNECTION_LOST)

    def _published(
        self, _client: Client, _user: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        self._tell(self._listener.on_published, mid, _refusal(reason))

    def _subscribed(
        self, _client: Client, _user: Any, mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        refusals = [words for reason in reasons if (words := _refusal(reason)) is not None]
        self._tell(self._listener.on_subscribed, mid, refusals[0] if refusals else None)


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
