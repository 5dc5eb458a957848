"""The hostile server: a proxy that hands each request to a fault, or passes it on."""

import contextlib
import random
import socket
import threading
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Self

from farebox.testing import wire
from farebox.testing.faults import ALL, Fault


class Hostile:
    """A proxy to the server at `target`, on a free port of this machine. `with` closes it.

    `url` is its address, with the path of `target`. Only requests whose path contains `only` meet faults. `seen` lists
    the requests that came, in order, each with the fault that it met.
    """

    def __init__(self, target: str, *, only: str = "") -> None:
        scheme, _, rest = target.partition("://")
        if scheme != "http" or not rest:
            raise ValueError("the target's address starts with http://")
        host, slash, path = rest.partition("/")
        self._target = f"http://{host}"
        self._only = only
        self._faults: Iterator[Fault | None] = iter(())
        self._lock = threading.Lock()
        self._over = threading.Condition()
        self._exchanges_over = 0
        self._closed = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{slash}{path}"
        self.seen: list[str] = []
        threading.Thread(target=self._accept, name="hostile", daemon=True).start()

    def plan(self, *faults: Fault | None) -> None:
        """What the next requests meet, one each; None passes one on. After them all are passed on again."""
        with self._lock:
            self._faults = chain(self._faults, faults)

    def chance(self, share: float, *, seed: int, faults: Sequence[Fault] = ALL) -> None:
        """From now on, a `share` (0 to 1) of the requests meet one of `faults`; the same ones for the same `seed`."""
        dice = random.Random(seed)
        with self._lock:
            self._faults = iter(lambda: dice.choice(faults) if dice.random() < share else None, Fault)

    def calm(self) -> None:
        """All requests are passed on from now on."""
        with self._lock:
            self._faults = iter(())

    def close(self) -> None:
        """Ends the proxy and its connections."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        with self._lock:
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets.add(sock)
            threading.Thread(target=self._serve, args=(sock,), name="hostile", daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (request := wire.read(sock)) is not None:
                exchange = _Exchange(self, sock, request)
                fault = self._next(request)
                if fault is None:
                    exchange.send(exchange.forward())
                else:
                    fault.do(exchange)
                self._is_over()
        with self._lock:
            self._sockets.discard(sock)
        sock.close()

    def _next(self, request: wire.Message) -> Fault | None:
        method, path, _ = request.first.split(" ", 2)
        with self._lock:
            fault = next(self._faults, None) if self._only in path else None
            self.seen.append(" ".join([method, path, *([] if fault is None else [fault.name])]))
        return fault

    def _is_over(self) -> None:
        with self._over:
            self._exchanges_over += 1
            self._over.notify_all()


class _Exchange:
    """One request, for a fault to play with."""

    def __init__(self, hostile: Hostile, sock: socket.socket, request: wire.Message) -> None:
        self._hostile = hostile
        self._sock = sock
        self._request = request

    def forward(self) -> wire.Message:
        return wire.ask(self._hostile._target, self._request)

    def send(self, data: bytes | wire.Message) -> None:
        self._sock.sendall(data.encoded() if isinstance(data, wire.Message) else data)

    def reset(self) -> None:
        wire.reset(self._sock)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def wait(self, seconds: float) -> bool:
        return not self._hostile._closed.wait(seconds)

    def wait_for_another(self, seconds: float) -> None:
        over = self._hostile._over
        with over:
            before = self._hostile._exchanges_over
            over.wait_for(lambda: self._hostile._exchanges_over > before, timeout=seconds)
