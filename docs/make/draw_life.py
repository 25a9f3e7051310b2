# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The picture of a unit's life: its states, what each answers by the table of commands, and what leads on."""

from svg import PALE, Picture

from ndks_protocol import commands

_LINE = 15
_SIZES = {"blank": (150, 84), "locked": (170, 84), "in a session": (300, 144), "tampered": (170, 84)}
_CORNERS = {"blank": (20, 60), "locked": (330, 60), "in a session": (680, 30), "tampered": (330, 290)}
_COLOURS = {"blank": "#f6f8fa", "locked": "#fff8c5", "in a session": "#dafbe1", "tampered": "#ffebe9"}


def answered() -> dict[str, list[str]]:
    """Return the commands that need what a state has, and no earlier one."""
    found: dict[str, list[str]] = {state: [] for state in _SIZES}
    for _, command in sorted(commands.TABLE.items()):
        if command.needs & commands.IS_BLANK:
            found["blank"].append(command.name)
        elif command.needs & commands.SESSION:
            found["in a session"].append(command.name)
        elif command.needs & commands.IS_PROVISIONED:
            found["locked"].append(command.name)
    return found


def draw_life() -> str:
    picture = Picture(1000, 424, "A unit's life")
    everywhere = [command.name for _, command in sorted(commands.TABLE.items()) if command.needs == commands.NOTHING]
    for state, names in answered().items():
        _draw_state(picture, state, names)
    arrow(picture, (170, 90), (330, 90), [commands.PROVISION.name])
    session = [commands.OPEN_SESSION.name, commands.PROVE.name, commands.UNLOCK.name]
    arrow(picture, (500, 80), (680, 80), [", ".join(session[:2]), session[2]])
    arrow(
        picture,
        (680, 130),
        (500, 130),
        [f"{commands.CLOSE.name}, {commands.HELLO.name},", "power, a bad frame"],
        below=True,
    )
    picture.line([(360, 60), (360, 24), (95, 24), (95, 60)])
    picture.text((228, 19), f"{commands.ZEROIZE.name}, in a session too", size=11)
    for start, text in (((415, 144), "the case is opened"), ((830, 174), "the case is opened")):
        end = (415, 290) if start[0] < 500 else (500, 330)
        picture.line([start, *([(start[0], end[1])] if start[0] > 500 else []), end])
        picture.text((start[0] + 8, start[1] + 40), text, size=11, anchor="start")
    picture.line([(330, 330), (95, 330), (95, 144)])
    picture.text((212, 324), commands.ZEROIZE.name, size=11)
    picture.text((415, 330), "everything is erased", size=11)
    picture.text((212, 346), "closed, and plugged in again", size=10, fill=PALE)
    picture.text((20, 404), f"Every unit answers {', '.join(everywhere)}.", size=11, anchor="start", fill=PALE)
    return picture.svg()


def arrow(
    picture: Picture, start: tuple[int, int], end: tuple[int, int], words: list[str], *, below: bool = False
) -> None:
    picture.line([start, end])
    for line, text in enumerate(words):
        offset = 14 + _LINE * line if below else -6 - _LINE * (len(words) - 1 - line)
        picture.text(((start[0] + end[0]) / 2, start[1] + offset), text, size=11)


def _draw_state(picture: Picture, state: str, names: list[str]) -> None:
    (x, y), (width, height) = _CORNERS[state], _SIZES[state]
    picture.box((x, y), (width, height), _COLOURS[state])
    picture.text((x + width / 2, y + 22), state, size=13, bold=True)
    columns = 2 if len(names) > 4 else 1
    for place, name in enumerate(names):
        middle = x + width * (2 * (place % columns) + 1) / (2 * columns)
        picture.text((middle, y + 40 + _LINE * (place // columns)), name, size=10.5)
