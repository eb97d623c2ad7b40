"""Does an editor that reads the committed JSON Schema say of a ship's file what ``ispsd check`` says?"""

from __future__ import annotations

import copy
import datetime as dt
import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
import pytest

from daemon import cli, config
from daemon.assets import asset
from daemon.config import schema
from daemon.errors import ConfigError
from daemon.simulate import toml
from tests import thin

DATA = Path(__file__).parent / "data"
SAMPLE = asset("ispsd.toml").read_text("utf-8")
FILES = {
    "sample": SAMPLE,
    "thin": (DATA / "thin_ship.toml").read_text("utf-8"),
    "demo": thin.text(state="/var/lib/thin", mqtt_port=1883),
}


@cache
def the_schema() -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(asset(schema.FILE).read_text("utf-8")))


@cache
def validator() -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator(the_schema(), validate_formats=True)


def as_json(part: Any) -> Any:
    """Return TOML as an editor hands it to its validator: dates as text."""
    if isinstance(part, dict):
        return {key: as_json(each) for key, each in part.items()}
    if isinstance(part, list):
        return [as_json(each) for each in part]
    return part.isoformat() if isinstance(part, dt.date) else part


def test_the_committed_file_is_what_the_code_makes():
    assert asset(schema.FILE).read_text("utf-8") == schema.text(), (
        "write it anew: ispsd schema > config/ispsd.schema.json"
    )


def test_it_is_a_schema_of_draft_7():
    jsonschema_rs.meta.validate(the_schema())


@pytest.mark.parametrize("name", FILES)
def test_every_ship_file_of_ours_is_valid(name):
    validator().validate(as_json(tomllib.loads(FILES[name])))


def test_the_sample_with_all_that_is_commented_out_in_it_is_valid():
    tree = tomllib.loads(SAMPLE)
    tree["bam"] = {"port": "/dev/ttyS9", "maker": "XYZ"}
    tree["exporter"] = {"ha": {"kind": "homeassistant"}, "signalk": {"kind": "signalk"}}
    tree["alerts"]["door.store.open"] = {"ssp": "7.3.4", "approved_by": "CSO", "port": "WWW"}
    tree["ais"] = {"guard_zone": {"radius_m": 500, "priority": "W"}}
    validator().validate(as_json(tree))


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (("watch", "situation"), "harbour"),
        (("watch", "security_level"), 4),
        (("ship", "imo_number"), 99999930),
        (("record", "kep_years"), 10),
        (("door", 0, "wiring"), "nC"),
        (("door", 0, "class"), "X"),
        (("door", 0, "inputs"), [1, 2, 3]),
        (("device", "io1", "kind"), "modbus"),
        (("device", "io1", "poll_s"), -1),
        (("device", "io1", "host"), 7),
        (("test", 0, "kind"), "no such"),
        (("bus", "rtu", "link", "baud"), 9601),
        (("station", 0, "sounder"), "horn"),
    ],
    ids=str,
)
def test_what_check_refuses_an_editor_marks_too(place, said, tmp_path):
    tree = copy.deepcopy(tomllib.loads(SAMPLE))
    part: Any = tree
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = said
    assert not validator().is_valid(as_json(tree))
    path = tmp_path / "ispsd.toml"
    path.write_text(toml.written(tree), "utf-8")
    with pytest.raises(ConfigError):
        config.load(path)


def settings(part: Any, where: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Return every setting of the schema with its name."""
    found: list[tuple[str, dict[str, Any]]] = []
    if isinstance(part, dict):
        of = part.get("properties")
        found += [(f"{where}.{k}", v) for k, v in of.items()] if isinstance(of, dict) else []
        for key, each in part.items():
            found += settings(each, key if isinstance(of, dict) or not where else where)
    elif isinstance(part, list):
        for each in part:
            found += settings(each, where)
    return found


def test_every_setting_with_a_unit_in_its_name_says_the_unit_in_words():
    measured = [
        (name, part, unit)
        for name, part in settings(the_schema())
        for end, unit in schema.UNITS.items()
        if name.endswith(end) and "$ref" not in part
    ]
    assert len(measured) > 50
    assert [name for name, part, unit in measured if unit not in part.get("description", "")] == []


def test_choices_are_listed_with_what_each_means():
    wiring = the_schema()["$defs"]["Wiring"]
    assert "double" in wiring["enum"]
    texts = dict(zip(wiring["enum"], wiring["x-taplo"]["docs"]["enumValues"], strict=True))
    assert "cut cable" in texts["nc"]


def test_the_command_prints_it_and_the_sample_names_it(capsys):
    assert cli.main(["schema"]) == cli.DONE
    assert capsys.readouterr().out == asset(schema.FILE).read_text("utf-8")
    assert SAMPLE.startswith(f"#:schema ./{schema.FILE}\n")
