"""Parameters and headers, as the document tells them."""

from typing import Any

from farebox.http.native.wire import fields
from farebox.http.openapi.answers import REFERENCE_IS_KEY
from farebox.http.openapi.operations import Operation, Parameter
from farebox.http.openapi.schemas import Schema, bounded

PATHS: dict[str, Schema] = {
    "agent": {"minLength": 1, "maxLength": 200, "description": "An agent's name."},
    "charge_id": {"pattern": "^ch_[0-9a-f]{15,30}$", "description": "A charge's id."},
    "code": {"pattern": "^[A-Z][A-Z0-9]{1,11}$", "description": "An asset's code, such as USD."},
    "envelope_id": {"pattern": "^env_[1-9][0-9]{0,18}$", "description": "An envelope's id."},
    "grant_id": {"pattern": "^gr_[1-9][0-9]{0,18}$", "description": "A grant's id."},
    "hold_id": {"pattern": "^hd_[0-9a-f]{15,30}$", "description": "A hold's id."},
    "key_id": {"pattern": "^key_[1-9][0-9]{0,18}$", "description": "A key's id (not the key)."},
    "model": {
        "minLength": 1,
        "maxLength": 200,
        "description": "The model's name. Slashes in it may stand as they are.",
    },
    "organization_id": {"pattern": "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$", "description": "An organization's id."},
    "provider": {"pattern": r"^(\*|[a-z0-9][a-z0-9-]{0,38})$", "description": "A provider's slug, or `*` for all."},
    "request_id": {"pattern": "^cr_[1-9][0-9]{0,18}$", "description": "A connection request's id."},
    "slug": {"pattern": "^[a-z0-9][a-z0-9-]{0,38}$", "description": "A provider's slug."},
    "person_id": {"pattern": "^us_[1-9][0-9]{0,18}$", "description": "A person's id."},
    "wallet_id": {"pattern": "^[1-9][0-9]{15}$", "description": "A wallet's number: 16 digits."},
}
"""What can stand in an address. Anything else is not found."""

QUERIES: dict[str, Schema] = {"cursor": {"pattern": "^[A-Za-z0-9_-]{16,500}$"}}
"""What the handlers themselves look at."""

KEY: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^(?!auto:)[!-~]([ -~]*[!-~])?$",
}

HEADERS: dict[str, Schema] = {
    "Idempotent-Replayed": {
        "description": "`true` where this is the kept answer to an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "X-Request-Id": {
        "description": "Names the request in the operator's log.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds to wait before asking again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate.",
        "required": True,
        "schema": {"type": "string", "enum": ["Bearer"]},
    },
}


def parameters_of(operation: Operation) -> list[Schema]:
    """The parameters of an operation."""
    return [_parameter(operation, parameter) for parameter in operation.parameters]


def _parameter(operation: Operation, parameter: Parameter) -> Schema:
    told: Schema = {"name": parameter.name, "in": parameter.place}
    if parameter.place == "path":
        schema = {"type": "string"} | PATHS[parameter.name]
        return told | {"description": schema.pop("description"), "required": True, "schema": schema}
    if parameter.given.description:
        told["description"] = parameter.given.description
    if parameter.place == "header":
        return told | {"required": operation.id not in REFERENCE_IS_KEY, "schema": dict(KEY)}
    schema = bounded(_type(parameter), parameter.given, parameter.default) | QUERIES.get(parameter.name, {})
    return told | {"required": False, "schema": schema}


def _type(parameter: Parameter) -> Any:
    return fields.Moment if parameter.name in ("since", "until") else parameter.annotation
