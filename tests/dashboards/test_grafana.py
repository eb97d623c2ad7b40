"""The board for Grafana, held without one: the contract has what is read, and what is old is never current."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from daemon.assets import asset
from daemon.mqtt.access import OPEN_TOPICS
from daemon.mqtt.contract import schema_for
from tests.needed import needs

FOLDER = asset("dashboards/grafana")
BOARD = json.loads((FOLDER / "ispsd.json").read_text("utf-8"))
TELEGRAF = tomllib.loads((FOLDER / "telegraf.conf").read_text("utf-8"))
PANELS = {panel["title"].partition(":")[0]: panel for panel in BOARD["panels"]}
LONGEST_VALID_S = 15
"""How long the sample ship's contacts are valid."""


def columns() -> dict[str, set[str]]:
    """Return what Telegraf stores, by measurement: the members that it reads, and the tags of the topic."""
    stored: dict[str, set[str]] = {}
    for source in TELEGRAF["inputs"]["mqtt_consumer"]:
        [parsing] = source["topic_parsing"]
        tags = {tag for tag in parsing["tags"].split("/") if tag != "_"}
        [parser] = source["json_v2"]
        members = {each["path"] for each in parser["field"] + parser.get("tag", [])}
        for topic in source["topics"]:
            place = parsing["measurement"].split("/").index("measurement")
            stored[topic.split("/")[place]] = tags | members
    return stored


def test_telegraf_reads_topics_and_members_that_the_contract_has():
    for source in TELEGRAF["inputs"]["mqtt_consumer"]:
        [parser] = source["json_v2"]
        for topic in source["topics"]:
            assert topic.partition("/v1/")[2] in OPEN_TOPICS
            schema = schema_for(topic.replace("+", "9999993", 1).replace("+", "x"))
            for each in parser["field"] + parser.get("tag", []):
                if each["path"] not in schema["properties"]:
                    assert each.get("optional"), f"{topic}: {each['path']}"
                    continue
                type_ = schema["properties"][each["path"]]
                if "null" in json.dumps(type_):
                    assert each.get("optional"), f"{topic}: {each['path']} may be null"


def test_a_contact_that_is_not_known_says_so_and_not_what_it_said_last():
    [default] = TELEGRAF["processors"]["defaults"]
    assert default["namepass"] == ["point"]
    assert default["fields"] == {"word": "NOT KNOWN"}
    assert "value" not in columns()["point"]  # of other points it is a number or an object


def test_every_query_asks_for_what_telegraf_stores():
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            query = target["query"]
            [measurement] = re.findall(r'FROM "(\w+)"', query)
            assert measurement in TELEGRAF["outputs"]["influxdb"][0]["namepass"]
            named = set(re.findall(r'(?<!AS )"(\w+)"', query)) - {measurement}
            assert named <= columns()[measurement], query
            assert "\"ship\" = '$ship'" in query
            assert "$timeFilter" in query
            assert target["datasource"] == {"type": "influxdb", "uid": "ispsd-influx"}


def test_what_is_told_again_and_again_is_looked_for_no_further_back_than_it_is_valid():
    assert PANELS["Is anybody there"]["timeFrom"] == "10s"
    assert PANELS["Doors, seals, lights"]["timeFrom"] == f"{LONGEST_VALID_S}s"
    refreshed_s = int(BOARD["refresh"].removesuffix("s"))
    assert refreshed_s <= 5


def test_no_data_never_looks_as_if_all_were_well():
    for panel in BOARD["panels"]:
        said = panel["fieldConfig"]["defaults"]["noValue"]
        assert re.search(r"NOTHING HEARD|NOT KNOWN|known of", said), panel["title"]
    lowest, *_ = PANELS["Is anybody there"]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert lowest == {"color": "#6e7681", "value": None}  # grey
    assert not re.search(r'"color": "(green|semi-dark-green|dark-green)', json.dumps(BOARD))


def test_grafanas_own_types_know_every_member_of_the_board():
    needs(find_spec("grafana_foundation_sdk"), "grafana-foundation-sdk is not installed (pip)")
    dashboard = import_module("grafana_foundation_sdk.models.dashboard")
    cog = import_module("grafana_foundation_sdk.cog.encoder")
    read = dashboard.Dashboard.from_json(BOARD)
    written = json.loads(cog.JSONEncoder(sort_keys=True).encode(read))
    assert lost(BOARD, written) == []


def lost(before: Any, after: Any, place: str = "") -> list[str]:
    """Return the places of what Grafana's types have not kept as it was."""
    if isinstance(before, dict):
        after = after if isinstance(after, dict) else {}
        return [
            found
            for key, value in before.items()
            for found in lost(value, after.get(key), f"{place}.{key}")
        ]
    if isinstance(before, list):
        after = (
            after if isinstance(after, list) and len(after) == len(before) else [None] * len(before)
        )
        return [
            found
            for number, value in enumerate(before)
            for found in lost(value, after[number], f"{place}[{number}]")
        ]
    return [] if before == after else [f"{place}: {before!r} became {after!r}"]
