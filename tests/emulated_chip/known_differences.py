# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where rp2040py 0.3.6 does not do what the architecture says; our core does. What is not here, both do alike."""

from collections.abc import Callable
from typing import NamedTuple

from emulated_chip.random_instructions import CODE, State
from emulated_chip.two_cores import Result

_CARRY = 0x20000000
_ADC, _SBC = 0b0100000101, 0b0100000110


class Difference(NamedTuple):
    """`section` is that of the ARMv6-M manual, DDI 0419, or of the Cortex-M0+ technical reference manual, DDI 0484.

    `expected` returns what the manual says, from the state and from what rp2040py made of it.
    """

    name: str
    section: str
    applies: Callable[[State], bool]
    expected: Callable[[State, Result], Result]


def _is_unaligned(state: State) -> bool:
    size = _access_size(state.op)
    return size > 0 and _address(state) % size != 0


def _access_size(op: int) -> int:
    """Return the size of a load or store that may be unaligned, or 0."""
    group = op >> 11
    by_register = {0: 4, 1: 2, 4: 4, 5: 2, 7: 2}  # STR, STRH, LDR, LDRH, LDRSH
    if group in (0b01010, 0b01011):
        return by_register.get(op >> 9 & 7, 0)
    return {0b01100: 4, 0b01101: 4, 0b10000: 2, 0b10001: 2, 0b11000: 4, 0b11001: 4}.get(group, 0)


def _address(state: State) -> int:
    """Return the address modulo 4, which suffices here: immediates are multiples of the size."""
    op, registers = state.op, state.registers
    group = op >> 11
    if group in (0b11000, 0b11001):
        return registers[op >> 8 & 7] if op & 0xFF else 0
    base = registers[op >> 3 & 7]
    return base + registers[op >> 6 & 7] if group in (0b01010, 0b01011) else base


def _faults(state: State, theirs: Result) -> Result:
    """Nothing has happened; the fault is to come."""
    before = (*state.registers, theirs.registers[15])
    return Result(before, state.flags, state.data, theirs.primask, theirs.cycles)


def _shifts_left_far(state: State) -> bool:
    return state.op >> 6 == 0b0100000010 and state.registers[state.op >> 3 & 7] & 0xFF > 32


def _shifts_right_by_0(state: State) -> bool:
    shifts = (0b0100000011, 0b0100000100, 0b0100000111)  # LSR, ASR, ROR
    return state.op >> 6 in shifts and not state.registers[state.op >> 3 & 7] & 0xFF


def _keeps_carry(state: State, theirs: Result) -> Result:
    return theirs._replace(flags=theirs.flags & ~_CARRY | state.flags & _CARRY)


def _adds_with_carry(state: State) -> bool:
    return state.op >> 6 in (_ADC, _SBC)


def _sum_of_three(state: State, theirs: Result) -> Result:
    """AddWithCarry() of the manual, A2.2.1."""
    x, y = state.registers[state.op & 7], state.registers[state.op >> 3 & 7]
    y = y if state.op >> 6 == _ADC else y ^ 0xFFFFFFFF
    total = x + y + bool(state.flags & _CARRY)
    signed = _signed(x) + _signed(y) + bool(state.flags & _CARRY)
    result = total & 0xFFFFFFFF
    flags = (result & 1 << 31) | (not result) << 30 | (total >> 32) << 29 | (signed != _signed(result)) << 28
    return theirs._replace(flags=flags)


def _signed(value: int) -> int:
    return value - (value >> 31 << 32)


def _pushes_link(state: State) -> bool:
    return state.op >> 8 == 0xB5


def _pops_pc(state: State) -> bool:
    return state.op >> 8 == 0xBD


def _stores_its_base(state: State) -> bool:
    return state.op >> 11 == 0b11000 and bool(state.op & 1 << (state.op >> 8 & 7))


def _writes_back(state: State, theirs: Result) -> Result:
    base, count = state.op >> 8 & 7, (state.op & 0xFF).bit_count()
    registers = list(theirs.registers)
    registers[base] = (state.registers[base] + 4 * count) & 0xFFFFFFFF
    return theirs._replace(registers=tuple(registers))


def _calls_link(state: State) -> bool:
    return state.op == 0x47F0


def _to_old_link(state: State, theirs: Result) -> Result:
    return theirs._replace(registers=(*theirs.registers[:15], state.registers[14] & ~1))


def _goes_to_pc(state: State) -> bool:
    return state.op == 0x4778


def _four_further(_state: State, theirs: Result) -> Result:
    return theirs._replace(registers=(*theirs.registers[:15], CODE + 4))


def _reads_xpsr(state: State) -> bool:
    return state.op == 0xF3EF and state.second & 0xFF == 3


def _without_execution_state(state: State, theirs: Result) -> Result:
    registers = list(theirs.registers)
    registers[state.second >> 8 & 15] &= ~(1 << 24)
    return theirs._replace(registers=tuple(registers))


DIFFERENCES = (
    Difference("an unaligned access faults", "DDI 0419 A3.2.1", _is_unaligned, _faults),
    Difference(
        "LSL by more than 32 clears the carry",
        "DDI 0419 A6.7.36, A2.2.1",
        _shifts_left_far,
        lambda _, theirs: theirs._replace(flags=theirs.flags & ~_CARRY),
    ),
    Difference("a shift by 0 keeps the carry", "DDI 0419 A6.7.38, A2.2.1", _shifts_right_by_0, _keeps_carry),
    Difference("C and V of ADC and SBC are those of one addition", "DDI 0419 A2.2.1", _adds_with_carry, _sum_of_three),
    Difference(
        "PUSH takes a cycle for LR too",
        "DDI 0484 3.3",
        _pushes_link,
        lambda _, theirs: theirs._replace(cycles=theirs.cycles + 1),
    ),
    Difference(
        "POP takes a cycle for PC too",
        "DDI 0484 3.3",
        _pops_pc,
        lambda _, theirs: theirs._replace(cycles=theirs.cycles + 1),
    ),
    Difference("STM writes back a base that it stores", "DDI 0419 A6.7.59", _stores_its_base, _writes_back),
    Difference("BLX LR goes to what LR was", "DDI 0419 A6.7.14", _calls_link, _to_old_link),
    Difference("BX PC: PC reads as the address plus 4", "DDI 0419 A5.1.2", _goes_to_pc, _four_further),
    Difference("MRS reads the execution state as 0", "DDI 0419 B5.2.2", _reads_xpsr, _without_execution_state),
)
