"""Makes the page: what the OpenAPI document says, in the order in which people read."""

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar.routes import BaseRoute
from markupsafe import Markup, escape
from msgspec import Struct

from farebox import __version__
from farebox.http.docs.dialects import dialects
from farebox.http.docs.examples import EXAMPLES
from farebox.http.docs.fields import Field, field_of, fields_of
from farebox.http.openapi.codes import CODES, STATUSES
from farebox.http.openapi.document import TAGS, document
from farebox.http.openapi.schemas import Schema

_CODE = re.compile(r"`([^`]+)`")


class Call(Struct, frozen=True):
    """One call, as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    about: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    body_about: str
    status: str
    answer: tuple[Field, ...]
    answer_about: str
    codes: tuple[str, ...]
    curl: str
    keeps: tuple[tuple[str, str], ...]


class Part(Struct, frozen=True):
    """The calls of one tag."""

    name: str
    about: str
    calls: tuple[Call, ...]

    @property
    def anchor(self) -> str:
        """Where the part stands on the page."""
        return self.name.lower().replace(" ", "-")


def page(routes: Sequence[BaseRoute]) -> bytes:
    """The page as HTML."""
    env = Environment(
        loader=PackageLoader("farebox.http.docs"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["prose"] = prose
    told = env.get_template("page.html.j2").render(
        version=__version__,
        parts=parts(document(routes)),
        codes=CODES,
        statuses=STATUSES,
        dialects=dialects(),
    )
    return told.encode()


def style() -> bytes:
    """The page's style sheet."""
    return (files("farebox.http.docs") / "static" / "style.css").read_bytes()


def prose(text: str) -> Markup:
    """A line of text, with what stands in backquotes as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped just before


def parts(told: Schema) -> list[Part]:
    """The parts of the API, in the order of the tags."""
    components = told["components"]
    found: dict[str, list[Call]] = {name: [] for name in TAGS}
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            found[operation["tags"][0]].append(_call(path, method.upper(), operation, components))
    return [Part(name, about, tuple(_by_weight(found[name]))) for name, about in TAGS.items()]


def _by_weight(calls: list[Call]) -> list[Call]:
    """Making before reading before ending; short addresses first."""
    order = {"POST": 0, "PUT": 0, "GET": 1, "PATCH": 2, "DELETE": 3}
    return sorted(calls, key=lambda call: (call.path.count("/"), order[call.method], call.path))


def _call(path: str, method: str, operation: Schema, components: dict[str, Any]) -> Call:
    schemas = components["schemas"]
    body = _content(operation.get("requestBody", {}))
    status = min(operation["responses"])
    answer = _content(operation["responses"][status])
    example = EXAMPLES[operation["operationId"]]
    return Call(
        id=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        about=operation.get("description", ""),
        parameters=tuple(_parameters(operation, schemas)),
        body=tuple(fields_of(body, schemas)),
        body_about=_about(body, schemas),
        status=status,
        answer=tuple(fields_of(answer, schemas)),
        answer_about=_about(answer, schemas),
        codes=tuple(_codes(operation, components)),
        curl=example.curl(method),
        keeps=example.keeps,
    )


def _parameters(operation: Schema, schemas: dict[str, Schema]) -> Iterator[Field]:
    for given in operation.get("parameters", ()):
        schema = given["schema"] | {"description": given.get("description", "")}
        yield field_of(given["name"], schema, schemas, required=given["required"])


def _content(part: Schema) -> Schema:
    """The JSON schema of a body; an empty one where it has none."""
    found: Schema = part.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _about(schema: Schema, schemas: dict[str, Schema]) -> str:
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    return str(schemas.get(name, schema).get("description", ""))


def _codes(operation: Schema, components: dict[str, Any]) -> Iterator[str]:
    for response in operation["responses"].values():
        if "$ref" in response:
            response = components["responses"][response["$ref"].rsplit("/", 1)[1]]
        problem = response.get("content", {}).get("application/problem+json")
        if problem is not None:
            yield from problem["schema"]["properties"]["code"]["enum"]
