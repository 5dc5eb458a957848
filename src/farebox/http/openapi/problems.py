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


class SharedProblems:
    """Error answers by reference: each is told once, however many operations give it."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, tuple[str, ...]], str] = {}
        self.responses: dict[str, Schema] = {}

    def of(self, status: int, codes: list[str]) -> Schema:
        """A reference to the error answer with these codes."""
        wanted = (status, tuple(codes))
        name = self._names.get(wanted)
        if name is None:
            earlier = sum(1 for known, _ in self._names if known == status)
            name = self._names[wanted] = f"Problem{status}" + (f"_{earlier + 1}" if earlier else "")
            self.responses[name] = problem(status, codes)
        return {"$ref": f"#/components/responses/{name}"}
