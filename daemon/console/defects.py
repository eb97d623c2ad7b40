"""What is broken, and what is done about it: the list of defects at the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.console.asking import DONE, asked, asking, members, pin_file, say
from daemon.errors import IspsdError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

MEANS: Final = ("post guard", "patrol", "lock", "seal", "CCTV", "alarm", "others", "N.A.")
"""Protective measures in a word: the list of ClassNK's self-checklist for shipboard security (MS-SELF-CHK-SHIP)."""
FIELDS: Final[Mapping[str, str]] = {
    "measure": "what is done instead until it is repaired",
    "means": "the measure in a word: " + ", ".join(MEANS),
    "told": "who was told, and when: CSO P. Okafor @ 2026-11-22T02:10Z",
    "spare": "the spare part: on board, ordered, none",
    "repair": "what is or will be repaired",
    "repair_by": "by whom",
    "repair_at": "when, UTC",
    "remark": "anything else",
}


def add(commands: Any) -> None:
    """Add the subcommand."""
    defect = asking(commands, "defect", "list what is broken, or say what is done about one defect")
    defect.add_argument("defect", nargs="?", help="its number: DEF-014")
    for name, says in FIELDS.items():
        defect.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            action="append" if name == "told" else "store",
            metavar="WORDS",
            help=says,
        )
    defect.add_argument(
        "--effect",
        action="append",
        default=[],
        metavar="LEVEL=EFFECT",
        help="how far a security level can do without it: 2=none, 2=reduced or 2=lost",
    )
    defect.add_argument(
        "--removed",
        metavar="WHY",
        help="the equipment is on board no more: SSO and Master, both --by",
    )
    defect.add_argument(
        "--by", action="append", default=[], metavar="NAME", help="who, as the crew list has it"
    )
    pin_file(defect)
    defect.set_defaults(act=_act)


def _act(given: argparse.Namespace) -> int:
    fields = _fields(given)
    if not fields and given.removed is None:
        return _show(given)
    if given.defect is None:
        raise IspsdError("which one? ispsd defect DEF-014 …")
    if given.removed is not None:
        if fields:
            raise IspsdError("--removed stands alone: the defect is closed by it")
        said = {"do": "defect.removed", "reason": given.removed, "by": given.by}
    elif len(given.by) != 1:
        raise IspsdError("--by is wanted: one person")
    else:
        form = {"form": "defect-changed", "fields": {"defect": given.defect, **fields}}
        said = {"do": "enter", "by": given.by[0], **form}
    answer = asked(given, {**said, "defect": given.defect})
    seq = answer["recorded"]
    say("not yet recorded: the disk takes long" if seq is None else f"recorded: no. {seq}")
    return DONE


def _fields(given: argparse.Namespace) -> dict[str, str]:
    said = {name: getattr(given, name) for name in FIELDS if getattr(given, name) is not None}
    if given.told is not None:
        said["told"] = "; ".join(given.told)
    for word in given.effect:
        level, sign, effect = word.partition("=")
        if not sign or level not in {"1", "2", "3"}:
            raise IspsdError(f"--effect {word}: want 2=reduced, a security level and a word")
        said[f"effect_{level}"] = effect
    return said


def _show(given: argparse.Namespace) -> int:
    answer = asked(given, {"do": "defects", **members(defect=given.defect)})
    if not answer["defects"]:
        say("no defect is open")
    for each in answer["defects"]:
        for line in in_lines(each):
            say(line)
    for each in answer.get("entries", ()):
        say(f"  no. {each['seq']} {each['at'][:16]}Z {each['person'] or 'ispsd'}: {each['type']}")
    return DONE


def in_lines(defect: Mapping[str, Any]) -> list[str]:
    """Return one defect in words, what is not known of it included."""
    of = f" ({defect['test']}" + (f", {defect['item']})" if defect["item"] else ")")
    times = f", {defect['times']} times" if defect["times"] != 1 else ""
    found_at = defect["found_at"]
    since = f"since {found_at[:16]}Z" if found_at else "not known since when"
    told = ", ".join(f"{each['who']} {each['at'][:16]}Z" for each in defect["told"] or ())
    effect = ", ".join(f"L{level} {defect[f'effect_{level}']}" for level in (1, 2, 3))
    means = f" ({defect['means']})" if defect["means"] else ""
    mending = (defect["repair"], defect["repair_by"], (defect["repair_at"] or "")[:16])
    retest = f"when {defect['test']} passes" if defect["test"] else "closed by hand (defect-closed)"
    return [
        f"{defect['defect'].upper()} {defect['name']}{of if defect['test'] else ''}: {defect['found']}",
        f"  {since}{times}; without it: {effect}",
        f"  instead: {defect['measure'] or 'NO MEASURE'}{means}; told: {told or 'NOBODY'}",
        f"  spare: {defect['spare'] or '–'}; repair: {', '.join(filter(None, mending)) or '–'}; re-test: {retest}",
    ]
