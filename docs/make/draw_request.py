# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The picture of a key request: a line a room, a row a request; from a real run of `ndks key`."""

from itertools import pairwise

from rooms import room_of
from svg import PALE, Picture
from walk import WALKS, Request, walk

from ndks_protocol import commands

_LEFT, _COLUMN, _TOP, _ROW, _EDGE, _REACH = 190, 172, 64, 52, 16, 290
_ANSWER = 60  # characters
_EVERYWHERE = {"ndks_unit", "ndks_protocol"}  # every handler reaches these


def draw_request() -> str:
    requests = walk(WALKS["key"]).requests
    rooms = list(dict.fromkeys(room for request in requests for room, _ in entrances(request)))
    lines = {room: _LEFT + _COLUMN * place for place, room in enumerate(rooms)}
    last = max(lines.values())
    height = _TOP + _ROW * len(requests)
    picture = Picture(last + _REACH, height + _EDGE, "One key request: ndks key")
    for room, x in lines.items():
        picture.box((x - 62, _EDGE), (124, 26), "#f6f8fa")
        picture.text((x, _EDGE + 17), room)
        picture.line([(x, _EDGE + 26), (x, height)], head=False, pale=True)
    picture.text((last + 76, _EDGE + 17), "which reaches", anchor="start", fill=PALE)
    for row, request in enumerate(requests):
        _draw_row(picture, request, lines, _TOP + _ROW * row)
    return picture.svg()


def _draw_row(picture: Picture, request: Request, lines: dict[str, int], y: int) -> None:
    entered = entrances(request)
    picture.text((_EDGE, y + 16), request.command, anchor="start", bold=True)
    for (start, _), (end, function) in pairwise(entered):
        picture.line([(lines[start], y + 12), (lines[end], y + 12)])
        picture.text(((lines[start] + lines[end]) / 2, y + 8), function, size=10.5)
    first, last = lines[entered[0][0]], lines[entered[-1][0]]
    picture.line([(last, y + 28), (first, y + 28)], dashed=True, pale=True)
    answer = ", ".join(getattr(commands, request.command).answer.names) or "done"
    text = answer if len(answer) <= _ANSWER else f"{answer[:_ANSWER].rpartition(',')[0]}, ..."
    picture.text((first + 8, y + 24), text, size=10.5, anchor="start", fill=PALE)
    rooms = dict.fromkeys(room_of(place.module) for place in request.below)
    reached = [room for room in rooms if room not in _EVERYWHERE and not room.startswith("ndks.driver")]
    for row, start in enumerate(range(0, len(reached), 2)):
        text = ", ".join(reached[start : start + 2])
        picture.text((last + 24, y + 10 + 12 * row), text, size=10, anchor="start", fill=PALE)


def entrances(request: Request) -> list[tuple[str, str]]:
    """Return the rooms on the way to a handler, and the functions by which they were entered; last, the handler."""
    found: dict[str, str] = {}
    for place in request.path:
        if "<locals>" not in place.function:
            found.setdefault(room_of(place.module), place.function)
    *others, (last, _) = found.items()
    return [*others, (last, request.path[-1].function)]
