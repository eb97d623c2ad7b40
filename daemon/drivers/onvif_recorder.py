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
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from daemon.drivers import onvif_messages as messages
from daemon.drivers.addresses import checked, host_of, port_of
from daemon.drivers.api import DriverConfig, DriverContext, DriverSpec, Emit, Health, PointSpec
from daemon.errors import FrameError, LinkError
from daemon.model import Quality, Reading
from daemon.secretfiles import SecretPath, read_secret

if TYPE_CHECKING:
    from datetime import datetime

    from daemon.drivers.onvif_messages import Element

HTTP_PORT: Final = 80
DAY_S: Final = 86_400.0
MISSED_LOOKS: Final = 2.5
UNITS: Final = {"days_stored": "d", "newest_age": "s", "clock_offset": "s"}


class OnvifRecorderConfig(DriverConfig):
    """One recorder."""

    kind: Literal["onvif_recorder"]
    name: Annotated[str, Field(min_length=1, max_length=16)]
    """The short name that watch stations show."""
    place: Annotated[str, Field(min_length=1, max_length=80)]
    """Where it is; only the SSO sees it."""
    url: str
    """Its device service: ``http://host:port/onvif/device_service``."""
    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9@._-]{1,64}$")] | None = None
    """A user of the recorder that may look and nothing else."""
    password_file: SecretPath | None = None
    look_s: Annotated[float, Field(ge=5, le=3600)] = 60.0
    """How often it is asked, in seconds."""
    limit_s: Annotated[float, Field(ge=1, le=60)] = 15.0
    """How long all answers together may take, in seconds."""
    late_s: Annotated[float, Field(ge=60, le=86_400)] = 600.0
    """Its newest picture may be so old: recorders write in pieces of minutes."""
    behind: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")] | None = None
    """What it hangs on with others, such as a switch."""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        return checked(url, "http", like="http://<address>:<port>/onvif/device_service")

    @model_validator(mode="after")
    def _has_both_or_neither(self) -> Self:
        if (self.user is None) is not (self.password_file is None):
            raise ValueError("user and password_file belong together")
        return self

    @property
    def host(self) -> str:
        """Return its address, which is what is opened for it."""
        return host_of(self.url)

    @property
    def port(self) -> int:
        """Return the port at which it is asked."""
        return port_of(self.url, HTTP_PORT)


class OnvifRecorderDriver:
    """One recorder."""

    def __init__(self, config: OnvifRecorderConfig, context: DriverContext) -> None:
        self.health = Health()
        self._config = config
        self._context = context

    def points(self) -> tuple[PointSpec, ...]:
        valid_for_s = MISSED_LOOKS * self._config.look_s + self._config.limit_s
        device = self._context.device
        return tuple(
            PointSpec(f"{device}.{name}", valid_for_s, unit) for name, unit in UNITS.items()
        )

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
            raise LinkError(err.strerror or type(err).__name__) from err
        clock = self._context.clock
        now_s, now_utc = clock.now_s(), clock.utc()
        self.health.frame(now_s)
        for name, value in values.items():
            emit(
                Reading(
                    point=f"{self._context.device}.{name}",
                    value=value,
                    unit=UNITS[name],
                    quality=Quality.UNKNOWN if value is None else Quality.GOOD,
                    provenance=self._context.provenance,
                    received_utc=now_utc,
                    received_s=now_s,
                    source=self._context.device,
                )
            )

    async def _asked(self) -> dict[str, float | None]:
        device = urlsplit(self._config.url).path or "/"
        # The only question that every device answers to everybody: without its time no other can be signed.
        told = messages.time_in(await self._ask(device, messages.DEVICE, messages.TIME))
        offset_s = (told - self._context.clock.utc()).total_seconds() + 0.5  # told to the second
        services = await self._ask(device, messages.DEVICE, messages.SERVICES, told)
        path = messages.search_path(services)
        kept = messages.kept_in(await self._ask(path, messages.SEARCH, messages.SUMMARY, told))
        values: dict[str, float | None] = {"clock_offset": round(offset_s, 1)}
        if kept is None:
            return {**values, "days_stored": 0.0, "newest_age": (DAY_S * 3660)}
        return {
            **values,
            "days_stored": round(max(0.0, (told - kept.since_utc).total_seconds() / DAY_S), 3),
            "newest_age": max(0.0, (told - kept.until_utc).total_seconds()),
        }

    async def _ask(
        self, path: str, namespace: str, body: str, told_utc: datetime | None = None
    ) -> list[Element]:
        token, config = None, self._config
        if told_utc is not None and config.user is not None and config.password_file is not None:
            password = read_secret(config.password_file)
            token = messages.Token(config.user, password, secrets.token_bytes(16), told_utc)
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
    except (http.client.HTTPException, ValueError, OSError) as err:
        raise FrameError("no answer in HTTP") from err
    if b"Envelope" not in body:
        raise FrameError(f"HTTP {response.status}, and no ONVIF")
    return body


DRIVER = DriverSpec(kind="onvif_recorder", config=OnvifRecorderConfig, build=OnvifRecorderDriver)
