"""Error answers, as the document tells them."""

from typing import Any

from farebox.http.openapi.codes import STATUSES
from farebox.http.openapi.schemas import REF, Schema


def problem(status: int, codes: list[str]) -> Schema:
    """An error answer with one of these codes."""
    names = ["X-Request-Id"]
    if status in (429, 503):
        names.append("Retry-After")
    if status == 401:
        names.append("WWW-Authenticate")
    schema: dict[str, Any] = {"allOf": [{"$ref": REF.format(name="Problem")}]}
    schema["properties"] = {"status": {"const": status}, "code": {"enum": codes}}
    told = ", ".join(f"`{code}`" for code in codes)
    return {
        "description": f"{STATUSES[status]}: {told}",
        "headers": headers(*names),
        "content": {"application/problem+json": {"schema": schema}},
    }


def headers(*names: str) -> Schema:
    """References to the headers of an answer."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
