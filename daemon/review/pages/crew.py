"""Who joined, who left, is a quarter of the crew new? The record's crew list, changed line by line or from a file."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import RefusedError
from daemon.model import Role
from daemon.people.crew import COLUMNS, LARGEST_CSV
from daemon.review.page import Act, Page
from daemon.review.typed import Pin, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daemon.model import Json
    from daemon.review.reader import Reader

QUARTER: Final = 4


@dataclass(frozen=True, slots=True)
class Lines:
    """A text of several lines, as a spreadsheet or a file has them."""

    name: str
    longest: int

    def read(self, typed: Mapping[str, str]) -> Json:
        said = typed.get(self.name, "").replace("\r\n", "\n").strip()
        if not said:
            raise RefusedError(f"{self.name} is wanted")
        if len(said) > self.longest:
            raise RefusedError(f"{self.name} has at most {self.longest} characters")
        return f"{said}\n"


async def read(reader: Reader, _: Mapping[str, str]) -> Mapping[str, Json]:
    """Return who is on board, and how many of them the drill's rule counts as new."""
    crew = await reader.ask("crew")
    count = len(crew["persons"])
    return {
        "persons": crew["persons"],
        "new": crew["new"],
        "crew": count,
        "allowed": count // QUARTER,
        "drill_by": crew["drill_by"],
        "roles": [role.value for role in Role],
        "columns": ",".join(COLUMNS),
        "today": f"{reader.now_utc:%Y-%m-%d}",
    }


def joined(said: Mapping[str, Any], _: str) -> Mapping[str, Json]:
    """Return the request for somebody who came aboard, or whose rank or duties are others."""
    row = [said["name"], said["rank"], said.get("roles", ""), said["joined"], ""]
    return {"csv": _csv([row]), "pin": said["pin"]}


def left(said: Mapping[str, Any], _: str) -> Mapping[str, Json]:
    """Return the request for somebody who left: the list knows all else of him."""
    return {
        "csv": _csv([[said["name"], "–", "", said["left"], said["left"]]]),
        "pin": said["pin"],
    }


def _csv(rows: Iterable[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(COLUMNS), *rows])
    return text.getvalue()


PAGE = Page(
    name="crew",
    title="Crew change",
    read=read,
    order=61,
    listed=False,
    acts={
        "joined": Act(
            do="crew.import",
            fields=(
                Text("name", longest=60),
                Text("rank", longest=20),
                Text("roles", wanted=False, longest=100),
                Text("joined", longest=10),
                Pin(),
            ),
            shape=joined,
        ),
        "left": Act(
            do="crew.import",
            fields=(Text("name", longest=60), Text("left", longest=10), Pin()),
            shape=left,
        ),
        "import": Act(do="crew.import", fields=(Lines("csv", LARGEST_CSV), Pin())),
    },
)
