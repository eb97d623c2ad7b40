"""``ispsd topics``: the contract is printed whole, and what is printed is the files."""

from __future__ import annotations

import json

import pytest
from jsonschema_rs import Draft202012Validator

from daemon import cli
from daemon.assets import asset

CONTRACT = json.loads(asset("mqtt/asyncapi.json").read_text("utf-8"))
NAMES = sorted(path.stem for path in asset("mqtt/schemas").glob("*.json"))


def printed(capsys, *words: str) -> str:
    assert cli.main(["topics", *words]) == 0
    return capsys.readouterr().out


def test_every_topic_is_listed_with_how_it_is_sent(capsys):
    lines = printed(capsys, "--ship", "9074729").splitlines()
    for channel in CONTRACT["channels"].values():
        address = channel["address"].replace("{ship}", "9074729")
        assert any(line.split()[:1] == [address] for line in lines), address
    (alert,) = [line for line in lines if "v1/alert/{id}" in line]
    assert alert.endswith("QoS 1, retained")
    (ack,) = [line for line in lines if line.split()[:1] == ["ispsd/9074729/v1/cmd/{station}/ack"]]
    assert ack.endswith("not retained, expires in 10 s")
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("name", NAMES)
def test_a_topic_has_its_schema(capsys, name):
    said = json.loads(printed(capsys, name))
    assert said == json.loads(asset(f"mqtt/schemas/{name}.json").read_text("utf-8"))


def test_a_topic_is_also_named_as_it_is_subscribed_to(capsys):
    assert json.loads(printed(capsys, "cmd/{station}/ack"))["$id"].endswith("cmd_ack")
    assert json.loads(printed(capsys, "record/head"))["$id"].endswith("record_head")


def test_a_topic_that_is_not_in_the_contract_is_refused_with_those_that_are(capsys):
    assert cli.main(["topics", "weather"]) == 1
    assert "'weather'" in (said := capsys.readouterr().err)
    assert "alert" in said


def test_the_whole_contract_is_one_document_that_needs_no_other_file(capsys):
    text = printed(capsys, "--asyncapi")
    assert "./schemas/" not in text
    assert '"#/$defs/' not in text  # in a document of its own that would lead nowhere
    for message in json.loads(text)["components"]["messages"].values():
        for example in message["examples"]:
            Draft202012Validator(message["payload"]["schema"]).validate(example["payload"])
    assert json.loads(text)["channels"].keys() == CONTRACT["channels"].keys()
