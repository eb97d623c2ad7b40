"""The alert table on the terminal: from the running daemon, which knows what each is now, or from the files."""

from __future__ import annotations

import asyncio
import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon import config
from daemon.console.asking import DEFAULT_CONFIG, DONE, asking, is_missing, say
from daemon.control import control
from daemon.errors import IspsdError, RefusedError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

SHOWN_TO: Final = {"watch": "watch", "sso": "SSO, Master"}
LETTERS: Final = {
    "A": "alarm",
    "W": "warning",
    "C": "caution",
    "L": "written down, told nobody",
    "-": "not judged",
}
HEAD: Final = f"{'key':<21} number  {'title':<16}  sea anc port thr  {'on':>7} {'off':>7}  shown to"
LEGEND: Final = (
    "letters: security level 1, 2, 3 · A alarm, W warning, C caution, L written down, - not judged"
)
WIDEST: Final = 100
MINUTE_S: Final = 60
HOUR_S: Final = 3600


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = asking(commands, "alerts", "show the alert table, or everything about one alert")
    parser.add_argument("key", nargs="?", help='one alert: door.store.open, 10014, "STORE OPEN"')
    parser.add_argument(
        "--config", type=Path, help="the ship's file, where no daemon runs (default: the installed)"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(act=_alerts)


def _alerts(given: argparse.Namespace) -> int:
    answer = _answer(given)
    rows: list[dict[str, Any]] = answer["alerts"]
    if given.key is not None:
        rows = [_found(given.key, rows)]
    if given.json:
        say(json.dumps({**answer, "alerts": rows}, ensure_ascii=False))
        return DONE
    one = None if given.key is None else rows[0]
    for line in table(rows) if one is None else whole(one):
        say(line)
    for line in _below(answer, one):
        say(line)
    return DONE


def _answer(given: argparse.Namespace) -> dict[str, Any]:
    """Return the daemon's table; where none answers, or a file is named, that of the files.

    Raises:
        ConfigError: The ship's file cannot be used.
    """
    if given.config is None:
        try:
            return asyncio.run(control.ask(given.socket, {"do": "alerts"}))
        except RefusedError:
            raise
        except (IspsdError, OSError, ValueError):
            pass
    return _of_the_files(given.config)


def _of_the_files(path: Path | None) -> dict[str, Any]:
    # Who asks a daemon starts faster without.
    from daemon.alerts import catalogue  # noqa: PLC0415
    from daemon.alerts.listing import listed  # noqa: PLC0415
    from daemon.assets import asset  # noqa: PLC0415
    from daemon.config.alerting import kinds  # noqa: PLC0415

    shipped = catalogue.load(asset("alerts.toml"))
    if path is None and is_missing(DEFAULT_CONFIG):
        rows = listed(shipped, shipped=shipped, alterations={})
        return {"alerts": rows, "file": None}
    path = path or DEFAULT_CONFIG
    loaded = config.load(path)
    now = kinds(loaded, shipped)
    rows = listed(now, shipped=shipped, alterations=loaded.alterations)
    return {"alerts": rows, "file": str(path)}


def _found(key: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    known = {str(row[name]).lower(): row for row in rows for name in ("key", "number", "title")}
    if (found := known.get(key.lower())) is not None:
        return found
    keys = [row["key"] for row in rows]
    near = difflib.get_close_matches(key, keys, n=3) or [k for k in keys if key in k]
    meant = f"; is it {', '.join(near)}?" if near else "; `ispsd alerts` lists them"
    raise IspsdError(f"there is no alert {key!r}{meant}")


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the whole table: of each alert its figures, what was seen, what to do, and how it differs."""
    yield HEAD
    for row in rows:
        yield (
            f"{row['key']:<21} {row['number']:<7} {row['title']:<16}  {row['sea']} {row['anchor']} "
            f"{row['port']}   {row['threat']}   {_time(row['on_delay_s']):>7} "
            f"{_time(row['off_delay_s']):>7}  {SHOWN_TO[row['show']]}"
        )
        yield f"    seen    {row['cause']}"
        yield f"    action  {row['action']}"
        if row["latch"]:
            yield f"    stays   until {row['latch']}"
        yield from (f"    differs {each}" for each in _differences(row))
    yield ""
    yield LEGEND
    yield "on and off: how long it must stand, or be gone; 0 s: at once, or as its rule counts"


def whole(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield everything about one alert."""
    yield f"{row['title']}   {row['key']}   no. {row['number']}"
    yield f"seen          {row['cause']}"
    yield f"action        {row['action']}"
    yield f"shown to      {SHOWN_TO[row['show']]}" + (
        " stations; it sounds at those that are attended" if row["show"] == "watch" else ""
    )
    yield f"comes         {_after(row['on_delay_s'])}; goes {_after(row['off_delay_s'])}"
    if row["latch"]:
        yield f"stays         until {row['latch']}"
    yield "priority      level 1  level 2  level 3"
    for name, letters in (
        ("sea", row["sea"]),
        ("anchor", row["anchor"]),
        ("port", row["port"]),
        ("yard", row["yard"]),
    ):
        words = "  ".join(f"{_short(letter):<7}" for letter in letters)
        yield f"  {name:<11} {words}".rstrip()
    threat = "" if row["threat"] == "-" else f", and at least {LETTERS[row['threat']]}"
    yield f"  in a threat area as at level 2 (3 at level 3){threat}; manoeuvring as at sea"
    explained = row["explained_by"]
    yield "explained by  " + (" or ".join(explained[:3]) or "nothing: it always comes")
    for at in range(3, len(explained), 3):
        yield "              " + " or ".join(explained[at : at + 3])
    if not row["may_inhibit"]:
        yield "inhibit       nobody may; nothing silences it"
    elif not row["in_blackout"]:
        yield "in a planned blackout it is not told"
    yield from (f"differs       {each}" for each in _differences(row))


def _below(answer: Mapping[str, Any], one: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what one alert would be now, or what everything hangs on; without a daemon, where the table comes from."""
    if "situation" in answer:
        where = f"{answer['situation']}, security level {answer['security_level']}"
        where += ", threat area" if answer["threat"] else ""
        if one is None:
            yield f"now: {where}"
            return
        yield f"now           {LETTERS[one['now']]} ({where})"
        if one["stands"]:
            yield f"stands for    {', '.join(one['stands'])}"[:WIDEST]
        for each in one["inhibited"]:
            yield f"inhibited     {each['name']} until {each['ends'][11:16]}Z"
        return
    file = answer["file"]
    yield "no daemon was asked: " + (
        f"the table with what {file} changes" if file else "the table as it is shipped"
    )


def _differences(row: Mapping[str, Any]) -> Iterator[str]:
    names = {"on_delay_s": "on delay", "off_delay_s": "off delay"}
    for field, each in row["differs"].items():
        was, now = (
            said if isinstance(said, str) else _time(said)
            for said in (each["shipped"], each["now"])
        )
        whose = f", SSP {row['ssp']}, approved by {row['approved_by']}" if row["ssp"] else ""
        yield f"{names.get(field, field)} {now}, shipped {was}{whose}"[:88]


def _short(letter: str) -> str:
    return {"L": "written", "-": "-"}.get(letter, LETTERS[letter])


def _after(seconds: float) -> str:
    return f"after {_time(seconds)}" if seconds else "at once, or as its rule counts"


def _time(seconds: float) -> str:
    """Return a delay as people say it."""
    if seconds >= HOUR_S and seconds % HOUR_S == 0:
        return f"{seconds / HOUR_S:g} h"
    if seconds > MINUTE_S and seconds % MINUTE_S == 0:
        return f"{seconds / MINUTE_S:g} min"
    return f"{seconds:g} s"
