# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit of the product beside one of the model: the same events, and the same answers and errors."""

from random import Random
from typing import Any

from ndks.driver.capsules import Sealed
from ndks.driver.network_verbs import Opened, Ticked
from ndks.exceptions import DeviceError
from ndks_protocol import errors

from ..model.capsules import Box, Head, epoch_key
from ..model.epochs import Member
from ..world.checks import Violation
from ..world.interface import Haul, Packet
from .capsules import Capsules
from .model_device import ModelDevice
from .product_side import ProductSide
from .side import packed_word
from .unit_device import UnitDevice


class Twin(ModelDevice):
    """The model's unit. It gives the product's names to what it seals, and draws what the product has drawn."""

    def __init__(self, member: Member, capsules: Capsules, drawn: list[int]) -> None:
        self._drawn = drawn
        self.name = b""  # of the next capsule
        super().__init__(member, capsules, lambda sight: None, _Draws(drawn))

    def _named(self, box: Box) -> bytes:
        self.capsules.boxes[self.name] = box
        return self.name


class _Draws(Random):
    """The random numbers of roles that the product has drawn just before."""

    def __init__(self, drawn: list[int]) -> None:
        super().__init__(0)
        self._left = drawn

    def getrandbits(self, k: int, /) -> int:
        if k != 16 or not self._left:
            raise Violation("the model draws a random number that the product has not drawn")
        return self._left.pop(0)


class PairDevice(UnitDevice):
    """Each verb is done by the product, then by the model; their answers are compared."""

    def __init__(self, member: Member, enrolment: tuple[Any, ...], capsules: Capsules, watch: Any, random: Random):
        self.twin: Twin | None = None
        self.network_secret = member.secret
        self.compared = 0
        super().__init__(member, enrolment, capsules, watch, random)
        self.twin = Twin(member, capsules, self.board.drawn)
        self._check_state("enrolled")

    def tick(self, ticks: int) -> Ticked:
        return self._both("tick", ticks)

    def control(self, capsule: bytes) -> int:
        return self._both("control", capsule)

    def notice(self, g: int, capsule: bytes) -> int:
        return self._both("notice", g, capsule)

    def hint(self, g: int) -> bytes:
        return self._both("hint", g)

    def renew(self) -> int:
        return self._both("renew")

    def set_role(self, mode: int) -> None:
        return self._both("set_role", mode)

    def seal(self, kind: int, data: bytes) -> Sealed:
        return self._both("seal", kind, data)

    def open(self, capsule: bytes, *, vouched: bool = False) -> Opened:
        return self._both("open", capsule, vouched=vouched)

    def accept(self, capsule: bytes, *, allow_jump: bool = False) -> str:
        return self._both("accept", capsule, allow_jump=allow_jump)

    def held(self) -> tuple[int, ...]:
        return self._both("held")

    def _both(self, verb: str, *values: Any, **options: Any) -> Any:
        assert self.twin
        self.compared += 1
        answer, error = _tried(getattr(super(), verb), *values, **options)
        self.twin.name = b"\x01"
        if verb in ("seal", "tick") and answer:
            self.twin.name = answer[0] if verb == "seal" else answer.beacon or b"\x01"
        modelled, its_error = _tried(getattr(self.twin, verb), *values, **options)
        if (answer, _code(error)) != (modelled, _code(its_error)):
            raise Violation(f"{verb}: product {answer!r} {error}, model {modelled!r} {its_error}")
        self._check_state(verb)
        if error:
            raise error
        return answer

    def _check_state(self, verb: str) -> None:
        assert self.twin
        if self.board.drawn:
            raise Violation(f"{verb}: the product draws a random number that the model does not draw")
        pairs = ((self.view, self.twin.view), (self.epoch, self.twin.epoch), (self.own_number, self.twin.own_number))
        for product, model in pairs:
            if product != model:
                raise Violation(f"after {verb}: product {product}, model {model}")

    # What happens to it: power goes between steps only, for their steps of flash are not the same

    def start(self, minimum: int = 0) -> None:
        super().start(minimum)
        if self.twin:
            self.twin.start()
            self._check_state("start")

    def cut_power_in(self, steps: int | None) -> None:
        pass

    def erase(self) -> None:
        super().erase()
        assert self.twin
        self.twin.erase()
        self.board.drawn.clear()

    def image(self) -> Any:
        assert self.twin
        return super().image(), self.twin.image()

    def put_back(self, image: Any) -> None:
        assert self.twin
        self.twin.put_back(image[1])
        super().put_back(image[0])


def _tried(verb: Any, *values: Any, **options: Any) -> tuple[Any, DeviceError | None]:
    try:
        return verb(*values, **options), None
    except DeviceError as error:
        return None, error


def _code(error: DeviceError | None) -> str:
    return errors.name_of(error.number) if error else ""


class PairSide(ProductSide):
    """The product, each of its units beside one of the model."""

    def __init__(self) -> None:
        super().__init__()
        self.devices: list[PairDevice] = []

    def device(self, member: Member, watch: Any, random: Random) -> PairDevice:
        device = PairDevice(member, self._enrolment, self.capsules, watch, random)
        self.devices.append(device)
        return device

    def damaged(self, packet: Packet, random: Random) -> Packet | None:
        """Not here: the model's units know whole capsules only."""

    def forge_beacon(self, haul: Haul, lane: int, n: int, number: int, term: int) -> Packet:
        capsule = super().forge_beacon(haul, lane, n, number, term)
        control = haul.keys[1] or bytes(32)
        return self._twinned(capsule, haul, Head("control", lane, n, 0), control, ("beacon", haul.g, number, term))

    def forge(self, haul: Haul, lane: int, n: int, number: int, word: tuple[Any, ...]) -> Packet:
        capsule = super().forge(haul, lane, n, number, word)
        kind, data = packed_word(word)
        key = epoch_key(haul.secret, max(0, number - haul.low))
        return self._twinned(capsule, haul, Head(kind, lane, n, number), key, data)

    def _twinned(self, capsule: Packet, haul: Haul, head: Head, key: bytes, body: Any) -> Packet:
        self.capsules.boxes[capsule] = Box(haul.generation, head, key, body, 9)
        return capsule
