"""What is asked of a camera by RTSP, and what does it answer? Pure: requests out, responses in, as text.

Source: RFC 2326 (RTSP 1.0), RFC 2617 and RFC 7616 (Digest). Only methods that read are ever written: DESCRIBE, SETUP,
PLAY and TEARDOWN. A camera's word is bounded and never put into a request unless it is plain text without control
characters.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from daemon.errors import FrameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.drivers.cctv_unit import Login

Method: TypeAlias = Literal["DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]

OK: Final = 200
A_REQUEST: Final = 0
"""The status of what is no answer: a camera may ask too, such as OPTIONS (RFC 2326 10.1)."""
UNAUTHORIZED: Final = 401
LONGEST_HEAD: Final = 16 * 1024
"""Bytes of status line and headers together."""
LONGEST_BODY: Final = 64 * 1024
"""Bytes of an SDP: real ones have one or two kilobytes."""
MOST_DIGITS: Final = 12
MOST_HEADERS: Final = 64
LONGEST_WORD: Final = 512
"""Characters of whatever a camera names that is said back to it."""

_STATUS = re.compile(r"RTSP/1\.\d (\d{3})(?: (.{0,200}))?")
_OFFER = re.compile(
    r'([A-Za-z0-9_-]{1,32})\s*=\s*(?:"([^"]{0,512})"|([^\s,"]{1,512}))'
    r"|([A-Za-z][A-Za-z0-9_-]{0,31})\s+(?=[A-Za-z0-9_-]{1,32}\s*=)"
)
"""A parameter, or the name of the scheme whose parameters follow."""
_REQUEST = re.compile(r"[A-Z_]{1,32} \S{1,512} RTSP/1\.\d")
_CHANNELS = re.compile(r"interleaved=(\d{1,3})-(\d{1,3})")
_PLAIN = re.compile(r"[\x21-\x7e]{1,512}")
HASHES: Final = {"MD5": "md5", "SHA-256": "sha256"}


@dataclass(frozen=True, slots=True)
class Response:
    """The head of one answer, or of a request of its own.

    Attributes:
        status: What it says; of a request ``A_REQUEST``.
        headers: By their names in lower case; of one that comes twice, all of it, comma between.
    """

    status: int
    reason: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body_bytes(self) -> int:
        """Return how long the body is that follows.

        Raises:
            FrameError: It cannot be read, or is longer than any session description.
        """
        text = self.headers.get("content-length", "0").strip()
        if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
            raise FrameError("a length that is none")
        if (length := int(text)) > LONGEST_BODY:
            raise FrameError("a session description of more than 64 KiB")
        return length

    @property
    def date_utc(self) -> datetime | None:
        """Return the camera's time (RFC 2326 12.18), to the second; None where it says none that can be read."""
        try:
            moment = parsedate_to_datetime(self.headers.get("date", ""))
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        try:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except OverflowError:
            return None

    def channels(self) -> tuple[int, int]:
        """Return the channels on which pictures and their reports come: those that were asked for, or the camera's own.

        Raises:
            FrameError: It gives the stream by another way than this connection.
        """
        given = self.headers.get("transport", "")
        found = _CHANNELS.search(given)
        if found is None:
            if given and "TCP" not in given.upper():
                raise FrameError("it gives its stream by UDP, though TCP was asked for")
            return 0, 1
        return int(found[1]), int(found[2])

    def session(self) -> str:
        """Return the session's name.

        Raises:
            FrameError: There is none, or none that can be said back.
        """
        return plain(self.headers.get("session", "").partition(";")[0].strip(), "a session")


def read_head(head: bytes) -> Response:
    """Read status line and headers, without the empty line behind them.

    Raises:
        FrameError: It is no RTSP.
    """
    if len(head) > LONGEST_HEAD:
        raise FrameError("a head of more than 16 KiB")
    lines = head.decode("latin-1").replace("\r\n", "\n").split("\n")
    status = _STATUS.fullmatch(lines[0].strip())
    if status is None and _REQUEST.fullmatch(lines[0].strip()) is None:
        raise FrameError("no RTSP answer")
    headers: dict[str, str] = {}
    if len(lines) > MOST_HEADERS:
        raise FrameError("more headers than any camera sends")
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        key = name.strip().lower()
        if not colon or not key:
            continue
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    if status is None:
        return Response(A_REQUEST, "", headers)
    return Response(int(status[1]), (status[2] or "").strip(), headers)


