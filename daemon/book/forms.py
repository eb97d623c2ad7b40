"""Which forms are there, and what does each ask? Data (``config/book.toml``), held against the rules of the record.

Source of the kinds: ISPS Code A/10.1 .1 to .10; .11 to .13 mirror SOLAS XI-2/9.2.1, .14 is other practical information.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon import assets
from daemon.book import values
from daemon.book.values import Field, Is
from daemon.errors import ConfigError, Fault, RefusedError
from daemon.model import Classification, Json
from daemon.record.entry import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

FRAME: Final = frozenset(
    {"done_at", "entered_at", "late", "late_unknown", "raised_from", "said_at", "signed"}
)
"""Members that ispsd itself adds to what a person typed."""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_MEMBER = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_SUBJECT = re.compile(r"\{(?P<field>[a-z0-9_]+)\}|(?P<word>[a-z0-9-]+)")
_FORM_WORDS = frozenset(
    {"says", "kind", "type", "class", "subject", "done", "field", "numbers", "about", "wants_one"}
)
_FIELD_WORDS: Final[Mapping[str, type]] = {
    "is": str,
    "says": str,
    "optional": bool,
    "class": str,
    "most": int,
    "least": int,
    "of": list,
    "after": str,
    "within": str,
    "future": bool,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form.

    Attributes:
        name: As it is typed.
        subject: What the entry is about: a word, or a field in braces.
        done: The fields that say when it was done, the best first.
        numbers: The field that gets the next number where none is typed.
        about: The field that must name something that is open.
        wants_one: Of the fields that may be left away, one at least is wanted.
    """

    name: str
    says: str
    kind: str
    type: str
    classification: Classification
    subject: str
    done: tuple[str, ...] = ()
    numbers: str | None = None
    about: str | None = None
    wants_one: bool = False
    fields: Mapping[str, Field]

    def filled(self, typed: Mapping[str, str], *, now_utc: datetime | None) -> dict[str, Json]:
        """Return every field's value; what may be left away and was, is null.

        Raises:
            RefusedError: A field that the form does not have, or whose value it does not take; ``wants`` has the reason
                for each of them under ``fields``.
        """
        for name in typed:
            self.field(name)
        found: dict[str, Json] = {}
        faults: dict[str, str] = {}
        for name, field in self.fields.items():
            try:
                found[name] = values.value_of(field, typed.get(name, ""), now_utc=now_utc)
            except RefusedError as err:
                faults[name] = str(err)
        if faults:
            raise RefusedError("; ".join(faults.values()), wants={"fields": faults})
        values.check_together(self.fields, found)
        optional = [name for name, field in self.fields.items() if field.optional]
        if self.wants_one and all(found[name] is None for name in optional):
            raise RefusedError(f"one of these is wanted: {', '.join(optional)}")
        return found

    def field(self, name: str) -> Field:
        """Return a field by its name.

        Raises:
            RefusedError: The form has none of that name.
        """
        try:
            return self.fields[name]
        except KeyError:
            known = ", ".join(self.fields)
            raise RefusedError(f"{self.name} has no field {name[:40]!r}; it has {known}") from None

    def told(self) -> dict[str, Json]:
        """Return what it asks for, for whoever fills it in: a person at a terminal, or a page that draws it."""
        return {
            "form": self.name,
            "says": self.says,
            "kind": self.kind,
            "class": self.classification.value,
            "done": [*self.done],
            "numbers": self.numbers,
            "about": self.about,
            "wants_one": self.wants_one,
            "fields": [field.told() for field in self.fields.values()],
        }

    def split(self, found: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
        """Return what everybody of the entry's class may read, and what only the SSO may."""
        private = {name for name, field in self.fields.items() if field.private}
        shown = {name: value for name, value in found.items() if name not in private}
        return shown, {name: value for name, value in found.items() if name in private}

    def subject_of(self, found: Mapping[str, Json]) -> str:
        """Return what an entry of this form is about."""
        field = self.subject.strip("{}")
        return self.subject if field == self.subject else str(found[field]).lower()


class Forms:
    """All forms."""

    def __init__(self, forms: Mapping[str, Form]) -> None:
        self.forms = forms
        self._of_type = {form.type: form for form in forms.values()}

    def named(self, name: str) -> Form:
        """Return a form by its name.

        Raises:
            RefusedError: There is none of that name.
        """
        try:
            return self.forms[name]
        except KeyError:
            known = ", ".join(self.forms)
            raise RefusedError(f"there is no form {name[:40]!r}; there are {known}") from None

    def of_type(self, type_: str) -> Form | None:
        """Return the form that makes entries of a type."""
        return self._of_type.get(type_)


def load(path: Path) -> Forms:
    """Read the forms.

    Raises:
        ConfigError: With everything that is wrong in them.
    """
    raw = assets.tables(path)
    faults: list[Fault] = []
    types: dict[str, str] = {}
    for name, said in raw.items():
        faults += _form_faults(name, said)
        type_ = str(said.get("type")) if isinstance(said, dict) else name
        if (other := types.setdefault(type_, name)) != name:
            faults.append(Fault(f"{name}.type", f"{type_} is that of {other} already"))
    if faults:
        raise ConfigError(str(path), tuple(faults))
    return Forms({name: _form(name, said) for name, said in raw.items()})


def _form(name: str, said: Mapping[str, Any]) -> Form:
    return Form(
        name=name,
        says=said["says"],
        kind=said["kind"],
        type=said["type"],
        classification=Classification(said["class"]),
        subject=said["subject"],
        done=tuple(said.get("done", ())),
        numbers=said.get("numbers"),
        about=said.get("about"),
        wants_one=said.get("wants_one", False),
        fields={each: _field(each, words) for each, words in said["field"].items()},
    )


def _field(name: str, said: Mapping[str, Any]) -> Field:
    kept = {k: v for k, v in said.items() if k not in {"is", "class", "of"}}
    return Field(
        name=name,
        is_=Is(said["is"]),
        private=said.get("class") == Classification.SSO.value,
        of=tuple(said.get("of", ())),
        **kept,
    )


def _form_faults(name: str, said: Any) -> Iterator[Fault]:
    if not isinstance(said, dict) or not _NAME.fullmatch(name):
        yield Fault(name, "is no form: a name of letters and dashes, and a table")
        return
    for word in said.keys() - _FORM_WORDS:
        yield Fault(f"{name}.{word}", f"is not known; want {', '.join(sorted(_FORM_WORDS))}")
    if not isinstance(said.get("says"), str):
        yield Fault(f"{name}.says", "wants a text")
    if str(said.get("kind")) not in KINDS - {"system"}:
        yield Fault(f"{name}.kind", f"{said.get('kind')!r} is none of .1 to .14")
    if not isinstance(said.get("type"), str) or not _TYPE.fullmatch(said["type"]):
        yield Fault(f"{name}.type", f"{said.get('type')!r} is no type: noun.verb")
    if str(said.get("class")) not in set(Classification):
        yield Fault(f"{name}.class", f"{said.get('class')!r} is neither watch nor sso")
    fields = said.get("field")
    if not isinstance(fields, dict) or not fields:
        yield Fault(f"{name}.field", "wants at least one field")
        return
    for field, words in fields.items():
        yield from _field_faults(f"{name}.field.{field}", field, words, fields)
        if (
            isinstance(words, dict)
            and "class" in words
            and (words["class"] != "sso" or said.get("class") != "watch")
        ):
            yield Fault(
                f"{name}.field.{field}.class", "only sso, and only in a form of class watch"
            )
    yield from _reference_faults(name, said, fields)


def _reference_faults(
    name: str, said: Mapping[str, Any], fields: Mapping[str, Any]
) -> Iterator[Fault]:
    """Yield what a form says of its fields and is not so."""
    subject = _SUBJECT.fullmatch(str(said.get("subject", "")))
    if subject is None:
        yield Fault(f"{name}.subject", "is a word, or a field in braces: {equipment}")
    elif (field := subject["field"]) is not None and (
        not _is_a(fields, field, Is.TEXT)
        or fields[field].get("optional")
        or "class" in fields[field]
    ):
        yield Fault(f"{name}.subject", f"{field} is no text that is always there for everybody")
    done = said.get("done", [])
    for field in done if isinstance(done, list) else [done]:
        if not _is_a(fields, field, Is.MOMENT):
            yield Fault(f"{name}.done", f"{field!r} is no moment of this form")
    for word in ("numbers", "about"):
        if word in said and not _is_a(fields, said[word], Is.TEXT):
            yield Fault(f"{name}.{word}", f"{said[word]!r} is no text of this form")


def _field_faults(place: str, name: str, said: Any, fields: Mapping[str, Any]) -> Iterator[Fault]:
    if not isinstance(said, dict) or str(said.get("is")) not in set(Is):
        yield Fault(place, f"wants is = one of {', '.join(Is)}")
        return
    if not _MEMBER.fullmatch(name) or name in FRAME:
        yield Fault(place, "is no name for a field: letters and _, and none that ispsd adds itself")
    for word, value in said.items():
        if word not in _FIELD_WORDS:
            known = ", ".join(_FIELD_WORDS)
            yield Fault(f"{place}.{word}", f"is not known; want {known}")
        elif type(value) is not _FIELD_WORDS[word]:
            yield Fault(f"{place}.{word}", f"{value!r} is no {_FIELD_WORDS[word].__name__}")
    if "says" not in said:
        yield Fault(f"{place}.says", "wants a text")
    yield from _bound_faults(place, said, fields)


def _bound_faults(
    place: str, said: Mapping[str, Any], fields: Mapping[str, Any]
) -> Iterator[Fault]:
    """Yield bounds that do not go together."""
    least, most = said.get("least", 0), said.get("most", values.LONGEST_TEXT)
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield Fault(place, "least is more than most")
    of = said.get("of", [])
    is_choice = said["is"] == Is.CHOICE.value
    if not isinstance(of, list) or is_choice != bool(of) or not all(type(o) is str for o in of):
        yield Fault(f"{place}.of", "a choice, and nothing else, wants texts to choose from")
    for word, kind in (("after", Is.MOMENT), ("within", Is.NUMBER)):
        if word in said and not (said["is"] == kind.value and _is_a(fields, said[word], kind)):
            yield Fault(f"{place}.{word}", f"{said[word]!r} is no {kind} of this form")


def _is_a(fields: Mapping[str, Any], name: Any, kind: Is) -> bool:
    field = fields.get(name) if isinstance(name, str) else None
    return isinstance(field, dict) and field.get("is") == kind
