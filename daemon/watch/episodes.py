"""What was seen while the position was suspect? One bundle an episode: the raw sentences of ten minutes either side.

An episode begins when GNSS SUSPECT stands. Its beginning is an entry; ten minutes after the onset one more entry holds
the receivers' raw lines as evidence, where they put the ship, and what spoke against it. When ispsd stops before that,
what there is is kept; when it was stopped by force, the next start says that the lines were lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from daemon import forms
from daemon.alerts.rules.gnss import SOURCE, SUSPECT
from daemon.alerts.rules.gnss_fusion import HOLD_OFF_S, STANDS_AFTER_S
from daemon.checks.wording import kind_of
from daemon.model import Classification, Fix
from daemon.record.entry import Draft, Evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from daemon.alerts.engine import Engine
    from daemon.alerts.rules.gnss_fusion import Suspicion
    from daemon.computer.clock import Clock
    from daemon.drivers.tape import Cut, Tapes
    from daemon.model import Json
    from daemon.points.points import Points
    from daemon.record.journal import Journal

BEGAN, ENDED = "gnss.suspected", "gnss.recorded"
LOOK_S = 1.0
AROUND_S = 600.0
"""So much is kept before and after the onset."""
MEDIA = "text/plain"
MOST_INDICATIONS = 20
"""In one entry: it must stay far below the longest."""
MICRODEGREES = 1_000_000


@dataclass(slots=True)
class _Episode:
    """One that is going on."""

    onset_s: float
    onset_utc: datetime
    instance: int | None
    before: Mapping[str, Cut]
    seen: dict[str, tuple[str, int]] = field(default_factory=dict)
    """What spoke against the position, by its kind: its words, and how many seconds after the onset."""
    causes: set[str] = field(default_factory=set)
    first: dict[str, Json] = field(default_factory=dict)
    last: dict[str, Json] = field(default_factory=dict)


class Episodes:
    """Keeps what was seen, an episode at a time."""

    def __init__(
        self,
        *,
        suspicion: Callable[[], Suspicion],
        engine: Engine,
        tapes: Tapes,
        points: Points,
        clock: Clock,
        journal: Journal,
    ) -> None:
        """Keep it where ``journal`` says; ``suspicion`` says how far the position can be believed now."""
        self._suspicion = suspicion
        self._engine = engine
        self._tapes = tapes
        self._points = points
        self._clock = clock
        self._journal = journal
        self._now: _Episode | None = None
        self._newest = 0

    def take_up(self, open_one: Mapping[str, Json] | None) -> None:
        """Say of an episode that the last run began and did not end that its lines were lost."""
        if open_one is None:
            return
        self._write(
            ENDED,
            {
                "began": open_one["began"],
                "instance": open_one.get("instance"),
                "indications": open_one.get("indications", []),
                "causes": open_one.get("causes", []),
                "lost": "the raw sentences were lost: ispsd was stopped before they were written",
            },
        )

    @staticmethod
    def alarmed(
        began: Sequence[Mapping[str, Json]], *, now_s: float, now_utc: datetime
    ) -> Iterator[tuple[list[str], float]]:
        """Yield what sounded lately, by the entries of episodes that began, and when, in seconds since boot."""
        for said in began:
            age_s = (now_utc - forms.from_utc(str(said["began"]))).total_seconds() - STANDS_AFTER_S
            known = said.get("causes", [])
            if said.get("sounded") is True and 0 <= age_s < HOLD_OFF_S and isinstance(known, list):
                yield [str(cause) for cause in known], now_s - age_s

    async def run(self) -> None:
        """Look once a second, until cancelled."""
        while True:
            self.look()
            await self._clock.sleep(LOOK_S)

    def look(self) -> None:
        """Begin, follow and end an episode as things stand."""
        suspicion, now_s = self._suspicion(), self._clock.now_s()
        episode = self._now
        if episode is None and suspicion.episode is not None and suspicion.episode > self._newest:
            episode = self._begin(suspicion, suspicion.episode, now_s)
        if episode is None:
            return
        self._follow(episode, suspicion, now_s)
        if now_s - episode.onset_s >= AROUND_S:
            self._end("")

    def stop(self) -> None:
        """Keep what there is, since nothing follows."""
        if self._now is not None:
            self._end("cut short: ispsd was stopped")

    def _begin(self, suspicion: Suspicion, number: int, now_s: float) -> _Episode:
        onset_s = now_s if suspicion.onset_s is None else suspicion.onset_s
        before = {
            device: tape.mark(since_s=onset_s - AROUND_S) for device, tape in self._tapes.items()
        }
        alert = self._engine.find(SUSPECT, SOURCE)
        self._newest = number
        self._now = episode = _Episode(
            onset_s,
            self._clock.utc() - timedelta(seconds=now_s - onset_s),
            None if alert is None else alert.instance,
            before,
        )
        self._follow(episode, suspicion, now_s)
        self._write(BEGAN, {**self._said(episode), "sounded": suspicion.sounded})
        return episode

    def _follow(self, episode: _Episode, suspicion: Suspicion, now_s: float) -> None:
        after_s = round(now_s - episode.onset_s)
        for finding in suspicion.findings:
            if len(episode.seen) < MOST_INDICATIONS:
                episode.seen.setdefault(kind_of(finding.words), (finding.words, after_s))
        episode.causes |= suspicion.causes
        for device in self._tapes.devices():
            reading = self._points.newest(f"{device}.fix")
            if reading is not None and isinstance(reading.value, Fix):
                place = reading.value.position
                said: Json = {
                    "receiver": device,
                    "lat_microdeg": round(place.lat_deg * MICRODEGREES),
                    "lon_microdeg": round(place.lon_deg * MICRODEGREES),
                    "at": forms.utc(reading.received_utc),
                }
                episode.first.setdefault(device, said)
                episode.last[device] = said

    def _end(self, why: str) -> None:
        episode, self._now = self._now, None
        assert episode is not None  # noqa: S101 (asked only while there is one)
        evidence: list[Evidence] = []
        lines: list[Json] = []
        lost = 0
        for device, tape in self._tapes.items():
            cuts = (*filter(None, (episode.before.get(device),)), tape.cut())
            text = b"".join(cut.text() for cut in cuts)
            lines.append({"receiver": device, "lines": sum(len(cut.lines) for cut in cuts)})
            lost += sum(cut.lost for cut in cuts)
            if text:
                evidence.append(Evidence(MEDIA, text))
        said = self._said(episode)
        said |= {"closed": forms.utc(self._clock.utc()), "kept": lines, "lines_without_room": lost}
        if why:
            said["cut_short"] = why
        self._write(ENDED, said, tuple(evidence))

    @staticmethod
    def _said(episode: _Episode) -> dict[str, Json]:
        return {
            "began": forms.utc(episode.onset_utc),
            "instance": episode.instance,
            "indications": [
                {"seen": words, "after_s": after_s} for words, after_s in episode.seen.values()
            ],
            "causes": sorted(episode.causes),
            "first": list(episode.first.values()),
            "last": list(episode.last.values()),
        }

    def _write(
        self, type_: str, said: Mapping[str, Json], evidence: tuple[Evidence, ...] = ()
    ) -> None:
        self._journal.submit(
            Draft(
                kind="system",
                type=type_,
                subject=SOURCE,
                classification=Classification.WATCH,
                open=said,
                evidence=evidence,
            )
        )
