"""Build every part of the daemon from the ship's configuration, and connect them; nothing runs yet."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from daemon import forms
from daemon.acts import stationacts
from daemon.acts.acts import Acts
from daemon.acts.requests import Requests
from daemon.acts.stationacts import StationActs
from daemon.alertbook.desk import AlertBook
from daemon.alerts import catalogue, policy
from daemon.alerts.engine import Engine
from daemon.alerts.muting import Muting
from daemon.ashore import gathering
from daemon.assets import asset
from daemon.bam.fitted import Bam
from daemon.checks import catalogue as test_catalogue
from daemon.checks.api import Mode, Services
from daemon.commissioning.commissioning import Commissioning
from daemon.commissioning.loopcheck import LoopCheck
from daemon.computer import logs
from daemon.computer.entropy import Entropy
from daemon.config import broker, registry, wiring
from daemon.config.alerting import kinds
from daemon.console.gather import Parts, Status
from daemon.control.control import ControlServer
from daemon.drivers.camera_pictures import PICTURES, Pictures
from daemon.drivers.tape import TAPES, Tapes
from daemon.errors import RecordError
from daemon.fitting import equipment, rulebook
from daemon.fitting.devices import Devices
from daemon.fitting.exporting import exporters
from daemon.fitting.ourselves import Ourselves
from daemon.fitting.recording import record
from daemon.fitting.reloading import Reloading, would_be_lost
from daemon.fitting.shipnow import MOVING, ShipNow
from daemon.gate import CovertGate
from daemon.model import Classification, OpeningKind
from daemon.mqtt.board import Identity
from daemon.mqtt.publisher import BROKER_LIMIT_S, Publisher
from daemon.office.office import Office
from daemon.orders.board import OrderBoard
from daemon.orders.ordering import Ordering
from daemon.orders.service import Service
from daemon.orders.table import Orders
from daemon.people.hashing import RFC_9106
from daemon.points.inbox import Inboxes
from daemon.points.proving import Proving
from daemon.record.diskroom import DiskRoom
from daemon.record.entry import Draft
from daemon.record.events import RecordEvents
from daemon.ship.state import ShipState
from daemon.ssas.desk import SsasBook, attached, is_end_to_end
from daemon.ssas.papers import Call
from daemon.ssas.window import Window
from daemon.stations.alertpath import AlertPath
from daemon.stations.echoes import Echoes
from daemon.stations.stations import Stations
from daemon.supervision.isolation import Isolation
from daemon.testing.hindrances import Hindrances
from daemon.testing.readiness import Test, Tests
from daemon.testing.rejudging import Rejudging
from daemon.testing.sealregister import SealRegister
from daemon.testing.testboard import TestBoard
from daemon.testlog.desk import TestLog
from daemon.testlog.testbook import TestBook
from daemon.watch.episodes import Episodes
from daemon.watch.movements import Movements
from daemon.watch.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.computer.clock import Clock
    from daemon.config import Config
    from daemon.model import Json
    from daemon.mqtt.commands import Command, Ground, Reply
    from daemon.people.hashing import Hardness
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.entry import Entry


class Fitted:
    """Every part of ispsd, built without touching anything but the record's key, which is made where none ever was."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock,
        entropy: Entropy | None = None,
        gate: CovertGate | None = None,
        hardness: Hardness = RFC_9106,
    ) -> None:
        self.config = config
        self.clock = clock
        self._entropy = entropy or Entropy()
        self.gate = gate or CovertGate(clock)
        self.software = version("ispsd")
        self.stop = asyncio.Event()
        self.ready = asyncio.Event()
        self._hardness = hardness
        self._sealing: set[asyncio.Task[None]] = set()
        self._log = logs.get("app")
        self._build_ship()
        self._build_record()
        self._build_publisher()
        self._build_office()
        self._build_watch()
        self._build_exporters()
        self._build_tests()
        self._build_ssas()
        self._build_acts()
        self._build_books()
        self._build_answers()

    def in_its_place(self, config: Config) -> Fitted:
        """Return what another file makes, with the same clock and the same gate; nothing is touched.

        Raises:
            ValueError: A driver cannot be built here.
            IspsdError: Something that the file names is not there.
        """
        return type(self)(
            config,
            clock=self.clock,
            entropy=self._entropy,
            gate=self.gate,
            hardness=self._hardness,
        )

    def _build_ship(self) -> None:
        """Build what everything else asks: how the ship stands, and which alerts there are."""
        config, clock = self.config, self.clock
        self.ship = ShipState(config.situation, config.security_level, config.ship_time)
        regime = self.ship.regime(clock.utc(), gangway_attended=False)
        self._shipped = catalogue.load(asset("alerts.toml"))
        known = kinds(config, self._shipped)
        muting = Muting(self.ship, kinds=known, openings=config.openings, now_s=clock.now_s)
        self.engine = Engine(known, regime, muted=muting.covers, escalation=config.escalation)

    def _build_record(self) -> None:
        self.origin = f"{self.config.record.origin}/{self.config.ship.imo_number}"
        self.record = record(
            self.config,
            origin=self.origin,
            clock=self.clock,
            entropy=self._entropy,
            software=self.software,
        )
        self.events = RecordEvents(self.record)
        self.record.on_commit(self._committed)
        self.record.on_seal(self._sealed)

    def _build_publisher(self) -> None:
        ship = self.config.ship
        self.publisher = Publisher(
            broker(self.config.mqtt),
            Identity(str(ship.imo_number), ship, self.software),
            stations=[station.id for station in self.config.stations],
            citadel=[station.id for station in self.config.stations if station.citadel],
            handle=self._carry_out,
            refused=self._refused,
            events=self.events,
            clock=self.clock,
            entropy=self._entropy,
        )

    def _build_office(self) -> None:
        self.office = Office(
            self.config,
            record=self.record,
            publisher=self.publisher,
            clock=self.clock,
            entropy=self._entropy,
            hardness=self._hardness,
            ship_time=lambda: self.ship.ship_time,
            level=lambda: int(self.engine.regime.level),
            held_head=partial(self.publisher.head_at_broker, limit_s=BROKER_LIMIT_S),
            digest=self._digest,
            overdue=lambda: len(self.tests.overdue()),
            show_head=self._sealed,
            show_worklist=lambda: self._testboard.show_worklist(self.tests),
        )

    def _build_watch(self) -> None:
        config, clock = self.config, self.clock
        self.inboxes = Inboxes(clock)
        devices = Devices(config, clock=clock, gate=self.gate)
        self._shared, self._points_of = devices.shared, devices.points_of
        self.covert_points = devices.covert_points
        self.points = devices.points()
        self.ourselves = Ourselves(
            config,
            record=self.record,
            publisher=self.publisher,
            engine=self.engine,
            clock=clock,
            of_office=self._around,
        )
        self.watch = Watch(
            topics=self.publisher.topics,
            openings=config.openings,
            ship=self.ship,
            engine=self.engine,
            points=self.points,
            stations=Stations(config.stations, config.situation),
            inboxes=self.inboxes,
            clock=clock,
            gate=self.gate,
            board=self.publisher,
            journal=self.record,
            faults=self.ourselves.faults,
            settle_after_boot_s=config.settle_after_boot_s,
            annunciation=config.annunciation,
            proving=Proving(
                wiring.contacts(config),
                demo=config.is_demo,
                start_proved=config.contacts_start_proved,
                journal=self.record,
            ),
        )
        self._echoes = Echoes(self.watch.stations)
        self.supervisors = devices.supervised(
            entropy=self._entropy, emit=self.watch.take, on_status=self.watch.take_status
        )
        self.watch.watch_devices(self.supervisors)
        devices.name(self.watch.picture)
        self._build_beside()

    def _build_beside(self) -> None:
        """Build what hears the watch and is not heard by it."""
        config, clock = self.config, self.clock
        self.isolation = Isolation(
            config.record.directory.parent,
            self.supervisors,
            progress=lambda: self.watch.looks,
            people=self.office.people,
            journal=self.record,
            clock=clock,
        )
        self.alertbook = AlertBook(
            config,
            shipped=self._shipped,
            engine=self.engine,
            ship=self.ship,
            stations=self.watch.stations,
            clock=clock,
            journal=self.record,
        )
        self.watch.on_change(self.alertbook.hear)
        self._suspicion = rulebook.suspicion(())
        self._alarmed: list[tuple[list[str], float]] = []
        self.episodes = Episodes(
            suspicion=lambda: self._suspicion(),  # noqa: PLW0108 (the rules come later)
            engine=self.engine,
            tapes=self._shared.one(TAPES, Tapes),
            points=self.points,
            clock=clock,
            journal=self.record,
        )

    def _build_exporters(self) -> None:
        self.exporters = exporters(
            self.config,
            publisher=self.publisher,
            points_of=self._points_of,
            software=self.software,
            clock=self.clock,
            entropy=self._entropy,
        )

    def _build_tests(self) -> None:
        self._testboard = TestBoard(
            topics=self.publisher.topics,
            board=self.publisher,
            clock=self.clock,
            entropy=self._entropy,
        )
        self.movements = Movements(
            (o.id for o in self.config.openings if o.kind is OpeningKind.DOOR),
            others=(o.id for o in self.config.openings if o.kind in MOVING - {OpeningKind.DOOR}),
            demo=self.config.is_demo,
            ship_time=lambda: self.ship.ship_time,
            clock=self.clock,
            inboxes=self.inboxes,
            journal=self.record,
        )
        self.ship_now = ShipNow(
            self.config,
            names=equipment.names(self.config),
            points=self.points,
            engine=self.engine,
            watch=self.watch,
            publisher=self.publisher,
            supervisors=self.supervisors,
            movements=self.movements,
            gate=self.gate,
            pictures=self._shared.one(PICTURES, Pictures),
            suspicion=lambda: self._suspicion(),  # noqa: PLW0108 (the rules come later)
            clock=self.clock,
        )
        section = self.config.record
        folders = {"record": section.directory}
        if section.copy_directory is not None:
            folders["copy"] = section.copy_directory
        self._disk_room = DiskRoom(folders, evidence_bytes=self.record.evidence_used)
        self.register = SealRegister(test.config for test in self.config.tests)
        self.tests = Tests(
            (Test(test.config, test.spec) for test in self.config.tests),
            ship=self.config.ship,
            regime=lambda: self.engine.regime,
            ship_time=lambda: self.ship.ship_time,
            demo=self.config.is_demo,
            clock=self.clock,
            gate=self.gate,
            points=self.watch,
            inboxes=self.inboxes,
            journal=self.record,
            on_change=lambda test: self._testboard.show(self.tests, test),
            services=self._services(),
            entropy=self._entropy,
            software=self.software,
        )
        self.tests.is_defective = self.office.book.is_defective
        self.tests.also_to_do += [*self.office.to_do(), self._build_commissioning().to_do]

    def _build_commissioning(self) -> Commissioning:
        loop_check = self._loop_check = LoopCheck(
            watch=self.watch,
            tags=tuple(wiring.tags(self.config, self._points_of)),
            topics=self.publisher.topics,
            board=self.publisher,
            journal=self.record,
            clock=self.clock,
        )
        self.watch.aside = self.watch.proving.tester = loop_check
        self.watch.proving.changed = lambda: self._testboard.show_worklist(self.tests)
        self.commissioning = Commissioning(
            people=self.office.people,
            watch=self.watch,
            tests=self.tests,
            loop_check=loop_check,
            record=self.record,
            clock=self.clock,
            points_of=self._points_of,
        )
        return self.commissioning

    def _around(self) -> Mapping[str, bool]:
        """Return which conditions hold around the watch, by catalogue key."""
        return {**self.office.faults(), "bam.lost": self.bam.panel_is_lost}

    def _services(self) -> Services:
        """Return what the ship offers a check beside her sensors."""
        now = self.ship_now
        return Services(
            ais_off_orders=lambda: (
                self.ship.ais_orders.known_since_utc,
                self.ship.ais_orders.times,
            ),
            alert_path=AlertPath(self.publisher, self._echoes, clock=self.clock).send,
            station_is_live=lambda: self.watch.stations.one_is_attended(self.clock.now_s()),
            verify_record=self.ourselves.verify_record,
            movements=self.movements.of_day,
            seal_numbers=self.register.changed,
            position_doubt=now.position_doubt,
            position_odd=now.position_odd,
            link=now.link,
            picture=now.picture,
            name_of=now.name_of,
            contacts=now.contacts,
            situation=lambda: self.engine.regime.situation,
            disks=self._disk_room.ask,
            # The acts are built later.
            play_test_sound=lambda station: self.station_acts.play(station),  # noqa: PLW0108
            sound_heard=lambda *heard: self.station_acts.note_heard(*heard),  # noqa: PLW0108
            open_alerts=now.open_alerts,
            knows_alert=now.knows_alert,
            answers=now.answers,
            listens_since_s=now.listens_since_s,
            own_position=now.own_position,
            attached=lambda seq: attached(self.record, seq),
            window_opened_by=now.window_opened_by,
        )

    def _build_ssas(self) -> None:
        self.window = Window(
            gate=self.gate,
            window_s=self.config.ssas_window_s,
            clock=self.clock,
            journal=self.record,
        )
        card = self.config.false_alert
        self._ssasbook = SsasBook(
            ship=self.config.ship,
            tests=self.tests,
            window=self.window,
            clock=self.clock,
            calls=[
                Call(each.who, each.number, each.within_min)
                for each in (card.call if card is not None else ())
            ],
            card_paragraph="" if card is None else card.ssp_paragraph,
            position=self.ship_now.own_position,
        )

    def _build_acts(self) -> None:
        self._orders = self._build_orders()
        self.acts = Acts(
            people=self.office.people,
            watch=self.watch,
            tests=self.tests,
            register=self.register,
            orders=self._orders,
            window=self.window,
            clock=self.clock,
            journal=self.record,
            sso_stations=[station.id for station in self.config.stations if station.sso],
        )
        self.station_acts = StationActs(
            people=self.office.people,
            annunciator=self.watch.annunciator,
            echoes=self._echoes,
            clock=self.clock,
            entropy=self._entropy,
            journal=self.record,
            handed_over=self._orders.handed_over,
        )
        self.office.crew.left.append(self.station_acts.see_who_left)
        self.bam = Bam(
            self.config.bam,
            watch=self.watch,
            acts=self.acts,
            clock=self.clock,
            entropy=self._entropy,
        )
        self.screens = self._orders.screens
        self.screens.moved.append(self.bam.curtain_moved)

    def _build_books(self) -> None:
        """Build what answers for the tests: those to come, and those that were done."""
        self.testbook = TestBook(
            self.config,
            tests=self.tests,
            rows=self.acts.tests,
            shipped=test_catalogue.load(asset(test_catalogue.FILE)),
            regime=lambda: self.engine.regime,
            ship_time=lambda: self.ship.ship_time,
            clock=self.clock,
            journal=self.record,
        )
        self.testlog = TestLog(
            self.config,
            record=self.record,
            tests=self.tests,
            persons=self.office.people.persons,
            defects=self.office.book.defects,
        )

    def _build_answers(self) -> None:
        """Build what answers at the control socket."""
        self.reloading = Reloading(
            self.config,
            journal=self.record,
            build=self.in_its_place,
            hindrance=partial(
                would_be_lost,
                gate=self.gate,
                tests=self.tests,
                loop_check=self._loop_check,
                ready=self.ready,
                record=self.record,
            ),
            stop=self.stop,
        )
        requests = Requests(
            acts=self.acts,
            record=self.record,
            status=self._status(),
            worklist=self.tests.worklist,
            more={
                **self.office.answers(),
                **self.commissioning.requests(),
                **self.alertbook.requests(),
                **self._ssasbook.requests(),
                **self.testbook.requests(),
                **self.testlog.requests(),
                **self.station_acts.requests(),
                **self._orders.requests(),
                **self.isolation.requests(),
                **self.reloading.requests(),
                "doors.counted": self.movements.answer,
                "rejudge": Rejudging(self.record, registry.checks(), software=self.software).answer,
            },
        )
        self._requests = requests
        self.office.review.carry_out = requests.carry_out
        section = self.config.control
        self.control = ControlServer(section.socket, requests.carry_out, web_user=section.web_user)

    def _status(self) -> Status:
        return Status(
            Parts(
                config=self.config,
                clock=self.clock,
                engine=self.engine,
                points=self.points,
                proving=self.watch.proving,
                stations=self.watch.stations,
                supervisors=self.supervisors,
                tests=self.tests,
                record=self.record,
                regime=lambda: self.engine.regime,
                ship_time=lambda: self.ship.ship_time,
                permits=lambda: self.ship.permits,
                connected=lambda: self.publisher.facts().connected,
                broker_reason=lambda: self.publisher.facts().reason,
                odd=self.ship_now.position_odd,
                interference=lambda: self.ship.interference,
                sounds_at=self.watch.annunciator.sounds_at,
                panel=self.bam.shown,
                exporters=self.exporters.shown,
                ordered=self.ship,
            )
        )

    async def _digest(self) -> Mapping[str, Json]:
        """Return the week for the company."""
        tests = self.tests.tests.values()
        covert = [test for test in tests if test.classification is Classification.SSO]
        return await gathering.gathered(
            gathering.Parts(
                ship=self.config.ship,
                flag=self.flag(),
                software=self.software,
                configuration=self.config.sha256,
                record=self.record,
                clock=self.clock,
                regime=lambda: self.engine.regime,
                ship_time=lambda: self.ship.ship_time,
                ask=self._requests.carry_out,
                ssas=frozenset(test.config.id for test in tests if is_end_to_end(test)),
                covert=frozenset(
                    name.casefold()
                    for test in covert
                    for name in (
                        test.config.id,
                        test.config.equipment,
                        getattr(test.config, "activation_point", ""),
                    )
                    if name
                )
                | {each.id.casefold() for each in self._equipment.values() if each.covert},
                named=frozenset(each.id for each in self._equipment.values() if not each.covert),
                copied_utc=lambda: self.office.safekeeping.copies.standing.good_utc,
            )
        )

    def flag(self) -> str:
        """Return what tells a flag from another: whose retention counts, and whose digits the MMSI begins with."""
        return f"{self.config.record.flag}/{str(self.config.ship.mmsi)[:3]}"

    def _build_orders(self) -> Orders:
        """Put together what is ordered, and whoever sees to it when it ends."""
        config, tests = self.config, self.tests.tests.values()
        self._equipment = equipment.equipment(config, tests)
        ordering = Ordering(
            watch=self.watch,
            openings=config.openings,
            clock=self.clock,
            journal=self.record,
            policy=policy.load(asset("policy.toml")),
        )
        condition = equipment.Condition(
            watch=self.watch, supervisors=self.supervisors, tests=self.tests.tests
        )
        orders = Orders(
            ordering,
            people=self.office.people,
            service=Service(ordering, equipment=self._equipment, look_at=condition.of),
            sources=equipment.names(config),
            stage=self.publisher,
        )
        watch_class = Classification.WATCH
        board = OrderBoard(
            self.ship,
            topics=self.publisher.topics,
            board=self.publisher,
            clock=self.clock,
            tested={t.config.equipment for t in tests if t.classification is watch_class},
        )
        self.watch.also_look += [orders.look, self._show_crew]
        self.watch.also_show += [
            board.show,
            self._show_crew,
            lambda: self._testboard.show_worklist(self.tests),
        ]
        self.tests.also_to_do.append(orders.to_do)
        self.tests.out_of_service = lambda id_: id_ in self.ship.out_of_service
        self.tests.hindrance = Hindrances(self.engine, self.ship, self.clock).of
        return orders

    def _show_crew(self) -> None:
        """Show who may take a watch, where that is another crew than was shown last."""
        self.watch.picture.crew(self.office.people.on_board())

    def _write(self, type_: str, said: Mapping[str, Json], *, subject: str = "ispsd") -> None:
        self.record.submit(
            Draft(
                kind="system",
                type=type_,
                subject=subject,
                classification=Classification.WATCH,
                open=said,
            )
        )

    def _committed(self, entry: Entry) -> None:
        self.events.committed(entry)
        self.tests.happened(entry.type, entry.open, forms.from_utc(entry.stamp.at))
        if entry.type == "test.result" and entry.open.get("mode") == Mode.ASSISTED.value:
            sealing = asyncio.ensure_future(self._seal())
            self._sealing.add(sealing)
            sealing.add_done_callback(self._sealing.discard)

    async def _seal(self) -> None:
        with suppress(RecordError):
            await self.record.seal()

    def _sealed(self, checkpoint: Checkpoint) -> None:
        self.publisher.put(
            self.publisher.topics.record_head(),
            {
                "note": checkpoint.note,
                "origin": checkpoint.origin,
                "size": checkpoint.size,
            },
            self.clock.now_s(),
        )

    async def _carry_out(self, command: Command) -> Reply:
        self.station_acts.noticed(command)
        if command.verb in stationacts.VERBS:
            return await self.station_acts.carry_out(command)
        if command.verb == "loop_check":
            return await self.commissioning.carry_out(command)
        return await self.acts.carry_out(command)

    async def _refused(self, station: str, ground: Ground, count: int) -> None:
        self._write(
            "command.refused",
            {"station": station, "ground": ground.value, "count": count},
            subject=station or "unknown",
        )
