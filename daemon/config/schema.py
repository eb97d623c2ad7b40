"""What does an editor need to help whoever writes the ship's file? Its JSON Schema, made from the shapes themselves.

Draft 7, which is what editors of TOML take (Taplo, Even Better TOML): of what a file may say it knows each setting with
its text, unit, limits and choices. What one part wants of another, ``ispsd check`` alone knows.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import textwrap
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from daemon.assets import asset
from daemon.checks import catalogue
from daemon.checks.api import CheckConfig
from daemon.config import registry
from daemon.config.shape import LONGEST_REASON, ConfigFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

FILE: Final = "ispsd.schema.json"
"""What it is called, among the data files and beside a ship's file."""
DIALECT: Final = "http://json-schema.org/draft-07/schema#"
UNITS: Final = {
    "_s": "seconds",
    "_min": "minutes",
    "_h": "hours",
    "_days": "days",
    "_years": "years",
    "_m": "metres",
    "_kn": "knots",
    "_v": "volts",
    "_ma": "milliampere",
    "_mb": "MB",
}
"""What the end of a setting's name says, in words."""
USUAL: Final = {
    "id": "What it is called in the record and on topics: small letters, digits, _ and -.",
    "name": "What watch stations show of it.",
    "place": "Where it is; only the SSO sees it.",
    "device": "The [device.…] that it is wired to, or heard by.",
    "input": "The input that it is wired to, counted from 0 as printed on the module.",
    "inputs": "The inputs that it is wired to, counted from 0 as printed on the module.",
    "link": "Where it is listened to: a serial port, TCP, UDP, a recording.",
    "host": "Address, or name, on the ship's network.",
    "port": "Which port; of a serial line its device file.",
    "user": "As whom to log in.",
    "password_file": 'A file that nobody else may read, or "credential:<name>", which systemd hands over.',
    "certificate_file": "Of TLS: the certificate, with those that it comes of.",
    "key_file": 'A file that nobody else may read, or "credential:<name>", which systemd hands over.',
    "situations": "Where it counts: sea, manoeuvring, anchor, port, yard.",
    "priority": "A alarm, W warning, C caution.",
    "points": "Points, by id.",
}
"""What is said of settings that are the same wherever they stand, and have no text of their own there."""
LOCAL: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_REASON,
    "description": "Why a device on this very computer is right on a ship.",
}
NOTHING: Final = {"type": "null"}
ID: Final = r"^[a-z0-9][a-z0-9_-]{0,30}$"
_DEFINED: Final = "#/$defs/"


def text() -> str:
    """Return the schema as the committed file holds it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the ship's file."""
    drivers = {kind: spec.config for kind, spec in registry.drivers().items()}
    exporters = {kind: spec.config for kind, spec in registry.exporters().items()}
    checks = {kind: spec.config for kind, spec in registry.checks().items()}
    models: list[type[BaseModel]] = [
        ConfigFile,
        *drivers.values(),
        *exporters.values(),
        *checks.values(),
    ]
    names, whole = models_json_schema(
        [(model, "validation") for model in models], schema_generator=_Described
    )
    defined: dict[str, Any] = whole["$defs"]
    parts = {model: defined.pop(_name(names[model, "validation"])) for model in models}
    root = parts[ConfigFile]
    sections = root["properties"]
    for section, configs in (("device", drivers), ("exporter", exporters)):
        own = {"local": LOCAL} if section == "device" else {}
        of_kind = [_of_kind(kind, parts[model], own) for kind, model in configs.items()]
        sections[section]["patternProperties"] = {ID: {"oneOf": of_kind}}
    tests = {kind: parts[model] for kind, model in checks.items()}
    defined |= _shared(tests.values())
    in_full = [_of_kind(kind, part, {}) for kind, part in tests.items()]
    sections["test"]["items"] = {"oneOf": [*in_full, *_used(tests)]}
    made = {
        "$schema": DIALECT,
        "title": "ispsd.toml",
        **root,
        "$defs": {name: defined[name] for name in sorted(defined)},
    }
    plain: dict[str, Any] = _draft_7(made)
    return plain


def _name(reference: Mapping[str, Any]) -> str:
    name: str = reference["$ref"].removeprefix(_DEFINED)
    return name


