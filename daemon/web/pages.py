"""What is served? The files of the page as they were built, read once; nothing that is asked for names a file.

A browser is told what the page may do: load from here, speak to the ship's broker, and nothing else; no script or
style but those files, nobody's frame.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from daemon.errors import IspsdError

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS: Final = MappingProxyType(
    {
        "index.html": "text/html; charset=utf-8",
        "first.js": "text/javascript; charset=utf-8",
        "page.js": "text/javascript; charset=utf-8",
        "style.css": "text/css; charset=utf-8",
        "review.css": "text/css; charset=utf-8",
        "icon.svg": "image/svg+xml",
        "notices.txt": "text/plain; charset=utf-8",
    }
)


@dataclass(frozen=True, slots=True)
class Page:
    """One file.

    Attributes:
        kind: Its media type.
        mark: Tells this content from any other, for a browser that has it already.
    """

    content: bytes
    kind: str
    mark: str


def built() -> Mapping[str, Page]:
    """Return every file of the page by its path.

    Raises:
        IspsdError: One is not there.
    """
    folder = files("daemon.web") / "static"
    pages = {}
    for name, kind in _KINDS.items():
        try:
            content = (folder / name).read_bytes()
        except OSError as err:
            raise IspsdError(f"the page was not built: {name} is missing (make front)") from err
        pages[f"/{name}"] = Page(content, kind, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
    pages["/"] = pages["/index.html"]
    return MappingProxyType(pages)


def headers(broker: str) -> dict[str, str]:
    """Return what every answer says beside its content; ``broker`` is where the page may connect to."""
    policy = (
        "default-src 'self'",
        f"connect-src 'self' {broker}",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",  # whatever would read a text as markup throws
        "trusted-types 'none'",
    )
    return {
        "Server": "ispsd",  # and no version of anything
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=()",
    }
