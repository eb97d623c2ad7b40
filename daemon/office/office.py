"""The ship's office: who may write into the record, what people write, what leaves the ship, and who vouches for it.

Everything around the record that is people's and not the watch's, put together in one place; the watch goes on without
any of it.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from daemon.assets import asset
from daemon.book import defects
from daemon.book import forms as book_forms
from daemon.book.book import Book
from daemon.book.defects import Relied
from daemon.computer import logs
from daemon.drivers.cctv_unit import CctvUnitConfig
from daemon.errors import RecordError
from daemon.model import Classification
from daemon.office.crewlist import CrewList
from daemon.office.duties import Duties
from daemon.office.safekeeping import Safekeeping
from daemon.office.vouched import Vouched
from daemon.papers import particulars
from daemon.papers.desk import ExportDesk
from daemon.papers.orders import Orders
from daemon.people import guard
from daemon.people.people import People
from daemon.people.proofs import Proofs
from daemon.people.writing import Writing
from daemon.review import registry
from daemon.review.desk import ReviewDesk
from daemon.review.redaction import Redaction
from daemon.witness import heads, mail
from daemon.witness.heads import Heads
from daemon.witness.mail import Mail
from daemon.witness.witnesses import Witnesses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
    from datetime import timezone
    from typing import Any

    from daemon.acts.requests import Handler
    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.config import Config
    from daemon.model import Json
    from daemon.mqtt.publisher import Publisher
    from daemon.people.hashing import Hardness
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.log import Record
    from daemon.testing.worklist import Item


AGAIN_S: Final = 1.0
AFTER_FAULT_S: Final = 10.0
"""How long a part that ended by an error rests before it begins again."""


class Office:
    """Every part of it. Built without touching anything; ``open`` reads what persons have set."""

    def __init__(
        self,
        config: Config,
        *,
        record: Record,
        publisher: Publisher,
        clock: Clock,
        entropy: Entropy,
        hardness: Hardness,
        ship_time: Callable[[], timezone],
        level: Callable[[], int],
        held_head: Callable[[], Awaitable[str | None]],
        digest: Callable[[], Awaitable[Mapping[str, Json]]],
        overdue: Callable[[], int],
        show_head: Callable[[Checkpoint], None],
        show_worklist: Callable[[], None],
    ) -> None:
        """Put the parts together.

        Args:
            config: Persons, witnesses, where things are kept.
            record: What all of it is about.
            publisher: Its broker holds a head of the record.
            clock: Times and ages.
            entropy: Names and salts.
            hardness: How hard a PIN is to guess.
            ship_time: Ship's time now.
            level: The ship's security level now.
            held_head: Returns the newest checkpoint that the broker holds.
            digest: Returns the week for the company.
            overdue: Returns how many tests are overdue now.
            show_head: Is given the newest head with the witnesses' lines below the ship's.
            show_worklist: Told when the list of what is to be done may have changed.
        """
        self._config = config
        self._record = record
        self._overdue = overdue
        self._clock = clock
        self._log = logs.get("office")
        self._build_people(clock, entropy, hardness)
        self.heads = Heads(record, clock=clock, part_from=record.part_from)
        self.witnesses = Witnesses(
            config.witnesses,
            record=record,
            heads=self.heads,
            clock=clock,
            entropy=entropy,
            shown=show_head,
        )
        self._mail = Mail(self.witnesses, record=record)
        self.safekeeping = Safekeeping(
            config,
            record=record,
            people=self.people,
            publisher=publisher,
            met=self.witnesses.met,
            clock=clock,
        )
        self._vouched = Vouched(
            record, copies=self.safekeeping.copies, witnesses=self.witnesses, clock=clock
        )
        self.book = Book(
            book_forms.load(asset("book.toml")),
            people=self.people,
            record=record,
            clock=clock,
            entropy=entropy,
            ship_time=ship_time,
            first_ship_time=config.ship_time,
            relied=_relied(config),
            level=level,
            tests={test.config.id: test.spec.items(test.config) for test in config.tests},
            on_change=show_worklist,
        )
        record.on_commit(self.book.told)
        self.review = ReviewDesk(
            registry.pages(),
            people=self.people,
            journal=record,
            clock=clock,
            entropy=entropy,
            ship={
                "ship": config.ship.name,
                "imo_number": config.ship.imo_number,
                "simulated": config.is_demo,
            },
            ship_time=ship_time,
            redaction=redaction_of(config),
        )
        self.proofs.on_change = self.review.pin_changed
        self.exports = ExportDesk(
            record=record,
            directory=config.record.directory,
            public_key=config.record.public_key_file,
            people=self.people,
            particulars=self._particulars,
            held_head=held_head,
            digest=digest,
            clock=clock,
            entropy=entropy,
        )
        self.papers = Orders(self.exports, clock=clock)

    def _build_people(self, clock: Clock, entropy: Entropy, hardness: Hardness) -> None:
        record, config = self._record, self._config
        self.proofs = Proofs(
            config.credentials_file, clock=clock, entropy=entropy, hardness=hardness
        )
        self.people = People(config.persons, proofs=self.proofs, journal=record, now_s=clock.now_s)
        writing = Writing(journal=record, clock=clock)
        self.duties = Duties(people=self.people, proofs=self.proofs, writing=writing)
        self.crew = CrewList(people=self.people, proofs=self.proofs, clock=clock, writing=writing)
        self.people.are_known = False
        record.guard(partial(guard.allow, self.people))
        record.on_commit(self.crew.note)

    async def open(self) -> None:
        """Read what persons have set, before anybody acts."""
        await self.proofs.open()

    async def take_up(self) -> None:
        """Take up what the record says of crew and book; what cannot be read now is tried again while it works.

        Raises:
            RecordError: The crew list cannot be read.
        """
        with suppress(RecordError):  # the book tries again each minute
            await self.book.take_up()
        with suppress(RecordError):  # then a copy counts as failing from now on
            await self.safekeeping.copies.take_up()
        await self.crew.take_up(self._record.state)

    async def before_seal(self) -> None:
        """Let the last head be signed at a stop, where whoever may hold a newer one was asked."""
        if self.witnesses.met.is_set():
            await self.safekeeping.ask_broker()

    async def close(self, *, copy: bool = True) -> None:
        """Let go of what persons have set; copy the closed record, where it is not opened again at once."""
        self.proofs.close()
        if copy:
            await self.safekeeping.copies.at_stop()
        else:
            self.safekeeping.copies.let_go()

    def work(self) -> Iterable[Coroutine[Any, Any, None]]:
        """Yield what runs for as long as the daemon does."""
        yield self._take_up_crew()
        parts = {
            "book": self.book.run,
            "exports": self.exports.run,
            "papers": self.papers.run,
            "witnesses": self.witnesses.run,
            "safekeeping": self.safekeeping.run,
            "review": self.review.run,
        }
        for name, run in parts.items():
            yield self._keep(name, run)

    async def _take_up_crew(self) -> None:
        """Read the crew list as soon as the record lets itself be read; till then nobody has a role to prove."""
        while not self.crew.is_taken_up:
            await self._clock.sleep(AGAIN_S)
            with suppress(RecordError):
                await self.crew.take_up(self._record.state)

    async def _keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Keep a part going: an error in it takes neither the watch nor the other parts along (invariant 6)."""
        while True:
            try:
                await run()
            except Exception:  # noqa: BLE001 (told in the log, and begun again)
                self._log.exception("office.fault", part=name)
            await self._clock.sleep(AFTER_FAULT_S)

    def answers(self) -> Mapping[str, Handler]:
        """Return who answers which request of the control socket."""
        return {
            mail.REQUEST: self._mail.request,
            mail.ANSWER: self._mail.answer,
            heads.REQUEST: self.heads.answer,
            **self.book.requests,
            **self.exports.requests(),
            **self.papers.requests(),
            **self.duties.requests(),
            **self.crew.requests(),
            **self.safekeeping.handlers(),
            **self.review.requests(),
            "record.stands": self._vouched.answer,
        }

    def to_do(self) -> list[Callable[[], Iterable[Item]]]:
        """Return who has lines for the worklist."""
        return [self.witnesses.to_do, self.duties.to_do, self.crew.to_do, self.book.items]

    def faults(self) -> Mapping[str, bool]:
        """Return which conditions hold, by catalogue key."""
        kept = self.safekeeping.faults()
        stands_against = self.witnesses.refused or self.heads.parted
        return {
            **kept,
            "record.check": kept["record.check"] or stands_against,
            "login.locked": self.people.locks_now(),
            "equipment.defect": self.book.level_lacks_equipment(),
        }

    def _particulars(self) -> Mapping[str, Json]:
        """Return what papers say of the ship."""
        config = self._config
        return particulars.told(
            config.ship,
            ship_time=config.ship_time,
            persons=self.people.persons(),
            kinds={test.config.id: test.spec.kind for test in config.tests},
            overdue=self._overdue(),
        )


