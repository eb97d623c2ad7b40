"""What may be done about a station itself: that it is alive, who has the watch there, that it is heard.

These are what the station's own page and sounder say, and the few buttons beside the alerts. Who may stand a watch or
hear a test sound is whoever is on board.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from daemon import forms
from daemon.control import fields
from daemon.errors import RefusedError
from daemon.model import Classification
from daemon.mqtt.commands import Reply
from daemon.record.entry import Actor, Draft
from daemon.record.waiting import let_go, on_disk
from daemon.stations.stations import Teller

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Mapping

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.model import Json
    from daemon.mqtt.commands import Command
    from daemon.people.people import People
    from daemon.record.entry import Entry
    from daemon.record.journal import Journal
    from daemon.stations.annunciator import Annunciator
    from daemon.stations.echoes import Echoes

    Handler: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]]

VERBS: Final = frozenset({"alive", "take_watch", "heard", "test_sound", "gangway_reply"})


class StationActs:
    """The acts of this kind."""

    def __init__(
        self,
        *,
        people: People,
        annunciator: Annunciator,
        echoes: Echoes,
        clock: Clock,
        entropy: Entropy,
        journal: Journal,
        handed_over: Callable[[], Mapping[str, Json]] = dict,
    ) -> None:
        """Put the parts together; ``handed_over`` says what whoever takes the watch has to know."""
        self._people = people
        self._annunciator = annunciator
        self._stations = annunciator.stations
        self._echoes = echoes
        self._clock = clock
        self._entropy = entropy
        self._journal = journal
        self._handed_over = handed_over

    def noticed(self, command: Command) -> None:
        """Take it that a person has pressed something at a station: whatever was asked for but that it is alive."""
        if command.verb != "alive":
            self._annunciator.acted(command.station, self._clock.now_s())

    async def carry_out(self, command: Command) -> Reply:
        """Carry out what a station asks for.

        Raises:
            RefusedError: With the reason, for the person who asked.
        """
        station, person = command.station, command.person or ""
        match command.verb:
            case "alive":
                return self._alive(station, command.arguments)
            case "take_watch":
                return await self.take_watch(station, person=person)
            case "heard":
                nonce = command.arguments.get("nonce")
                return await self.heard(station, person=person, nonce=nonce)
            case "test_sound":
                return self.test_sound(station, person=person)
            case _:
                return Reply(accepted=True)  # that somebody pressed it is the answer

    def requests(self) -> Mapping[str, Handler]:
        """Return what is answered of this on the control socket, where there is no such station but this computer."""

        async def take_watch(said: Mapping[str, Any]) -> Mapping[str, Json]:
            reply = await self.take_watch(
                fields.text(said, "station"), person=fields.text(said, "by")
            )
            return {"recorded": reply.recorded, **(reply.extra or {})}

        async def heard(said: Mapping[str, Any]) -> Mapping[str, Json]:
            reply = await self.heard(fields.text(said, "station"), person=fields.text(said, "by"))
            return {"recorded": reply.recorded}

        async def test_sound(said: Mapping[str, Any]) -> Mapping[str, Json]:
            self.test_sound(fields.text(said, "station"), person=fields.text(said, "by"))
            return {}

        return {"take_watch": take_watch, "heard": heard, "test_sound": test_sound}

    def _alive(self, station: str, said: Mapping[str, Any]) -> Reply:
        """Take a station's proof of life; nothing is written.

        One that answers a synthetic alert is no person's act: it may say that the station is not armed, never that it
        is.
        """
        now_s, before = self._clock.now_s(), self._stations.at(station)
        ago_s, nonce = said.get("touched_s"), said.get("selftest")
        of = None if said.get("of") is None else Teller(said["of"])
        touched_s = None if ago_s is None else now_s - float(ago_s)
        is_armed = said["sound_armed"] is True
        if nonce is not None:
            touched_s = None if touched_s is None else before.touched_s
            is_armed = is_armed and before.said_armed
        self._stations.alive(
            station,
            shown=said["shown"] is True,
            fresh=said["fresh"] is True,
            sound_armed=is_armed,
            now_s=now_s,
            of=of,
            touched_s=touched_s,
        )
        self._echoes.take(station, of, nonce=nonce, now_s=now_s)
        if touched_s is not None and nonce is None:
            self._annunciator.acted(station, touched_s)
        self._annunciator.tell(station)
        return Reply(accepted=True)

    async def take_watch(self, station: str, *, person: str) -> Reply:
        """Take the watch at a station, by name; the answer says who is relieved, and what is left to see to.

        Raises:
            RefusedError: The name is not on the crew list, or there is no such station.
        """
        known = self._people.aboard(person)
        before = self._stations.at(station)
        now_utc = self._clock.utc()
        self._stations.take_watch(
            station, known.name, since_s=self._clock.now_s(), since_utc=now_utc
        )
        self._annunciator.tell(station)
        relieved = before.person if before.person != known.name else None
        since = None if before.since_utc is None else forms.utc(before.since_utc)
        relief: dict[str, Json] = {} if relieved is None else {"relieved": relieved}
        if relieved is not None and since is not None:
            relief["relieved_since"] = since
        written = self._journal.submit(
            Draft(
                kind="system",
                type="watch.taken",
                subject=station,
                classification=Classification.WATCH,
                actor=Actor(station, known.name),
                open={
                    "station": station,
                    "person": known.name,
                    "rank": known.rank,
                    "since": forms.utc(now_utc),
                    **relief,
                },
            )
        )
        recorded = await on_disk(written, self._clock)
        told = {**relief, **self._handed_over()}
        return Reply(accepted=True, recorded=recorded, extra=told or None)

    def see_who_left(self) -> None:
        """End the watch of whoever is on board no more: nothing that was done there later would be his."""
        for status in self._stations.status():
            person = status.person
            if person is None or person in self._people.members:
                continue
            self._stations.leave_watch(status.id)
            self._annunciator.tell(status.id)
            let_go(
                self._journal.submit(
                    Draft(
                        kind="system",
                        type="watch.ended",
                        subject=status.id,
                        classification=Classification.WATCH,
                        open={"station": status.id, "person": person},
                    )
                )
            )

    async def heard(self, station: str, *, person: str, nonce: object = None) -> Reply:
        """Take a person's word that the test sound is heard there; it counts for ten days.

        Raises:
            RefusedError: The name is not on the crew list, no test sound was asked for just now, or another was meant.
        """
        known = self._people.aboard(person)
        asked = self._stations.at(station).test_sound
        if asked is None:  # the entry would say that somebody heard what was never played
            raise RefusedError(f"no test sound was played at {station} in the last 2 minutes")
        if nonce is not None and asked.nonce != nonce:
            raise RefusedError("that was another test sound: play it once more")
        written = self.note_heard(station, known.name)
        return Reply(accepted=True, recorded=await on_disk(written, self._clock))

    def note_heard(self, station: str, person: str) -> asyncio.Future[Entry]:
        """Take it that somebody on board heard a station's sound; return the writing."""
        now_utc = self._clock.utc()
        self._stations.hear(
            station, person, at_utc=now_utc, now_utc=now_utc, now_s=self._clock.now_s()
        )
        self._annunciator.tell(station)
        return self._journal.submit(
            Draft(
                kind="system",
                type="station.heard",
                subject=station,
                classification=Classification.WATCH,
                actor=Actor(station, person),
                open={"station": station, "person": person, "at": forms.utc(now_utc)},
            )
        )

    def test_sound(self, station: str, *, person: str) -> Reply:
        """Have the warning's sound played once at a station, for a person who stands there.

        Raises:
            RefusedError: The name is not on the crew list, or there is no such station.
        """
        self._people.aboard(person)
        return Reply(accepted=True, extra={"nonce": self.play(station)})

    def play(self, station: str) -> str:
        """Have the test sound played once at a station; return what tells it from any other.

        Raises:
            RefusedError: There is no such station.
        """
        nonce = self._entropy.token()
        self._stations.ask_test_sound(station, nonce, now_s=self._clock.now_s())
        self._annunciator.tell(station)
        return nonce
