"""The ship's own look at her alerts on the terminal: how many, from where, how soon answered, beside the goal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from daemon.console.asking import DONE, asked, asking, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

WORDS: Final = {True: "kept", False: "NOT KEPT", None: "-"}
SITUATIONS: Final = {
    "sea": "at sea",
    "manoeuvring": "manoeuvring",
    "anchor": "at anchor",
    "port": "in port",
    "yard": "in a yard",
}
WIDEST: Final = 100


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = asking(commands, "rates", "show how often alerts sound, and from where (SSO)")
    parser.add_argument("--days", type=int, default=7, help="how many, up to today, UTC (1 to 400)")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(act=_rates)


def _rates(given: argparse.Namespace) -> int:
    answer = asked(given, {"do": "rates", "days": given.days})
    if given.json:
        say(json.dumps(answer, ensure_ascii=False))
        return DONE
    for line in page(answer):
        say(line[:WIDEST])
    return DONE


def page(said: Mapping[str, Any]) -> Iterator[str]:
    """Yield the answer, a line each, at most 100 columns."""
    yield (
        f"ALERT RATES {said['from']} to {said['to']} UTC · {said['hours']:g} h counted · "
        "not part of the security record"
    )
    yield from _goals(said)
    yield ""
    for each in said["stations"]:
        rate = "-" if each["per_hour"] is None else f"{each['per_hour']:g} per operator-hour"
        hours = f"in {each['hours']:g} h with somebody on watch"
        yield f"{each['station'][:20]:<20} {each['sounded']:>5} {hours:<34} {rate}"
    yield from _answered(said)
    yield from _floods(said["floods"])
    yield from _top(said)
    for each in said["chattering"]:
        yield f"chattering: {each['title']} {each['name']}, {each['times']} times"
    for each in said["standing"]:
        yield f"stands for {each['hours']:g} h: {each['title']} {each['name']}"
    yield from _kept(said)


def _goals(said: Mapping[str, Any]) -> Iterator[str]:
    yield f"{'began to sound':<20} {'times':>5} {'hours':>7}  {'in 4 h':>7}  {'goal':>5}"
    for each in said["situations"]:
        rate = "-" if each["per_watch"] is None else f"{each['per_watch']:g}"
        goal = "-" if each["goal"] is None else f"≤ {each['goal']:g}"
        yield (
            f"{SITUATIONS[each['situation']]:<20} {each['sounded']:>5} {each['hours']:>7g}  "
            f"{rate:>7}  {goal:>5}  {WORDS[each['within']]}"
        )
    count, goal = said["administrative"], said["goal_administrative"]
    is_kept = WORDS[count <= goal]
    yield f"{'of paperwork':<20} {count:>5} {'':>7}  {'':>7}  {goal:>5}  {is_kept}"


def _answered(said: Mapping[str, Any]) -> Iterator[str]:
    answered = said["answered"]
    if answered["count"]:
        half, most = (
            "later than 1 h" if s is None else f"within {s} s"
            for s in (answered["median_s"], answered["most_s"])
        )
        yield f"acknowledged         {answered['count']:>5} half {half}, 95 % {most}"
    share = f" of {said['sounded']}" if said["sounded"] else ""
    yield f"became an alarm      {said['promoted']:>5}{share}"
    yield f"ended by inhibiting  {said['inhibited']:>5}{share}"


def _floods(floods: list[Mapping[str, Any]]) -> Iterator[str]:
    if not floods:
        yield "floods (more than 10 in 10 min): none"
    for each in floods:
        ended = f"to {each['ended']}" if each["ended"] else "and no end seen"
        yield f"flood from {each['began']} {ended}: {each['alerts']} alerts"


def _top(said: Mapping[str, Any]) -> Iterator[str]:
    if said["top"]:
        yield ""
        yield f"{'what sounded most':<18} {'where':<17} {'alarms':>6} {'warnings':>8} {'share':>6}  key"
    for each in said["top"]:
        yield (
            f"{each['title'][:17]:<18} {each['name'][:16]:<17} {each['alarms']:>6} "
            f"{each['warnings']:>8} {each['share']:>6.0%}  {each['key']}"
        )


def _kept(said: Mapping[str, Any]) -> Iterator[str]:
    if said["damaged"]:
        yield f"set aside as damaged: {', '.join(said['damaged'])}"
    if said["not_read"]:
        yield f"older counts could not be read: {said['not_read']}"
    if said["not_kept"]:
        yield f"newer counts are not on disk: {said['not_kept']}"
