"""Who reads the paper, and what may he see? Names for everybody who may know them, generic ones for all others.

ISPS A/9.8.1: the plan's .2 (restricted areas), .4, .5, .7, .15 (procedures of testing), .17 and .18 (activation points)
are never shown to port state control without the flag's agreement. So a paper for PSC is made only of what this module
and the tables choose: numbers, dates, words of fixed lists, ids such as D10. No free text of the record goes into it,
but the names of persons, ports and facilities, and who gave an instruction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from daemon.model import Classification
from daemon.papers.words import text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from daemon.papers.source import Found

LONGEST_NAME: Final = 60
"""Characters of a name in a pack that has a number of pages to keep to."""
OPAQUE: Final = re.compile(r"[a-z]{1,3}\d{1,3}")
"""An id that says what kind of thing it is and nothing of where: d10, c03, x01."""
DEFECT: Final = re.compile(r"def-\d{1,6}")
KINDS: Final[Mapping[str, str]] = {
    "ais_own_report": "AIS own report",
    "gnss": "GNSS",
    "alert_path": "Alert path",
    "record_verify": "Security record",
    "door_contacts": "Door contacts",
    "walk_test": "Motion detectors",
    "seal_round": "Seals",
    "station_sound": "Station sound",
    "ssas_end_to_end": "SSAS",
    "ssas_lamp": "SSAS",
    "manual": "Manual test",
}
EQUIPMENT: Final[Mapping[str, str]] = {
    "ais": "AIS own report",
    "gnss": "GNSS",
    "alert-path": "Alert path",
    "record": "Security record",
    "doors": "Door contacts",
    "motion": "Motion detectors",
    "seals": "Seals",
    "stations": "Station sound",
    "cctv": "Cameras",
    "uhf": "Radio sets",
    "ups": "Reserve power",
    "lights": "Lighting",
    "ispsd": "Monitoring system",
    "ssas": "SSAS",
}
"""What usual ids stand for; another that is not opaque is *equipment* with a number of its own."""
LETTERS: Final[Mapping[str, str]] = {
    "d": "Door",
    "s": "Seal",
    "n": "Seal",
    "m": "Motion detector",
    "c": "Camera",
    "h": "Side door",
    "g": "GNSS receiver",
    "a": "AIS",
    "x": "Search equipment",
    "v": "Radio set",
    "lt": "Lights",
    "u": "Reserve power",
    "sl": "Searchlight",
    "p": "SSAS",
}
WORDS: Final[Mapping[str, str]] = {
    "ais_own_report": "Supervision",
    "gnss": "Supervision",
    "alert_path": "Supervision",
    "record_verify": "Verification",
    "door_contacts": "Open/close test",
    "walk_test": "Walk test",
    "seal_round": "Seal round",
    "station_sound": "Sound heard",
}
"""What is done in each kind of test, in a word."""
SCENARIOS: Final = (
    ("stowaway", "stowaway search"),
    ("bomb", "bomb threat"),
    ("piracy", "armed attack"),
    ("armed", "armed attack"),
    ("hijack", "armed attack"),
    ("unauthor", "unauthorized access"),
    ("intru", "unauthorized access"),
    ("breach", "breach of security"),
    ("level", "change of security level"),
    ("search", "search"),
    ("cyber", "cyber incident"),
    ("evacuat", "evacuation"),
    ("sabotage", "sabotage"),
)
"""Classes of drills: the first word that is found names the class."""


class View(StrEnum):
    """For whom a paper is."""

    FULL = "full"
    """SSO, Master, company."""
    PSC = "psc"
    """Port state control: A/9.8.1."""
    RSO = "rso"
    """The recognized security organization that audits."""


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called in a view.

    Attributes:
        kinds: By test, its kind.
        numbers: By equipment whose id says too much, the number under which it goes.
    """

    view: View
    kinds: Mapping[str, str]
    numbers: Mapping[str, int]

    @property
    def is_psc(self) -> bool:
        return self.view is View.PSC

    def equipment(self, found: Found) -> str:
        """Return what was tested."""
        if not self.is_psc:
            return text(found.open, "name") or text(found.open, "equipment") or found.entry.subject
        if is_ssas(found):
            return "SSAS"
        kind = self.kinds.get(text(found.open, "test"), "")
        if kind in KINDS and kind != "manual":
            return KINDS[kind]
        return self.thing(text(found.open, "equipment"))

    def thing(self, id_: str) -> str:
        """Return a piece of equipment by its id alone."""
        if not self.is_psc:
            return id_.upper()
        return generic(id_) or f"Equipment {self.numbers.get(id_, 0)}"

    def test(self, found: Found) -> str:
        """Return which test it was, with its paragraph in the plan for those who may know the plan."""
        if self.is_psc:
            kind = self.kinds.get(text(found.open, "test"), "")
            return "SSAS test" if is_ssas(found) else WORDS.get(kind, "Functional test")
        return f"{text(found.open, 'test').upper()}  {text(found.open, 'ssp_paragraph')}".strip()

    def short(self, name: str) -> str:
        """Return a name; in a pack no longer than fits."""
        return (
            name if not self.is_psc or len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        )

    def defect(self, id_: str) -> str:
        """Return a defect's number; for PSC only one that is a number."""
        return id_.upper() if not self.is_psc or DEFECT.fullmatch(id_) else "defect"

    def scenario(self, said: str) -> str:
        """Return what was drilled; for PSC its class only."""
        if not self.is_psc:
            return said
        folded = said.casefold()
        return next((name for word, name in SCENARIOS if word in folded), "security drill")


def generic(id_: str) -> str:
    """Return what port state control is told that equipment is, by its id alone; "" where that says too much."""
    if id_ in EQUIPMENT:
        return EQUIPMENT[id_]
    if not OPAQUE.fullmatch(id_):
        return ""
    word = LETTERS.get(id_.rstrip("0123456789"), "Equipment")
    return word if word == "SSAS" else f"{word} {id_.upper()}"


def is_ssas(found: Found) -> bool:
    """Return whether an entry is about the ship security alert system: when in doubt, it is."""
    about = f"{found.entry.subject} {text(found.open, 'equipment')} {text(found.open, 'test')}".casefold()
    return "ssas" in about or (
        found.entry.classification is Classification.SSO and found.entry.type.startswith("test.")
    )


def names(
    view: View, kinds: Mapping[str, str], equipment: set[str], known: Collection[str] = ()
) -> Names:
    """Return the names of a view; numbers are given in the order of the ids, to what is ``known`` of the ship first."""
    speaking = sorted(
        (
            id_
            for id_ in equipment | set(known)
            if id_ not in EQUIPMENT and not OPAQUE.fullmatch(id_)
        ),
        key=lambda id_: (id_ not in known, id_),
    )
    return Names(view, kinds, {id_: number for number, id_ in enumerate(speaking, start=1)})
