"""Does the recorder go on, and for how many days does it keep pictures? It is asked, as any viewer asks it.

Source: ONVIF profile G: GetRecordingSummary says from when to when there are recordings. Both are held against the
recorder's own clock, so that a wrong one makes no recording old; that clock is told beside them. Only questions that
read are asked (invariant 10).
"""

from __future__ import annotations

import asyncio
import http.client
import io
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from daemon.drivers import onvif_messages as messages
from daemon.drivers.addresses import checked
from daemon.drivers.api import DriverContext, DriverSpec, Emit, Health, PointSpec
from daemon.drivers.cctv_unit import CctvUnitConfig, told
from daemon.drivers.system_words import reason
from daemon.errors import FrameError, LinkError

if TYPE_CHECKING:
    from daemon.drivers.onvif_messages import Element

HTTP_PORT: Final = 80
DAY_S: Final = 86_400.0
UNITS: Final = {"days_stored": "d", "newest_age": "s", "clock_offset": "s"}


class OnvifRecorderConfig(CctvUnitConfig):
    """One recorder."""

    kind: Literal["onvif_recorder"]
    usual_port: ClassVar = HTTP_PORT

    url: str
    """Its device service: ``http://host:port/onvif/device_service``."""
    late_s: Annotated[float, Field(ge=60, le=86_400)] = 600.0
    """Its newest picture may be so old: recorders write in pieces of minutes."""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        return checked(url, "http", like="http://<address>:<port>/onvif/device_service")


class OnvifRecorderDriver:
    """One recorder."""

    def __init__(self, config: OnvifRecorderConfig, context: DriverContext) -> None:
        self.health = Health()
        self._config = config
        self._context = context

    def points(self) -> tuple[PointSpec, ...]:
        return self._config.points(self._context.device, UNITS)

    async def run(self, emit: Emit) -> None:
        clock = self._context.clock
        while True:
            began_s = clock.now_s()
            await self._look(emit)
            self.health.latency_s = clock.now_s() - began_s
            await clock.sleep(max(1.0, self._config.look_s - self.health.latency_s))

    async def _look(self, emit: Emit) -> None:
        limit_s = self._config.limit_s
        try:
            async with asyncio.timeout(limit_s):
                values = await self._asked()
        except TimeoutError as err:
            raise LinkError(f"no whole answer within {limit_s:g} s") from err
        except FrameError as err:
            raise LinkError(f"{err}") from err
        except ConnectionRefusedError as err:
            raise LinkError("refused, nobody listens there") from err
        except OSError as err:
            raise LinkError(reason(err)) from err
        clock = self._context.clock
        now_s, now_utc = clock.now_s(), clock.utc()
        self.health.frame(now_s)
        for reading in told(self._context, values, UNITS, at_s=now_s, at_utc=now_utc):
            emit(reading)

    async def _asked(self) -> dict[str, float | None]:
        device = urlsplit(self._config.url).path or "/"
        # The only question that every device answers to everybody: without its time no other can be signed.
        told_utc = messages.time_in(await self._ask(device, messages.DEVICE, messages.TIME))
        # Told to the second: on the mean it is half a second later than it says.
        offset_s = (told_utc - self._context.clock.utc()).total_seconds() + 0.5
        login = await self._config.login()

        def token() -> messages.Token | None:
            if login is None:
                return None
            return messages.Token(login.user, login.password, secrets.token_bytes(16), told_utc)

        services = await self._ask(device, messages.DEVICE, messages.SERVICES, token())
        path = messages.search_path(services)
        kept = messages.kept_in(await self._ask(path, messages.SEARCH, messages.SUMMARY, token()))
        values: dict[str, float | None] = {"clock_offset": round(offset_s, 1)}
        if kept is None:
            return {**values, "days_stored": 0.0, "newest_age": (DAY_S * 3660)}
        return {
            **values,
            "days_stored": round(max(0.0, (told_utc - kept.since_utc).total_seconds() / DAY_S), 3),
            "newest_age": max(0.0, (told_utc - kept.until_utc).total_seconds()),
        }

    async def _ask(
        self, path: str, namespace: str, body: str, token: messages.Token | None = None
    ) -> list[Element]:
        answer = await self._exchanged(path, messages.question(namespace, body, token))
        found = messages.read(answer)
        if (reason := messages.fault_in(found)) is not None:
            raise LinkError(reason)
        return found

    async def _exchanged(self, path: str, body: bytes) -> bytes:
        config = self._config
        host = f"[{config.host}]" if ":" in config.host else config.host
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}:{config.port}\r\nConnection: close\r\nUser-Agent: ispsd\r\n"
            f"Content-Type: application/soap+xml; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection(config.host, config.port)
        try:
            writer.write(head.encode() + body)
            await writer.drain()
            answer = b""
            while piece := await reader.read(2 * messages.LARGEST_ANSWER - len(answer)):
                answer += piece
                if len(answer) >= 2 * messages.LARGEST_ANSWER:
                    raise FrameError("an answer of more than 512 KiB")
            return body_of(answer)
        finally:
            with suppress(Exception):  # the other end may be gone in any way it likes
                writer.transport.abort()


class _Received:
    """What ``http.client`` reads an answer from, in place of a socket."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._content)


def body_of(answer: bytes) -> bytes:
    """Return the body of an HTTP answer; of a refusal too, for the reason stands in it.

    Raises:
        FrameError: It is no HTTP, or a page that is no SOAP.
    """
    response = http.client.HTTPResponse(_Received(answer))  # type: ignore[arg-type]
    try:
        response.begin()
        body = response.read()
    except (http.client.HTTPException, ValueError, OverflowError, OSError) as err:
        raise FrameError("no answer in HTTP") from err
    if b"Envelope" not in body:
        raise FrameError(f"HTTP {response.status}, and no ONVIF")
    return body


DRIVER = DriverSpec(
    kind="onvif_recorder",
    config=OnvifRecorderConfig,
    build=OnvifRecorderDriver,
    unit_is=lambda _: "recorder",
)
