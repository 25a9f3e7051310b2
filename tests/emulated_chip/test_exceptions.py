# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Exceptions, interrupts, faults and sleep (ARMv6-M manual, B1.5). A handler says a letter of its own."""

import pytest
from emulated_chip.chips import MS, chip_with, program, run_until_idle
from emulated_chip.thumb import NE, R0, R1, R2, R5, RAM, SYSTEM, TIMER, Program
from rp2040py.utils import assembler as a

from ndks_chip import Chip

VECTORS, HANDLERS = RAM + 0x1000, RAM + 0x2000
VTOR, ICSR, ISER, ISPR, ICPR, IPR0, SHPR2, SHPR3, SCR, AIRCR = (
    SYSTEM + offset for offset in (0xD08, 0xD04, 0x100, 0x200, 0x280, 0x400, 0xD1C, 0xD20, 0xD10, 0xD0C)
)
PENDSV, SYSTICK = 1 << 28, 1 << 26
HARD_FAULT, SVCALL, PENDSV_NUMBER, SYSTICK_NUMBER, IRQ0 = 3, 11, 14, 15, 16
CPSID, CPSIE = 0xB672, 0xB662


def start() -> Program:
    return program().store(VTOR, VECTORS)


def chip_handling(main: Program, handlers: dict[int, Program]) -> tuple[Chip, bytearray]:
    chip, said = chip_with(main)
    for number, handler in handlers.items():
        chip.write(handler.base, handler.assemble())
        chip.write(VECTORS + 4 * number, (handler.base | 1).to_bytes(4, "little"))
    return chip, said


def handler(number: int) -> Program:
    return Program(HANDLERS + 0x100 * number)


def saying(number: int, text: bytes) -> Program:
    return handler(number).say(text).op(a.opcode_bx(14))


def test_an_exception_keeps_registers_and_flags() -> None:
    main = start().op(*(a.opcode_movs(i, 10 + i) for i in range(4)), a.opcode_cmp_imm(R0, 10))
    main.constant(5, ICSR).constant(4, SYSTICK).op(a.opcode_cmp_imm(R0, 10), a.opcode_str(4, 5, 0), a.opcode_nop())
    main.branch("lost", NE)
    for i in range(4):
        main.say_register(i)
    main.stop().label("lost").say(b"flags").stop()
    spoil = handler(SYSTICK_NUMBER).op(*(a.opcode_movs(i, 99) for i in range(4)), a.opcode_cmp_imm(R0, 0))
    chip, said = chip_handling(main, {SYSTICK_NUMBER: spoil.op(a.opcode_bx(14))})
    run_until_idle(chip)
    assert said == bytes((10, 11, 12, 13))


def test_priorities_decide_who_is_first() -> None:
    """IRQ 1 has a higher priority than IRQ 0; of equal ones, the lower number is first."""
    main = start().store(IPR0, 0x80_80_40_C0).store(ISER, 0xF).op(CPSID).store(ISPR, 0xF).op(CPSIE).say(b".").stop()
    handlers = {IRQ0 + i: saying(IRQ0 + i, b"%d" % i) for i in range(4)}
    chip, said = chip_handling(main, handlers)
    run_until_idle(chip)
    assert said == b"1230."


def test_a_higher_priority_preempts_a_handler() -> None:
    low = handler(IRQ0).say(b"(").store(ISPR, 2).op(a.opcode_nop()).say(b")").op(a.opcode_bx(14))
    main = start().store(IPR0, 0x00_00_40_C0).store(ISER, 3).store(ISPR, 1).op(a.opcode_nop()).say(b".").stop()
    chip, said = chip_handling(main, {IRQ0: low, IRQ0 + 1: saying(IRQ0 + 1, b"1")})
    run_until_idle(chip)
    assert said == b"(1)."


