"""The MQTT contract on the terminal: every topic with its schema, as the files of ``config/mqtt`` have it.

It asks nobody: whoever writes a dashboard ashore has no daemon.
"""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any, Final

from daemon.assets import asset
from daemon.console.asking import DONE, say
from daemon.errors import RefusedError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    Contract = Mapping[str, Any]

WIDEST: Final = 100
_INDENT: Final = "    "


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "topics", help="show the MQTT contract, for whoever writes a dashboard"
    )
    parser.add_argument("topic", nargs="?", help="one topic, as alert or cmd/ack: its JSON Schema")
    parser.add_argument("--ship", default="{ship}", help="the IMO number that stands in the topics")
    parser.add_argument("--asyncapi", action="store_true", help="the whole contract as AsyncAPI 3")
    parser.set_defaults(act=_topics)


def _topics(given: argparse.Namespace) -> int:
    contract = json.loads(asset("mqtt/asyncapi.json").read_text("utf-8"))
    if given.asyncapi:
        for message in contract["components"]["messages"].values():
            # In one document: what is printed lies beside no schemas, and "#" is its own root there.
            message["payload"]["schema"] = _in_one_piece(_schema(message["name"]))
        say(json.dumps(contract, indent=2, ensure_ascii=False))
    elif given.topic is not None:
        say(json.dumps(_schema(_named(contract, given.topic)), indent=2, ensure_ascii=False))
    else:
        for line in page(contract, ship=given.ship):
            say(line)
    return DONE


def page(contract: Contract, *, ship: str) -> Iterator[str]:
    """Yield the topics in the order of the contract, what we send first, at most 100 columns."""
    operations = contract["operations"].values()
    for action, title in (("send", "ISPSD SENDS"), ("receive", "ISPSD TAKES")):
        yield title
        for operation in operations:
            if operation["action"] != action:
                continue
            name = operation["channel"]["$ref"].rpartition("/")[2]
            address = contract["channels"][name]["address"].replace("{ship}", ship)
            yield f"  {address:<58} {_how(operation['bindings']['mqtt'])}"
            words = _schema(name).get("description", "")
            yield from textwrap.wrap(
                words, WIDEST, initial_indent=_INDENT, subsequent_indent=_INDENT
            )
        yield ""
    yield "ispsd topics TOPIC has the JSON Schema of one, ispsd topics --asyncapi everything; docs/mqtt.md"


def _how(binding: Mapping[str, Any]) -> str:
    kept = "retained" if binding["retain"] else "not retained"
    expiry = binding.get("messageExpiryInterval")
    return f"QoS {binding['qos']}, {kept}" + ("" if expiry is None else f", expires in {expiry} s")


def _named(contract: Contract, topic: str) -> str:
    """Return the channel that is meant: by its name, or by an address of which it is the beginning.

    Raises:
        RefusedError: There is none.
    """
    channels: Mapping[str, Any] = contract["channels"]
    name = topic.strip("/").replace("/", "_")
    if name in channels:
        return name
    for known, channel in channels.items():
        if topic.strip("/") in {channel["address"], channel["address"].partition("/v1/")[2]}:
            return known
    raise RefusedError(f"there is no topic {topic[:60]!r}; there are {', '.join(channels)}")


def _schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(asset(f"mqtt/schemas/{name}.json").read_text("utf-8"))
    return found


def _in_one_piece(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with its own definitions where they are referred to; none of ours refers to itself."""
    definitions: Mapping[str, Any] = schema.pop("$defs", {})

    def filled(part: Any) -> Any:
        if isinstance(part, list):
            return [filled(each) for each in part]
        if not isinstance(part, dict):
            return part
        if (name := part.get("$ref")) is not None:
            return filled(definitions[name.rpartition("/")[2]])
        return {key: filled(each) for key, each in part.items()}

    whole: dict[str, Any] = filled(schema)
    return whole
