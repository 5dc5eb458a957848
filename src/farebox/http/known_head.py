"""The head that a connection's requests have in common: read once, and compared from then on.

A client that keeps its connection open says the same in each head, but for the idempotency key and the length of the
body. A head that the parser has read, and that has passed every check, is not read again where nothing else in it has
changed by a byte: a fifth of a charge over HTTP was that.
"""

from msgspec import Struct

Headers = dict[bytes, bytes]

LENGTH = b"content-length"
VARYING = (b"idempotency-key", b"x-idempotency-key", LENGTH)
"""What may differ from one request to the next."""
VISIBLE = bytes(range(0x21, 0x7F))
"""What such a value may be made of: nothing that a parser would trim, fold or refuse."""
MOST_VALUE = 255
MOST_BYTES = 4096
"""Longer heads are read each time: what is remembered is remembered for every open connection."""
END = b"\r\n\r\n"


class KnownHead(Struct, frozen=True):
    """A head in pieces: what it begins with, then each value that may differ, by its name, with what follows it."""

    begins: bytes
    follows: tuple[tuple[bytes, bytes], ...]
    headers: Headers

    def read(self, data: bytes) -> tuple[Headers, bytes] | None:
        """Headers and body of a whole request with this head; None where it has another, or is not whole."""
        if not data.startswith(self.begins):
            return None
        at, headers = len(self.begins), self.headers.copy()
        for name, following in self.follows:
            end = data.find(b"\r", at, at + MOST_VALUE + 1)
            value = data[at:end]
            if end <= at or value.translate(None, VISIBLE) or not data.startswith(following, end):
                return None
            headers[name] = value
            at = end + len(following)
        length = headers[LENGTH]
        if not length.isdigit() or int(length) != len(data) - at:
            return None
        return headers, data[at:]


def known_head(data: bytes, headers: Headers, most: int = MOST_BYTES) -> KnownHead | None:
    """The head of a whole request, which has come alone and has `headers`; None where it is not to be remembered."""
    end = data.find(END) + len(END)
    length = headers.get(LENGTH)
    if not len(END) <= end <= most or length is None or int(length) != len(data) - end:
        return None
    head, found = data[:end], []
    lines = head.lower()  # names are read in either case; values keep their places
    for name in VARYING:
        if name not in headers:
            continue
        at = lines.find(b"\r\n%s: " % name) + len(name) + 4
        if at < len(name) + 4 or not head.startswith(headers[name] + b"\r\n", at):
            return None  # written in a way of its own
        found.append((at, name))
    found.sort()
    ends = [at + len(headers[name]) for at, name in found]
    starts = [*(at for at, _ in found[1:]), len(head)]
    follows = tuple((name, head[end:start]) for (_, name), end, start in zip(found, ends, starts, strict=True))
    return KnownHead(head[: found[0][0]], follows, headers)
