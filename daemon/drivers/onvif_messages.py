"""What is a recorder asked by ONVIF, and what does it answer? Pure: envelopes out, words in.

Source: ONVIF Core Specification (device service: GetSystemDateAndTime, GetServices), ONVIF Recording Search Service
Specification (GetRecordingSummary), OASIS Web Services Security UsernameToken Profile 1.0 (password digest). Only
questions that read are ever written. XML is read by expat with whatever declares a document type refused, so that no
entity is ever expanded, and in bounded size, depth and number.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from xml.parsers import expat
from xml.sax.saxutils import escape

from daemon.errors import FrameError

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_ANSWER: Final = 256 * 1024
DEEPEST: Final = 32
MOST_ELEMENTS: Final = 5000
LONGEST_TEXT: Final = 1000
DEVICE: Final = "http://www.onvif.org/ver10/device/wsdl"
SEARCH: Final = "http://www.onvif.org/ver10/search/wsdl"
_SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
_WSS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_DIGEST: Final = f"{_WSS}-username-token-profile-1.0#PasswordDigest"
_BASE64: Final = f"{_WSS}-soap-message-security-1.0#Base64Binary"


@dataclass(frozen=True, slots=True)
class Token:
    """Who asks: proved by a digest that holds for one question."""

    user: str
    password: str = field(repr=False)
    nonce: bytes
    created_utc: datetime
    """By the recorder's own clock: it takes nothing old."""

    def header(self) -> str:
        """Return the security header."""
        created = f"{self.created_utc.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        proof = hashlib.sha1(
            self.nonce + created.encode() + self.password.encode(), usedforsecurity=False
        ).digest()
        return (
            f'<Security xmlns="{_WSS}-wssecurity-secext-1.0.xsd"><UsernameToken>'
            f"<Username>{escape(self.user)}</Username>"
            f'<Password Type="{_DIGEST}">{base64.b64encode(proof).decode()}</Password>'
            f'<Nonce EncodingType="{_BASE64}">{base64.b64encode(self.nonce).decode()}</Nonce>'
            f'<Created xmlns="{_WSS}-wssecurity-utility-1.0.xsd">{created}</Created>'
            "</UsernameToken></Security>"
        )


def question(namespace: str, body: str, token: Token | None = None) -> bytes:
    """Return an envelope that asks one thing."""
    header = "" if token is None else f"<s:Header>{token.header()}</s:Header>"
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{_SOAP}">{header}'
        f'<s:Body xmlns="{namespace}">{body}</s:Body></s:Envelope>'
    ).encode()


TIME: Final = "<GetSystemDateAndTime/>"
SERVICES: Final = "<GetServices><IncludeCapability>false</IncludeCapability></GetServices>"
SUMMARY: Final = "<GetRecordingSummary/>"


@dataclass(frozen=True, slots=True)
class Element:
    """One element with a text: its own name and those around it, without their prefixes."""

    path: tuple[str, ...]
    text: str


def read(answer: bytes) -> list[Element]:
    """Return every element that has a text, in order.

    Raises:
        FrameError: It is no XML, declares a document type, or is larger, deeper or longer than any answer.
    """
    if len(answer) > LARGEST_ANSWER:
        raise FrameError("an answer of more than 256 KiB")
    reader = _Reader()
    try:
        reader.parser.Parse(answer, True)  # noqa: FBT003 (expat's own: it is the last piece)
    except expat.ExpatError as err:
        raise FrameError(f"no XML: {expat.ErrorString(err.code)}") from err
    except (
        ValueError,
        LookupError,
    ) as err:  # what Python says of an encoding that expat asks it for
        raise FrameError("XML in an encoding that no recorder needs") from err
    return reader.found


class _Reader:
    def __init__(self) -> None:
        self.found: list[Element] = []
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._path: list[str] = []
        self._texts: list[str] = []
        self._count = 0

    def _refuse(self, *_: object) -> None:
        raise FrameError("XML with a document type, which no recorder needs")

    def _start(self, name: str, _attributes: object) -> None:
        self._count += 1
        if len(self._path) >= DEEPEST or self._count > MOST_ELEMENTS:
            raise FrameError("XML deeper or longer than any answer")
        self._path.append(name.rpartition(":")[2])
        self._texts.append("")

    def _end(self, _name: str) -> None:
        if text := self._texts.pop().strip():
            self.found.append(Element(tuple(self._path), text))
        self._path.pop()

    def _text(self, data: str) -> None:
        if self._texts and len(self._texts[-1]) < LONGEST_TEXT:
            self._texts[-1] += data[:LONGEST_TEXT]


def fault_in(found: list[Element]) -> str | None:
    """Return what a SOAP fault says; None where it is none."""
    said = [e.text for e in found if "Fault" in e.path and e.path[-1] in {"Value", "Text"}]
    words = " ".join(said)
    if not said:
        return None
    if "NotAuthorized" in words or "FailedAuthentication" in words:
        return "it refuses this user or password"
    return f"it says {''.join(c for c in words if c.isprintable())[:100]}"


def time_in(found: list[Element]) -> datetime:
    """Return the recorder's time.

    Raises:
        FrameError: It says none.
    """
    parts = {e.path[-1]: e.text for e in found if "UTCDateTime" in e.path}
    names = ("Year", "Month", "Day", "Hour", "Minute", "Second")
    try:
        year, month, day, hour, minute, second = (int(parts[name]) for name in names)
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (KeyError, ValueError, OverflowError) as err:
        raise FrameError("says no time") from err


def search_path(found: list[Element]) -> str:
    """Return where the search service is asked; its host is the recorder's, whatever the address says.

    Raises:
        FrameError: It has none.
    """
    for namespace, address in _services(found):
        if namespace == SEARCH:
            try:
                path = urlsplit(address).path
            except ValueError:
                continue
            if path.startswith("/") and path.isascii() and path.isprintable() and " " not in path:
                return path[:LONGEST_TEXT]
    raise FrameError("has no recording search (ONVIF profile G)")


def _services(found: list[Element]) -> Iterator[tuple[str, str]]:
    namespace = ""
    for each in found:
        if each.path[-2:] == ("Service", "Namespace"):
            namespace = each.text
        elif each.path[-2:] == ("Service", "XAddr"):
            yield namespace, each.text


@dataclass(frozen=True, slots=True)
class Kept:
    """What a recorder says that it keeps."""

    since_utc: datetime
    until_utc: datetime


def kept_in(found: list[Element]) -> Kept | None:
    """Return from when to when there are recordings; None where there are none.

    Raises:
        FrameError: It does not say.
    """
    parts = {e.path[-1]: e.text for e in found if "Summary" in e.path}
    if parts.get("NumberRecordings") == "0":
        return None
    try:
        return Kept(_moment(parts["DataFrom"]), _moment(parts["DataUntil"]))
    except (KeyError, ValueError, OverflowError) as err:
        raise FrameError("does not say from when to when it keeps pictures") from err


def _moment(text: str) -> datetime:
    """Return an xs:dateTime; one without an offset is UTC, as ONVIF has it."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
