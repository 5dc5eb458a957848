"""A running server, as the commands speak to it."""

import contextlib
import secrets
import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec

from farebox.cli.output import Failure
from farebox.client.address import address
from farebox.client.carriers import reaching

ATTEMPTS = 4
LONGEST_WAIT_S = 5.0


class Api:
    """The native API of one server with one key. Every error is a Failure that says what to do next."""

    def __init__(self, url: str, key: str | None) -> None:
        """Raises Failure for what can't be an address, or a key."""
        try:
            self.url, self._key, headers = address(url, key)
            self._http = httpx.Client(**reaching(self.url, headers), timeout=30)
        except (ValueError, httpx.InvalidURL) as error:
            raise Failure(f"{error}", "Look at --url and --key, or FAREBOX_URL and FAREBOX_KEY.") from None
        except ImportError as error:  # a kind of proxy that needs a package of its own
            raise Failure(f"The proxy that the environment names can't be used: {error}") from None

    def close(self) -> None:
        """Closes the connection."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """What is at `path`."""
        return self._ask("GET", path, params={name: value for name, value in query.items() if value is not None})

    def all(self, path: str, most: int | None = None, **query: Any) -> list[Any]:
        """Every item of a list, page after page; at most `most`."""
        found: list[Any] = []
        for page in self.pages(path, **query):
            found += page["data"]
            if most is not None and len(found) >= most:
                return found[:most]
        return found

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """The pages of a list."""
        cursor = None
        while True:
            page = self.get(path, cursor=cursor, limit=200, **query)
            yield page
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def post(self, path: str, body: object = None, *, key: str | None = None) -> Any:
        """Posts JSON. Calls that move money take an idempotency `key` (`new_key`), and so can be sent again."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self._ask("POST", path, json=body if body is not None else {}, headers=headers)

    def put(self, path: str, body: object) -> Any:
        """Puts JSON."""
        return self._ask("PUT", path, json=body)

    def patch(self, path: str, body: object) -> Any:
        """Changes what is given."""
        return self._ask("PATCH", path, json=body)

    def delete(self, path: str) -> None:
        """Ends or withdraws what is at `path`."""
        self._ask("DELETE", path)

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        again = method in ("GET", "PUT", "DELETE") or "Idempotency-Key" in request.get("headers", {})
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                response = self._http.request(method, path, **request)
            except httpx.ConnectError as error:
                raise Failure(
                    f"No server answers at {self.url}: {error}", "Start one: farebox serve (or name it: --url)"
                ) from None
            except httpx.HTTPError as error:
                if again and not last:
                    continue
                raise Failure(f"{self.url} did not answer: {error}", "Look at it with: curl …/ready") from None
            if response.status_code in (429, 503) and again and not last:
                time.sleep(_wait_s(response))
                continue
            return self._read(response)
        raise AssertionError("the last attempt returns or raises")

    def _read(self, response: httpx.Response) -> Any:
        if response.is_success:
            return msgspec.json.decode(response.content) if response.content else None
        problem: dict[str, Any] = {}
        with contextlib.suppress(msgspec.DecodeError):
            problem = msgspec.json.decode(response.content)
        if not isinstance(problem, dict) or "detail" not in problem:
            raise Failure(f"{self.url} answered {response.status_code}", "Is it a Farebox? --url names another server.")
        raise Failure(problem["detail"], self._hint(response.status_code, problem), problem)

    def _hint(self, status: int, problem: dict[str, Any]) -> str:
        if status == 401 and not self._key:
            return "Give a key: --key, or FAREBOX_KEY in the environment. `farebox keys recover` makes a new one."
        if status == 401:
            return "The server does not know this key. `farebox keys recover` makes an administrator's key."
        return f"{problem.get('code', status)}: see {self.url}/docs#{problem.get('code', '')}"


def new_key() -> str:
    """A fresh idempotency key."""
    return f"cli-{secrets.token_hex(12)}"


def _wait_s(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "1")
    return min(float(text) if text.isascii() and text.isdigit() else 1.0, LONGEST_WAIT_S)