def test_an_equal_priority_waits() -> None:
    low = handler(IRQ0).say(b"(").store(ISPR, 2).op(a.opcode_nop()).say(b")").op(a.opcode_bx(14))
    main = start().store(ISER, 3).store(ISPR, 1).op(a.opcode_nop()).say(b".").stop()
    chip, said = chip_handling(main, {IRQ0: low, IRQ0 + 1: saying(IRQ0 + 1, b"1")})
    run_until_idle(chip)
    assert said == b"()1."


def test_primask_defers_and_clearing_cancels() -> None:
    main = start().store(ISER, 3).op(CPSID).store(ISPR, 3).store(ICPR, 2).say(b"a").op(CPSIE).say(b"b").stop()
    chip, said = chip_handling(main, {IRQ0: saying(IRQ0, b"0"), IRQ0 + 1: saying(IRQ0 + 1, b"1")})
    run_until_idle(chip)
    assert said == b"a0b"


def test_msr_primask_lets_interrupts_through_too() -> None:
    main = start().store(ISER, 1).op(CPSID).store(ISPR, 1).op(a.opcode_movs(R0, 0)).say(b"a")
    main.op(0xF380, 0x8810).say(b"b").stop()
    chip, said = chip_handling(main, {IRQ0: saying(IRQ0, b"0")})
    run_until_idle(chip)
    assert said == b"a0b"


def test_svc() -> None:
    chip, said = chip_handling(start().op(a.opcode_svc(1)).say(b".").stop(), {SVCALL: saying(SVCALL, b"s")})
    run_until_idle(chip)
    assert said == b"s."


def test_svc_that_cannot_be_taken_is_a_fault() -> None:
    main = start().op(CPSID, a.opcode_svc(1)).stop()
    chip, said = chip_handling(main, {HARD_FAULT: handler(HARD_FAULT).say(b"F").stop()})
    run_until_idle(chip)
    assert said == b"F"


def test_pendsv_has_its_priority() -> None:
    main = start().store(SHPR3, 0x00C00000).op(CPSID).store(ICSR, PENDSV | SYSTICK).op(CPSIE).say(b".").stop()
    handlers = {PENDSV_NUMBER: saying(PENDSV_NUMBER, b"p"), SYSTICK_NUMBER: saying(SYSTICK_NUMBER, b"t")}
    chip, said = chip_handling(main, handlers)
    run_until_idle(chip)
    assert said == b"tp."


@pytest.mark.parametrize(
    "code",
    [
        Program(0).constant(R0, RAM + 1).op(a.opcode_ldr_imm(R1, R0, 0)),
        Program(0).constant(R0, RAM + 1).op(a.opcode_ldrh(R1, R0, 0)),
        Program(0).constant(R0, RAM + 2).op(a.opcode_str(R1, R0, 0)),
        Program(0).constant(R0, RAM + 2).op(a.opcode_ldmia(R0, 6)),
        Program(0).constant(R0, 0x30000000).op(a.opcode_ldr_imm(R1, R0, 0)),
        Program(0).constant(R0, 0xF0000000).op(a.opcode_str(R1, R0, 0)),
        Program(0).constant(R0, RAM).op(a.opcode_bx(R0)),
        Program(0).constant(R0, 0x30000001).op(a.opcode_bx(R0)),
        Program(0).op(0xDE00),
        Program(0).op(0xBE00),
        Program(0).op(0xF7F0, 0xA000),
    ],
    ids=["ldr", "ldrh", "str", "ldm", "no memory", "no device", "arm", "no code", "udf", "bkpt", "udf.w"],
)
def test_faults(code: Program) -> None:
    """The frame has the registers as they were before the instruction."""
    where = RAM + 0x4000
    main = start().op(a.opcode_movs(R1, 7)).constant(R2, where | 1).op(a.opcode_bx(R2))
    fault = handler(HARD_FAULT).op(a.opcode_ldr_sp(R5, 4)).say_register(R5).say(b"F").stop()
    chip, said = chip_handling(main, {HARD_FAULT: fault})
    code.base = where
    chip.write(where, code.assemble())
    run_until_idle(chip)
    assert said == b"\x07F"