def plain(word: str, what: str) -> str:
    """Return a word that may be said back to a camera.

    Raises:
        FrameError: It is empty, too long, or has what would end a line or a header.
    """
    if _PLAIN.fullmatch(word) is None:
        raise FrameError(f"{what} that cannot be said back")
    return word


@dataclass(slots=True)
class Digest:
    """What a camera wants to be answered with (RFC 2617 3.2.1).

    Attributes:
        count: How often the nonce was used.
    """

    realm: str
    nonce: str
    algorithm: str
    opaque: str | None
    with_quality: bool
    count: int = 0

    def answer(self, login: Login, method: Method, uri: str, *, cnonce: str) -> str:
        """Return the value of ``Authorization``; the password itself is not in it."""
        self.count += 1
        known = self._hash(f"{login.user}:{self.realm}:{login.password}")
        asked = self._hash(f"{method}:{uri}")
        count = f"{self.count:08x}"
        middle = f"{self.nonce}:{count}:{cnonce}:auth" if self.with_quality else self.nonce
        said = {
            "username": login.user,
            "realm": self.realm,
            "nonce": self.nonce,
            "uri": uri,
            "response": self._hash(f"{known}:{middle}:{asked}"),
        }
        if self.opaque is not None:
            said["opaque"] = self.opaque
        words = [f'{name}="{value}"' for name, value in said.items()]
        if self.algorithm != "MD5":
            words.append(f"algorithm={self.algorithm}")
        if self.with_quality:
            words += ["qop=auth", f"nc={count}", f'cnonce="{cnonce}"']
        return f"Digest {', '.join(words)}"

    def _hash(self, text: str) -> str:
        return hashlib.new(
            HASHES[self.algorithm], text.encode("utf-8"), usedforsecurity=False
        ).hexdigest()


def challenge(response: Response) -> Digest:
    """Return what a camera wants that asks who we are.

    Raises:
        FrameError: It wants something else than Digest: Basic would send the password as it is.
    """
    given = response.headers.get("www-authenticate", "")[: 4 * LONGEST_WORD]
    for offer in _digests(given):
        algorithm = offer.get("algorithm", "MD5").upper()
        qualities = {word.strip().lower() for word in offer.get("qop", "").split(",")} - {""}
        if algorithm not in HASHES or (qualities and "auth" not in qualities):
            continue
        if not _is_quotable(offer.get("realm", "")) or not _is_quotable(offer.get("nonce", "")):
            continue
        opaque = offer.get("opaque")
        if opaque is not None and not _is_quotable(opaque):
            continue
        return Digest(
            offer.get("realm", ""), offer.get("nonce", ""), algorithm, opaque, bool(qualities)
        )
    if "basic" in given.lower():
        raise FrameError(
            "it wants the password in the clear (Basic); switch it to Digest authentication"
        )
    raise FrameError("it asks who we are in a way that is not known here; switch it to Digest")


def request(
    method: Method,
    uri: str,
    number: int,
    *,
    session: str | None = None,
    authorization: str | None = None,
    more: Mapping[str, str] | None = None,
) -> bytes:
    """Return one request; every word of it was found plain."""
    lines = [f"{method} {uri} RTSP/1.0", f"CSeq: {number}", "User-Agent: ispsd"]
    if session is not None:
        lines.append(f"Session: {session}")
    if authorization is not None:
        lines.append(f"Authorization: {authorization}")
    lines += [f"{name}: {value}" for name, value in (more or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode("utf-8")


def _digests(text: str) -> list[dict[str, str]]:
    """Return the parameters of each Digest that is offered; those of another scheme, such as Basic's realm, are its."""
    offers: list[tuple[str, dict[str, str]]] = [("", {})]
    for match in _OFFER.finditer(text):
        if match[4] is not None:
            offers.append((match[4].lower(), {}))
        else:
            offers[-1][1][match[1].lower()] = match[2] if match[2] is not None else match[3]
    return [offer for scheme, offer in offers if scheme == "digest"]


def _is_quotable(text: str) -> bool:
    return all(" " <= each <= "~" and each not in '"\\' for each in text)
