"""Another ship's file while ispsd runs: looked at whole before anything is touched, and refused where it is wrong.

A reload is a second daemon, built beside the first in the same process, that takes over when the first has stopped in
order: whatever is kept over a restart is kept over it, and by the same ways.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from daemon import config as ship_file
from daemon.computer import logs
from daemon.computer.secretfiles import credentials
from daemon.config import changes
from daemon.config.carrying import unpacked
from daemon.control import fields
from daemon.errors import ConfigError, IspsdError, RefusedError
from daemon.model import Classification
from daemon.record.entry import Draft

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from daemon.commissioning.loopcheck import LoopCheck
    from daemon.config import Config
    from daemon.gate import Gate
    from daemon.model import Json
    from daemon.record.journal import Journal
    from daemon.record.log import Record
    from daemon.testing.readiness import Tests

ANSWERED_S: Final = 0.2
"""So long the answer has to leave before the socket that it leaves by is closed."""
MOST_NAMED: Final = 40


class _NotTakenError(Exception):
    """A file is not taken; nothing was touched.

    Attributes:
        reason: For whoever asked, alone.
        shown: What a log may have of it, which everybody reads.
    """

    def __init__(self, reason: str, *, shown: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.shown = reason if shown is None else shown


def would_be_lost(
    *, gate: Gate, tests: Tests, loop_check: LoopCheck, ready: asyncio.Event, record: Record
) -> tuple[str, bool] | None:
    """Return what would be lost if the watch began anew now, and whether only the SSO may know of it."""
    if gate.is_open():
        return "a test window of the SSAS is open: close it, or wait until its test is over", True
    for test in tests.tests.values():
        if test.session is not None and test.session.person is not None:
            covert = test.classification is Classification.SSO
            return f"{test.config.id} is being done: let it end, or break it off", covert
    if loop_check.is_on:
        return "a loop check is going on: let it end, or end it", False
    if not ready.is_set():
        return "ispsd has not come up yet: try again in a moment", False
    if not record.health().writable:
        return "the record cannot be written now, and what is open would not be kept", False
    return None


class Reloading:
    """Takes another file, or refuses it; whoever runs the daemon looks for its ``successor`` when it has stopped."""

    def __init__(
        self,
        config: Config,
        *,
        journal: Journal,
        build: Callable[[Config], object],
        hindrance: Callable[[], tuple[str, bool] | None],
        stop: asyncio.Event,
    ) -> None:
        """Touch nothing yet.

        Args:
            config: The file that runs.
            journal: Where it is written.
            build: Builds the daemon of another file without touching anything.
            hindrance: What stands in the way now, and whether only the SSO may know it; None: nothing.
            stop: Stops the daemon that runs.
        """
        self.successor: object | None = None
        self._config = config
        self._journal = journal
        self._build = build
        self._hindrance = hindrance
        self._stop = stop
        self._log = logs.get("reload")

    def requests(
        self,
    ) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]]]:
        """Return what can be asked here, by the name of the request."""
        return {"reload": self._asked, "configuration": self._which}

    async def hang_up(self, path: Path) -> None:
        """Read the file again, as SIGHUP asks; who sent it hears nothing, so the log says what became of it."""
        if path.parent == credentials():
            # What systemd handed over stays as it was at the start (systemd.exec(5)).
            self._log.warning(
                "reload.refused", reason="a credential does not change: systemctl reload ispsd"
            )
            return
        try:
            raw = await asyncio.to_thread(_read, path)
        except OSError as err:
            self._log.error("reload.refused", reason=f"{path}: {err.strerror or err}")
            return
        with suppress(RefusedError):  # ``take`` has logged it
            self.take(raw, str(path), asked_by="SIGHUP")

    async def _asked(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        if not isinstance(packed_file := request.get("packed"), str):
            raise RefusedError("the file is missing")
        return self.take(
            unpacked(packed_file),
            fields.text(request, "file"),
            asked_by="ispsd reload",
            for_a_log=request.get("for_a_log") is True,
        )

    async def _which(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        return {"sha256": self._config.sha256, "leaving": self.successor is not None}

    def begin_anew(self) -> bool:
        """Have the watch begin anew with the same file; return whether it does: nothing stands in the way now."""
        if self.successor is not None or self._stop.is_set() or self._hindrance() is not None:
            return False
        self.successor = self._build(self._config)
        self._stop.set()
        return True

    def take(
        self, raw: bytes, name: str, *, asked_by: str, for_a_log: bool = False
    ) -> Mapping[str, Json]:
        """Take another file in place of the one that runs; return what changes.

        Args:
            raw: The file.
            name: What it is called.
            asked_by: How it was handed over.
            for_a_log: Everybody reads the refusal: the reason is as the log has it.

        Raises:
            RefusedError: It cannot be used, or not now; nothing was touched, and the log says so as well.
        """
        try:
            return self._taken(raw, name, asked_by)
        except _NotTakenError as err:
            self._log.error("reload.refused", reason=err.shown)
            reason = err.shown if for_a_log else err.reason
            raise RefusedError(f"nothing was changed: {reason}") from None

    def _taken(self, raw: bytes, name: str, asked_by: str) -> Mapping[str, Json]:
        if self.successor is not None:
            raise _NotTakenError("another reload is going on")
        if self._stop.is_set():
            raise _NotTakenError("ispsd is stopping")
        new = _checked(raw, name)
        if new.sha256 == self._config.sha256:
            return {"sha256": new.sha256, "changes": [], "same": True}
        if lines := changes.needs_restart(self._config, new):
            raise _NotTakenError("; ".join(lines))
        if (found := self._hindrance()) is not None:
            reason, is_covert = found
            raise _NotTakenError(
                reason, shown="something that people do is going on" if is_covert else reason
            )
        try:
            successor = self._build(new)
        except Exception as err:  # whatever it is, the daemon that runs goes on
            reason = f"it cannot be built: {err}"
            raise _NotTakenError(reason, shown=f"it cannot be built: {type(err).__name__}") from err
        seen = changes.changes(self._config, new)
        more = len(seen) - MOST_NAMED
        lines = [*seen[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]
        self._journal.submit(
            Draft(
                kind="system",
                type="configuration.changed",
                subject="ispsd",
                classification=Classification.WATCH,
                open={
                    "asked_by": asked_by,
                    "before": self._config.sha256,
                    "after": new.sha256,
                    "changes": list(lines),
                },
            )
        )
        self._log.info("reload.begins", changes=lines)
        self.successor = successor
        asyncio.get_running_loop().call_later(ANSWERED_S, self._stop.set)
        of_pages = changes.of_pages(self._config, new)
        return {
            "sha256": new.sha256,
            "changes": list(lines),
            "same": False,
            "of_pages": of_pages,
        }


def _checked(raw: bytes, name: str) -> Config:
    try:
        return ship_file.read(raw, name)
    except ConfigError as err:
        raise _NotTakenError(str(err), shown="; ".join(err.in_a_log())) from err
    except IspsdError as err:
        raise _NotTakenError(f"{name}: {err}", shown=f"{name}: {type(err).__name__}") from err


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(ship_file.LARGEST_FILE + 1)
