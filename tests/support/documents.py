"""The OpenAPI document as a judge of answers."""

from typing import Any

import httpx
import jsonschema_rs


class Document:
    """A server's document, and what it says of single answers."""

    def __init__(self, url: str) -> None:
        self.raw: dict[str, Any] = httpx.get(f"{url}/openapi.json").raise_for_status().json()
        self.operations: dict[str, dict[str, Any]] = {}
        self.methods: dict[str, str] = {}
        for methods in self.raw["paths"].values():
            for method, operation in methods.items():
                self.operations[operation["operationId"]] = operation
                self.methods[operation["operationId"]] = method.upper()

    def allows(self, operation: str, status: int, media_type: str, body: Any) -> None:
        """Raises for an answer that the document does not tell of."""
        response = self.operations[operation]["responses"][str(status)]
        if "$ref" in response:
            response = self.raw["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        schema = response["content"][media_type]["schema"]
        whole = {"components": self.raw["components"], **schema}
        jsonschema_rs.Draft202012Validator(whole, validate_formats=True).validate(body)
