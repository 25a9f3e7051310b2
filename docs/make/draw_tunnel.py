# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The picture of a tunnel, the paper's Fig. 2: plain text up to each gateway; between them, what an eavesdropper sees.

The sizes of what passes are those of the code.
"""

from svg import PALE, Picture

from ndks_gateways.tunnel import knocks
from ndks_gateways.tunnel.doors import MAC_SIZE
from ndks_gateways.tunnel.records import TAG

_WIDTH, _HEIGHT = 1000, 300
_PLAIN, _GATEWAY, _UNIT, _LINE = "#dafbe1", "#ddf4ff", "#fff8c5", "#ffebe9"
_TOP, _BOX = 48, 54  # of the row of computers
_UNIT_TOP = 152


def draw_tunnel() -> str:
    picture = Picture(_WIDTH, _HEIGHT, "A tunnel between two gateways")
    _draw_site(picture, 16, ("applications", "that know nothing"), ("gateway A", "--listen --connect"))
    _draw_site(picture, _WIDTH - 16, ("service", "that knows nothing"), ("gateway B", "--accept --to"))
    _draw_line(picture)
    text = "The units exchange nothing: each computes the keys of the other's messages. A dashed line is a firewall."
    picture.text((_WIDTH / 2, _HEIGHT - 16), text, size=11, fill=PALE)
    return picture.svg()


def _draw_site(picture: Picture, edge: float, outer: tuple[str, str], gateway: tuple[str, str]) -> None:
    """Draw a site from its edge of the picture inwards."""
    inwards = 1 if edge < _WIDTH / 2 else -1

    def at(distance: float) -> float:
        return edge + inwards * distance

    for (begin, end), lines, fill in (((0, 134), outer, _PLAIN), ((196, 338), gateway, _GATEWAY)):
        left = min(at(begin), at(end))
        picture.box((left, _TOP), (end - begin, _BOX), fill)
        middle = left + (end - begin) / 2
        picture.text((middle, _TOP + 23), lines[0], size=13, bold=True)
        picture.text((middle, _TOP + 41), lines[1], size=10, fill=PALE)
    picture.text((at(165), _TOP - 12), "plain text", size=10.5)
    picture.line([(at(134), _TOP + 27), (at(195), _TOP + 27)], head=False)
    for distance in (182, 352):  # firewalls on both sides
        picture.line([(at(distance), _TOP - 6), (at(distance), _TOP + _BOX + 6)], head=False, dashed=True)
    middle = at(267)
    picture.line([(middle, _TOP + _BOX), (middle, _UNIT_TOP)], head=False)
    picture.text((middle - 8, 130), "keys of messages", size=10, anchor="end", fill=PALE)
    picture.box((middle - 62, _UNIT_TOP), (124, 40), _UNIT)
    picture.text((middle, _UNIT_TOP + 18), "NDKS unit", size=12, bold=True)
    picture.text((middle, _UNIT_TOP + 32), "ndks service", size=9.5, fill=PALE)


def _draw_line(picture: Picture) -> None:
    """Draw the channel, and beneath it what passes."""
    left, right = 16 + 338, _WIDTH - 16 - 338
    middle = (left + right) / 2
    picture.line([(left, _TOP + 27), (right, _TOP + 27)], head=False)
    picture.box((left + 46, _TOP + 6), (right - left - 92, 42), _LINE)
    picture.text((middle, _TOP + 24), "any network", size=12, bold=True)
    picture.text((middle, _TOP + 39), "one TCP connection", size=10, fill=PALE)
    for row, (text, size, is_of_a) in enumerate(_passing()):
        y = 134 + 24 * row
        ends = (left + 46, y), (right - 46, y)
        picture.line(ends if is_of_a else ends[::-1])
        picture.text((middle, y - 5), f"{text}, {size}", size=10)


def _passing() -> list[tuple[str, str, bool]]:
    first, second, third = knocks.FULL_MESSAGES
    head = 1 + knocks.FULL_HEAD_SIZE
    return [
        ("hello", f"{knocks.HELLO_SIZE} bytes", False),
        ("knock", f"{head + first + MAC_SIZE} bytes", True),
        ("accept", f"{head + second} bytes", False),
        ("last", f"{2 + third} bytes", True),
        ("records", f"3 + frame + {TAG} bytes", True),
        ("records", f"3 + frame + {TAG} bytes", False),
    ]
