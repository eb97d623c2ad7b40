"""How ispsd speaks to the journal: one line an event, ``noun.verb`` and fields, no secret and nothing covert."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO

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
        event["at"] = f"{utc():%Y-%m-%dT%H:%M:%S}.{utc().microsecond // 1000:03d}Z"
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
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=out, level=logging.WARNING, force=True)


def get(name: str) -> FilteringBoundLogger:
    """Return the logger of one part of ispsd."""
    import structlog  # noqa: PLC0415 (as above)

    log: FilteringBoundLogger = structlog.get_logger(part=name)
    return log
