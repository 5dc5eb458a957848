"""A server that answers what it is told: for clients that are answered from recorded exchanges."""

import contextlib
import json
import socket
import threading
from typing import Any, Self

from farebox.testing import wire


class StandIn:
    """Answers every request with `answer` (a recorded response); `asked` is what came."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {}
        self.asked: list[dict[str, Any]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._thread.join(10)

    @property
    def connections(self) -> int:
        """How many came."""
        return len(self._sockets)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._sockets.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (request := wire.read(sock)) is not None:
                method, path, _ = request.first.split(" ", 2)
                headers = {name.lower(): value for name, value in request.headers}
                self.asked.append({"method": method, "path": path, "headers": headers, "body": request.body})
                sock.sendall(self._answer().encoded())

    def _answer(self) -> wire.Message:
        body = json.dumps(self.answer["body"]).encode() if "body" in self.answer else b""
        return wire.answer(f"{self.answer['status']} Recorded", body, **self.answer.get("headers", {}))
