"""What may be typed while a simulated ship runs? Doors by their ids, and every simulator's own commands.

open d12 · close d12 · cut d12             a door, seal, lock or detector; cut is its cable
io1 set 3 off                              one input
rtu6 fault fault=dead · ais ais on=false   a simulator's own verb with its members
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.simulate.standins import MOVES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.simulate.standins import Command, Plan

WORDS: dict[str, bool] = {"on": True, "true": True, "off": False, "false": False}


def commands(line: str, plan: Plan) -> list[Command]:
    """Return what a line asks for; nothing for an empty one.

    Raises:
        ValueError: It cannot be understood; the message is for a person.
    """
    words = line.split()
    if not words or words[0].startswith("#"):
        return []
    if words[0] in MOVES and len(words) == 2:  # noqa: PLR2004 (verb and door)
        return moves(words[0], words[1], plan)
    if len(words) == 1:
        raise ValueError("a device and what it does, such as: io1 set 3 off; or: open d12")
    return [to_device(words[0], _said(words[1], words[2:]), plan)]


def moves(verb: str, door: str, plan: Plan) -> list[Command]:
    """Return what makes a door, seal, lock or detector go to a state.

    Raises:
        ValueError: There is none of that id.
    """
    if door not in plan.moves:
        raise ValueError(f"no door {door!r}; known are {', '.join(plan.moves)}")
    return plan.moves[door][verb]


def to_device(name: str, said: Mapping[str, Any], plan: Plan) -> Command:
    """Return a command for the simulator behind a device, or behind a bus.

    Raises:
        ValueError: It has none.
    """
    if name in plan.of_device:
        unit, also = plan.of_device[name]
        return unit, {**also, **said}
    if name in plan.of_bus.values():
        return name, dict(said)
    known = ", ".join([*plan.of_device, *plan.of_bus.values()])
    raise ValueError(f"no simulator {name!r}; known are {known}")


def _said(verb: str, words: list[str]) -> dict[str, Any]:
    said: dict[str, Any] = {"do": verb}
    if verb == "set" and len(words) == 2 and "=" not in "".join(words):  # noqa: PLR2004 (input, on)
        return said | {"input": _value(words[0]), "on": _value(words[1])}
    for word in words:
        name, is_there, value = word.partition("=")
        if not is_there or not name:
            raise ValueError(f"{word!r} is not name=value")
        said[name] = _value(value)
    return said


def _value(word: str) -> bool | int | float | str:
    if word in WORDS:
        return WORDS[word]
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
