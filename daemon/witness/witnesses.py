"""Who else vouches for the ship's record? One task for each witness asks it to sign every new head.

A witness that is dead, slow or lying costs nothing but its own task: the record, the alerts and the other witnesses go
on. What it signs is kept with the record; what it refuses is an entry, since then either the ship's history or the
witness's is not the one that it was.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from daemon.computer import logs
from daemon.errors import LinkError, RecordError
from daemon.record import cosignature
from daemon.record.comparison import Found
from daemon.record.witness import Status
from daemon.witness import past, post
from daemon.witness.keeping import Keeping
from daemon.witness.standing import Standing, to_do

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.log import Record
    from daemon.testing.worklist import Item
    from daemon.witness.heads import Heads
    from daemon.witness.standing import Witness

FIRST_BACK_OFF_S: Final = 5.0
LONGEST_BACK_OFF_S: Final = 300.0
"""While it is behind, a witness is asked at least so often."""
REFUSED_S: Final = 600.0
"""One that refuses is asked again so often: a person may have put it right."""
MEET_S: Final = 5.0
"""At start, so long is waited for what witnesses hold, in seconds."""
ATTEMPTS: Final = 3
"""Questions in a row: the size that it knows, then the proof from there."""


class Witnesses:
    """Asks every configured witness, for as long as the daemon lives."""

    def __init__(
        self,
        witnesses: Iterable[Witness],
        *,
        record: Record,
        heads: Heads,
        clock: Clock,
        entropy: Entropy,
        shown: Callable[[Checkpoint], None],
    ) -> None:
        """Touch nothing yet.

        Args:
            witnesses: As configured.
            record: Their lines are kept there.
            heads: Compares what a witness holds with what we have.
            clock: Back-off and ages.
            entropy: Spreads the retries.
            shown: Is given the newest head with the witnesses' lines below the ship's.
        """
        self.keeping = Keeping(record, clock=clock, shown=shown)
        self.standings = [Standing(each) for each in witnesses]
        self._record = record
        self._heads = heads
        self._clock = clock
        self._entropy = entropy
        self._since_s, self._since_utc = clock.now_s(), clock.utc()
        self.met = asyncio.Event()
        """Whether every witness that is reached was asked which head it holds."""
        if all(each.witness.place is None for each in self.standings):
            self.met.set()  # nobody can be
        self._log = logs.get("witness")
        record.on_seal(self._sealed)

    @property
    def refused(self) -> bool:
        """Whether a witness says that our history is not its own."""
        return any(each.refuses for each in self.standings)

    def to_do(self) -> list[Item]:
        """Return what the SSO has to see to."""
        return to_do(
            self.standings,
            now_s=self._clock.now_s(),
            since_s=self._since_s,
            since_utc=self._since_utc,
        )

    def standing(self, name: str | None) -> Standing | None:
        """Return the witness of that name, or the only one there is; None: there is none."""
        if name is None:
            return self.standings[0] if len(self.standings) == 1 else None
        return next((each for each in self.standings if each.witness.name == name), None)

    async def run(self) -> None:
        """Ask until cancelled."""
        await self._take_up()
        await self.meet()
        async with asyncio.TaskGroup() as group:
            for each in self.standings:
                if each.witness.place is not None:
                    group.create_task(self._keep_asking(each))
            await self.keeping.show()
            await asyncio.Event().wait()

    async def meet(self, *, limit_s: float = MEET_S) -> None:
        """Ask every witness which head it holds: a restored copy learns from them that it is one."""
        prefix = self._record.ship().name
        reached = [each for each in self.standings if each.witness.place is not None]
        asking = (self._see_its_head(each, prefix) for each in reached)
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                found = await asyncio.gather(*asking, return_exceptions=True)
            for each, fault in zip(reached, found, strict=True):
                if isinstance(fault, Exception):
                    self._log.error("witness.fault", witness=each.witness.name, error=repr(fault))
        self.met.set()

    def _sealed(self, head: Checkpoint) -> None:
        self.keeping.newest[head.origin] = head
        while len(self.keeping.newest) > 2:  # noqa: PLR2004 (the end of the segment before, and the one that is written)
            del self.keeping.newest[next(iter(self.keeping.newest))]
        for each in self.standings:
            each.news.set()

    async def _take_up(self) -> None:
        while True:
            try:
                await past.take_up(self._record, self.standings, self._clock)
                await self._heads.take_up()
                begun_utc, age_s = await past.begun(self._record, self._clock)
            except RecordError:  # it tells of itself; it may open later
                await self._clock.sleep(FIRST_BACK_OFF_S)
                continue
            self._since_s, self._since_utc = self._clock.now_s() - age_s, begun_utc
            return

    async def _keep_asking(self, each: Standing) -> None:
        back_off_s = FIRST_BACK_OFF_S
        while True:
            each.news.clear()
            head = each.wants(self.keeping.newest.values())
            if head is None:
                await self._clock.wait(each.news, None)
                continue
            try:
                await self._ask(each, head)
            except RecordError as err:  # our own disk: it has an alert of its own
                self._put_by_if_closed(each, head)
                self._log.debug("witness.not_asked", witness=each.witness.name, reason=str(err))
            except LinkError as err:
                self._put_by_if_closed(each, head)
                self._went_down(each, str(err))
            except Exception as err:  # noqa: BLE001 (a bug takes down the asking, loudly, and nothing else)
                self._log.exception("witness.fault", witness=each.witness.name)
                self._went_down(each, type(err).__name__)
            else:
                self._came_up(each)
                back_off_s = FIRST_BACK_OFF_S
                if each.refuses and head.origin not in each.passed:
                    await self._clock.sleep(REFUSED_S)
                continue
            await self._clock.sleep(back_off_s * (0.5 + self._entropy.jitter()))
            back_off_s = min(LONGEST_BACK_OFF_S, back_off_s * 2)

    async def _ask(self, each: Standing, head: Checkpoint) -> None:
        """Ask for a signature under a head, from the size that the witness says it knows."""
        for _ in range(ATTEMPTS):
            old = each.known.get(head.origin, 0)
            if old > head.size:
                await self._behind(each, head, old)
                return
            asked = await self.keeping.request(each, head)
            status, said = await self._post(each, "/add-checkpoint", asked.encode())
            match status:
                case Status.SIGNED:
                    await self.keeping.kept(each, head, said)
                    return
                case Status.CONFLICT if (size := _size(said)) != old:
                    each.known[head.origin] = size
                case Status.CONFLICT if old != head.size:
                    raise LinkError(f"it says that it knows {old} entries, as it was asked from")
                case Status.CONFLICT | Status.NOT_GROWN:
                    self._pass_if_closed(each, head)
                    await self.keeping.refusal(each, head, said[:200].strip())
                    await self._see_its_head(each, head.origin)
                    return
                case _:
                    raise LinkError(f"it answers {status}: {said[:100].strip()!r}")
        raise LinkError("it says that it knows another size each time that it is asked")

    async def _behind(self, each: Standing, head: Checkpoint, size: int) -> None:
        """Find out what is behind a witness that knows more than we do: have we forgotten something?"""
        found = await self._see_its_head(each, head.origin)
        each.known.pop(head.origin)
        self._pass_if_closed(each, head)
        if found is Found.OTHER:
            await self.keeping.refusal(
                each, head, f"it holds a head of {size} entries {found.value}"
            )
            return
        proof = "it does not prove it" if found is None else f"its head is {found.value}"
        raise LinkError(
            f"it says that it knows {size} entries of {head.origin}, here are {head.size}; {proof}"
        )

    async def _see_its_head(self, each: Standing, origin: str) -> Found | None:
        """Compare the head that a witness shows with our history; None: it shows none."""
        try:
            status, note = await self._post(each, f"/head/{origin}", None)
            if status != Status.SIGNED:
                return None
            name = each.witness.name
            return (await self._heads.seen(note, held_by=f"the witness {name}")).found
        except (LinkError, RecordError) as err:
            self._log.debug("witness.no_head", witness=each.witness.name, reason=str(err))
            return None

    async def _post(self, each: Standing, path: str, body: bytes | None) -> tuple[int, str]:
        place = each.witness.place
        assert place is not None  # noqa: S101 (who is asked has one)
        return await post.ask(place, path, body, ca_file=each.witness.ca_file)

    def _pass_if_closed(self, each: Standing, head: Checkpoint) -> None:
        """Let go of the end of a closed segment that cannot be signed; what is written now must not wait for it."""
        if self._is_closed(head):
            each.passed.add(head.origin)

    def _put_by_if_closed(self, each: Standing, head: Checkpoint) -> None:
        if self._is_closed(head):
            each.put_by(head.origin)

    def _is_closed(self, head: Checkpoint) -> bool:
        return head.origin != next(reversed(self.keeping.newest))

    def _went_down(self, each: Standing, reason: str) -> None:
        first = each.down_since_s is None
        if first:
            each.down_since_s = self._clock.now_s()
        tell = self._log.warning if first else self._log.debug
        tell("witness.down", witness=each.witness.name, reason=reason)

    def _came_up(self, each: Standing) -> None:
        if each.down_since_s is not None:
            after_s = round(self._clock.now_s() - each.down_since_s, 1)
            self._log.info("witness.up", witness=each.witness.name, after_s=after_s)
            each.down_since_s = None


def _size(said: str) -> int:
    if cosignature.SIZE.fullmatch(said.strip()) is None:
        raise LinkError("it answers 409 without the size that it knows")
    return int(said)
