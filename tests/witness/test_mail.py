"""A witness that only mail reaches: a file goes, a file comes back, and nothing of it is believed unchecked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from daemon.errors import RefusedError
from daemon.record.cosignature import Request
from daemon.witness import mail
from tests.record.heads import NOON
from tests.witness.aboard import Aboard, aboard, witness
from tests.witness.served import made

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.record.witness_store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return made(tmp_path / "witness")


async def posted(ship: Aboard) -> str:
    return str((await ship.mail.request({"do": mail.REQUEST}))["request"])


def ashore(store: Store, request: str) -> str:
    answer = store.answer(request.encode(), utc=NOON)
    return mail.answer_file(answer, request.partition("\n\n")[2])


async def test_files_go_and_come_and_the_next_begins_where_the_last_was_signed(
    tmp_path: Path, store: Store
):
    async with aboard(tmp_path / "record", witness(store, None)) as ship:
        for _ in range(3):
            head = await ship.grow(3)
            request = await posted(ship)
            answer = await ship.mail.answer({"answer": ashore(store, request)})
            assert answer == {
                "witness": "wheelhouse",
                "origin": head.origin,
                "size": head.size,
                "kept": True,
                "told": "kept with the record",
            }
            assert ship.shown[-1].size == head.size
        assert request.startswith(f"old {head.size - 3}\n")
        assert store.heads()[head.origin].size == head.size


async def test_an_answer_that_was_lost_costs_one_more_mail(tmp_path: Path, store: Store):
    async with aboard(tmp_path / "record", witness(store, None)) as ship:
        await ship.grow(3)
        ashore(store, await posted(ship))  # never arrives
        await ship.grow(3)
        refused = ashore(store, await posted(ship))
        assert refused.startswith("refused 409\n4\n\ndemo/9999993/1\n7\n")
        answer = await ship.mail.answer({"answer": refused})
        assert answer["kept"] is False
        assert "make a new request" in str(answer["told"])
        assert not ship.witnesses.refused
        assert (await ship.mail.answer({"answer": ashore(store, await posted(ship))}))["kept"]


async def test_a_late_answer_to_an_older_head_is_still_kept(tmp_path: Path, store: Store):
    async with aboard(tmp_path / "record", witness(store, None)) as ship:
        old = await ship.grow(3)
        signed = ashore(store, await posted(ship))
        await ship.grow(3)
        answer = await ship.mail.answer({"answer": "\r\n" + signed.replace("\n", "\r\n")})
        assert (answer["size"], answer["kept"]) == (old.size, True)


async def test_an_answer_for_a_closed_segment_is_said_to_come_too_late(
    tmp_path: Path, store: Store
):
    async with aboard(tmp_path / "record", witness(store, None)) as ship:
        await ship.grow(3)
        signed = ashore(store, await posted(ship))
        await ship.record.rotate("for a test")
        answer = await ship.mail.answer({"answer": signed})
        assert answer["kept"] is False
        assert "closed" in str(answer["told"])


async def test_a_refusal_by_mail_is_an_entry(tmp_path: Path, store: Store):
    async with aboard(tmp_path / "record", witness(store, None)) as ship:
        await ship.grow(3)
        request = await posted(ship)
        note = request.partition("\n\n")[2]
        assert store.answer(Request(0, (), note).encode(), utc=NOON).status == 200
        await ship.grow(3)
        bad = (await posted(ship)).replace("old 0", "old 4")  # a proof that is none
        refused = ashore(store, bad)
        assert refused.startswith("refused 422\n")
        await ship.mail.answer({"answer": refused})
        assert ship.witnesses.refused
        assert (await ship.types()).count("witness.refused") == 1


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "",
        7,
        "x" * 20_000,
        "hello",
        "refused\n",
        "refused 4x9\n\n",
        "refused 409\n5\n\nnot a head",
    ],
)
async def test_what_is_no_answer_is_refused(tmp_path: Path, store: Store, answer: object):
    async with aboard(tmp_path / "record", witness(store, None)) as ship:
        await ship.grow()
        with pytest.raises(RefusedError):
            await ship.mail.answer({"answer": answer})


async def test_an_answer_of_somebody_else_is_not_kept(tmp_path: Path, store: Store):
    other = made(tmp_path / "other", name="shore.example")
    async with aboard(tmp_path / "record", witness(store, None)) as ship:
        await ship.grow()
        with pytest.raises(RefusedError, match="no signature line"):
            await ship.mail.answer({"answer": ashore(other, await posted(ship))})
        assert ship.witnesses.standings[0].signed == {}


async def test_an_answer_of_a_time_that_cannot_be_is_refused_and_not_kept(
    tmp_path: Path, store: Store
):
    async with aboard(tmp_path / "record", witness(store, None)) as ship:
        await ship.grow()
        request = await posted(ship)
        tomorrow = ship.clock.utc() + timedelta(days=1)
        late = store.answer(request.encode(), utc=tomorrow + timedelta(seconds=1))
        answer = mail.answer_file(late, request.partition("\n\n")[2])
        with pytest.raises(RefusedError, match="signed at a time that cannot be"):
            await ship.mail.answer({"answer": answer})
        assert not ship.shown
        await ship.clock.advance(1)
        assert (await ship.mail.answer({"answer": answer}))["kept"]


async def test_which_witness_is_meant_must_be_said_where_there_are_two(
    tmp_path: Path, store: Store
):
    other = made(tmp_path / "other", name="shore.example")
    both = witness(store, None), witness(other, None, "shore")
    async with aboard(tmp_path / "record", *both) as ship:
        await ship.grow()
        for name in (None, "nobody"):
            with pytest.raises(RefusedError, match="one of: wheelhouse, shore"):
                await ship.mail.request({"witness": name})
        assert (await ship.mail.request({"witness": "shore"}))["witness"] == "shore"
