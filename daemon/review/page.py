"""What is a page of the SSO? What it is called, who makes what it says, and what may be done there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from daemon.model import Json

if TYPE_CHECKING:
    from daemon.review.reader import Doer, Reader
    from daemon.review.typed import Field

Read: TypeAlias = "Callable[[Reader, Mapping[str, str]], Awaitable[Mapping[str, Json]]]"
"""Makes what a page says, from what the address asks for."""
Fetch: TypeAlias = "Callable[[Reader, Mapping[str, str]], Awaitable[File]]"
Run: TypeAlias = "Callable[[Doer, Mapping[str, Json]], Awaitable[Mapping[str, Json]]]"
Said: TypeAlias = Mapping[str, Json]
LARGEST_FILE: Final = 11 * 1024 * 1024
"""Bytes: what fits into one answer of the control socket, as text."""


@dataclass(frozen=True, slots=True)
class File:
    """Bytes that a page hands out.

    Attributes:
        name: What the browser shall call it.
        media: Its media type.
        size: Of all of it, where this is a piece: the next is asked for by its ``offset``. None: it is whole.
    """

    name: str
    media: str
    body: bytes = field(repr=False)
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What a form of a page does: one request of the control socket, by whoever is logged in.

    Attributes:
        do: The request, as the command line sends it; it decides who may, and asks for a PIN where it wants one.
        fields: All that is taken from the form, each bounded.
        shape: Makes the request's members of the fields, where they have not the same names. A list in ``by`` has who
            is logged in first.
        run: Does something of the page's own in place of a request.
        to: The page that comes next; the same again where nothing is said.
        in_login: The request is told in which login it is asked: what comes of it belongs to that login.
    """

    do: str = ""
    fields: tuple[Field, ...] = ()
    shape: Callable[[Said, str], Said] = lambda said, _: said
    run: Run | None = None
    to: str | None = None
    in_login: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        name: In its address, and of its template.
        title: In the list of pages.
        psc: It may be shown in PSC mode; ``read`` then leaves out what A/9.8.1 protects (``reader.is_psc``).
        document: Returns what is read here, as entries name it; once a login, reading it is an entry.
        files: What can be fetched from it, by name.
        order: Its place in the list of pages.
        listed: It stands in the list of pages; one that is reached from another does not.
    """

    name: str
    title: str
    read: Read
    acts: Mapping[str, Act] = field(default_factory=dict)
    psc: bool = False
    document: Callable[[Mapping[str, str]], str] | None = None
    files: Mapping[str, Fetch] = field(default_factory=dict)
    order: int = 50
    listed: bool = True

    def read_as(self, asked: Mapping[str, str]) -> str:
        """Return what is read, as an entry names it."""
        return self.name if self.document is None else self.document(asked)
