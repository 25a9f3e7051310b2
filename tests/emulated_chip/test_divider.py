# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The divider and the spinlocks of SIO; a handler that divides does not disturb who divides."""

import random

import pytest
from emulated_chip.chips import MS, chip_with, program, run_until_idle
from emulated_chip.thumb import EQ, NE, R0, R1, R2, R3, R4, R5, RAM, SIO, SYSTEM, Program
from rp2040py.utils import assembler as a

from ndks_chip import Chip

UDIVIDEND, UDIVISOR, SDIVIDEND, SDIVISOR, QUOTIENT, REMAINDER, CSR = range(0x60, 0x7C, 4)
VECTORS, HANDLER, DATA = RAM + 0x1000, RAM + 0x2000, RAM + 0x3000
SYSTICK_VECTOR = VECTORS + 4 * 15
FULL = 0xFFFFFFFF


def divided(chip: Chip, dividend: int, divisor: int, *, signed: bool = False) -> tuple[int, int]:
    """Divide as a bus master would."""
    core = chip._mcu.core
    core.store(SIO + (SDIVIDEND if signed else UDIVIDEND), dividend, 4)
    core.store(SIO + (SDIVISOR if signed else UDIVISOR), divisor, 4)
    return core.load(SIO + QUOTIENT, 4), core.load(SIO + REMAINDER, 4)


@pytest.mark.parametrize(
    ("dividend", "divisor", "signed", "expected"),
    [
        (100, 7, False, (14, 2)),
        (FULL, 2, False, (0x7FFFFFFF, 1)),
        (-100 & FULL, 7, True, (-14 & FULL, -2 & FULL)),
        (100, -7 & FULL, True, (-14 & FULL, 2)),
        (0x80000000, FULL, True, (0x80000000, 0)),
        (5, 0, False, (FULL, 5)),
        (5, 0, True, (FULL, 5)),
        (-5 & FULL, 0, True, (1, -5 & FULL)),
        (0xFFFFFFF0, 0xFFFFFFF1, False, (0, 0xFFFFFFF0)),
    ],
)
def test_divisions(dividend: int, divisor: int, signed: bool, expected: tuple[int, int]) -> None:
    chip, _ = chip_with(program().stop())
    assert divided(chip, dividend, divisor, signed=signed) == expected


def test_random_divisions() -> None:
    chip, _ = chip_with(program().stop())
    rng = random.Random(1)
    for _ in range(2000):
        dividend, divisor = rng.getrandbits(32), rng.getrandbits(rng.randrange(1, 33)) or 1
        assert divided(chip, dividend, divisor) == divmod(dividend, divisor)


def test_a_result_is_dirty_until_its_quotient_is_read() -> None:
    chip, _ = chip_with(program().stop())
    core = chip._mcu.core
    core.store(SIO + UDIVIDEND, 9, 4)
    assert core.load(SIO + CSR, 4) == 3
    core.load(SIO + QUOTIENT, 4)
    assert core.load(SIO + CSR, 4) == 1


def test_divisions_under_a_fast_systick() -> None:
    """20,000 divisions while an interrupt each 200 cycles saves the divider, divides, and restores it."""
    handler = (
        Program(HANDLER)
        .constant(R3, SIO + UDIVIDEND)
        .op(a.opcode_push(True, 0b11110000))
        .op(*(a.opcode_ldr_imm(4 + i, R3, 4 * i) for i in range(2)))  # r4, r5: operands
        .op(a.opcode_ldr_imm(7, R3, REMAINDER - UDIVIDEND), a.opcode_ldr_imm(6, R3, QUOTIENT - UDIVIDEND))
        .op(a.opcode_movs(R0, 77), a.opcode_str(R0, R3, 0), a.opcode_movs(R0, 5), a.opcode_str(R0, R3, 4))
        .op(a.opcode_ldr_imm(R0, R3, QUOTIENT - UDIVIDEND), a.opcode_ldr_imm(R1, R3, REMAINDER - UDIVIDEND))
        .op(*(a.opcode_str(4 + i, R3, 4 * i) for i in range(2)))
        .op(a.opcode_str(7, R3, REMAINDER - UDIVIDEND), a.opcode_str(6, R3, QUOTIENT - UDIVIDEND))
        .constant(R2, DATA)
        .op(a.opcode_ldr_imm(R3, R2, 0), a.opcode_adds2(R3, 1), a.opcode_str(R3, R2, 0))
        .op(a.opcode_pop(True, 0b11110000))
        .assemble()
    )
    main = (
        program()
        .store(SYSTEM + 0xD08, VECTORS)
        .store(SYSTEM + 0x014, 199)
        .store(SYSTEM + 0x010, 7)
        .constant(R5, 20_000)
        .constant(R2, SIO + UDIVIDEND)
        .label("next")
        .op(a.opcode_movs(R0, 13), a.opcode_muls(R5, R0))
        .op(a.opcode_str(R0, R2, 0), a.opcode_movs(R1, 7), a.opcode_str(R1, R2, 4))
        .op(a.opcode_ldr_imm(R3, R2, REMAINDER - UDIVIDEND), a.opcode_ldr_imm(R4, R2, QUOTIENT - UDIVIDEND))
        .op(a.opcode_muls(R4, R1), a.opcode_adds_reg(R1, R1, R3), a.opcode_cmp_reg_t1(R0, R1))
        .branch("wrong", NE)
        .op(a.opcode_subs2(R5, 1))
        .branch("next", NE)
        .say(b"right")
        .stop()
        .label("wrong")
        .say(b"wrong")
        .stop()
    )
    chip, said = chip_with(main)
    chip.write(HANDLER, handler)
    chip.write(SYSTICK_VECTOR, (HANDLER | 1).to_bytes(4, "little"))
    for _ in range(200):
        chip.run(MS)
        if said:
            break
    assert said[:5] == b"right"
    assert int.from_bytes(chip.read(DATA, 4), "little") > 2000


def test_spinlocks() -> None:
    lock = SIO + 0x100 + 4 * 5
    code = program().load(R0, lock).say_register(R0).load(R0, lock).say_register(R0).store(lock, 0)
    chip, said = chip_with(code.load(R0, lock).say_register(R0).stop())
    run_until_idle(chip)
    assert said == b"\x20\0\x20"
    assert chip._mcu.core.load(SIO + 0x05C, 4) == 0x20


def test_a_spinlock_taken_by_the_main_program_is_taken_for_a_handler() -> None:
    lock = SIO + 0x100
    handler = Program(HANDLER).load(R0, lock).say_register(R0).op(a.opcode_bx(14)).assemble()
    main = program().store(SYSTEM + 0xD08, VECTORS).load(R0, lock).op(a.opcode_cmp_imm(R0, 0)).branch("none", EQ)
    main.store(SYSTEM + 0xD04, 1 << 26).op(a.opcode_nop()).say(b"!").label("none").stop()
    chip, said = chip_with(main)
    chip.write(HANDLER, handler)
    chip.write(SYSTICK_VECTOR, (HANDLER | 1).to_bytes(4, "little"))
    run_until_idle(chip)
    assert said == b"\0!"
