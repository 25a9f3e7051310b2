# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One random instruction in a random state, for our core and for rp2040py's."""

import random
from dataclasses import dataclass, field

CODE = 0x20000100
DATA, DATA_SIZE = 0x20010000, 0x800
_MIDDLE = DATA + DATA_SIZE // 2
_SP = 13
_RARE = (0x47F0, 0x4778)  # BLX LR, BX PC: halfwords at which rp2040py differs


@dataclass
class State:
    registers: list[int]  # r0 to r14
    flags: int  # N, Z, C, V in bits 31 to 28
    code: bytes
    data: bytes = field(repr=False)

    @property
    def op(self) -> int:
        return int.from_bytes(self.code[:2], "little")

    @property
    def second(self) -> int:
        return int.from_bytes(self.code[2:4], "little")


def random_state(rng: random.Random) -> State:
    """Return a state in which a load or store, if it is one, hits the data."""
    op = rng.getrandbits(16) if rng.random() < 0.99 else rng.choice(_RARE)
    while not _is_compared(op):
        op = rng.getrandbits(16)
    second = rng.getrandbits(16)
    if op >> 11 == 0b11110:
        op, second = _random_long(rng, op, second)
    registers = [_random_value(rng) for _ in range(15)]
    registers[_SP] = _MIDDLE + 4 * rng.randrange(-64, 64)
    _aim(rng, op, registers)
    data = rng.randbytes(DATA_SIZE)
    code = op.to_bytes(2, "little") + second.to_bytes(2, "little")
    return State(registers, rng.getrandbits(4) << 28, code, data)


def _is_compared(op: int) -> bool:
    """Leave out what only the tests of exceptions can compare: BKPT, SVC, undefined, WFI, WFE."""
    group = op >> 11
    if group in (0b11101, 0b11111):
        return False
    if op >> 8 in (0xDE, 0xDF, 0xBE):
        return False
    if op >> 8 == 0x47 and (op & 7 or op == 0x47F8):  # unpredictable: BX and BLX with bits set, BLX of PC
        return False
    if op >> 12 == 0xB:
        return any(op & mask == value for mask, value in _MISCELLANEOUS)
    return True


# ARMv6-M, A5.2.5: ADD and SUB of SP, extensions, PUSH, POP, CPS, reversals, and the hints NOP, YIELD, SEV.
_MISCELLANEOUS = (
    (0xFF00, 0xB000),
    (0xFF00, 0xB200),
    (0xFE00, 0xB400),
    (0xFE00, 0xBC00),
    (0xFFEF, 0xB662),
    (0xFF80, 0xBA00),
    (0xFFC0, 0xBAC0),
    (0xFFEF, 0xBF00),
    (0xFFFF, 0xBF40),
)


def _random_value(rng: random.Random) -> int:
    """Return numbers at which flags change more often than chance would."""
    kind = rng.randrange(6)
    if kind == 0:
        return rng.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 31, 32, 33, 255, 256))
    if kind == 1:
        return rng.randrange(64)
    return rng.getrandbits(32)


def _random_long(rng: random.Random, op: int, second: int) -> tuple[int, int]:
    """Return BL, or a barrier, MSR or MRS."""
    register, special = rng.randrange(13), rng.choice((0, 3, 5, 8, 9, 16, 20))
    return rng.choice(
        (
            (op, second | 0xD000),
            (0xF3BF, rng.choice((0x8F4F, 0x8F5F, 0x8F6F))),  # DSB, DMB, ISB
            (0xF380 | register, 0x8800 | special),
            (0xF3EF, 0x8000 | register << 8 | special),
        )
    )


def _aim(rng: random.Random, op: int, registers: list[int]) -> None:
    base, offset = op >> 3 & 7, op >> 6 & 7
    group = op >> 11
    near = _MIDDLE + rng.randrange(-256, 256)
    if group in (0b01010, 0b01011):  # register offset
        registers[base] = near
        registers[offset] = rng.randrange(0, 256) if offset != base else near // 2
    elif group in (0b01100, 0b01101, 0b01110, 0b01111, 0b10000, 0b10001):
        registers[base] = near
    elif group in (0b11000, 0b11001):
        registers[op >> 8 & 7] = near
    if rng.random() < 0.8:  # mostly aligned
        for i in range(8):
            if DATA <= registers[i] < DATA + DATA_SIZE:
                registers[i] &= ~3
