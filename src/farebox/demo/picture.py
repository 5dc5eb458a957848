"""How the picture of the demo looks: an SVG that needs nothing from elsewhere."""

from rich.terminal_theme import TerminalTheme

_NORMAL = [
    (32, 36, 42),
    (178, 54, 54),
    (35, 120, 76),
    (148, 104, 10),
    (40, 92, 160),
    (126, 68, 140),
    (16, 112, 124),
    (120, 124, 130),
]
THEME = TerminalTheme((250, 250, 247), (32, 36, 42), _NORMAL, _NORMAL)

CODE_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
