# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The picture of a network's life: administrators of the library live through it, and what they know is drawn."""

from dataclasses import dataclass

from svg import PALE, Picture

from ndks.network.administration import ROOT_SIZE, Administration
from ndks.network.administrator import Administrator
from ndks.network.bundle import Bundle
from ndks.network.generation import Admission, Generation
from ndks.network.network_file import Network
from ndks_protocol.generator import F1, F2

_LEFT, _TOP, _ROW, _COLUMN = 112, 92, 34, 112
_IN, _REVOKED, _MERGED = "#dafbe1", "#ffebe9", "#ddf4ff"
_OWN_SIDE = 4  # a generation's number modulo this is its administrator


@dataclass(frozen=True)
class Change:
    """A generation, and why it was made."""

    generation: Generation
    why: tuple[str, str]
    is_merge: bool = False


class Life:
    """What two administrators do, one after the other and apart; `changes` in the order of their numbers."""

    def __init__(self) -> None:
        self.first = Administrator(Administration(Network.new("office"), bytes(ROOT_SIZE)))
        self.changes: list[Change] = []
        self.names: dict[int, str] = {}
        for name in ("alice", "bob", "carol"):
            self._admit(self.first, name)
        self.first.revoke([self._lane("bob")])
        self._note(self.first, self.first.issue(), "bob is stolen,", "and revoked")
        operators = 4, F1.index("hyperbolic"), F2.index("cosine")
        self._note(self.first, self.first.issue(operators=operators), "a refresh:", "new secrets, d = 4")
        second = Administrator(self.first.another())
        second.revoke([self._lane("carol")])
        theirs = second.issue()
        self._note(second, theirs, "carol is lost,", "and revoked")
        self._admit(self.first, "dave")
        made = self.first.on_bundle(theirs.content)
        assert made
        self._note(self.first, made, "a merge: they", "hear of each other", is_merge=True)

    def _admit(self, administrator: Administrator, name: str) -> None:
        lane = administrator.admit(f"{len(self.names):016X}", Admission(name))
        self.names[lane] = name
        self._note(administrator, administrator.issue(), f"{name}", "joins")

    def _lane(self, name: str) -> int:
        return next(lane for lane, other in self.names.items() if other == name)

    def _note(self, administrator: Administrator, bundle: Bundle, *why: str, is_merge: bool = False) -> None:
        generation = administrator.state.generation(bundle.g)
        assert generation
        first, second = why
        self.changes.append(Change(generation, (first, second), is_merge))


def draw_network() -> str:
    life = Life()
    columns = len(life.changes)
    bottom = _TOP + _ROW * len(life.names)
    picture = Picture(_LEFT + _COLUMN * columns + 16, bottom + 96, "The life of a network")
    for row, (lane, name) in enumerate(life.names.items()):
        picture.text((16, _TOP + _ROW * row + 21), name, size=13, anchor="start", bold=True)
        picture.text((62, _TOP + _ROW * row + 21), f"lane {lane}", size=9, anchor="start", fill=PALE)
    for column, change in enumerate(life.changes):
        _draw_change(picture, _LEFT + _COLUMN * column, change, life)
    apart = [column for column, change in enumerate(life.changes) if _maker(change.generation)]
    for column in apart:
        left, right = _LEFT + _COLUMN * column, _LEFT + _COLUMN * (column + 2)
        picture.line([(left, bottom + 14), (right - 8, bottom + 14)], head=False)
        picture.text(((left + right) / 2, bottom + 30), "two administrators apart, each with", size=11)
        picture.text(((left + right) / 2, bottom + 45), "members on its side of the channel", size=11)
    text = "Inside a generation the master renews: epoch 0, 1, 2 ... Its beacon tells the number, and no secret."
    picture.text((_LEFT, bottom + 84), text, size=11, anchor="start", fill=PALE)
    return picture.svg()


def _draw_change(picture: Picture, left: float, change: Change, life: Life) -> None:
    middle, generation = left + (_COLUMN - 8) / 2, change.generation
    picture.text((middle, 24), f"generation {generation.g}", size=12, bold=True)
    picture.text((middle, 40), f"by administrator {_maker(generation)}", size=9.5, fill=PALE)
    for line, text in enumerate(change.why):
        picture.text((middle, 60 + 14 * line), text, size=10.5)
    for row, lane in enumerate(life.names):
        corner, size = (left, _TOP + _ROW * row + 4), (_COLUMN - 8, _ROW - 8)
        if lane in generation.revoked:
            picture.box(corner, size, _REVOKED)
            picture.text((middle, corner[1] + 17), "revoked", size=10.5)
        elif lane in generation.members:
            picture.box(corner, size, _MERGED if change.is_merge else _IN)
            picture.text((middle, corner[1] + 17), "member", size=10.5)


def _maker(generation: Generation) -> int:
    return generation.g % _OWN_SIDE
