# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The picture of the rooms: each a box, with arrows to the rooms that it imports."""

from layers import Layers
from rooms import PACKAGES, arrows, purposes
from svg import Picture, text_width

_COLOURS = dict(
    zip(PACKAGES, ("#fbefff", "#eaeef2", "#ddf4ff", "#fff1e5", "#fff8c5", "#ffebe9", "#dafbe1"), strict=True)
)
_HEIGHT, _GAP, _STEP, _EDGE = 30, 18, 74, 16


def draw_rooms() -> str:
    rooms, all_arrows = purposes(), arrows()
    graph = Layers(rooms, all_arrows)
    widths = {room: text_width(room) + 20 for room in rooms}
    columns = graph.columns(widths, _GAP)
    width = max(columns[room] + widths[room] / 2 for room in rooms)
    rows = {node: _EDGE + _STEP * depth for depth, layer in enumerate(graph.layers) for node in layer}
    picture = Picture(
        width + 2 * _EDGE, max(rows.values()) + _HEIGHT + _EDGE, "The rooms of the code, and their imports"
    )
    for arrow, path in graph.paths.items():
        points = [(_EDGE + columns[node], rows[node] + _HEIGHT / 2) for node in path]
        points[0] = points[0][0], rows[path[0]] + _HEIGHT
        points[-1] = points[-1][0], rows[path[-1]]
        picture.curve(points, dashed=all_arrows[arrow])
    for upper, lower in sorted(graph.backwards):  # as a straight line from below
        start, end = _EDGE + columns[upper], _EDGE + columns[lower]
        picture.line([(start - 12, rows[upper]), (end - 12, rows[lower] + _HEIGHT)], dashed=all_arrows[upper, lower])
    for room, purpose in rooms.items():
        corner = _EDGE + columns[room] - widths[room] / 2, rows[room]
        picture.box(corner, (widths[room], _HEIGHT), _COLOURS[room.partition(".")[0].partition(":")[0]], hint=purpose)
        picture.text((_EDGE + columns[room], rows[room] + 19), room)
    return picture.svg()
