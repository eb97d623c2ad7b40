"""An IP camera that gives its pictures by RTSP.

Written from RFC 2326 (RTSP), RFC 3550 (RTP, RTCP), RFC 2435 (JPEG) and RFC 2617 (Digest).
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, only, whole
from simulators.camera_picture import COLUMNS, ROWS, flat, payloads, scan, view
from simulators.tcp_unit import TcpUnit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.computer.clock import Clock

PICTURE_S = 0.2
LONGEST_REQUEST = 8192
NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
NONCE = "5a17f2c4"
REALM = "camera"
SESSION = (
    *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=camera", "t=0 0"),
    *("m=video 0 RTP/AVP 26", "a=control:track1", ""),
)
"""RFC 4566; payload type 26 is JPEG."""
SEES = ("live", "freeze", "cover", "dark")
DOES = ("answer", "hang", "drop")
"""How it takes visitors: as it should; it takes them and says nothing; it hangs up at once."""


class CameraSimulator(TcpUnit):
    """One camera."""

    def __init__(self, unit_id: str, settings: Settings, clock: Clock | None = None) -> None:
        """Take the settings: ``port``, and ``user`` and ``password`` where it asks for them.

        Raises:
            ValueError: Names what is wrong.
        """
        only(settings, "port", "user", "password")
        port = whole(settings, "port", low=0, high=65535, default=0)
        self._clock = clock or SystemClock()
        super().__init__(port, self._clock, self._answered, idle_close_s=None)
        self._login = None
        if "user" in settings or "password" in settings:
            self._login = (str(settings.get("user", "")), str(settings.get("password", "")))
        self._sees = "live"
        self._does = "answer"
        self._clock_is_ahead_s = 0.0
        self._random = random.Random(unit_id)  # noqa: S311 (the noise of a sensor)
        self._turn = 0
        self._frozen: bytes | None = None

    async def do(self, command: Mapping[str, object]) -> None:
        verb = command.get("do")
        if verb == "clock":
            only(command, "do", "ahead_s")
            ahead_s = command.get("ahead_s")
            if type(ahead_s) not in {int, float} or not -1e9 <= float(str(ahead_s)) <= 1e9:  # noqa: PLR2004
                raise ValueError(f"ahead_s is a number of seconds, not {ahead_s!r}")
            self._clock_is_ahead_s = float(str(ahead_s))
            return
        only(command, "do")
        if verb in SEES:
            self._frozen = self._packed() if verb == "freeze" else None
            self._sees = str(verb)
        elif verb in DOES:
            self._does = str(verb)
            await self.drop()
        else:
            raise ValueError(f"no {verb!r}; known are {', '.join((*SEES, *DOES, 'clock'))}")

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if self._does == "drop":
            return False
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        if self._does == "hang" or len(head) > LONGEST_REQUEST:
            await asyncio.Event().wait()
        method, _, rest = head.partition(" ")
        uri = rest.partition(" ")[0]
        number = re.search(r"(?im)^cseq:\s*(\d+)", head)
        said = [
            f"CSeq: {number[1] if number else 0}",
            f"Date: {self._utc():%a, %d %b %Y %H:%M:%S GMT}",
        ]
        if not self._may(method, uri, head):
            said.append(f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}"')
            self._say(writer, "401 Unauthorized", said)
            return True
        body = ""
        if method == "DESCRIBE":
            body = "\r\n".join(SESSION)
            said += ["Content-Type: application/sdp", f"Content-Base: {uri}/"]
        elif method == "SETUP":
            said += ["Session: 40f1;timeout=60", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]
        elif method == "PLAY":
            said.append("Session: 40f1")
        elif method != "TEARDOWN":
            self._say(writer, "405 Method Not Allowed", said)
            return True
        self._say(writer, "200 OK", said, body)
        if method == "PLAY":
            self._start_beside(self._play(writer))
        return method != "TEARDOWN"

    def _say(
        self, writer: asyncio.StreamWriter, status: str, said: list[str], body: str = ""
    ) -> None:
        lines = [f"RTSP/1.0 {status}", *said, f"Content-Length: {len(body)}", "", body]
        writer.write("\r\n".join(lines).encode())

    def _may(self, method: str, uri: str, head: str) -> bool:
        if self._login is None:
            return True
        user, password = self._login
        given = dict(re.findall(r'(\w+)="([^"]*)"', head))
        known = _md5(f"{user}:{REALM}:{password}")
        wanted = _md5(f"{known}:{NONCE}:{_md5(f'{method}:{uri}')}")
        return given.get("username") == user and given.get("response") == wanted

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        sequence = 0
        with suppress(ConnectionError):
            self._interleave(writer, 1, self._report())
            while not writer.is_closing():
                parts = list(payloads(self._frozen or self._packed()))
                timestamp = int(self._clock.now_s() * 90_000) & 0xFFFFFFFF
                for place, part in enumerate(parts):
                    head = bytes([0x80, 26 | 0x80 * (place == len(parts) - 1)])
                    head += (sequence & 0xFFFF).to_bytes(2, "big") + timestamp.to_bytes(4, "big")
                    self._interleave(writer, 0, head + b"\0\0\0\1" + part)
                    sequence += 1
                await writer.drain()
                await self._clock.sleep(PICTURE_S)

    def _packed(self) -> bytes:
        self._turn += 1
        noise = [self._random.randint(-2, 2) for _ in range(COLUMNS * ROWS)]
        if self._sees == "cover":
            return scan(flat(90, noise))
        if self._sees == "dark":
            return scan(flat(2, noise))
        return scan(view(self._turn, noise))

    def _report(self) -> bytes:
        since = self._utc() - NTP_EPOCH
        seconds, fraction = divmod(since.total_seconds(), 1)
        ntp = int(seconds).to_bytes(4, "big") + int(fraction * 2**32).to_bytes(4, "big")
        return b"\x80\xc8\x00\x06\0\0\0\1" + ntp + b"\0" * 12

    def _interleave(self, writer: asyncio.StreamWriter, channel: int, data: bytes) -> None:
        writer.write(b"$" + bytes([channel]) + len(data).to_bytes(2, "big") + data)

    def _utc(self) -> datetime:
        return self._clock.utc() + timedelta(seconds=self._clock_is_ahead_s)


def _md5(text: str) -> str:
    return hashlib.new("md5", text.encode(), usedforsecurity=False).hexdigest()


SIMULATOR = SimulatorSpec(kind="camera", build=CameraSimulator)
