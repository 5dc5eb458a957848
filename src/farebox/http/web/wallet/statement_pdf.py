"""A statement as PDF: the amounts of the CSV, on paper of one size."""

import io
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from importlib.resources import as_file, files

from bidi import get_display
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from farebox.http.web.render import KINDS, card, moment
from farebox.http.web.wallet.printer import Statement
from farebox.money import Asset, ones, show
from farebox.wallets.types import Entry

_FONT = "DejaVuSans"
_INK, _SOFT, _LINE = 0.13, 0.38, 0.8
_SIZE, _SMALL, _ROW = 7.5, 6.5, 12.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, A4[0] - 40.0, A4[1] - 48.0, 48.0
_TABLE: float = _TOP - 130
_WHAT, _WITH, _AMOUNT = 130.0, 290.0, 455.0
"""Where columns begin; amounts end there. All in points, 1/72 inch."""
_LONGEST = 300
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def written(statement: Statement) -> bytes:
    """The PDF."""
    text = io.BytesIO()
    canvas = Canvas(text, pagesize=A4, pageCompression=1, lang="en")
    canvas.setTitle(f"Statement {statement.month}")
    canvas.setAuthor("Farebox")
    _glyphs()
    pages = list(_pages(statement.entries))
    for number, entries in enumerate(pages, 1):
        top = _head(canvas, statement) if number == 1 else _TOP
        _table(canvas, statement.asset, entries, top)
        _say(
            canvas,
            _RIGHT,
            _BOTTOM - 20,
            f"{statement.month} · page {number} of {len(pages)}",
            _SMALL,
            _SOFT,
            right=True,
        )
        canvas.showPage()
    canvas.save()
    return text.getvalue()


def shown(text: str) -> str:
    """Text as it can stand on paper: what has no letter in the font, or none at all, stands as its number.

    So nothing invisible, and nothing that turns the direction of what follows, gets onto it.
    """
    return "".join(one if _printable(one) else f"[U+{ord(one):04X}]" for one in text[:_LONGEST])


def _printable(one: str) -> bool:
    return ord(one) in _glyphs() and unicodedata.category(one) not in _HIDDEN


@cache
def _glyphs() -> frozenset[int]:
    """The characters that the font has; registers it."""
    with as_file(files("farebox.http.web") / "static" / "vendor" / "dejavu" / "DejaVuSans.ttf") as path:
        font = TTFont(_FONT, str(path))
    pdfmetrics.registerFont(font)
    return frozenset(font.face.charToGlyph)


def _pages(entries: list[Entry]) -> Iterator[list[Entry]]:
    """The movements of each page; the first has a head. There always is one."""
    place, room = 0, _TABLE
    while True:
        page: list[Entry] = []
        while place < len(entries) and room - _height(entries[place]) > _BOTTOM + _ROW:
            room -= _height(entries[place])
            page.append(entries[place])
            place += 1
        yield page
        if place >= len(entries):
            return
        room = _TOP


def _height(entry: Entry) -> float:
    return _ROW * (2 if entry.note or entry.reference else 1)


def _head(canvas: Canvas, statement: Statement) -> float:
    """What the month came to; where the table begins."""
    asset = statement.asset
    period = statement.period
    closing = period.opening + period.money_in - period.money_out
    _say(canvas, _LEFT, _TOP, f"Statement {statement.month}", 16, _INK)
    facts = [
        ("Wallet", f"{card(statement.wallet_id)} · {shown(statement.owner)}"),
        ("At the beginning", show(period.opening, asset)),
        ("Came in", show(period.money_in, asset)),
        ("Went out", show(period.money_out, asset)),
        ("At the end", show(closing, asset)),
        ("Movements", f"{len(statement.entries)}, the newest first; times are UTC"),
    ]
    for number, (name, value) in enumerate(facts):
        height = _TOP - 28 - number * 14
        _say(canvas, _LEFT, height, name, 9, _SOFT)
        _say(canvas, _WHAT, height, value, 9, _INK)
    return _TABLE


def _table(canvas: Canvas, asset: Asset, entries: list[Entry], top: float) -> None:
    titles = [(_LEFT, "When", False), (_WHAT, "What", False), (_WITH, "With", False)]
    titles += [(_AMOUNT, f"Amount ({asset.code})", True), (_RIGHT, f"Balance ({asset.code})", True)]
    for place, title, right in titles:
        _say(canvas, place, top, title, _SMALL, _SOFT, right=right)
    height = top - 4
    for entry in entries:
        canvas.setStrokeGray(_LINE)
        canvas.line(_LEFT, height, _RIGHT, height)
        _row(canvas, asset, entry, height - 9)
        height -= _height(entry)


def _row(canvas: Canvas, asset: Asset, entry: Entry, height: float) -> None:
    what = KINDS[entry.kind] + (f" · {entry.model}" if entry.model else "")
    _say(canvas, _LEFT, height, moment(entry.created_at), _SIZE, _INK)
    _say(canvas, _WHAT, height, shown(what), _SIZE, _INK, width=_WITH - _WHAT - 6)
    _say(canvas, _WITH, height, shown(entry.counterpart), _SIZE, _INK, width=80)
    for place, units in ((_AMOUNT, entry.amount), (_RIGHT, entry.balance_after)):
        number = ones(units, asset.scale)
        _say(canvas, place, height, number, min(_SIZE, 84 * _SIZE / _width(number, _SIZE)), _INK, right=True)
    words = " · ".join(word for word in (entry.note, entry.reference) if word)
    if words:
        _say(canvas, _WHAT, height - _ROW, shown(words), _SMALL, _SOFT, width=_RIGHT - _WHAT)


def _say(
    canvas: Canvas,
    x: float,
    y: float,
    text: str,
    size: float,
    grey: float,
    *,
    right: bool = False,
    width: float | None = None,
) -> None:
    """One line; cut, with an ellipsis, where it is wider than it may be. Amounts never are."""
    if width is not None and _width(text, size) > width:
        text = text[: bisect_right(range(len(text)), width, key=lambda end: _width(text[:end] + "…", size)) - 1] + "…"
    canvas.setFont(_FONT, size)
    canvas.setFillGray(grey)
    (canvas.drawRightString if right else canvas.drawString)(x, y, text if text.isascii() else get_display(text))


def _width(text: str, size: float) -> float:
    found: float = pdfmetrics.stringWidth(text, _FONT, size)
    return found
