# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit of the model behind a product's agent: its capsules are bytes that stand for boxes."""

from random import Random
from typing import Any

from ndks.driver.capsules import Sealed
from ndks.driver.network_verbs import Opened, Ticked
from ndks.exceptions import device_error
from ndks_protocol import errors
from ndks_protocol.wire import HEARD, LOWER_RANK, MASTER, MONITOR, MOVED, SLAVE

from ..model.capsules import Box, Head, Refused
from ..model.epochs import Member
from ..model.flash import Flash
from ..model.unit import Unit
from ..world.interface import Haul, View
from ..world.model_views import first_records, loot_of, view_of
from .capsules import NUMBERS, Capsules

_CODES = {name: code for code, name in errors.TABLE.items()}
_EVENTS = {"heard": HEARD, "moved": MOVED, "lower": LOWER_RANK}
NOT_SEALED = Box(b"", Head("data", 0, 0, 0), b"", None, 0)  # bytes that nobody sealed
_MODES = ("elected", "relay", "monitor")


class ModelDevice:
    """The verbs of a unit as an agent has them, and what can happen to the unit."""

    def __init__(self, member: Member, capsules: Capsules, watch: Any, random: Random) -> None:
        self.capsules, self._watch, self._random = capsules, watch, random
        self.flash = Flash()
        self.flash.records = first_records(member)
        self.unit = Unit(self.flash, lambda: random.getrandbits(16))
        self.notices = 0

    # The verbs

    @property
    def lane(self) -> int:
        return self.unit.lane

    @property
    def own_number(self) -> int:
        return self.unit.own_number

    @property
    def epoch(self) -> int | None:
        return self.unit.epoch

    def held(self) -> tuple[int, ...]:
        epochs = self.unit.epochs
        return tuple(generation.g for generation in (epochs.here, *epochs.past) if generation)

    def tick(self, ticks: int) -> Ticked:
        ticked = self._do(self.unit.tick, ticks)
        role = MONITOR if self.unit.mode == "monitor" else MASTER if ticked.role else SLAVE
        beacon = self._named(ticked.beacon) if ticked.beacon else b""
        return Ticked(role, ticked.epoch, ticked.revoked, ticked.term, ticked.master, beacon)

    def control(self, capsule: bytes) -> int:
        return _EVENTS[self._do(self.unit.control, self._box(capsule))]

    def notice(self, g: int, capsule: bytes) -> int:
        self.notices += 1
        return self._do(self.unit.notice, g, self._box(capsule))

    def hint(self, g: int) -> bytes:
        return self._do(self.unit.hint, g)

    def renew(self) -> int:
        return self._do(self.unit.renew)

    def set_role(self, mode: int) -> None:
        self._do(self.unit.set_role, _MODES[mode] if mode < len(_MODES) else "")

    def seal(self, kind: int, data: bytes) -> Sealed:
        name = next(name for name, number in NUMBERS.items() if number == kind)
        box, epoch = self._do(self.unit.seal, name, data, len(data))
        return Sealed(self._named(box), epoch)

    def open(self, capsule: bytes, *, vouched: bool = False) -> Opened:
        opened = self._do(self.unit.open, self._box(capsule), vouched=vouched)
        return Opened(NUMBERS[opened.kind], opened.epoch, opened.lane, opened.number, opened.data)

    def accept(self, capsule: bytes, *, allow_jump: bool = False) -> str:
        """Open and accept by the plain commands; return the name of the refusal, or ""."""
        try:
            self.unit.open(self._box(capsule), again=False, allow_jump=allow_jump)
            self.unit.accept(self._box(capsule), allow_jump=allow_jump)
        except Refused as refused:
            return refused.name
        return ""

    def _do(self, verb: Any, *values: Any, **options: Any) -> Any:
        try:
            return verb(*values, **options)
        except Refused as refused:
            raise device_error(_CODES[refused.name]) from None

    def _box(self, capsule: bytes) -> Box:
        return self.capsules.boxes.get(capsule, NOT_SEALED)

    def _named(self, box: Box) -> bytes:
        capsule = name_of(box, self._random)
        self.capsules.boxes[capsule] = box
        self._watch(self.capsules.see(capsule, box.header_key, box.key, box.head, box.body))
        return capsule

    # What happens to it

    def start(self) -> None:
        self.unit.start()

    def cut_power_in(self, steps: int | None) -> None:
        self.flash.cut_in = steps

    def erase(self) -> None:
        self.unit.erase()

    def image(self) -> dict[str, Any]:
        return dict(self.flash.records)

    def put_back(self, image: dict[str, Any]) -> None:
        floor = self.unit.own_number + 1
        self.flash.records = image | {"numbers": max(floor, image.get("numbers", 1))}
        self.flash.cut_in = None

    def whole(self) -> tuple[dict[str, Any], list[Any]]:
        return dict(self.flash.records), list(self.flash.superseded)

    def put_whole(self, flash: tuple[dict[str, Any], list[Any]]) -> None:
        self.flash.records, self.flash.superseded = dict(flash[0]), list(flash[1])

    @property
    def view(self) -> View | None:
        return view_of(self.unit)

    @property
    def wear(self) -> int:
        return self.flash.moves

    def loot(self) -> tuple[list[Haul], list[tuple[int, bytes]]]:
        return loot_of(self.flash)


def name_of(box: Box, random: Random) -> bytes:
    """Return bytes for a box, of the size that it has on the wire."""
    return b"\x01" + random.randbytes(31) + bytes(box.size - 32)
