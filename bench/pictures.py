"""Pictures of results as plain SVG: bars of rates with their ranges, curves of latencies."""

import math
from collections.abc import Iterable
from html import escape

from bench.figures import Result

WIDTH, MARGIN, ROW = 760, 16, 44
COLOURS = ("#2f5fd0", "#c2571a", "#2a8c5b", "#8a3fb0", "#b0323f", "#5b6b7b", "#9a7d0a", "#0f8b8d")


def bars(result: Result) -> str:
    """A bar for each rate, a line over it from the lowest round to the highest."""
    top = max(max(figure.rates) for figure in result.figures) or 1
    scale = (WIDTH - 2 * MARGIN - 90) / top
    rows: list[str] = []
    for number, figure in enumerate(result.figures):
        y = MARGIN + number * ROW
        low, high = (MARGIN + value * scale for value in (min(figure.rates), max(figure.rates)))
        end = MARGIN + figure.per_s * scale
        rows += [
            _text(MARGIN, y + 12, figure.name),
            f'<rect x="{MARGIN}" y="{y + 18}" width="{max(1, end - MARGIN):.1f}" height="14" '
            f'fill="{COLOURS[number % len(COLOURS)]}"/>',
            f'<path d="M{low:.1f} {y + 25}H{high:.1f}" stroke="#111" stroke-width="2"/>',
            _text(max(high, end) + 6, y + 30, f"{figure.per_s:,.0f}/s"),
        ]
    return _svg(MARGIN * 2 + ROW * len(result.figures), rows)


def curves(result: Result) -> str:
    """Latency by share of all: half, 90 %, 99 %, 99.9 %, both axes by powers of ten."""
    shown = [figure for figure in result.figures if figure.curve]
    if not shown:
        return _svg(40, [_text(MARGIN, 24, "no latencies")])
    high = max(1.0, *(figure.curve[-1][1] for figure in shown))
    low = min(0.1, *(max(0.001, figure.curve[0][1]) for figure in shown))
    left, right, top, bottom = 60, WIDTH - MARGIN, MARGIN, 320

    def x(share: float) -> float:
        return left + (right - left) * (-math.log10(1 - share) - 0.3) / (4 - 0.3)

    def y(ms: float) -> float:
        return bottom - (bottom - top) * math.log10(max(ms, low) / low) / math.log10(high / low)

    rows = [
        *(_line(left, y(ms), right, y(ms), f"{ms:g} ms", 4) for ms in _tens(low, high)),
        *(_text(x(share) - 14, bottom + 16, f"{share:.2%}".replace(".00", "")) for share in (0.5, 0.9, 0.99, 0.999)),
    ]
    for number, figure in enumerate(shown):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{x(share):.1f},{y(ms):.1f}" for share, ms in figure.curve)
        rows += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<rect x="{left}" y="{bottom + 30 + number * 18}" width="12" height="4" fill="{colour}"/>',
            _text(left + 18, bottom + 36 + number * 18, figure.name),
        ]
    return _svg(bottom + 40 + 18 * len(shown), rows)


def lines(title: str, across: str, figures: dict[str, list[tuple[float, float]]]) -> str:
    """Rates by size, both axes by powers of ten: for what grows."""
    every = [point for points in figures.values() for point in points]
    (x_low, x_high), (y_low, y_high) = (
        (10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values))) * 1.0001)
        for values in zip(*every, strict=True)
    )
    left, right, top, bottom = 90, WIDTH - MARGIN, 40, 320

    def x(value: float) -> float:
        return left + (right - left) * math.log10(value / x_low) / math.log10(x_high / x_low)

    def y(value: float) -> float:
        return bottom - (bottom - top) * math.log10(value / y_low) / math.log10(y_high / y_low)

    rows = [
        _text(left, 24, title),
        _text(left, bottom + 32, across),
        *(_line(left, y(value), right, y(value), f"{value:g}", 4) for value in _tens(y_low, y_high)),
        *(_text(x(value) - 14, bottom + 16, f"{value:g}") for value in _tens(x_low, x_high)),
    ]
    for number, (name, points) in enumerate(figures.items()):
        colour = COLOURS[number % len(COLOURS)]
        drawn = " ".join(f"{x(across):.1f},{y(up):.1f}" for across, up in points)
        rows += [
            f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>',
            _text(left + 18, bottom + 54 + number * 18, name),
            f'<rect x="{left}" y="{bottom + 48 + number * 18}" width="12" height="4" fill="{colour}"/>',
        ]
    return _svg(bottom + 60 + 18 * len(figures), rows)


def _tens(low: float, high: float) -> Iterable[float]:
    return (10.0**power for power in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high)) + 1))


def _line(x: float, y: float, to_x: float, to_y: float, name: str, indent: float) -> str:
    return f'<path d="M{x} {y:.1f}L{to_x} {to_y:.1f}" stroke="#ccc"/>' + _text(indent, y + 4, name)


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _svg(height: float, rows: Iterable[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" font-family="sans-serif" font-size="13">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="#fff"/>', *rows, "</svg>", ""])
