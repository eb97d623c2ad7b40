"""Listen to the ship for one station, sound what sounds there, and say each ten seconds whether it would be heard."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from daemon.computer import logs, systemd
from daemon.errors import LinkError
from daemon.mqtt.commands import LONGEST_EXPIRY_S
from daemon.mqtt.connection import Connection
from daemon.mqtt.topics import Topics
from daemon.mqtt.wire import PublishRefusedError
from daemon.sound.conductor import Conductor, Sounding
from daemon.sound.ears import Ears
from daemon.sound.hearing import LONGEST_REASON, Hearing, read, shown
from daemon.sound.player import Player
from daemon.sound.tones import Signal, samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.mqtt.wire import Broker, Message
    from daemon.sound.outputs import Output

ALIVE_S: Final = 10.0
LOOK_S: Final = 1.0
"""What has changed of what a station proves is said after so long at most."""
FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 10.0
MOST_TOLD: Final = 20
"""Alerts that begin to sound together are told by name up to so many, the loudest first; the rest is counted."""
MOST_WAITING: Final = 4000
"""Messages that have come and are not read yet."""
HEARD: Final = ("status", "heartbeat", "snapshot", "alert/+")
"""Beside its own, in the open and in the citadel."""
OWN_WORD: Final = "sound-"
"""How the id of its commands begins: on the same topic the page of its station is answered as well."""
LOG = logs.get("sound")


class Sounder:
    """The sounder of one station."""

    def __init__(
        self,
        station: str,
        *,
        broker: Broker,
        ship: str,
        open_output: Callable[[], Output],
        clock: Clock,
        entropy: Entropy,
        volume: int = 100,
        show: Callable[[str], None] | None = None,
    ) -> None:
        """Sound the alerts of a station.

        Args:
            station: Its id.
            broker: Where the ship's broker is, and as whom it is entered.
            ship: The ship's part of every topic.
            open_output: Makes the output that is played on.
            clock: Time.
            entropy: Names that do not come again.
            volume: In per cent of what the output can; the ship's floor counts where it is higher.
            show: Shows a line where a person sees it; without it the station's page does that.
        """
        self._station = station
        self._broker = broker
        self._topics = Topics(ship)
        self._clock = clock
        self._entropy = entropy
        self._volume = volume
        self._show = show
        self._connection: Connection | None = None
        self._replies = {t.reply(station) for t in (self._topics, self._topics.citadel())}
        self._conductor = Conductor()
        self._shown: frozenset[Sounding] = frozenset()
        self._played: Signal | None = None
        """For alerts, the signal that began last; None where something else was played."""
        self._was_lost = False
        self._is_asked = asyncio.Event()
        self._refusal: str | None = None
        self._ears = Ears(station, self._topics, clock.now_s())
        self.player = Player(
            open_output,
            self._next_signal,
            self._goes_on,
            # What still sounds here sounds at once when an output plays again, as after a start.
            lost=self._conductor.forget,
            clock=clock,
        )

    @property
    def hearing(self) -> Hearing:
        """Return what is heard at present."""
        return self._ears.now

    async def run(self) -> None:
        """Run until cancelled."""
        systemd.notify("READY=1")
        async with asyncio.TaskGroup() as group:
            group.create_task(self.player.run())
            group.create_task(self._listen())
            group.create_task(self._prove())

    def _next_signal(self) -> bytes:
        """Return the samples of the signal that begins now; none for silence."""
        now_s = self._clock.now_s()
        lost = self.hearing.lost(now_s) and not self.hearing.curtained
        sounding = frozenset() if lost else self.hearing.sounding()
        self._say(sounding, lost=lost)
        voice = self.hearing.voice()
        signal = self._conductor.due(
            sounding,
            stale=self.hearing.stale(now_s),
            now_s=now_s,
            warning_every_s=voice.warning_every_s,
        )
        self._played = None if signal is Signal.STALE else signal
        if signal is None and self.hearing.test_sound(now_s):
            signal = Signal.WARNING
        if signal is None:
            return b""
        return samples(signal, tones=voice.tones, volume=max(self._volume, voice.volume_floor))

    def _goes_on(self) -> bool:
        """Return whether what is being played is still to be: one acknowledged elsewhere ends before its last pulse."""
        return self._played is None or any(
            each.signal is self._played for each in self.hearing.sounding()
        )

    def _say(self, sounding: frozenset[Sounding], *, lost: bool) -> None:
        """Say what is new, where a person may read it and in the log."""
        new = sorted(sounding - self._shown, key=lambda s: (-s.signal, s.id))
        for each in new[:MOST_TOLD]:
            LOG.info("alert.sounds", alert=each.id, instance=each.instance, as_=each.signal.name)
            self._show_line(self.hearing.words(each))
        if more := len(new[MOST_TOLD:]):
            LOG.info("alerts.sound", more=more)
            self._show_line(f"and {more} more")
        self._shown = sounding
        if lost is self._was_lost:
            return
        self._was_lost = lost
        if lost:
            LOG.warning("daemon.lost", reason=self._why_lost())
            self._show_line("ISPSD DOES NOT ANSWER: use rounds, call the ETO")
        else:
            LOG.info("daemon.heard")

    def _show_line(self, line: str) -> None:
        if self._show is None:
            return
        try:
            self._show(line)
        except (
            OSError,
            ValueError,
        ) as err:  # it silences nobody, and proves from now on that nobody reads there
            LOG.warning("terminal.gone", reason=str(err))
            self._show = None

    def _why_lost(self) -> str:
        return "no broker" if self._connection is None else "no heartbeat"

    async def _listen(self) -> None:
        """Keep a connection, each time a new one."""
        retry_s, is_told = FIRST_RETRY_S, False
        while True:
            connection = Connection(
                self._broker,
                client_id=f"ispsd-sound-{self._entropy.token()}",
                payload_limit_bytes=256 * 1024,
                inbox_limit=MOST_WAITING,
            )
            try:
                await connection.connect()
                LOG.info("broker.connected", place=self._broker.place)
                retry_s, is_told = FIRST_RETRY_S, False
                await self._serve(connection)
            except (LinkError, PublishRefusedError) as err:
                tell = LOG.debug if is_told else LOG.warning
                tell("broker.lost", reason=str(err))
                is_told = True
            finally:
                self._connection = None
                await connection.disconnect()
            await self._clock.sleep(retry_s)
            retry_s = min(2 * retry_s, LONGEST_RETRY_S)

    async def _serve(self, connection: Connection) -> None:
        """Take what comes, until the connection is over.

        Raises:
            LinkError: It is.
            PublishRefusedError: The broker lets us hear nothing.
        """
        self._ears.connected_anew()
        self._connection = connection
        # Read from the first message on: what the broker remembers comes before it has answered every subscription.
        subscribing = asyncio.ensure_future(self._subscribe(connection))
        try:
            async for message in connection.messages():
                self._take(message)
                if connection.dropped:
                    # An alert may have been among them: what the broker remembers is asked for anew.
                    raise LinkError(
                        f"{connection.dropped} messages came faster than they were read"
                    )
            if subscribing.done():
                subscribing.result()
            raise LinkError(connection.closed.result())
        finally:
            subscribing.cancel()
            await asyncio.gather(subscribing, return_exceptions=True)

    async def _subscribe(self, connection: Connection) -> None:
        """Ask for everything that a sounder hears."""
        own = (f"station/{self._station}", f"reply/{self._station}")
        try:
            # The curtain first: till it is told to be raised, nothing may sound here that a stranger could hear.
            for name in ("curtain", *own, *HEARD, "selftest/+"):
                await connection.subscribe(f"{self._topics.root}/{name}")
        except PublishRefusedError as err:
            connection.give_up(str(err))
            raise
        with suppress(PublishRefusedError):  # only the broker knows who may hear that
            for name in (*own, *HEARD):
                await connection.subscribe(f"{self._topics.citadel().root}/{name}")

    def _take(self, message: Message) -> None:
        if message.topic in self._replies:
            self._take_reply(message)
        else:
            self._ears.take(message, self._clock.now_s())
            if self._ears.open.asked is not None:
                self._is_asked.set()

    def _take_reply(self, message: Message) -> None:
        said = read(message) or {}
        if str(said.get("id")).startswith(OWN_WORD):  # else it is to the page of this station
            refused = said.get("accepted") is False
            reason = shown(said.get("reason"), most=LONGEST_REASON)
            self._note_refusal(reason if refused else None)

    async def _prove(self) -> None:
        """Say each ten seconds, and as soon as it changes, what is true; answer a synthetic alert at once.

        However many of these come, one in ``LOOK_S`` is answered: more proofs of life than that ispsd would refuse.
        """
        said: tuple[str | None, bool, bool] | None = None
        said_s, progress = float("-inf"), -1
        while True:
            now_s = self._clock.now_s()
            if self.player.progress != progress:
                progress = self.player.progress
                systemd.notify("WATCHDOG=1")
            proof = (self.hearing.session, self.hearing.fresh(now_s), self.player.armed())
            if proof[0] is not None and (proof != said or now_s - said_s >= ALIVE_S):
                said, said_s = proof, now_s
                await self._say_alive(proof[0], fresh=proof[1], armed=proof[2])
            if await self._clock.wait(self._is_asked, LOOK_S):
                await self._answer()
                await self._clock.sleep(LOOK_S)

    async def _answer(self) -> None:
        """Answer the newest synthetic alert, so that ispsd knows that alerts come here."""
        self._is_asked.clear()
        heard = self._ears.open
        asked, heard.asked = heard.asked, None
        session = self.hearing.session
        if asked is not None and session is not None:
            fresh, armed = self.hearing.fresh(self._clock.now_s()), self.player.armed()
            await self._say_alive(session, fresh=fresh, armed=armed, selftest=asked)

    async def _say_alive(
        self, session: str, *, fresh: bool, armed: bool, selftest: str | None = None
    ) -> None:
        if (connection := self._connection) is None:
            return
        body: dict[str, Any] = {
            "id": f"{OWN_WORD}{self._entropy.token()}",
            "session": session,
            "shown": self._show is not None,
            "fresh": fresh,
            "sound_armed": armed,
        }
        if self._show is None:
            body["of"] = "program"  # what is shown there is the page's to say
        if selftest is not None:
            body["selftest"] = selftest
        topic = self._topics.command(self._station, "alive")
        try:
            await connection.deliver(topic, json.dumps(body).encode(), expiry_s=LONGEST_EXPIRY_S)
        except LinkError:
            return  # the next connection says it again
        except PublishRefusedError as err:
            self._note_refusal(str(err))

    def _note_refusal(self, reason: str | None) -> None:
        """Say why nobody takes our word that we are alive: once, however often it is said."""
        if reason is not None and reason != self._refusal:
            LOG.warning("alive.refused", reason=reason)
        self._refusal = reason
