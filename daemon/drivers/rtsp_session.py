"""Ask a camera for one picture, and take no more of it than that.

RTSP 1.0 with RTP interleaved on the one TCP connection (RFC 2326 10.12): nothing is listened on, and no packet is lost
without notice. Everything is bounded: one deadline over the whole visit, bytes of a head, of a session description and
of the stream, so that a camera that says nothing, everything, or one byte a second costs the ship that deadline and
nobody else anything.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.drivers import rtsp_messages as messages
from daemon.drivers.rtp_video import Assembly, reported_utc
from daemon.drivers.sdp import read_video
from daemon.drivers.system_words import reason
from daemon.errors import FrameError, LinkError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from daemon.computer.clock import Clock
    from daemon.drivers.cctv_unit import Login
    from daemon.drivers.rtp_video import KeyPicture
    from daemon.drivers.rtsp_messages import Digest, Method, Response

LARGEST_VISIT: Final = 32 * 1024 * 1024
"""Bytes of a stream in which no key picture was found: 16 Mbit/s for 15 s."""
MOST_PIECES: Final = 60_000
"""Packets and answers of one visit: 16 Mbit/s for 15 s in packets of 500 bytes. Many tiny ones cost time, not bytes."""
PIECES_IN_A_ROW: Final = 256
"""Then everybody else's turn comes: tiny packets by the thousand are read in one go."""
FAREWELL_S: Final = 0.5
DOLLAR: Final = 0x24


