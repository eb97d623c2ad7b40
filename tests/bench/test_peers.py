import asyncio
import json

import pytest

from bench import ingest
from bench.inputs import INPUTS
from bench.peers import gpsd, signalk_server, thingsboard_gateway
from bench.peers.product import Heard
from bench.results import Verdict
from bench.told import Told, told_rows

PEERS = {"signalk": 1000.0, "unheard": 900.0, "gpsd": 80.0}


def measured(cost_us, speed):
    return [{"75": cost_us, "500": cost_us, "flood": speed, "resident": 90.0}] * 3


def test_a_peer_that_is_not_installed_is_a_row_that_says_why(tmp_path):
    told = Told(tmp_path / "rows")
    seen = {"ours": measured(200.0, 10_000.0), "gpsd": measured(80.0, 70_000.0)}
    why_not = dict.fromkeys(("signalk", "unheard"), "signalk-server is not installed")
    ingest._tell(told, {who: seen.get(who, []) for who in ingest.NAMES}, why_not)
    rows = told_rows(tmp_path / "rows")
    missing = [row for row in rows if row.verdict is Verdict.NOT_MEASURED]
    assert {row.why_not for row in missing} == {"signalk-server is not installed"}
    assert len(missing) == 6
    assert sum(row.budget is not None for row in missing) == 3


def test_what_a_quarter_of_a_peers_cost_is_decides(tmp_path):
    told = Told(tmp_path / "rows")
    seen = {who: measured(cost, 2_500.0) for who, cost in PEERS.items()}
    ingest._tell(told, {**seen, "ours": measured(251.0, 10_000.0)}, {})
    verdicts = [row.verdict for row in told_rows(tmp_path / "rows") if row.budget]
    assert verdicts == [Verdict.OVER, Verdict.OVER, Verdict.WITHIN]


@pytest.mark.parametrize("single", [True, False])
def test_the_gateways_tags_cover_every_input_and_are_read_back_as_such(single):
    tags = thingsboard_gateway.tags(INPUTS, single=single)
    shut = {tag["tag"]: [True] * tag["objectsCount"] for tag in tags}
    if single:
        shut = {name: value for name, [value] in shut.items()}
    body = json.dumps({"unit": [{"ts": 1, "values": shut}]}).encode()
    assert thingsboard_gateway.changes("any", body) == dict.fromkeys(range(INPUTS), True)
    assert max(tag["objectsCount"] for tag in tags) <= 16


def test_telemetry_of_two_moments_is_read_to_the_newer_one():
    body = (
        b'{"unit":[{"ts":1,"values":{"i16":[false,true]}},{"ts":2,"values":{"i16":[true,true]}}]}'
    )
    assert thingsboard_gateway.changes("any", body) == {16: True, 17: True}


async def test_a_client_has_heard_a_ship_only_once_she_was_told_of():
    heard = Heard()
    first = asyncio.ensure_future(heard.ship(244000001, 1.0))
    await asyncio.sleep(0)
    heard.line(b'{"mmsi":244000002}')
    assert not first.done()
    heard.line(b'{"mmsi":244000001}')
    await first
    second = asyncio.ensure_future(heard.ship(244000002, 1.0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not second.done()  # who was told of before is not the one who is waited for
    heard.line(b'{"mmsi":244000002}')
    await second


def test_what_is_not_installed_has_no_version(monkeypatch, tmp_path):
    monkeypatch.setattr(gpsd, "PATH", str(tmp_path))
    monkeypatch.setattr(signalk_server, "SERVER", tmp_path)
    monkeypatch.setattr(thingsboard_gateway, "HOME", tmp_path)
    for peer in (gpsd, signalk_server, thingsboard_gateway):
        assert not peer.version()
