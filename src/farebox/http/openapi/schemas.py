"""JSON Schema of the wire types, as OpenAPI 3.1 wants it.

msgspec derives them from the very types that the server reads and writes with; here they are put in the
words of other readers.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from litestar.params import KwargDefinition

Schema = dict[str, Any]

REF = "#/components/schemas/{name}"
_INT32_MAX = 2**31 - 1

TOKENS_SCHEMA: Schema = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10**15},
        {"type": "string", "pattern": r"^[0-9]{1,15}(\.[0-9]{1,12})?$"},
    ]
}
"""A decimal that other systems write as a JSON number: read as its digits, never as a float."""


class Schemas:
    """The schemas of some types: each by `of`, and what they refer to in `components`."""

    def __init__(self, types: Iterable[Any]) -> None:
        wanted = list(dict.fromkeys(types))
        found, components = msgspec.json.schema_components(wanted, ref_template=REF)
        self._of = {type_: _translated(schema) for type_, schema in zip(wanted, found, strict=True)}
        self.components: dict[str, Schema] = {
            published(name): _translated(schema) for name, schema in sorted(components.items())
        }

    def of(self, type_: Any) -> Schema:
        """The schema of one of the types."""
        return self._of[type_]


def bounded(annotation: Any, given: KwargDefinition, default: Any) -> Schema:
    """The schema of a parameter: its type, with the bounds that the framework holds it to."""
    bare: Schema = dict(msgspec.json.schema(annotation))
    options = [option for option in bare.pop("anyOf", [bare]) if option != {"type": "null"}]
    schema = _translated(dict(options[0]))
    for name, value in (
        ("minimum", given.ge),
        ("maximum", given.le),
        ("minLength", given.min_length),
        ("maxLength", given.max_length),
        ("enum", given.enum),
    ):
        if value is not None:
            schema[name] = value
    if isinstance(default, int | str):
        schema["default"] = default
    return schema


def published(name: str) -> str:
    """The name of a schema as readers see it: `Page_ChargeView_` is a ChargeViewPage."""
    return re.sub(r"^Page_(\w+)_$", r"\1Page", name).replace("ProblemView", "Problem")


def _translated(schema: Schema) -> Schema:
    for change in _CHANGES:
        schema = change(schema)
    return {name: _inner(name, value) for name, value in schema.items()}


def _inner(name: str, value: Any) -> Any:
    if name in ("default", "enum", "required", "examples"):
        return value
    if name in ("properties", "patternProperties"):
        return {member: _translated(schema) for member, schema in value.items()}
    if isinstance(value, dict):
        return _translated(value)
    if isinstance(value, list):
        return [_translated(item) if isinstance(item, dict) else item for item in value]
    return value


def _portable_pattern(schema: Schema) -> Schema:
    # What Python writes as \Z is $ to everybody else.
    if str(schema.get("pattern", "")).endswith(r"\Z"):
        return schema | {"pattern": schema["pattern"].removesuffix(r"\Z") + "$"}
    return schema


def _published_name(schema: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    return schema | {"$ref": REF.format(name=published(schema["$ref"].rsplit("/", 1)[1]))}


def _wide_integer(schema: Schema) -> Schema:
    if schema.get("type") == "integer" and schema.get("maximum", 2**63) > _INT32_MAX:
        return schema | {"format": "int64"}
    return schema


def _typed_enum(schema: Schema) -> Schema:
    if "enum" in schema and all(isinstance(item, str) for item in schema["enum"]):
        return {"type": "string"} | schema
    return schema


def _decimal(schema: Schema) -> Schema:
    if schema.get("format") == "decimal":
        return {name: value for name, value in schema.items() if name not in ("type", "format")} | TOKENS_SCHEMA
    return schema


def _without_noise(schema: Schema) -> Schema:
    """A default of null says what a missing member says, and titles repeat names."""
    quiet = {name: value for name, value in schema.items() if name != "title" or not isinstance(value, str)}
    if "default" in quiet and quiet["default"] is None:
        del quiet["default"]
    if quiet.get("required") == []:
        del quiet["required"]
    return quiet


def _flat_choice(schema: Schema) -> Schema:
    """A choice that only adds null: the description belongs to the member."""
    options = schema.get("anyOf")
    if options is None or "description" in schema:
        return schema
    told = [option["description"] for option in options if "description" in option]
    if len(told) != 1:
        return schema
    bare = [{name: value for name, value in option.items() if name != "description"} for option in options]
    return {"description": told[0]} | schema | {"anyOf": bare}


_CHANGES: tuple[Callable[[Schema], Schema], ...] = (
    _published_name,
    _portable_pattern,
    _wide_integer,
    _typed_enum,
    _decimal,
    _without_noise,
    _flat_choice,
)
