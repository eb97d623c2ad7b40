"""Is a unit of the ship's network there: an access controller, a recorder? Asked, and nothing more (invariant 10).

``tcp`` connects and hangs up; ``http`` and ``https`` ask HEAD for a page (RFC 9110 9.3.2), which changes nothing. A
unit answers when it says any status below 500: one that wants a password is there. Nothing secret is sent and nothing
of what it says is believed but that it is there, so a certificate is held against nothing unless ``ca_file`` says so:
units aboard have their makers'.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from daemon.computer.paths import WholePath
from daemon.drivers.api import DriverConfig, DriverSpec, Health, PointSpec
from daemon.drivers.system_words import reason
from daemon.errors import LinkError
from daemon.model import Quality, Reading

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from daemon.drivers.api import DriverContext, Emit

PORTS: Final = {"http": 80, "https": 443}
ALERTS: Final = {"access_controller": "access.lost", "recorder": "cctv.recording", "other": None}
"""The alert when such a unit is lost."""
SERVER_ERROR: Final = 500
"""From here on a status says that the unit itself has failed (RFC 9110 15.6)."""
LONGEST_ANSWER_BYTES: Final = 4096
ANSWERS: Final = "answers"
"""What a unit that is there is told as."""
MISSES: Final = 3
"""A value is believed for so many questions without an answer."""


class ReachConfig(DriverConfig):
    """One unit with a network address."""

    # Filled in below where it is not said, which a schema made from the fields does not see.
    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].remove("port"))

    kind: Literal["reach"]
    host: str
    """Its address in numbers: a name would need a name server, which may be the next thing dead."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """80 of http and 443 of https, unless said; of tcp it must be said."""
    ask: Literal["tcp", "http", "https"] = "tcp"
    path: Annotated[str, Field(pattern=r"^/[!-~]{0,200}$")] = "/"
    """The page that is asked for."""
    unit_is: Literal["access_controller", "recorder", "other"] = "other"
    """What is lost when it is: the alert hangs on it."""
    every_s: Annotated[float, Field(ge=1, le=600)] = 10.0
    """From one question to the next, in seconds."""
    timeout_s: Annotated[float, Field(ge=0.2, le=30)] = 3.0
    """How long an answer may take, in seconds."""
    ca_file: WholePath | None = None
    """The authority that its certificate must come of; none: any certificate will do."""

    @field_validator("host")
    @classmethod
    def _in_numbers(cls, host: str) -> str:
        return str(ip_address(host))

    @model_validator(mode="before")
    @classmethod
    def _usual_port(cls, said: Any) -> Any:
        if not isinstance(said, dict) or "port" in said or not isinstance(said.get("ask"), str):
            return said
        port = PORTS.get(said["ask"])
        return said if port is None else {**said, "port": port}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.ca_file is not None and self.ask != "https":
            raise ValueError("ca_file is for https")
        return self


class Reach:
    """Asks one unit again and again; each question is a connection of its own."""

    def __init__(self, config: ReachConfig, ctx: DriverContext) -> None:
        self.health = Health()
        self._config = config
        self._ctx = ctx
        self._context: ssl.SSLContext | None = None

    def points(self) -> tuple[PointSpec, ...]:
        valid_for_s = MISSES * (self._config.every_s + self._config.timeout_s)
        return (PointSpec(f"{self._ctx.device}.reached", valid_for_s),)

    async def run(self, emit: Emit) -> None:
        clock = self._ctx.clock
        while True:
            began_s = clock.now_s()
            await self._within(self._ask(), self._config.timeout_s)
            now_s = clock.now_s()
            self.health.latency_s = now_s - began_s
            self.health.frame(now_s)
            (point,) = self.points()
            emit(
                Reading(
                    point=point.id,
                    value=ANSWERS,
                    quality=Quality.GOOD,
                    provenance=self._ctx.provenance,
                    received_utc=clock.utc(),
                    received_s=now_s,
                    source=self._ctx.device,
                )
            )
            await clock.sleep(self._config.every_s)

    async def _within(self, asking: Coroutine[None, None, None], seconds: float) -> None:
        """Ask, by the ship's clock.

        Raises:
            LinkError: No answer in time, or not the right one.
        """
        task = asyncio.ensure_future(asking)
        over = asyncio.Event()
        task.add_done_callback(lambda _: over.set())
        try:
            if not await self._ctx.clock.wait(over, seconds):
                raise LinkError(f"no answer within {seconds:g} s")
            task.result()
        except OSError as err:
            raise LinkError(_words(err)) from err
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _ask(self) -> None:
        config = self._config
        tls = await self._tls()
        reader, writer = await asyncio.open_connection(
            config.host, config.port, ssl=tls, limit=LONGEST_ANSWER_BYTES
        )
        try:
            if config.ask != "tcp":
                writer.write(_head(config))
                status = _status(await _first_line(reader))
                if status >= SERVER_ERROR:
                    self.health.drop("server error")
                    raise LinkError(f"it says HTTP {status}")
        finally:
            if tls is not None:
                # It has answered, or has not: whether it says goodbye in TLS, which asyncio waits 30 s for, is no news.
                writer.transport.abort()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _tls(self) -> ssl.SSLContext | None:
        """Return how to speak TLS, made once and off the loop: it may read certificates."""
        if self._context is None and self._config.ask == "https":
            self._context = await asyncio.to_thread(_tls_context, self._config.ca_file)
        return self._context


def _words(err: OSError) -> str:
    words = reason(err)
    return words if isinstance(err, ssl.SSLError) else words.lower()


async def _first_line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as err:
        raise LinkError("it hung up without an answer") from err
    except asyncio.LimitOverrunError as err:
        raise LinkError("it answers with no HTTP") from err


def _head(config: ReachConfig) -> bytes:
    host = f"[{config.host}]" if ":" in config.host else config.host
    lines = (
        f"HEAD {config.path} HTTP/1.1",
        f"Host: {host}:{config.port}",
        "User-Agent: ispsd",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _status(line: bytes) -> int:
    """Return the status of an answer's first line (RFC 9112 4).

    Raises:
        LinkError: It is none.
    """
    words = line.split()
    if len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit():
        return int(words[1][:4])
    raise LinkError("it answers with no HTTP")


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is not None:
        return ssl.create_default_context(cafile=ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def build(config: ReachConfig, ctx: DriverContext) -> Reach:
    """Return the driver of one unit."""
    return Reach(config, ctx)


DRIVER = DriverSpec(
    kind="reach",
    config=ReachConfig,
    build=build,
    lost_alert=lambda config: ALERTS[config.unit_is],
    longest_back_off_s=lambda config: config.every_s,
    unit_is=lambda config: None if config.unit_is == "other" else config.unit_is,
)
