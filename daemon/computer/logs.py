"""How ispsd speaks to the journal: one line an event, ``noun.verb`` and fields, no secret and nothing covert."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from datetime import datetime

    from structlog.typing import FilteringBoundLogger


def configure(
    *,
    json: bool,
    utc: Callable[[], datetime],
    level: str = "info",
    stream: TextIO | None = None,
) -> None:
    """Set up logging for a whole process; the libraries below us speak only from WARNING on."""
    import structlog  # noqa: PLC0415 (who only asks the daemon something logs nothing, and waits for every import)

    out = stream or sys.stderr

    def stamp(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        now = utc()
        event["at"] = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
        return event

    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            stamp,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Forgiving(out))),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=out, level=logging.WARNING, force=True)


class _Forgiving:
    """A stream that may fail: a full disk, or a journal that is gone, costs the line and never whoever speaks."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, line: str) -> None:
        with suppress(OSError):
            self._out.write(line)

    def flush(self) -> None:
        with suppress(OSError):
            self._out.flush()


def get(name: str) -> FilteringBoundLogger:
    """Return the logger of one part of ispsd."""
    import structlog  # noqa: PLC0415 (as above)

    log: FilteringBoundLogger = structlog.get_logger(part=name)
    return log
