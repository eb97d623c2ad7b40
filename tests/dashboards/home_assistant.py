"""A real Home Assistant core with its MQTT integration, for ``test_home_assistant.py``: run by a Python that has it.

Prints the states of all entities as a line of JSON each time that one of them changes, until its input ends.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from homeassistant import bootstrap, config_entries, loader
from homeassistant.core import CoreState, HomeAssistant, callback


async def main(port: int) -> None:
    folder = tempfile.mkdtemp()
    (Path(folder) / "configuration.yaml").write_text("\n")
    hass = HomeAssistant(folder)
    hass.config.config_dir, hass.config.skip_pip = folder, True
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    loader.async_setup(hass)
    await bootstrap.async_load_base_functionality(hass)
    hass.config.components.update({"http", "file_upload"})  # nobody logs in here

    @callback
    def tell(_event: object) -> None:
        print(json.dumps({s.entity_id: s.state for s in hass.states.async_all()}), flush=True)

    hass.bus.async_listen("state_changed", tell)
    broker = {"broker": "127.0.0.1", "port": port}
    await hass.config_entries.async_add(
        config_entries.ConfigEntry(
            version=1, minor_version=1, domain="mqtt", title="ship", data=broker, source="user"
        )
    )
    hass.set_state(CoreState.running)
    await hass.async_start()
    await asyncio.to_thread(sys.stdin.read)
    await hass.async_stop(force=True)


asyncio.run(main(int(sys.argv[1])))
