"""The routes that operators and load balancers ask, which need no key."""

from farebox.http.openapi.problems import problem
from farebox.http.openapi.schemas import Schema


def _status(word: str) -> Schema:
    schema = {"type": "object", "properties": {"status": {"const": word}}, "required": ["status"]}
    return {"description": "Yes", "content": {"application/json": {"schema": schema}}}


def _probe(name: str, summary: str, responses: Schema) -> Schema:
    told = {"operationId": f"operations.{name}", "tags": ["Operations"], "summary": summary, "security": []}
    return {"get": told | {"responses": responses}}


PROBES: dict[str, Schema] = {
    "/health": _probe("health", "Whether the process is alive", {"200": _status("ok")}),
    "/ready": _probe(
        "ready",
        "Whether it can charge: the database answers and has this version's schema",
        {"200": _status("ready"), "503": problem(503, ["database_away", "wrong_schema"])},
    ),
    "/metrics": _probe(
        "metrics",
        "Figures for Prometheus",
        {"200": {"description": "The figures", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    ),
}
"""Path items by path."""
