"""How does what the daemon says become a page? Templates that escape everything and fail where something is missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateError

from daemon.computer import logs
from daemon.web.review.asked import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING: Final = "–"


class Templates:
    """Every template of the SSO's pages."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("daemon.web", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,  # else each page looks on the disk whether a template is another now
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._log = logs.get("pages")
        self._environment.filters |= {"said": said, "utc": utc, "day": day, "query": urlencode}
        for name in self._environment.list_templates(extensions=["html"]):
            self._environment.get_template(name)  # compiled now, not while a page is waited for

    def made(self, name: str, **given: Any) -> str:
        """Return a page.

        Raises:
            BadRequestError: It cannot be made of what it was given; the log says why.
        """
        offset_min = given.get("ship_time_offset_min", 0)
        try:
            template = self._environment.get_template(f"{name}.html")
            return template.render(
                **given,
                at=lambda moment: at(moment, offset_min),
                hour=lambda moment: hour(moment, offset_min),
                name=name,
            )
        except (TemplateError, TypeError, KeyError, ValueError) as err:
            self._log.exception("page.not_made", page=name)
            raise BadRequestError(500, f"the page {name} cannot be made") from err


def said(value: Any) -> str:
    """Return a value in words: nothing is a dash, a truth *yes* or *no*."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def at(moment: str | None, offset_min: int) -> str:
    """Return a moment in ship's time with UTC beside it: ``22 Nov 1010 (0210Z)``."""
    if moment is None:
        return NOTHING
    found = datetime.fromisoformat(moment)
    there = found + timedelta(minutes=offset_min)
    zulu = f"{found:%H%M}Z" if there.date() == found.date() else f"{found:%d} {found:%H%M}Z"
    return f"{there:%d %b %H%M} ({zulu})"


def hour(moment: str, offset_min: int) -> str:
    """Return a moment in ship's time alone, for a list that says so: ``22 1010``."""
    return f"{datetime.fromisoformat(moment) + timedelta(minutes=offset_min):%d %H%M}"


def utc(moment: str | None) -> str:
    """Return a moment in UTC: ``22 Nov 2026 0210Z``."""
    return NOTHING if moment is None else f"{datetime.fromisoformat(moment):%d %b %Y %H%MZ}"


def day(moment: str | None) -> str:
    """Return the day of a moment: ``22 Nov 2026``."""
    return NOTHING if moment is None else f"{datetime.fromisoformat(moment):%d %b %Y}"


def clock_words(frame: Mapping[str, Any]) -> str:
    """Return when a page was made, on both clocks: ``22 Nov 2026 0210Z, ship's time 22 Nov 1010 +8``."""
    found, minutes = datetime.fromisoformat(frame["utc"]), int(frame["ship_time_offset_min"])
    there = found + timedelta(minutes=minutes)
    sign, hours = ("-" if minutes < 0 else "+"), abs(minutes)
    zone = f"{sign}{hours // 60}" + (f":{hours % 60:02d}" if hours % 60 else "")
    return f"{found:%d %b %Y %H%MZ}, ship's time {there:%d %b %H%M} {zone}"
