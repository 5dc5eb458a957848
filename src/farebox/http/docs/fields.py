"""Schemas as lists of fields, in words that people read."""

import json
from collections.abc import Iterator

from msgspec import Struct

from farebox.http.openapi.schemas import Schema

_HUGE = 2**63 - 1
_NULL = {"type": "null"}


class Field(Struct, frozen=True):
    """One member of a body, or one parameter."""

    name: str
    """With the way to it: `usage.input_tokens`, `data[].id`."""
    kind: str
    required: bool
    rules: tuple[str, ...]
    """What its values are held to, each a few words."""
    about: str


def fields_of(schema: Schema, components: dict[str, Schema], before: str = "") -> Iterator[Field]:
    """The fields of an object's schema, each followed by its own fields."""
    schema = _resolved(schema, components)
    if schema.get("type") == "array":
        yield from fields_of(schema["items"], components, f"{before}[].".removeprefix("."))
        return
    required = schema.get("required", ())
    for name, given in schema.get("properties", {}).items():
        yield field_of(f"{before}{name}", given, components, required=name in required)
        bare = _resolved(_options(given)[0], components)
        if bare.get("type") == "array":
            yield from fields_of(bare["items"], components, f"{before}{name}[].")
        else:
            yield from fields_of(bare, components, f"{before}{name}.")


def field_of(name: str, given: Schema, components: dict[str, Schema], *, required: bool) -> Field:
    """One field."""
    options = _options(given)
    bare = _resolved(options[0], components)
    kinds = [_kind(_resolved(option, components), components) for option in options]
    if _NULL in given.get("anyOf", ()):
        kinds.append("null")
    about = given.get("description") or options[0].get("description") or ""
    rules = tuple(_rules(bare)) + ((f"default {_shown(given['default'])}",) if _says(given) else ())
    return Field(name, " or ".join(dict.fromkeys(kinds)), required, rules, about)


def _options(given: Schema) -> list[Schema]:
    """What a field can be, null aside."""
    if "anyOf" not in given:
        return [given]
    return [inner for option in given["anyOf"] if option != _NULL for inner in _options(option)]


def _resolved(schema: Schema, components: dict[str, Schema]) -> Schema:
    if "$ref" in schema:
        return components[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _kind(schema: Schema, components: dict[str, Schema]) -> str:
    if schema.get("format") == "date-time":
        return "time"
    if schema.get("type") == "array":
        return f"list of {_kind(_resolved(schema['items'], components), components)}s"
    return str(schema.get("type", "any"))


def _rules(schema: Schema) -> Iterator[str]:
    if "enum" in schema:
        yield "one of " + ", ".join(f"`{item}`" for item in schema["enum"])
        return
    yield from _range(schema)
    if "minLength" in schema or "maxLength" in schema:
        least, most = schema.get("minLength", 0), schema.get("maxLength", "…")
        yield f"{least} characters" if least == most else f"{least} to {most} characters"
    if "maxItems" in schema:
        yield f"at most {schema['maxItems']}"
    if "pattern" in schema:
        yield f"matches `{schema['pattern']}`"
    if "pattern" in schema.get("propertyNames", {}):
        yield f"names match `{schema['propertyNames']['pattern']}`"
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        yield f"values: {', '.join([str(values.get('type')), *_rules(values)])}"


def _range(schema: Schema) -> Iterator[str]:
    if "exclusiveMinimum" in schema:
        yield f"above {schema['exclusiveMinimum']}"
    if "minimum" in schema:
        yield f"from {schema['minimum']}"
    if "maximum" in schema:
        yield "up to 2^63 - 1" if schema["maximum"] == _HUGE else f"up to {schema['maximum']:,}".replace(",", "\u202f")


def _says(given: Schema) -> bool:
    return given.get("default") not in (None, [], {})


def _shown(value: object) -> str:
    return f"`{json.dumps(value)}`"
