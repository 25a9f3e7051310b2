# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The picture of a terminal in which `ndks demo` has run: the transcript in docs/homologation.md, which tests run."""

import re
from pathlib import Path

from svg import CHARACTER, Picture

PAGE = Path(__file__).parents[2] / "docs" / "homologation.md"
_BACKGROUND, _BAR, _TEXT, _GOOD, _BAD, _PROMPT = "#0d1117", "#21262d", "#e6edf3", "#7ee787", "#ff7b72", "#79c0ff"
_SIZE, _LINE, _EDGE, _TOP = 12, 16.5, 16, 34
_COLOURS = (("$ ", _PROMPT), ("held", _GOOD), ("verdict: HELD", _GOOD), ("failed", _BAD), ("verdict: ", _BAD))


def draw_terminal() -> str:
    found = re.search(r"^```\n(\$ ndks demo.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    if not found:
        raise AssertionError(f"{PAGE.name} shows no demo")
    lines = found[1].splitlines()
    width = max(map(len, lines)) * CHARACTER * _SIZE + 2 * _EDGE
    picture = Picture(width, _TOP + len(lines) * _LINE + 2 * _EDGE, "The screen of ndks demo")
    picture.box((0, 0), (width, _TOP + len(lines) * _LINE + 2 * _EDGE), _BACKGROUND, _BAR)
    picture.box((0, 0), (width, _TOP - 8), _BAR, _BAR)
    picture.text((width / 2, 18), "ndks demo", size=11, fill=_TEXT)
    for place, line in enumerate(lines):
        at = _EDGE, _TOP + _EDGE + _LINE * place
        picture.text(at, line, size=_SIZE, anchor="start", fill=_colour(line), bold=line.startswith("verdict"))
    return picture.svg()


def _colour(line: str) -> str:
    return next((colour for start, colour in _COLOURS if line.startswith(start)), _TEXT)
