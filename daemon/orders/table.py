"""Which orders are there, what act is each by the table of people, and who carries it out?

A new order is one entry here; its members stand in ``daemon.mqtt.verbs``. Every order counts at once, is an entry, and
survives a restart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from daemon import forms
from daemon.errors import RefusedError
from daemon.model import Role, SecurityLevel, Situation
from daemon.mqtt.commands import Reply
from daemon.orders.blackouts import Blackouts
from daemon.orders.handing_over import handed_over
from daemon.orders.inhibits import Inhibits
from daemon.orders.levels import Levels
from daemon.orders.navigation import NavigationOrders
from daemon.orders.order import Done, Order
from daemon.orders.permits import Permits
from daemon.orders.screens import Screens
from daemon.orders.securing import Standing, in_the_way
from daemon.orders.serving import Serving
from daemon.orders.ship import ShipOrders
from daemon.people.authority import Act
from daemon.record.waiting import on_disk

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from enum import Enum

    from daemon.model import DoorClass, Json
    from daemon.orders.order import Said
    from daemon.orders.ordering import Ordering
    from daemon.orders.screens import Stage
    from daemon.orders.service import Service
    from daemon.people.claims import By, Claim
    from daemon.people.people import People
    from daemon.record.entry import Entry
    from daemon.testing.worklist import Item

Choice = TypeVar("Choice", bound="Enum")
MOST_IN_THE_WAY = 40
"""What a reply names; the rest is counted."""


class Orders:
    """Every order about the ship."""

    def __init__(
        self,
        ordering: Ordering,
        *,
        people: People,
        service: Service,
        sources: Mapping[str, str],
        stage: Stage | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            ordering: What every order has at hand.
            people: Who may act on board.
            service: What is out of service.
            sources: The short name of everything that an alert can be about.
            stage: Where a curtain comes down; None: nobody is told anything.
        """
        self._ordering = ordering
        self._people = people
        self.service = service
        self._serving = Serving(service, people)
        self.ship = ShipOrders(ordering)
        self.levels = Levels(ordering)
        self.navigation = NavigationOrders(ordering)
        self.permits = Permits(ordering)
        self.inhibits = Inhibits(ordering, sources=sources)
        self.blackouts = Blackouts(ordering)
        self.screens = Screens(ordering, people=people, stage=stage)
        self.table: Mapping[str, Order] = {
            "situation": Order(Act.SITUATION, self._situation),
            "level": Order(Act.LEVEL, self._level),
            "level_in_force": Order(Act.IN_FORCE, self._in_force),
            "port_level": Order(Act.PORT_LEVEL, self._port_level),
            "threat": Order(Act.THREAT, self._threat),
            "ship_time": Order(Act.SHIP_TIME, self._ship_time),
            "ais_off": Order(Act.AIS_OFF, self._ais_off),
            "interference_area": Order(Act.INTERFERENCE, self._interference_area),
            "permit": Order(Act.PERMIT, self._permit),
            "inhibit": Order(Act.INHIBIT, self._inhibit),
            "out_of_service": Order(
                Act.OUT_OF_SERVICE, self._serving.from_a_station, self._serving.who
            ),
            "blackout": Order(Act.BLACKOUT, self._blackout),
        }

    async def carry_out(self, verb: str, said: Said, claim: Claim) -> Reply:
        """Carry out an order, from a station or from the control socket.

        Raises:
            RefusedError: With the reason, for the person who asked.
        """
        if (act := self.screens.acts.get(verb)) is not None:
            return await act(said, claim)
        if (order := self.table.get(verb)) is None:
            raise RefusedError(f"{verb}: not available in this version")
        if order.who is not None:
            by = order.who(claim)
        else:
            by = await self._people.prove(claim, order.act)
        return await self._reply(order.carry_out(by, said))

    def door_class(self, id_: str) -> DoorClass | None:
        """Return the class of a door, by its id or by that of its lock; None for what is none."""
        return self._ordering.door_class(id_)

    def look(self) -> None:
        """See what has ended, what soon will, and what is owed."""
        self.inhibits.look()
        self.service.look()
        self.blackouts.look()
        self.levels.look()
        self.screens.look()

    def to_do(self) -> Iterable[Item]:
        """Yield what SSO and Master have to see to."""
        for part in (self.service, self.inhibits, self.levels, self.blackouts):
            yield from part.to_do()

    def handed_over(self) -> dict[str, Json]:
        """Return what whoever takes the watch has to know."""
        watch, openings = self._ordering.watch, self._ordering.openings.values()
        now_s = self._ordering.clock.now_s()
        return handed_over(self._ordering.ship, watch.engine.alerts(), openings, now_s=now_s)

    def ready_to_secure(self, said: Said) -> Reply:
        """Name what stands in the way of a situation or a level, as they are now where none is asked for.

        Raises:
            RefusedError: There is no such situation or level.
        """
        asked: dict[str, Any] = {}
        if "situation" in said:
            asked["situation"] = _one_of(Situation, said["situation"])
        if "level" in said:
            asked["level"] = _one_of(SecurityLevel, said["level"])
        found = self._in_the_way(**asked)
        return Reply(accepted=True, extra={"ready": not found, "in_the_way": found})

    def requests(self) -> Mapping[str, Callable[[Said], Awaitable[Mapping[str, Json]]]]:
        """Return what answers each request of the control socket that is no order of one person."""
        return {"out_of_service": self._take_out, "ready_to_secure": self._ready}

    async def _reply(self, done: Done) -> Reply:
        seq = await on_disk(done.written, self._ordering.clock)
        return Reply(accepted=True, recorded=seq, extra=done.extra or None)

    # The ship

    def _situation(self, by: By, said: Said) -> Done:
        situation = _one_of(Situation, said["situation"])
        confirmed = said.get("confirm") is True
        return self._stricter(self.ship.situation(situation, by, confirmed=confirmed))

    def _level(self, by: By, said: Said) -> Done:
        level = _one_of(SecurityLevel, said["level"])
        notified = said.get("notified")
        written = self.levels.level(level, by, told_by=said["told_by"], notified=notified)
        self.look()
        done = self._stricter(written)
        command = self._ordering.ship.level_command
        if command is None or command.notified_utc is None:
            return done
        return replace(done, extra={**done.extra, "notified": forms.utc(command.notified_utc)})

    def _in_force(self, by: By, said: Said) -> Done:
        level = _one_of(SecurityLevel, said["level"]) if "level" in said else None
        return Done(self.levels.in_force(level, by))

    def _port_level(self, by: By, said: Said) -> Done:
        level = _one_of(SecurityLevel, said["level"])
        return Done(self.levels.port_level(level, by, told_by=said["told_by"]))

    def _threat(self, by: By, said: Said) -> Done:
        confirmed = said.get("confirm") is True
        return Done(self.ship.threat(by, on=said["on"], confirmed=confirmed))

    def _ship_time(self, by: By, said: Said) -> Done:
        return Done(self.ship.ship_time(said["offset_min"], by))

    # AIS and GNSS

    def _ais_off(self, by: By, said: Said) -> Done:
        master = self._people.known(said["master"]) if said["on"] else by.person
        if said["on"] and Role.MASTER not in master.roles:
            raise RefusedError(f"{master.name} is not the Master")
        return Done(self.navigation.ais_off(by, on=said["on"], master=master.name))

    def _interference_area(self, by: By, said: Said) -> Done:
        return Done(self.navigation.interference_area(said["area"], by, hours=said["hours"]))

    # What ends by itself

    def _permit(self, by: By, said: Said) -> Done:
        if said["minutes"] == 0:
            return Done(self.permits.end(said["door"], by))
        worker, work, minutes = said["worker"], said["work"], said["minutes"]
        return Done(self.permits.give(said["door"], by, worker=worker, work=work, minutes=minutes))

    def _inhibit(self, by: By, said: Said) -> Done:
        reason = said.get("reason", "")
        if said["minutes"] == 0:
            return Done(self.inhibits.end(said["alert"], by, reason=reason))
        minutes = said["minutes"]
        return Done(self.inhibits.give(said["alert"], by, minutes=minutes, reason=reason))

    def _blackout(self, by: By, said: Said) -> Done:
        if said["minutes"] == 0:
            return Done(self.blackouts.end(by))
        begins = said.get("begins")
        written = self.blackouts.plan(by, minutes=said["minutes"], begins=begins)
        planned = self._ordering.ship.blackout
        return Done(written, {} if planned is None else {"begins": forms.utc(planned.begins_utc)})

    # What is no order of one person

    async def _take_out(self, request: Said) -> Mapping[str, Json]:
        reply = await self._reply(await self._serving.at_the_computer(request))
        return {"recorded": reply.recorded, **(reply.extra or {})}

    async def _ready(self, request: Said) -> Mapping[str, Json]:
        return dict(self.ready_to_secure(request).extra or {})

    def _stricter(self, written: asyncio.Future[Entry]) -> Done:
        """Say beside an order what stands in the way of what it asks for."""
        found = self._in_the_way()
        return Done(written, {"in_the_way": found} if found else {})

    def _in_the_way(self, **asked: Any) -> list[Json]:
        ordering = self._ordering
        if ordering.policy is None:
            return []
        watch, ship = ordering.watch, ordering.ship
        standing = Standing(
            openings=ordering.openings.values(),
            newest=watch.newest,
            is_proved=watch.proving.is_proved,
            permits=ship.permits,
            inhibits=ship.inhibits.values(),
            out_of_service={t.equipment for t in ship.out_of_service.values() if not t.covert},
            now_s=ordering.clock.now_s(),
        )
        regime = replace(watch.engine.regime, **asked)
        found: list[Json] = [o.message() for o in in_the_way(regime, ordering.policy, standing)]
        if len(found) > MOST_IN_THE_WAY:
            more = f"{len(found) - MOST_IN_THE_WAY} more"
            found = [*found[:MOST_IN_THE_WAY], {"id": "", "name": more, "why": "see ispsd secure"}]
        return found


def _one_of(choices: type[Choice], said: object) -> Choice:
    """Return the member that was said.

    Raises:
        RefusedError: There is none.
    """
    try:
        return choices(said)
    except ValueError:
        known = ", ".join(str(choice.value) for choice in choices)
        raise RefusedError(f"{said!r} is none of {known}") from None