def test_a_fault_in_its_handler_locks_up_until_a_reset() -> None:
    main = start().say(b"a").op(0xDE00)
    chip, said = chip_handling(main, {HARD_FAULT: handler(HARD_FAULT).say(b"F").op(0xDE00)})
    chip.run(5 * MS)
    busy = chip.busy_cycles
    chip.run(5 * MS)
    assert said == b"aF"
    assert chip.busy_cycles == busy
    chip.reset()
    chip.run(5 * MS)
    assert said == b"aFaF"


def test_wfi_wakes_without_the_handler_under_primask() -> None:
    main = start().store(ISER, 1).store(TIMER + 0x38, 1).op(CPSID)
    main.load(R0, TIMER + 0x28).constant(R1, 500).op(a.opcode_adds_reg(R0, R0, R1)).constant(R2, TIMER + 0x10)
    main.op(a.opcode_str(R0, R2, 0), a.opcode_wfi()).say(b"woken").op(CPSIE).say(b".").stop()
    acknowledge = handler(IRQ0).store(TIMER + 0x34, 1).say(b"T").op(a.opcode_bx(14))
    chip, said = chip_handling(main, {IRQ0: acknowledge})
    chip.run(5 * MS)
    assert said == b"wokenT."


def test_wfe_passes_once_after_sev() -> None:
    main = program().op(a.opcode_sev(), a.opcode_wfe()).say(b"one").op(a.opcode_wfe(), a.opcode_wfe())
    main.say(b"two").stop()
    chip, said = chip_with(main)
    chip.run(5 * MS)
    assert said == b"one"


def test_sev_on_pend_wakes_wfe_under_primask() -> None:
    main = start().store(SCR, 1 << 4).store(ISER, 1).store(TIMER + 0x38, 1).op(CPSID, a.opcode_sev(), a.opcode_wfe())
    main.load(R0, TIMER + 0x28).constant(R1, 500).op(a.opcode_adds_reg(R0, R0, R1)).constant(R2, TIMER + 0x10)
    main.op(a.opcode_str(R0, R2, 0), a.opcode_wfe()).say(b"woken").stop()
    chip, said = chip_with(main)
    chip.run(5 * MS)
    assert said == b"woken"


def test_an_interrupt_that_stays_asserted_is_taken_again() -> None:
    """A handler that does not acknowledge its interrupt is called for ever; one that does is called once."""
    where = RAM + 0x8000
    main = start().store(ISER, 1).store(TIMER + 0x38, 1).store(TIMER + 0x3C, 1).op(a.opcode_nop()).say(b".").stop()
    twice = handler(IRQ0).load(R0, where).op(a.opcode_adds2(R0, 1), a.opcode_str(R0, 6, 0), a.opcode_cmp_imm(R0, 2))
    twice.branch("end", NE).store(TIMER + 0x3C, 0).label("end").say(b"T").op(a.opcode_bx(14))
    chip, said = chip_handling(main, {IRQ0: twice})
    chip.write(where, bytes(4))
    run_until_idle(chip)
    assert said == b"TT."


def test_systick_counts_and_reloads() -> None:
    main = start().store(SYSTEM + 0x014, 999).store(SYSTEM + 0x018, 0).store(SYSTEM + 0x010, 5).label("next")
    main.load(R0, SYSTEM + 0x010).op(a.opcode_lsrs(R0, R0, 17)).branch("next", 3).say(b"0").stop()
    chip, said = chip_with(main)
    chip.run(MS)
    assert said == b"0"
    core = chip._mcu.core
    first = core.load(SYSTEM + 0x018, 4)
    chip.run(100 * 8)
    assert (first - core.load(SYSTEM + 0x018, 4)) % 1000 == 100


def test_sysresetreq_resets() -> None:
    where = RAM + 0x8000
    main = start().load(R0, where).op(a.opcode_cmp_imm(R0, 1)).branch("second", 0).store(where, 1).say(b"1")
    main.store(AIRCR, 0x05FA0004).stop().label("second").say(b"2").stop()
    chip, said = chip_with(main)
    run_until_idle(chip)
    assert said == b"12"
