# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The picture of a capsule: its bytes, and what is in them; sizes are those of the code."""

from itertools import accumulate

from svg import PALE, Picture

from ndks_protocol import capsule
from ndks_protocol.capsule.header import SALT_SIZE
from ndks_protocol.commands import INDEX_BITS, WIRE_HEADER_SIZE

_EDGE, _HEIGHT, _STEP = 16, 44, 104
_WIDTH = 860
_CLEAR, _MASKED, _PLAIN = "#dafbe1", "#ddf4ff", "#fff8c5"
_INDEX = 8
_SMALL = 5  # version, suite, cipher, kind and a zero, a byte each
_MASKED_SIZE = _SMALL - 1 + _INDEX + SALT_SIZE
_LANE = _INDEX - INDEX_BITS // 8

Field = tuple[str, str, float, str]  # name, size in bytes, width in the picture, colour
_CAPSULE: tuple[Field, ...] = (
    ("version", "1", 80, _CLEAR),
    ("tag of the header", f"{WIRE_HEADER_SIZE - 1 - _MASKED_SIZE}", 170, _CLEAR),
    ("masked header", f"{_MASKED_SIZE}", 190, _MASKED),
    ("chunk 0", "", 200, _MASKED),
    ("...", "", 60, "#ffffff"),
    ("last chunk", "", 160, _MASKED),
)
_HEADER: tuple[Field, ...] = (
    ("suite", "1", 70, _PLAIN),
    ("cipher", "1", 76, _PLAIN),
    ("kind", "1", 64, _PLAIN),
    ("zero", "1", 64, _PLAIN),
    ("lane", f"{_LANE}", 70, _PLAIN),
    ("number", f"{_INDEX - _LANE}", 90, _PLAIN),
    ("salt", f"{SALT_SIZE}", 90, _PLAIN),
)
_CHUNK: tuple[Field, ...] = (
    ("encrypted text", f"1 to {capsule.CHUNK}", 190, _MASKED),
    ("tag", f"{capsule.TAG_SIZE}", 90, _CLEAR),
)
_TEXT: tuple[Field, ...] = (
    ("sync word", f"{capsule.SYNC_SIZE}", 110, _PLAIN),
    ("the message", "any", 380, _PLAIN),
    ("check value", f"{capsule.CHECK_SIZE}", 120, _PLAIN),
)


def draw_capsule() -> str:
    picture = Picture(_WIDTH + 2 * _EDGE, 2 * _STEP + _HEIGHT + 2 * _EDGE + 16, "The bytes of a capsule")
    top = _EDGE + 16.0
    _row(picture, (_EDGE, top), "on the line, bytes", _CAPSULE)
    _zoom(picture, (_EDGE + 250, _EDGE + 440), (_EDGE, _EDGE + 524), top)
    _row(picture, (_EDGE, top + _STEP), "the header, unmasked with the keys of the network", _HEADER)
    _zoom(picture, (_EDGE + 440, _EDGE + 640), (_EDGE + 580, _EDGE + 860), top)
    _row(picture, (_EDGE + 580, top + _STEP), "a chunk", _CHUNK)
    _zoom(picture, (_EDGE + 580, _EDGE + 770), (_EDGE, _EDGE + 610), top + _STEP)
    _row(picture, (_EDGE, top + 2 * _STEP), "the text of all chunks, decrypted with the keys of this message", _TEXT)
    return picture.svg()


def _row(picture: Picture, corner: tuple[float, float], title: str, fields: tuple[Field, ...]) -> None:
    x, y = corner
    picture.text((x + 6, y - 7), title, anchor="start", fill=PALE, size=11)
    for (name, size, width, colour), end in zip(fields, accumulate(field[2] for field in fields), strict=True):
        picture.box((x + end - width, y), (width, _HEIGHT), colour)
        picture.text((x + end - width / 2, y + (19 if size else 26)), name)
        picture.text((x + end - width / 2, y + 35), size, size=11, fill=PALE)


def _zoom(picture: Picture, part: tuple[float, float], whole: tuple[float, float], y: float) -> None:
    for start, end in zip(part, whole, strict=True):
        knee = y + _STEP - 22  # above the title of the row
        picture.line([(start, y + _HEIGHT), (end, knee), (end, y + _STEP)], head=False, dashed=True, pale=True)
