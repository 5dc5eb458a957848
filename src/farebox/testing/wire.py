"""As much of HTTP/1.1 as a proxy needs that wants to break it: whole messages with a Content-Length, read and sent."""

import json
import socket
import struct
from urllib.parse import urlsplit


class Message:
    """A request or an answer: its first line, its headers as they stand, its body."""

    def __init__(self, first: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.first = first
        self.headers = headers
        self.body = body

    def header(self, name: str) -> str | None:
        """A header's value; its name is in lower case."""
        return next((value for found, value in self.headers if found.lower() == name), None)

    def encoded(self, *, close: bool = False) -> bytes:
        """The message as it goes over a wire. `close` asks the other side to end the connection after it."""
        kept = [(name, value) for name, value in self.headers if name.lower() != "connection"]
        lines = [self.first, *(f"{name}: {value}" for name, value in kept), *(["Connection: close"] if close else [])]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


def answer(status: str, body: bytes, content_type: str = "application/json", **headers: str) -> Message:
    """An answer of the proxy's own."""
    own = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    return Message(
        f"HTTP/1.1 {status}", own + [(name.replace("_", "-"), value) for name, value in headers.items()], body
    )


def error(status: str, text: str, **headers: str) -> Message:
    """An error that every dialect can read."""
    body = {"status": "error", "code": "RATE_LIMITED", "error": text, "message": text, "detail": text}
    return answer(status, json.dumps(body).encode(), **headers)


def read(sock: socket.socket) -> Message | None:
    """The next message; None where the other side has closed before one began. Raises OSError where it ends within."""
    buffer = b""
    while b"\r\n\r\n" not in buffer:
        part = sock.recv(65_536)
        if not part:
            if buffer:
                raise ConnectionError("the message ends in its head")
            return None
        buffer += part
    head, _, body = buffer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    message = Message(first, headers, body)
    length = int(message.header("content-length") or 0)
    while len(message.body) < length:
        part = sock.recv(65_536)
        if not part:
            raise ConnectionError("the message ends in its body")
        message.body += part
    return message


def ask(url: str, request: Message) -> Message:
    """Sends a request to the server at `url`, on a connection of its own."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=60) as sock:
        sock.sendall(request.encoded(close=True))
        found = read(sock)
    if found is None:
        raise ConnectionError("the server has closed the connection")
    return found


def reset(sock: socket.socket) -> None:
    """Ends a connection with RST: whatever was under way is lost."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
