# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The instruments: calls and cycles of functions, the stack's high-water mark, memory."""

from itertools import pairwise

import pytest
from emulated_chip.chips import MS, chip_with, program, run_until_idle
from emulated_chip.thumb import NE, R0, R1, R4, R5, RAM, Program
from rp2040py.utils import assembler as a

from ndks_chip import Chip

OUTER, INNER = RAM + 0x1000, RAM + 0x1100


def chip_that_calls(times: int = 3) -> Chip:
    """Return a chip that calls a function with 1, 2, 3 ..., which calls another."""
    inner = Program(INNER).op(a.opcode_push(True, 1 << R4), a.opcode_pop(True, 1 << R4))
    outer = Program(OUTER).op(a.opcode_push(True, 0xF0), a.opcode_sub_sp(64)).constant(R1, INNER | 1).call(R1)
    outer.op(a.opcode_add_sp2(64), a.opcode_pop(True, 0xF0))
    main = program().op(a.opcode_movs(R5, 0)).label("next").op(a.opcode_adds2(R5, 1), a.opcode_mov(R0, R5))
    main.constant(R4, OUTER | 1).call(R4).op(a.opcode_cmp_imm(R5, times)).branch("next", NE).stop()
    chip, _ = chip_with(main)
    chip.write(OUTER, outer.assemble())
    chip.write(INNER, inner.assemble())
    return chip


def test_calls_and_cycles() -> None:
    chip = chip_that_calls()
    outer, inner, never = chip.watch(OUTER | 1), chip.watch(INNER), chip.watch(RAM + 0x1200)
    run_until_idle(chip)
    assert (outer.calls, inner.calls, never.calls) == (3, 3, 0)
    assert outer.first_arguments == 6
    # PUSH of n registers 1 + n, POP with PC 3 + n (DDI 0484, 3.3)
    assert inner.cycles == 3 * (3 + 5)
    assert outer.cycles == 3 * (6 + 1 + 2 + 2 + (3 + 5) + 1 + 8)
    assert outer.longest * 3 == outer.cycles
    chip.unwatch_all()
    chip.reset()
    run_until_idle(chip)
    with pytest.raises(IndexError):
        _ = outer.calls


def test_a_hook_sees_registers_and_memory() -> None:
    chip = chip_that_calls()
    seen: list[tuple[int, bytes]] = []
    chip.watch(OUTER, lambda: seen.append((chip.registers[0], chip.read(OUTER, 2))))
    run_until_idle(chip)
    assert seen == [(i, (0xB5F0).to_bytes(2, "little")) for i in (1, 2, 3)]


def test_a_hook_sees_the_time() -> None:
    chip = chip_that_calls()
    times: list[int] = []
    chip.watch(OUTER, lambda: times.append(chip.nanoseconds))
    run_until_idle(chip)
    cycles = [(later - earlier) / 8 for earlier, later in pairwise(times)]
    # of the outer function, and of ADDS, MOV, LDR, BLX, CMP, BNE
    assert cycles == [28 + 1 + 1 + 2 + 2 + 1 + 2] * 2


def test_an_error_in_a_hook_comes_out_of_run() -> None:
    chip = chip_that_calls()
    chip.watch(OUTER, lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        chip.run(50 * MS)


def test_stack_high_water_mark() -> None:
    chip = chip_that_calls()
    chip.run(MS / 8)  # to behind the boot ROM's own use
    run_until_idle(chip)
    chip.forget_lowest_sp()
    top = chip.registers[13]
    assert chip.lowest_sp == top
    chip._mcu.core.set_register(15, program().base)
    chip._mcu.core.set_register(5, 0)
    run_until_idle(chip)
    assert top - chip.lowest_sp in (0, 4 * 5 + 64 + 4 * 2)


def test_memory() -> None:
    chip = chip_that_calls()
    chip.write(RAM + 100, b"abc")
    assert chip.read(RAM + 99, 5) == b"\0abc\0"
    assert chip.read(0x10000000, 2) == chip.read(0x10200000, 2)
    assert len(chip.read(0, 16384)) == 16384
    for address, size in ((0x30000000, 1), (RAM + 264 * 1024 - 1, 2), (RAM - 1, 1)):
        with pytest.raises(ValueError, match="no memory"):
            chip.read(address, size)
    with pytest.raises(ValueError, match="no memory"):
        chip.write(0x10000000, b"x")


def test_too_many_watches() -> None:
    chip = chip_that_calls()
    for i in range(16):
        chip.watch(RAM + 2 * i)
    with pytest.raises(ValueError, match="at most 16"):
        chip.watch(RAM)
