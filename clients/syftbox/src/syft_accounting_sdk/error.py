"""What a call raises."""

from typing import Any


class ServiceException(Exception):
    """Whatever goes wrong with a call.

    `status_code` and `body` are the server's; where no answer came, or none that can be read, they are 503 and a body
    whose `code` is `unreachable`.
    """

    def __init__(self, status_code: int, body: dict[str, Any]) -> None:
        self.status_code = status_code
        self.body = body
        self.message = f"Error {status_code}: {body}"
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Goes whole from one process to another; of its text alone it could not be made again."""
        return type(self), (self.status_code, self.body)

    @property
    def code(self) -> str | None:
        """What the server calls it, for programs."""
        return self.body.get("code")