def _relied(config: Config) -> Relied:
    """Return which security levels rely on what, as shipped and as the ship's file has it."""
    return Relied(
        by_kind=defects.load(asset("defects.toml")),
        kinds={test.config.id: test.spec.kind for test in config.tests},
        by_test={
            test.config.id: said
            for test in config.tests
            if (said := test.config.defect_effect) is not None
        },
        shown=_shown(config),
    )


def redaction_of(config: Config) -> Redaction:
    """Return what takes out of a page what the ship's file keeps for SSO and Master (ISPS A/9.8.1)."""
    points = [getattr(test.config, "activation_point", None) for test in config.tests]
    placed = [(each.id, each.name, each.place) for each in config.openings]
    placed += [
        (each.id, each.config.name, each.config.place)
        for each in config.devices
        if isinstance(each.config, CctvUnitConfig)
    ]
    return Redaction(
        secret={*(place for _, _, place in placed), *(point for point in points if point)},
        # Its lock bears a door's name: that is the door's.
        renamed={name: id_.partition(".")[0].upper() for id_, name, _ in placed},
    )


def _shown(config: Config) -> frozenset[str]:
    """Return what only tests of class ``watch`` are of, and those tests."""
    covert = {
        test.config.equipment for test in config.tests if test.classification is Classification.SSO
    }
    open_ = [test.config for test in config.tests if test.config.equipment not in covert]
    return frozenset(name for each in open_ for name in (each.id, each.equipment))
