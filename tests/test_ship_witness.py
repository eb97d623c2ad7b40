"""A whole ship with a witness: what it signs is on the air and in the record, what it refuses is an alert."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from daemon import cli
from daemon.record import cosignature
from daemon.record.cosignature import Request
from daemon.witness import heads
from tests.record.heads import NOON, TRUE, head
from tests.ship import afloat, ashore, sailing
from tests.test_cli import typed
from tests.witness.served import made, served, true_utc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from daemon.record.witness_store import Store
    from daemon.witness.post import Place
    from tests.ship import Ship


def with_witness(store: Store, at: Place | None) -> Callable[[str], str]:
    url = "" if at is None else f'url = "http://127.0.0.1:{at.port}"\n'
    section = f'\n[[witness]]\nname = "wheelhouse"\nkey = "{store.name().line()}"\n{url}'
    return lambda text: text + section


def at_true_time(ship: Ship) -> None:
    """Have the ship's clock right, as the witness's is."""
    ship.clock.step_utc((true_utc() - ship.clock.utc()).total_seconds())


def trusting(store: Store, ship: Ship) -> None:
    """Have the witness trust the key that this ship made for herself."""
    store.trust((ship.folder / "record-key.pub").read_text())


async def signed(ship: Ship) -> None:
    """Let time pass until the newest head is signed."""
    each = ship.daemon.office.witnesses.standings[0]
    sealed = (await ship.control({"do": "seal.record"}))["size"]
    await ship.until(lambda: max(each.signed.values(), default=0) >= sealed)


async def test_the_head_on_the_air_carries_the_witness_s_line(tmp_path: Path):
    store = made(tmp_path / "witness", trusts=None)
    async with served(store.folder) as at, ashore(tmp_path) as (ship, broker, ends):
        at_true_time(ship)
        async with afloat(ship, broker, ends):
            trusting(store, ship)
        async with afloat(ship, broker, ends, edit=with_witness(store, at)):
            await signed(ship)
            name = store.name().name
            await ship.until(lambda: f"— {name} " in ship.newest["record/head"]["note"])
            note = ship.newest["record/head"]["note"]
            cosignature.own_line(
                note.partition("\n\n")[2], store.name(), text=cosignature.body_of(note)
            )
            found = await ship.daemon.ourselves.verify_record()
            assert found.word == "PASS", found.sentence
            assert ship.daemon.office.witnesses.to_do() == []


async def test_another_history_at_the_witness_is_an_alert_and_an_entry(tmp_path: Path):
    store = made(tmp_path / "witness", trusts=None)
    async with served(store.folder) as at, ashore(tmp_path) as (ship, broker, ends):
        at_true_time(ship)
        async with afloat(ship, broker, ends):
            trusting(store, ship)
        async with afloat(ship, broker, ends, edit=with_witness(store, at)):
            await signed(ship)
            key = ship.daemon.record._scribe.identity.key
            origin = next(iter(store.heads()))
            shutil.rmtree(store.folder / "heads")
            (store.folder / "heads").mkdir()
            other = Request(0, (), head(2, TRUE, key=key, origin=origin).note)
            assert store.answer(other.encode(), utc=NOON).status == 200
            await ship.give_notice()
            await ship.control({"do": "seal.record"})
            await ship.until(
                lambda: any(a.key == "record.check" for a in ship.daemon.engine.alerts())
            )
            entries = (await ship.control({"do": "log", "count": 100}))["entries"]
            types = [json.loads(entry)["type"] for entry in entries]
            assert types.count("witness.refused") == types.count("record.behind") == 1
            items = (await ship.control({"do": "worklist"}))["items"]
            assert any("knows another history" in item["text"] for item in items)


async def test_files_and_heads_at_the_command_line(tmp_path: Path, capsys):
    store = made(tmp_path / "witness", trusts=None)
    async with sailing(tmp_path, edit=with_witness(store, None)) as ship:
        at_true_time(ship)
        trusting(store, ship)
        request, answer = tmp_path / "request", tmp_path / "answer"
        assert await typed(ship, "witness-request", "--out", request) == cli.DONE
        words = ["witness", "sign", "--state", str(store.folder), str(request)]
        assert cli.main([*words, "--out", str(answer)]) == cli.DONE
        assert await typed(ship, "witness-answer", answer) == cli.DONE
        assert "kept with the record" in capsys.readouterr().out
        assert await typed(ship, "compare", answer) == cli.DONE
        assert "in our history" in capsys.readouterr().out
        forged = tmp_path / "forged"
        origin = f"{ship.daemon.origin}/1"
        key = ship.daemon.record._scribe.identity.key
        forged.write_text(head(200, key=key, origin=origin).note)
        assert await typed(ship, "compare", forged) == cli.FAILED
        assert "newer than ours" in capsys.readouterr().out
        await ship.until(lambda: any(a.key == "record.check" for a in ship.daemon.engine.alerts()))
        note = {"do": heads.REQUEST, "note": forged.read_text()}
        assert (await ship.control(note))["found"] != "in our history"
        entries = (await ship.control({"do": "log", "count": 100}))["entries"]
        assert [json.loads(entry)["type"] for entry in entries].count("record.behind") == 1