def _shared(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Take the settings that tests have in common out of them, and return these as definitions.

    They stand once: there are two dozen kinds, and an editor reads the whole.
    """
    found: dict[str, Any] = {}
    for part in parts:
        for name, said in part["properties"].items():
            if name not in CheckConfig.model_fields or name == "kind":
                continue
            if found.setdefault(f"test.{name}", said) == said:
                part["properties"][name] = {"$ref": f"{_DEFINED}test.{name}"}
    return found


def _of_kind(kind: str, part: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a section of one kind is; ``own`` may stand in it as well."""
    properties = {**part["properties"], **own, "kind": {"const": kind}}
    return {
        **part,
        "properties": properties,
        "required": sorted({"kind", *part.get("required", ())}),
    }


def _used(parts: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what a test is that names an entry of the catalogue, by the kind of its check."""
    entries = catalogue.load(asset(catalogue.FILE))
    for kind, part in parts.items():
        named = {name: entry for name, entry in entries.items() if entry["kind"] == kind}
        if not named:
            continue
        said = {"id", "kind", *(setting for entry in named.values() for setting in entry)}
        use = {
            "enum": sorted(named),
            "description": "The entry of the catalogue of tests (tests.toml) that it is.",
        }
        yield {
            **part,
            "properties": {**part["properties"], "kind": {"const": kind}, "use": use},
            "required": sorted({"use", *part.get("required", ())} - said),
        }


class _Described(GenerateJsonSchema):
    """The shapes with the texts that stand under their fields, and no titles made of names."""

    def field_title_should_be_set(  # type: ignore[explicit-override]  # typing.override is Python 3.12
        self,
        schema: Any,  # noqa: ARG002 (pydantic's signature)
    ) -> bool:
        return False

    def model_schema(  # type: ignore[explicit-override]
        self, schema: core_schema.ModelSchema
    ) -> JsonSchemaValue:
        made = super().model_schema(schema)
        made.pop("title", None)
        cls = schema["cls"]
        texts = _texts(cls)
        for name, field in cls.model_fields.items():
            part = made["properties"].get(field.alias or name)
            if part is not None and (
                text := _with_unit(name, texts.get(name, USUAL.get(name, "")))
            ):
                part["description"] = text
        return made

    def enum_schema(  # type: ignore[explicit-override]
        self, schema: core_schema.EnumSchema
    ) -> JsonSchemaValue:
        made = super().enum_schema(schema)
        made.pop("title", None)
        texts = _texts(schema["cls"])
        if texts and "enum" in made:
            said = [texts.get(member.name) for member in schema["members"]]
            made["x-taplo"] = {"docs": {"enumValues": said}}
        return made


def _with_unit(name: str, text: str) -> str:
    """Return what is said of a setting, with the unit that its name ends in where the text has none."""
    unit = next((word for end, word in UNITS.items() if name.endswith(end)), None)
    if unit is None or unit in text:
        return text
    return f"{text} In {unit}." if text else f"In {unit}."


def _texts(cls: type) -> dict[str, str]:
    """Return the text under each field of a class, or each member of an enumeration, its own and inherited."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if each.__module__.startswith("daemon."):
            found |= _own_texts(each)
    return found


def _own_texts(cls: type) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found = {}
    for statement, after in itertools.pairwise(body):
        match statement, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str() as text)),
            ):
                found[name] = " ".join(inspect.cleandoc(text).replace("``", "`").split())
            case _:
                pass
    return found


def _draft_7(part: Any) -> Any:
    """Return a part as draft 7 has it, which reads nothing beside a ``$ref``, has no ``prefixItems``; without null."""
    if isinstance(part, list):
        return [_draft_7(each) for each in part]
    if not isinstance(part, dict):
        return part
    plain = {key: _draft_7(said) for key, said in part.items() if key != "discriminator"}
    if NOTHING in plain.get("anyOf", ()):
        # Whoever says nothing leaves the setting out: TOML has no null.
        rest = [each for each in plain.pop("anyOf") if each != NOTHING]
        plain |= rest[0] if len(rest) == 1 else {"anyOf": rest}
    if plain.get("default", ...) is None:
        del plain["default"]
    if "$ref" in plain and len(plain) > 1:
        plain = {"allOf": [{"$ref": plain.pop("$ref")}], **plain}
    if "patternProperties" in plain:
        plain["additionalProperties"] = False
    if isinstance(plain.get("prefixItems"), list):
        plain["items"] = plain.pop("prefixItems")
    return plain
