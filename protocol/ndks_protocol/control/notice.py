# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The content of a notice, by which an administrator leads a member into a generation (PROTOCOL.md section 11).

02 | g u16 | d u8, f1 u8, f2 u8 | G 32 | r u8 | revoked lanes u16 | v u8
 | v x (g u16, r u8, d u8, f1 u8, f2 u8, G 32)
"""

import struct

from ndks_protocol import errors
from ndks_protocol.parameters import F1, F2, MAX_DIGITS

from .limits import MAX_REVOKED, PAST

_TYPE = 2
_HEAD = ">BHBBB32sB"
_OTHER = ">HBBBB32s"
_HEAD_SIZE = struct.calcsize(_HEAD)
_OTHER_SIZE = struct.calcsize(_OTHER)


class Notice:
    """A generation as a member gets it.

    `operators` are d, f1 and f2; `lanes` are the packed numbers of the revoked lanes, ascending. `others` are
    generations that this one merges, as (g, number of revoked lanes, operators, secret), ascending.
    """

    def __init__(
        self,
        generation: int,
        operators: tuple[int, int, int],
        secret: bytes,
        lanes: bytes,
        others: "list[tuple[int, int, tuple[int, int, int], bytes]]",
    ):
        self.generation = generation
        self.operators = operators
        self.secret = secret
        self.lanes = lanes
        self.others = others

    def pack(self) -> bytes:
        """Return the data of the capsule."""
        head = struct.pack(_HEAD, _TYPE, self.generation, *self.operators, self.secret, len(self.lanes) // 2)
        packed = [struct.pack(_OTHER, g, count, *operators, secret) for g, count, operators, secret in self.others]
        return head + self.lanes + bytes((len(self.others),)) + b"".join(packed)


def unpack_notice(data: "bytes | memoryview", generation: int, own_lane: int) -> Notice:
    """Return the notice of this generation for the member on `own_lane`.

    UnitError AUTH: it is not a notice, or is of another generation. RANGE: too many lanes or generations, not in order,
    operators that do not exist, or the own lane is among the revoked ones.
    """
    if len(data) < _HEAD_SIZE + 1:
        raise errors.UnitError(errors.AUTH)
    kind, its_generation, digits, f1, f2, secret, revoked = struct.unpack_from(_HEAD, data, 0)
    if kind != _TYPE or its_generation != generation:
        raise errors.UnitError(errors.AUTH)
    end = _HEAD_SIZE + 2 * revoked
    count = data[end] if end < len(data) else 0
    if len(data) != end + 1 + _OTHER_SIZE * count:
        raise errors.UnitError(errors.AUTH)
    operators = digits, f1, f2
    lanes = bytes(data[_HEAD_SIZE:end])
    others = [_other(data, end + 1 + _OTHER_SIZE * i) for i in range(count)]
    _check(revoked <= MAX_REVOKED and count <= PAST)
    _check(_are_operators(operators) and _ascend(lanes_in(lanes)) and own_lane not in lanes_in(lanes))
    _check(_ascend([other[0] for other in others] + [generation]))
    _check(all([_are_operators(other[2]) and other[1] <= MAX_REVOKED for other in others]))
    return Notice(generation, operators, secret, lanes, others)


def lanes_in(packed: "bytes | bytearray | memoryview") -> list[int]:
    """Return the numbers of packed lanes."""
    return [struct.unpack_from(">H", packed, offset)[0] for offset in range(0, len(packed), 2)]


def _other(data: "bytes | memoryview", offset: int) -> tuple[int, int, tuple[int, int, int], bytes]:
    generation, revoked, digits, f1, f2, secret = struct.unpack_from(_OTHER, data, offset)
    return generation, revoked, (digits, f1, f2), secret


def _ascend(numbers: list[int]) -> bool:
    return all([numbers[i] < numbers[i + 1] for i in range(len(numbers) - 1)])


def _are_operators(operators: tuple[int, int, int]) -> bool:
    digits, f1, f2 = operators
    return 1 <= digits <= MAX_DIGITS and f1 < len(F1) and f2 < len(F2)


def _check(fits: bool) -> None:
    if not fits:
        raise errors.UnitError(errors.RANGE)
