"""A Signal K server hears of alerts and doors: deltas over the ship's own broker, one a message.

What takes them from there to the server is no part of ispsd, which writes to nothing but the broker (invariant 10): a
reader of the broker, on any computer. Everything is told again each half minute, since a server may have been started
anew.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from daemon.errors import LinkError
from daemon.exporters.api import ExporterConfig, ExporterContext, ExporterSpec, Rights, Tally
from daemon.exporters.feed import Shown
from daemon.exporters.signalk_deltas import delta, over, stopped, true_at, values, withdrawn
from daemon.mqtt.connection import Connection
from daemon.mqtt.wire import PublishRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.exporters.signalk_deltas import Value

KIND: Final = "signalk"
PAUSE_S: Final = 0.1
"""What changes within it goes out together: a contact that bounces costs ten deltas a second at most."""
LAST_S: Final = 0.5
"""How long the last words may take."""


def topic(ship: str) -> str:
    """Return where a ship's deltas are published; never retained: an old one is no news."""
    return f"signalk/ispsd_{ship}/delta"


class SignalKConfig(ExporterConfig):
    """One Signal K server behind the ship's broker."""

    kind: Literal["signalk"]
    user: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")] = "signalk"
    """As whom the deltas are read at the broker; `ispsd init` makes its password."""
    repeat_s: Annotated[float, Field(ge=5, le=300)] = 30.0
    """How often everything is told again, in seconds."""
    sound: bool = False
    """Its displays sound as well; a ship's stations sound by themselves, and only where somebody has the watch."""


class SignalK:
    """The exporter."""

    def __init__(self, config: SignalKConfig, context: ExporterContext) -> None:
        self.tally = Tally()
        self._config = config
        self._context = context
        self._topic = topic(str(context.ship.imo_number))
        self._told: dict[tuple[str, str], tuple[str, ...]] = {}
        """The paths that each topic may have been told on: one that was sent and not confirmed may be there."""

    async def run(self) -> None:
        """Tell until cancelled, then say that nothing is current any more.

        Raises:
            LinkError: The broker is lost, or does not let us.
        """
        token = self._context.entropy.token()
        connection = Connection(self._context.broker, client_id=f"ispsd-{KIND}-{token}")
        await connection.connect()
        try:
            await self._serve(connection)
        except PublishRefusedError as err:
            raise LinkError(
                f"the broker refuses it: {err}; ispsd init writes its access list"
            ) from err
        finally:
            await self._stop(connection)
            await connection.disconnect()

    async def _serve(self, connection: Connection) -> None:
        feed, clock = self._context.feed, self._context.clock
        repeat_s = clock.now_s()
        while not connection.closed.done():
            for shown in feed.take():
                await self._tell(connection, shown, with_meta=False)
            if (now_s := clock.now_s()) >= repeat_s:
                repeat_s = now_s + self._config.repeat_s
                for shown in self._everything():
                    await self._tell(connection, shown, with_meta=True)
            await clock.sleep(PAUSE_S)
            await self._news(connection, max(0.0, repeat_s - clock.now_s()))
        raise LinkError(connection.closed.result())

    def _everything(self) -> list[Shown]:
        """Return all that stands, and, as gone, what was told and stands no more."""
        standing = list(self._context.feed.everything())
        known, now_s = {(each.kind, each.id) for each in standing}, self._context.clock.now_s()
        gone = [Shown(*key, None, now_s) for key in self._told if key not in known]
        return [*standing, *gone]

    async def _news(self, connection: Connection, within_s: float) -> None:
        """Wait until there is something to tell, or the connection is over."""
        waiting = asyncio.ensure_future(self._context.feed.news(within_s))
        either: set[asyncio.Future[Any]] = {waiting, connection.closed}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()

    async def _tell(self, connection: Connection, shown: Shown, *, with_meta: bool) -> None:
        key = (shown.kind, shown.id)
        said = values(shown, sound=self._config.sound)
        paths = tuple(each.path for each in said)
        told = self._told.get(key, ())
        gone = [path for path in told if path not in paths]
        if gone:
            is_over = shown.kind == "alert" and self._context.feed.is_open
            said += (over(shown.id),) if is_over else withdrawn(gone)
        if not said:
            return
        self._told[key] = (*paths, *gone)
        await self._send(connection, said, up_s=shown.up_s, with_meta=with_meta)
        if paths:
            self._told[key] = paths
        else:
            del self._told[key]

    async def _send(
        self, connection: Connection, said: Iterable[Value], *, up_s: float, with_meta: bool
    ) -> None:
        """Send one delta.

        Raises:
            LinkError: The connection is over.
            PublishRefusedError: The broker does not let us.
        """
        now_s = self._context.clock.now_s()
        at_utc = true_at(self._context.clock.utc(), now_s=now_s, up_s=up_s)
        made = delta(said, at_utc=at_utc, with_meta=with_meta, demo=self._context.demo)
        try:
            await connection.deliver(self._topic, json.dumps(made, ensure_ascii=False).encode())
        except PublishRefusedError:
            self.tally.refused += 1
            raise
        self.tally.count(now_s)

    async def _stop(self, connection: Connection) -> None:
        """Take back the values that were told, and say that ispsd stops, where anything had been said.

        An alert is left as it stands: to a Signal K server a notification of null is *normal*, and it is not over.
        """
        paths = [path for (kind, _), told in self._told.items() if kind != "alert" for path in told]
        # One that ends while nobody is reached is told to be over when somebody is.
        self._told = {key: told for key, told in self._told.items() if key[0] == "alert"}
        if not paths or connection.closed.done():
            return
        now_s = self._context.clock.now_s()
        taken_back = withdrawn([path for path in paths if path != stopped().path])
        try:
            async with asyncio.timeout(LAST_S):
                for last in (taken_back, (stopped(),)):
                    if last:
                        await self._send(connection, last, up_s=now_s, with_meta=False)
        except (LinkError, PublishRefusedError, TimeoutError):
            return


def _rights(config: SignalKConfig, ship: str) -> Rights:
    name = topic(ship)
    return Rights(owner=(f"topic write {name}",), readers={config.user: (f"topic read {name}",)})


EXPORTER = ExporterSpec(kind=KIND, config=SignalKConfig, build=SignalK, rights=_rights)
