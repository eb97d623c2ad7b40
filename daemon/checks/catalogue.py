"""Which tests do ships usually have, and what does this ship have otherwise? ``config/tests.toml`` and its use.

A test of the ship's file that names an entry (``use``) has everything that the entry says, and adds what is the ship's
own: which doors, which detectors. What the entry says she may have otherwise, by her plan's paragraph and somebody's
approval; her name of the equipment and the hour of the day are hers anyway.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from daemon import assets
from daemon.checks.api import Mode
from daemon.checks.asking import PLAN_SETTINGS, Asked, Id, Intervals
from daemon.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from daemon.checks.api import CheckConfig
    from daemon.model import Json

FILE: Final = "tests.toml"
HERS: Final = frozenset(
    {
        "use",
        "id",
        "name",
        "equipment",
        "ssp_paragraph",
        "at",
        "approved_by",
        "approved_on",
        "interval_source",
        "source",
        "clause",
    }
)
"""What a ship says in her own words, and nobody needs to approve."""
_OF_THE_ENTRY: Final = ("mode", "off")
"""What is no setting of a test."""


class Entry(Asked):
    """One test of the catalogue; the settings of its check stand beside these."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    mode: Mode
    name: Annotated[str, Field(min_length=1, max_length=40)]
    equipment: Id
    every: Intervals | None = None  # type: ignore[assignment]
    """None: only a ship's plan can say."""
    off: str = Field(default="", max_length=160)
    """Why it is on no ship that says no more than its SSP paragraph."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that the ship has otherwise than the catalogue."""

    setting: str
    shipped: Json
    now: Json


class _Catalogue(BaseModel):
    entries: dict[Id, Entry]


def load(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Read the catalogue; return the settings of each test as they stand there.

    Raises:
        ConfigError: With every fault of the file.
    """
    raw = assets.tables(path)
    try:
        _Catalogue.model_validate({"entries": raw})
    except ValidationError as err:
        faults = tuple(Fault(".".join(map(str, e["loc"][1:])), e["msg"]) for e in err.errors())
        raise ConfigError(str(path), faults) from err
    return raw


def used(part: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a test of the ship is that uses an entry, as her file might have said it in full."""
    shipped = {name: said for name, said in entry.items() if name not in _OF_THE_ENTRY}
    if "every" in part:
        # Who says how often says it for every situation; whose word it is she says herself.
        shipped.pop("every_in", None)
        if part["every"] != entry.get("every"):
            shipped |= {"interval_source": "SSP", "source": ""}
    return {"id": part["use"], **shipped, **part}


def differences(
    config: CheckConfig, part: Mapping[str, Any], entry: Mapping[str, Any]
) -> tuple[Difference, ...]:
    """Return what the ship has otherwise than the catalogue."""
    hers = {name: said for name, said in part.items() if name not in entry or name in HERS}
    hers = {name: said for name, said in hers.items() if name not in PLAN_SETTINGS}
    if "every" not in entry:
        hers["every"] = part.get("every")  # only her plan can say
    shipped = type(config).model_validate(used({**hers, "use": part["use"]}, entry) | hers)
    named = [name for name in (*PLAN_SETTINGS, *part) if name in PLAN_SETTINGS or name in entry]
    return tuple(
        Difference(name, was, now)
        for name in dict.fromkeys(named)
        if name not in HERS and (was := _plain(shipped, name)) != (now := _plain(config, name))
    )


def faults(
    place: str, config: CheckConfig, found: tuple[Difference, ...], *, kind: str, said_kind: Any
) -> list[Fault]:
    """Return what the ship may not have otherwise without saying by whose word."""
    if said_kind is not None and said_kind != kind:
        return [Fault(f"{place}.kind", f"{said_kind!r}: {config.use} is a test of kind {kind!r}")]
    if found and config.approved_by is None:
        return [
            Fault(
                f"{place}.{each.setting}",
                f"{shown(each.now)} and not {shown(each.shipped)} as in the catalogue: "
                'say who approved it, approved_by = "name, rank"; its paragraph is ssp_paragraph',
            )
            for each in found
        ]
    if config.approved_by is not None and not found:
        return [Fault(f"{place}.approved_by", "nothing here is another than in the catalogue")]
    return []


def unknown(use: object, catalogue: Mapping[str, Any]) -> str:
    """Return why there is no such entry."""
    near = difflib.get_close_matches(str(use), catalogue, n=1)
    meant = f"; {near[0]!r}?" if near else f"; there are {', '.join(catalogue)}"
    return f"there is no {use!r} in the catalogue of tests{meant}"


def shown(said: Json) -> str:
    """Return a setting in words."""
    if isinstance(said, dict):
        return ", ".join(f"{name} {shown(each)}" for name, each in said.items()) or "nothing"
    if isinstance(said, list):
        return " / ".join(map(shown, said)) or "nothing"
    if isinstance(said, float):
        return f"{said:g}"
    return "nothing" if said in {None, ""} else str(said)


def _plain(config: CheckConfig, name: str) -> Json:
    """Return one setting as plain JSON; what counts at all three security levels stands once."""
    said: Json = config.model_dump(mode="json", include={name}).get(name)
    return _once(said)


def _once(said: Json) -> Json:
    if isinstance(said, dict):
        return {name: _once(each) for name, each in said.items()}
    if isinstance(said, list) and len(said) > 1 and all(each == said[0] for each in said):
        first: Json = said[0]
        return first
    return said
