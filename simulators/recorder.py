"""A network video recorder that says what it keeps.

Written from the ONVIF Core and Recording Search specifications and the WS-Security UsernameToken profile.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, only, whole
from simulators.tcp_unit import TcpUnit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from daemon.computer.clock import Clock

LONGEST_REQUEST = 64 * 1024
PIECE_S = 60.0
"""The newest recording is written in pieces of a minute."""


class RecorderSimulator(TcpUnit):
    """One recorder."""

    def __init__(self, _unit_id: str, settings: Settings, clock: Clock | None = None) -> None:
        """Take the settings: ``port``, ``days``, and ``user`` and ``password`` where it asks for them.

        Raises:
            ValueError: Names what is wrong.
        """
        only(settings, "port", "days", "user", "password")
        self._clock = clock or SystemClock()
        port = whole(settings, "port", low=0, high=65535, default=0)
        super().__init__(port, self._clock, self._answered, idle_close_s=None)
        self._days = float(whole(settings, "days", low=0, high=3660, default=31))
        self._login = None
        if "user" in settings or "password" in settings:
            self._login = (str(settings.get("user", "")), str(settings.get("password", "")))
        self._stopped_utc: datetime | None = None
        self._hangs = False
        self._ahead_s = 0

    async def do(self, command: Mapping[str, object]) -> None:
        verb = command.get("do")
        if verb == "keep":
            only(command, "do", "days")
            self._days = float(whole(command, "days", low=0, high=3660))
        elif verb == "clock":
            only(command, "do", "ahead_s")
            self._ahead_s = whole(command, "ahead_s", low=-(10**9), high=10**9)
        elif verb in {"record", "stop", "hang", "answer"}:
            only(command, "do")
            if verb in {"record", "stop"}:
                self._stopped_utc = self._clock.utc() if verb == "stop" else None
            else:
                self._hangs = verb == "hang"
                await self.drop()
        else:
            raise ValueError(f"no {verb!r}; known are record, stop, hang, answer, keep, clock")

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"(?im)^content-length:\s*(\d{1,6})\s*$", head)
        if self._hangs or length is None or int(length[1]) > LONGEST_REQUEST:
            await asyncio.Event().wait()
        assert length is not None
        asked = (await reader.readexactly(int(length[1]))).decode("utf-8", "replace")
        status, body = self._answer(asked)
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope '
            'xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" '
            'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tse="http://www.onvif.org/ver10/search/wsdl" '
            f'xmlns:ter="http://www.onvif.org/ver10/error"><env:Body>{body}</env:Body></env:Envelope>'
        ).encode()
        said = f"HTTP/1.1 {status}\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(text)}"
        writer.write(f"{said}\r\nConnection: close\r\n\r\n".encode() + text)
        await writer.drain()
        writer.close()
        return False

    def _answer(self, asked: str) -> tuple[str, str]:
        if "GetSystemDateAndTime" in asked:
            return "200 OK", self._time()
        if not self._may(asked):
            return "400 Bad Request", (
                "<env:Fault><env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value>"
                "ter:NotAuthorized</env:Value></env:Subcode></env:Code></env:Fault>"
            )
        if "GetServices" in asked:
            return "200 OK", self._services()
        if "GetRecordingSummary" in asked:
            return "200 OK", self._summary()
        return "500 Internal Server Error", (
            "<env:Fault><env:Code><env:Value>env:Receiver</env:Value></env:Code>"
            '<env:Reason><env:Text xml:lang="en">Action not implemented</env:Text></env:Reason></env:Fault>'
        )

    def _time(self) -> str:
        now = self._utc()
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time>"
            f"<tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
            f"<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year>"
            f"<tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime>"
            "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _services(self) -> str:
        names = ("device", "search")
        services = "".join(
            f"<tds:Service><tds:Namespace>http://www.onvif.org/ver10/{name}/wsdl</tds:Namespace>"
            f"<tds:XAddr>http://192.168.0.2/onvif/{name}_service</tds:XAddr></tds:Service>"
            for name in names
        )
        return f"<tds:GetServicesResponse>{services}</tds:GetServicesResponse>"

    def _summary(self) -> str:
        now = self._utc()
        if self._stopped_utc is None:
            until = now - timedelta(seconds=now.timestamp() % PIECE_S)
        else:
            until = self._stopped_utc + timedelta(seconds=self._ahead_s)
        since = now - timedelta(days=self._days)
        number = 8 if self._days else 0
        return (
            "<tse:GetRecordingSummaryResponse><tse:Summary>"
            f"<tt:DataFrom>{since:%Y-%m-%dT%H:%M:%SZ}</tt:DataFrom>"
            f"<tt:DataUntil>{until:%Y-%m-%dT%H:%M:%SZ}</tt:DataUntil>"
            f"<tt:NumberRecordings>{number}</tt:NumberRecordings>"
            "</tse:Summary></tse:GetRecordingSummaryResponse>"
        )

    def _may(self, asked: str) -> bool:
        if self._login is None:
            return True
        user, password = self._login
        given = {
            name: found[1]
            for name in ("Username", "Password", "Nonce", "Created")
            if (found := re.search(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>([^<]*)<", asked)) is not None
        }
        try:
            nonce = base64.b64decode(given.get("Nonce", ""), validate=True)
        except ValueError:
            return False
        made = nonce + given.get("Created", "").encode() + password.encode()
        wanted = base64.b64encode(hashlib.sha1(made, usedforsecurity=False).digest()).decode()
        return (given.get("Username"), given.get("Password")) == (user, wanted)

    def _utc(self) -> datetime:
        return self._clock.utc() + timedelta(seconds=self._ahead_s)


SIMULATOR = SimulatorSpec(kind="recorder", build=RecorderSimulator)
