"""The document: operations, schemas, answers, put together. No line of it is written by hand twice."""

from collections.abc import Sequence

from litestar.routes import BaseRoute

from farebox import __version__
from farebox.http.native import wire
from farebox.http.openapi.answers import by_status, codes_of
from farebox.http.openapi.operations import Operation, operations
from farebox.http.openapi.parameters import HEADERS, parameters_of
from farebox.http.openapi.probes import PROBES
from farebox.http.openapi.problems import SharedProblems, headers
from farebox.http.openapi.schemas import Schema, Schemas

TAGS: dict[str, str] = {
    "Charges": "What a provider takes from a wallet, on a grant: at once, for usage or for an amount.",
    "Holds": "Reservations: hold what something costs at most, capture what was used, and the rest is free again.",
    "Wallets": "What people, teams and agents spend from: prepaid, in units of one asset.",
    "Grants": "A payer's leave for one provider and one of its users to draw on a wallet, with limits.",
    "Connection requests": "What a scanned QR code asks for. Opening one grants nothing; approving it makes a grant.",
    "Limits": "Envelopes: what may be used in a day, a week, a month or a year, and what would stop a charge.",
    "Prices": "The price book: versioned, exact, for all providers or for one.",
    "Usage": "Usage that has already happened, booked whatever the balance.",
    "Providers": "AI services that charge, and their keys.",
    "Organizations": "Tenants, and their keys.",
    "People": "Accounts with a password and a wallet, for people who pay each other; their own calls are a dialect's.",
    "Assets": "What is counted, and how finely.",
    "Administrators": "The administrators' own keys.",
    "Operations": "Whether the server is alive, ready, and how it does.",
}
"""What each part of the API is about, in reading order."""

ABOUT = """\
Prepaid wallets, exact charges, limits that hold.

Amounts are integers: units of the asset that is named beside them. Calls that move money take an `Idempotency-Key`:
asking again with the same key gives the same outcome, done once. Lists come in pages: `next_cursor` asks for what
follows. Errors are `application/problem+json`; their `code` is for programs, and `/docs` has the table of all codes.
"""


def document(routes: Sequence[BaseRoute]) -> Schema:
    """The OpenAPI 3.1 document for the native API among these routes."""
    found = operations(routes)
    types = [type_ for operation in found for type_ in (operation.body, operation.answer) if type_ is not None]
    schemas, problems = Schemas([*types, wire.ProblemView]), SharedProblems()
    paths: dict[str, Schema] = {}
    for operation in found:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas, problems)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Farebox",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "security": [{"key": []}],
        "paths": PROBES | paths,
        "components": {
            "schemas": schemas.components,
            "responses": problems.responses,
            "headers": HEADERS,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key: a provider's, an organization's, or an administrator's.",
                }
            },
        },
    }


def _operation(operation: Operation, schemas: Schemas, problems: SharedProblems) -> Schema:
    told: Schema = {"operationId": operation.id, "tags": [operation.tag], "summary": operation.summary}
    if operation.description:
        told["description"] = operation.description
    if operation.parameters:
        told["parameters"] = parameters_of(operation)
    if operation.body is not None:
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas.of(operation.body)}},
        }
    errors = by_status(codes_of(operation)).items()
    told["responses"] = {str(operation.status): _answer(operation, schemas)} | {
        str(status): problems.of(status, codes) for status, codes in errors
    }
    return told


def _answer(operation: Operation, schemas: Schemas) -> Schema:
    if operation.answer is None:
        return {"description": "Done"}
    told: Schema = {
        "description": "Done" if operation.status == 200 else "Made",
        "content": {"application/json": {"schema": schemas.of(operation.answer)}},
    }
    if operation.keyed and operation.status == 201:
        told["headers"] = headers("Idempotent-Replayed")
    return told
