"""The flow that is shipped, in a real Node-RED: an alert shows, a lost broker greys all, an old session is nobody's."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from daemon.assets import asset
from daemon.mqtt.contract import schema_for
from daemon.mqtt.embedded import free_port
from tests.brokers import address, mosquitto
from tests.dashboards.node import MODULES, node
from tests.mqtt.harness import POINT, TOPICS, connected, publishing
from tests.processes.berth import HATCH, alongside
from tests.processes.rig import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.brokers import EmbeddedBroker

FLOW = asset("dashboards/node-red.json")
WITHIN_S = 30.0
SETTINGS = """module.exports = {{
  uiPort: {port}, uiHost: '127.0.0.1', httpAdminRoot: false, flowFile: 'flows.json', credentialSecret: false,
  logging: {{ console: {{ level: 'warn' }} }}, telemetry: {{ enabled: false }},
}};
"""


class NodeRed:
    """A running Node-RED, and what its page is told."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/ispsd"

    def get(self, path: str = "") -> str:
        with urllib.request.urlopen(self._url + path, timeout=5) as answer:
            return answer.read().decode()

    async def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Return what the page is told as soon as it is so."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    said = json.loads(await asyncio.to_thread(self.get, "/state") or "{}")
                except (urllib.error.URLError, ConnectionError):
                    said = {}  # it has not started yet
                if said and holds(said):
                    return said
                await asyncio.sleep(0.1)


@asynccontextmanager
async def node_red(folder: Path, broker: EmbeddedBroker, *, ship: str) -> AsyncIterator[NodeRed]:
    program = node("node-red")
    port = free_port()
    (home := folder / "node-red").mkdir()
    (home / "settings.js").write_text(SETTINGS.format(port=port))
    flow = json.loads(FLOW.read_text("utf-8"))
    flow[0]["env"] = [{"name": "ISPSD_SHIP", "value": ship, "type": "str"}]
    (home / "flows.json").write_text(json.dumps(flow))
    running = await asyncio.create_subprocess_exec(
        *(program, MODULES / "node-red/red.js", "--userDir", home),
        env={**os.environ, "ISPSD_BROKER": "127.0.0.1", "ISPSD_PORT": str(broker.port)},
        stdout=(log := (folder / "node-red.log").open("w")),
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield NodeRed(port)
    finally:
        running.terminate()
        await running.wait()
        log.close()


def hatch(said: dict[str, Any]) -> dict[str, Any]:
    return next((each for each in said["points"] if each["name"] == "STRG GEAR ESC"), {})


@pytest.mark.timeout(90)
async def test_a_ships_alert_shows_and_goes_grey_when_the_broker_dies(tmp_path):
    async with (
        alongside(tmp_path) as berth,
        berth.daemon(),
        node_red(tmp_path, berth.broker, ship="9999993") as page,
    ):
        said = await page.until(
            lambda said: said["complete"] and hatch(said).get("word") == "closed"
        )
        assert not hatch(said)["grey"]
        assert "NOTHING HEARD" in page.get()
        await berth.devices.do("io1", "set", input=HATCH, on=False)
        said = await page.until(
            lambda said: "ESC HATCH OPEN" in [a["title"] for a in said["alerts"]]
        )
        [alert] = [each for each in said["alerts"] if each["title"] == "ESC HATCH OPEN"]
        assert alert["priority"] == "W"
        assert alert["action"] == berth.witness.newest["alert/door.escape.open.d12"]["action"]
        assert 0 <= alert["age_s"] < WITHIN_S
        await berth.broker.stop()
        said = await page.until(lambda said: said["stale"])
        assert (said["state"], said["complete"]) == ("NOTHING HEARD", False)
        assert said["points"]
        assert all(each["grey"] and each["word"] == "NOT KNOWN" for each in said["points"])


@pytest.mark.timeout(90)
async def test_what_is_of_another_session_is_not_shown_and_a_late_will_not_heard(tmp_path):
    async with mosquitto() as broker, connected_to(broker) as someone:
        old = {"session": "an-earlier-one", "up": 1.0}
        await someone.deliver(
            f"{TOPICS.root}/point/old", body({**POINT, "name": "OLD DOOR", **old}), retain=True
        )
        async with publishing(broker) as running, node_red(tmp_path, broker, ship="aurora") as page:
            running.publisher.put(TOPICS.point("d12"), POINT | {"word": "closed"}, 1.0)
            said = await page.until(lambda said: said["complete"] and said["points"])
            assert [each["name"] for each in said["points"]] == ["D12"]
            # Not retained, so that ispsd does not put it right: the flow alone has to.
            await someone.deliver(TOPICS.point("old"), body({**POINT, "name": "OLD DOOR", **old}))
            await someone.deliver(TOPICS.status(), body({"state": "offline", **old}))
            await someone.deliver(TOPICS.heartbeat(), body(old))
            running.publisher.put(TOPICS.point("d13"), {**POINT, "name": "D13", "value": None}, 1.0)
            said = await page.until(lambda said: len(said["points"]) == 2)
            assert [(each["name"], each["word"]) for each in said["points"]] == [
                ("D12", "NOT KNOWN"),  # told as true 1 s after the boot, and valid for 2 s
                ("D13", "NOT KNOWN"),
            ]
            assert not said["stale"]


def connected_to(broker: EmbeddedBroker) -> Any:
    return connected(address(broker), "someone")


def body(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode()


def test_the_flow_reads_topics_and_members_that_the_contract_has():
    nodes = json.loads(FLOW.read_text("utf-8"))
    read = [
        each["topic"].replace("ispsd/+/", "ispsd/9999993/")
        for each in nodes
        if each["type"] == "mqtt in"
    ]
    assert len(read) == 6
    for topic in read:
        assert topic.startswith(ROOT)
        assert schema_for(topic.replace("+", "x"))
    assert not [each for each in nodes if each["type"] == "mqtt out"]
    [code] = [each["func"] for each in nodes if each["type"] == "function"]
    for kind, members in {
        "alert/x": ("priority", "state", "title", "name", "action", "up", "raised_utc"),
        "point/x": ("name", "kind", "word", "value", "valid_for", "up", "session"),
        "heartbeat": ("up", "session"),
    }.items():
        known = schema_for(f"{ROOT}{kind}")["properties"]
        assert all(member in known and f".{member}" in code for member in members), kind
