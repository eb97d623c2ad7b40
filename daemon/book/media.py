"""What kind of file is this? Judged by its content, since a name says whatever somebody typed.

A small set on purpose: what an officer attaches, and a reader in twenty years can open.
"""

from __future__ import annotations

import re
from typing import Final

PDF: Final = "application/pdf"
JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
MAIL: Final = "message/rfc822"
TEXT: Final = "text/plain"
_BEGINS: Final = {b"%PDF-": PDF, b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG}
_HEADER: Final = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,76}:[ \t\r\n]")
_NAMES_A_MAIL: Final = re.compile(
    rb"^(from|received|return-path|message-id):[ \t\r\n]", re.IGNORECASE | re.MULTILINE
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_HEAD_BYTES: Final = 64 * 1024


def media_of(content: bytes) -> str | None:
    """Return the media type (RFC 6838); None for a kind of file that is not taken."""
    for begin, media in _BEGINS.items():
        if content.startswith(begin):
            return media
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    if _is_mail(content):  # old mails are not always UTF-8
        return MAIL
    if not content or text is None or _CONTROL.search(text):
        return None
    return TEXT


def _is_mail(content: bytes) -> bool:
    """Return whether it begins with the header of a mail (RFC 5322 section 2.2)."""
    head = re.split(rb"\r?\n\r?\n", content[:_HEAD_BYTES], maxsplit=1)[0]
    return bool(_HEADER.match(head)) and bool(_NAMES_A_MAIL.search(head)) and b"\0" not in content
