# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A small writer of SVG pictures: boxes, texts, arrows. It needs no program and no font, and loads nothing."""

import itertools
from collections.abc import Sequence
from html import escape

INK, PALE = "#24292f", "#57606a"
CHARACTER = 0.602  # width of one character of a monospaced font, in its size
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_HEADS = (("head", INK), ("pale", PALE))
Point = tuple[float, float]


def text_width(text: str, size: float = 12) -> float:
    return len(text) * CHARACTER * size


class Picture:
    """A picture of so many units, with the origin at the top left."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self._size = round(width), round(height)
        self._title = title
        self._parts: list[str] = []

    def box(self, corner: Point, size: Point, fill: str = "#ffffff", line: str = INK, hint: str = "") -> None:
        (x, y), (width, height) = corner, size
        title = f"<title>{escape(hint)}</title>" if hint else ""
        place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        self._parts.append(f'<rect {place} rx="4" fill="{fill}" stroke="{line}">{title}</rect>')

    def text(
        self, at: Point, text: str, *, size: float = 12, anchor: str = "middle", fill: str = INK, bold: bool = False
    ) -> None:
        """Write a line of text; lines of the picture behind it are kept off."""
        place = f'x="{at[0]:.1f}" y="{at[1]:.1f}" font-size="{size:g}" text-anchor="{anchor}" fill="{fill}"'
        weight = ' font-weight="bold"' if bold else ""
        self._parts.append(f'<text {place}{weight} xml:space="preserve">{escape(text)}</text>')

    def line(self, points: Sequence[Point], *, head: bool = True, dashed: bool = False, pale: bool = False) -> None:
        """Draw straight pieces through two points or more."""
        self._path("M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points), head=head, dashed=dashed, pale=pale)

    def curve(self, points: Sequence[Point], *, dashed: bool = False, pale: bool = False) -> None:
        """Draw a smooth arrow downwards through two points or more."""
        path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
        for (x, y), (to_x, to_y) in itertools.pairwise(points):
            middle = (y + to_y) / 2
            path += f" C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"
        self._path(path, head=True, dashed=dashed, pale=pale)

    def svg(self) -> str:
        width, height = self._size
        heads = "".join(
            f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            f'<path d="M0 0 L8 4 L0 8 z" fill="{colour}"/></marker>'
            for name, colour in _HEADS
        )
        body = "\n".join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            f' font-family="{_FONT}" role="img">\n<title>{escape(self._title)}</title>\n<defs>{heads}</defs>\n'
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n'
        )

    def _path(self, path: str, *, head: bool, dashed: bool, pale: bool) -> None:
        name, colour = _HEADS[pale]
        ends = f' marker-end="url(#{name})"' if head else ""
        dashes = ' stroke-dasharray="5 3"' if dashed else ""
        self._parts.append(f'<path d="{path}" fill="none" stroke="{colour}"{dashes}{ends}/>')