@dataclass(frozen=True, slots=True)
class Address:
    """Where a camera is asked, and for which stream."""

    host: str
    port: int
    uri: str


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit brought.

    Attributes:
        waited_s: From PLAY to the whole picture, in seconds.
        clock_offset_s: By how much the camera's clock is ahead of this computer's; None where it tells no time.
        clock_from: What told it: ``rtsp`` (the Date header, to the second) or ``rtcp`` (a sender report).
    """

    picture: KeyPicture
    waited_s: float
    clock_offset_s: float | None
    clock_from: str | None
    dropped: int


async def visit(
    address: Address,
    login: Login | None,
    *,
    limit_s: float,
    clock: Clock,
    nonce: Callable[[], str],
) -> Visit:
    """Return the first whole picture.

    Raises:
        LinkError: There is none within the time; the message says how far it came.
    """
    session = _Session(address, login, clock, nonce)
    try:
        async with asyncio.timeout(limit_s):
            return await session.look()
    except TimeoutError as err:
        raise LinkError(f"{session.doing}: nothing whole within {limit_s:g} s") from err
    except FrameError as err:
        raise LinkError(f"{session.doing}: {err}") from err
    except asyncio.LimitOverrunError as err:
        raise LinkError(f"{session.doing}: talks no RTSP") from err
    except ConnectionRefusedError as err:
        raise LinkError(f"{session.doing}: refused, nobody listens there") from err
    except (asyncio.IncompleteReadError, ConnectionError) as err:
        raise LinkError(f"{session.doing}: it hung up") from err
    except OSError as err:
        raise LinkError(f"{session.doing}: {reason(err)}") from err
    finally:
        session.close()


class _Session:
    """One connection to a camera."""

    def __init__(
        self, address: Address, login: Login | None, clock: Clock, nonce: Callable[[], str]
    ) -> None:
        self.doing = "connecting"
        """How far it has come, in words."""
        self._address = address
        self._login = login
        self._clock = clock
        self._nonce = nonce
        self._number = 0
        self._bytes = 0
        self._pieces = 0
        self._video, self._control = 0, 1
        """The interleaved channels of pictures and of reports."""
        self._digest: Digest | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._time: tuple[float, str] | None = None
        """By how much its clock is ahead, and what told so."""

    async def look(self) -> Visit:
        self._reader, self._writer = await asyncio.open_connection(
            self._address.host, self._address.port, limit=messages.LONGEST_HEAD
        )
        described = await self._ask(
            "DESCRIBE", self._address.uri, more={"Accept": "application/sdp"}
        )
        video = read_video(await self._body(described))
        base = described.headers.get("content-base") or described.headers.get("content-location")
        base = messages.plain(base or self._address.uri, "an address")
        stream = messages.plain(_joined(base, video.control), "a stream's name")
        tracks = "RTP/AVP/TCP;unicast;interleaved=0-1"
        ready = await self._ask("SETUP", stream, more={"Transport": tracks})
        name = ready.session()
        self._video, self._control = ready.channels()
        await self._ask("PLAY", base, session=name)
        began_s = self._clock.now_s()
        self.doing = "waiting for a picture"
        assembly = Assembly(video)
        picture = await self._first_picture(assembly)
        waited_s = self._clock.now_s() - began_s
        await self._part(base, name)
        offset_s, told_by = self._time or (None, None)
        return Visit(picture, waited_s, offset_s, told_by, assembly.dropped)

    async def _part(self, base: str, name: str) -> None:
        """Say that nothing more is wanted; whatever it answers, the picture is here."""
        with suppress(
            OSError,
            FrameError,
            LinkError,
            TimeoutError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ):
            async with asyncio.timeout(FAREWELL_S):
                await self._ask("TEARDOWN", base, session=name)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()

    async def _ask(
        self,
        method: Method,
        uri: str,
        *,
        session: str | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Response:
        self.doing = method
        response = await self._exchanged(method, uri, session, more)
        if response.status == messages.UNAUTHORIZED:
            if self._login is None:
                raise LinkError(f"{method}: it wants a user and a password")
            if self._digest is not None and "stale" not in response.headers.get(
                "www-authenticate", ""
            ):
                raise LinkError(f"{method}: it refuses this user or password")
            self._digest = messages.challenge(response)
            await self._body(response)
            response = await self._exchanged(method, uri, session, more)
            if response.status == messages.UNAUTHORIZED:
                raise LinkError(f"{method}: it refuses this user or password")
        if response.status != messages.OK:
            words = "".join(each for each in response.reason if each.isprintable())[:60]
            raise LinkError(f"{method}: it says {response.status} {words}".rstrip())
        return response

    async def _exchanged(
        self, method: Method, uri: str, session: str | None, more: Mapping[str, str] | None
    ) -> Response:
        if self._writer is None:
            raise ConnectionError
        self._number += 1
        proof = None
        if self._digest is not None and self._login is not None:
            proof = self._digest.answer(self._login, method, uri, cnonce=self._nonce())
        self._writer.write(
            messages.request(
                method, uri, self._number, session=session, authorization=proof, more=more
            )
        )
        await self._writer.drain()
        while True:
            response = await self._response()
            # An answer to another question, or a request of its own, is passed over.
            is_ours = response.headers.get("cseq", str(self._number)).strip() == str(self._number)
            if is_ours and response.status != messages.A_REQUEST:
                return response
            await self._body(response)

    async def _response(self) -> Response:
        """Return the next answer; packets of the stream that come before it are passed over."""
        while (first := await self._begin())[0] == DOLLAR:
            await self._read(int.from_bytes((await self._read(3))[1:], "big"))
        head = first + await self._reader.readuntil(b"\r\n\r\n")
        self._count(len(head))
        response = messages.read_head(head.strip())
        if (told := response.date_utc) is not None:
            # To the second: on the mean it is half a second later than it says.
            offset_s = (told - self._clock.utc()).total_seconds() + 0.5
            self._time = (offset_s, "rtsp")
        return response

    async def _body(self, response: Response) -> bytes:
        return await self._read(response.body_bytes)

    async def _first_picture(self, assembly: Assembly) -> KeyPicture:
        while True:
            first = await self._begin()
            if first[0] != DOLLAR:
                head = first + await self._reader.readuntil(b"\r\n\r\n")
                self._count(len(head))
                await self._body(messages.read_head(head.strip()))
                continue
            channel, length = (await self._read(1))[0], await self._read(2)
            data = await self._read(int.from_bytes(length, "big"))
            if channel == self._video:
                if (picture := assembly.take_raw(data)) is not None:
                    return picture
            elif channel == self._control and self._time is None:
                self._hear(reported_utc(data))

    def _hear(self, told: datetime | None) -> None:
        if told is not None:
            self._time = ((told - self._clock.utc()).total_seconds(), "rtcp")

    async def _begin(self) -> bytes:
        """Return the first byte of the next packet or answer."""
        self._pieces += 1
        if self._pieces > MOST_PIECES:
            raise FrameError("no key picture among 60,000 packets")
        if self._pieces % PIECES_IN_A_ROW == 0:
            await asyncio.sleep(0)  # what has come already is read without a pause otherwise
        return await self._read(1)

    async def _read(self, count: int) -> bytes:
        self._count(count)
        return await self._reader.readexactly(count)

    def _count(self, count: int) -> None:
        self._bytes += count
        if self._bytes > LARGEST_VISIT:
            raise FrameError("no key picture among 32 MiB")


def _joined(base: str, control: str) -> str:
    """Return what names a stream (RFC 2326 C.1.1); on this connection it leads nowhere else, whatever it says."""
    if control in {"", "*"}:
        return base
    if control.lower().startswith("rtsp://"):
        return control
    return f"{base}{control}" if base.endswith("/") else f"{base}/{control}"
