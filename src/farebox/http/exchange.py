"""A request and its answer, as our own way of answering sees them."""

from collections.abc import Sequence

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from farebox.http.edge import Answer, Header

CLOSE = (b"connection", b"close")


class Exchange:
    """The one hot request of a connection that is open: what uvicorn's own cycles are for all others."""

    __slots__ = ("disconnected", "keep_alive", "path", "response_complete", "response_started")

    def begin(self, path: str, *, keep_alive: bool) -> None:
        """Another request."""
        self.path = path
        self.keep_alive = keep_alive
        self.response_started = self.response_complete = self.disconnected = False

    @property
    def message_event(self) -> "Exchange":
        """What is told when the client is gone: nobody waits for it here."""
        return self

    def set(self) -> None:
        """See `message_event`."""


class Heads:
    """The beginnings of answers, made once as long as the default headers (the date) are the same."""

    def __init__(self) -> None:
        self._default: list[Header] = []
        self._made: dict[tuple[int, Header], bytes] = {}

    def message(self, answer: Answer, default: list[Header], *, keep_alive: bool) -> bytes:
        """A whole HTTP message."""
        if default is not self._default:
            self._default, self._made = default, {}
        head = self._made.get((answer.status, answer.content_type)) or self._make(answer)
        more = b"" if keep_alive and not answer.headers else _more(answer.headers, keep_alive=keep_alive)
        return b"%scontent-length: %d\r\n%s\r\n%s" % (head, len(answer.body), more, answer.body)

    def _make(self, answer: Answer) -> bytes:
        lines = b"".join(b"%s: %s\r\n" % header for header in (*self._default, answer.content_type))
        made = self._made[answer.status, answer.content_type] = STATUS_LINE[answer.status] + lines
        return made


def _more(headers: Sequence[Header], *, keep_alive: bool) -> bytes:
    return b"".join(b"%s: %s\r\n" % header for header in (headers if keep_alive else (*headers, CLOSE)))
