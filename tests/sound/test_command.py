"""The command ``ispsd sound``: where the broker is, what it refuses, and what it asks once and ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from daemon import cli
from daemon.console import sound
from daemon.errors import IspsdError
from tests.brokers import mosquitto
from tests.mqtt.harness import publishing

SHIP = Path(__file__).parents[1] / "data" / "thin_ship.toml"


def broker_of(*words: str):
    given = cli._parser().parse_args(["sound", "--station", "gangway", *words])
    return sound._broker(given)


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("192.168.60.5", "192.168.60.5", 1883),
        ("bridge-pc:1884", "bridge-pc", 1884),
        ("[::1]", "::1", 1883),
        ("[::1]:1884", "::1", 1884),
    ],
)
def test_a_broker_is_named_by_its_address(address, host, port):
    broker, ship = broker_of("--broker", address, "--ship", "9999993")
    assert (broker.host, broker.port, ship) == (host, port, "9999993")
    assert (broker.user, broker.ca_file) == (None, None)


def test_with_a_password_it_is_the_stations_own_user_and_over_a_network_tls():
    words = ("--broker", "192.168.60.5", "--ship", "9999993", "--password-file", "p")
    broker, _ = broker_of(*words, "--ca", "ca.crt")
    assert (broker.user, broker.port, broker.ca_file) == ("gangway", 8883, Path("ca.crt"))
    assert broker_of(*words, "--ca", "ca.crt", "--user", "tablet")[0].user == "tablet"
    with pytest.raises(IspsdError, match="needs TLS"):
        broker_of(*words)


def test_on_ispsds_own_computer_the_ships_file_says_where_and_not_who():
    broker, ship = broker_of("--config", str(SHIP))
    assert (broker.host, broker.port, broker.user, ship) == ("127.0.0.1", 1883, None, "9999993")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "where is the broker"),
        (("--broker", "h"), "which ship"),
        (("--broker", "h:x", "--ship", "1"), "is not HOST"),
        (("--broker", "h:70000", "--ship", "1"), "is not HOST"),
        (("--broker", ":1883", "--ship", "1"), "is not HOST"),
        (("--broker", "h", "--ship", "a/b"), "cannot stand in a topic"),
        (("--broker", "h", "--ship", "1", "--station", "+"), "cannot stand in a topic"),
    ],
)
def test_what_cannot_be_is_refused(words, reason):
    with pytest.raises(IspsdError, match=reason):
        broker_of(*words)


def test_a_volume_is_per_cent(capsys):
    words = ["sound", "--station", "gangway", "--broker", "h", "--ship", "1", "--volume", "101"]
    assert cli.main(words) == 1
    assert "0 to 100 per cent" in capsys.readouterr().err


async def test_what_is_asked_once_is_answered_and_ends(capsys):
    async with mosquitto() as broker, publishing(broker) as running:
        words = ["sound", "--station", "gangway", "--broker", f"127.0.0.1:{broker.port}"]
        words += ["--ship", "aurora"]
        both = ["--test-sound", "L. Tupou", "--heard", "L. Tupou"]
        assert await asyncio.to_thread(cli.main, [*words, *both]) == 0
        assert capsys.readouterr().out.splitlines()[-2:] == [
            "done · no. 1 on disk",
            "done · no. 2 on disk",
        ]
        assert [c.verb for c in running.app.commands] == ["test_sound", "heard"]
        stranger = [word if word != "gangway" else "crane" for word in words]
        assert await asyncio.to_thread(cli.main, [*stranger, "--heard", "L. Tupou"]) == 1
        assert "no such station" in capsys.readouterr().err


def test_without_a_broker_it_says_so(capsys):
    words = ["sound", "--station", "gangway", "--broker", "127.0.0.1:1", "--ship", "aurora"]
    assert cli.main([*words, "--heard", "L. Tupou"]) == 1
    assert "broker 127.0.0.1:1" in capsys.readouterr().err


def test_a_file_and_nothing_are_outputs_too(tmp_path):
    words = ["sound", "--station", "gangway", "--broker", "h", "--ship", "1"]
    for sink, kind in (("null", "Nowhere"), (str(tmp_path / "x.wav"), "WavFile")):
        given = cli._parser().parse_args([*words, "--sink", sink])
        assert type(sound._output(given, None)()).__name__ == kind
    given = cli._parser().parse_args([*words, "--device", "plughw:CARD=x"])
    assert type(sound._output(given, None)()).__name__ == "Alsa"
    assert not (tmp_path / "x.wav").exists(), "none is opened yet"
