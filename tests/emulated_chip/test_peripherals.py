# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The peripherals that NDKS uses: timer, watchdog, oscillator, pins; and the bus they are on."""

import pytest
from emulated_chip.chips import MS, chip_with, program, run_until_idle
from emulated_chip.thumb import EQ, NE, R0, R1, R2, R3, RAM, ROSC, SIO, SYSTEM, TIMER, WATCHDOG, Program
from rp2040py.utils import assembler as a

VECTORS, HANDLER = RAM + 0x1000, RAM + 0x2000
IO_BANK0, PADS_BANK0, CHIP_RESET = 0x40014000, 0x4001C000, 0x40064008
SET, CLEAR = 0x2000, 0x3000
GPIO_IN = SIO + 0x004
FUNCTION_SIO = 5
PULL_UP, INPUT_ENABLE = 1 << 3, 1 << 6
TRIGGER, ENABLE = 1 << 31, 1 << 30


def test_a_timer_alarm_interrupts_at_its_time() -> None:
    handler = Program(HANDLER).load(R0, TIMER + 0x28).constant(R1, RAM + 0x3000).op(a.opcode_str(R0, R1, 4))
    handler.store(TIMER + 0x34, 1).say(b"!").op(a.opcode_bx(14))
    main = program().store(SYSTEM + 0xD08, VECTORS).store(SYSTEM + 0x100, 1).store(TIMER + 0x38, 1)
    main.load(R0, TIMER + 0x28).constant(R1, RAM + 0x3000).op(a.opcode_str(R0, R1, 0)).constant(R2, 2500)
    main.op(a.opcode_adds_reg(R0, R0, R2)).constant(R1, TIMER + 0x10).op(a.opcode_str(R0, R1, 0)).stop()
    chip, said = chip_with(main)
    chip.write(HANDLER, handler.assemble())
    chip.write(VECTORS + 4 * 16, (HANDLER | 1).to_bytes(4, "little"))
    chip.run(10 * MS)
    assert said == b"!"
    set_at, fired_at = (int.from_bytes(chip.read(RAM + 0x3000 + at, 4), "little") for at in (0, 4))
    assert fired_at - set_at == 2500


def test_time_starts_at_0_again_after_a_reset() -> None:
    where = RAM + 0x3000
    main = program().load(R0, TIMER + 0x28).constant(R1, where).op(a.opcode_str(R0, R1, 0)).stop()
    chip, _ = chip_with(main)
    chip.run(100 * MS)
    first = chip.read(where, 4)
    chip.reset()
    chip.run(100 * MS)
    assert chip.read(where, 4) == first
    assert int.from_bytes(first, "little") < 1000


def test_a_watchdog_that_is_not_fed_resets_once() -> None:
    """The counter runs down twice as fast as the manual says (RP2040-E1)."""
    where = RAM + 0x3000
    main = program().load(R0, WATCHDOG + 0x08).say_register(R0).load(R0, where).op(a.opcode_cmp_imm(R0, 1))
    main.branch("again", EQ).store(where, 1).store(WATCHDOG + 0x04, 2000 * 10)
    main.store(WATCHDOG, ENABLE).label("again").stop()
    chip, said = chip_with(main)
    chip.run(9 * MS)
    assert (bytes(said), chip.resets) == (b"\0", 0)
    chip.run(2 * MS)
    assert (bytes(said), chip.resets) == (b"\0\1", 1)
    chip.run(100 * MS)
    assert chip.resets == 1


def test_a_forced_watchdog_reset_keeps_scratch_registers() -> None:
    main = program().load(R0, WATCHDOG + 0x08).say_register(R0).load(R1, WATCHDOG + 0x0C).say_register(R1)
    main.op(a.opcode_cmp_imm(R0, 0)).branch("again", NE).store(WATCHDOG + 0x0C, ord("s")).store(WATCHDOG, TRIGGER)
    main.label("again").stop()
    chip, said = chip_with(main)
    run_until_idle(chip)
    assert said == b"\0\0\2s"
    chip.reset()  # clears them
    run_until_idle(chip)
    assert said == b"\0\0\2s\0\0\2s"


@pytest.mark.parametrize(("kind", "flag"), [("power", 1), ("button", 1 << 8)])
def test_the_chip_knows_why_it_started(kind: str, flag: int) -> None:
    main = program().load(R0, CHIP_RESET).op(a.opcode_lsrs(R0, R0, 8)).constant(R1, RAM + 0x3000)
    chip, _ = chip_with(main.op(a.opcode_str(R0, R1, 0)).stop())
    run_until_idle(chip)
    if kind == "button":
        chip.reset()
        run_until_idle(chip)
    assert int.from_bytes(chip.read(RAM + 0x3000, 4), "little") == flag


def test_random_bits_are_those_of_entropy() -> None:
    pattern = 0b1011001110001111
    main = program().constant(R0, ROSC + 0x1C).op(a.opcode_movs(R1, 0), a.opcode_movs(R2, 16)).label("next")
    main.op(a.opcode_ldr_imm(R3, R0, 0), a.opcode_lsls_imm(R1, R1, 1), a.opcode_orrs(R1, R3), a.opcode_subs2(R2, 1))
    main.branch("next", NE).constant(R0, RAM + 0x3000).op(a.opcode_str(R1, R0, 0)).stop()
    chip, _ = chip_with(main, entropy=lambda bits: pattern | 1 << bits - 1)
    run_until_idle(chip)
    bits = f"{int.from_bytes(chip.read(RAM + 0x3000, 4), 'little'):016b}"
    assert bits == f"{pattern:016b}"[::-1]


@pytest.mark.parametrize(("level", "expected"), [(None, b"\1"), (False, b"\0"), (True, b"\1")])
def test_a_pin_with_a_pull_up(level: bool | None, expected: bytes) -> None:
    """The jumper of boot.py: GP2 to ground."""
    main = program().store(PADS_BANK0 + 4 + 4 * 2, PULL_UP | INPUT_ENABLE).store(IO_BANK0 + 4 + 8 * 2, FUNCTION_SIO)
    main.load(R0, GPIO_IN).op(a.opcode_lsrs(R0, R0, 2), a.opcode_movs(R1, 1), a.opcode_ands(R0, R1)).say_register(R0)
    chip, said = chip_with(main.stop())
    chip.set_pin(2, level)
    run_until_idle(chip)
    assert said == expected


def test_outputs_set_clear_and_toggle() -> None:
    main = program()
    for offset, value in ((0x10, 0b1100), (0x14, 0b0011), (0x18, 0b1000), (0x1C, 0b0101)):
        main.store(SIO + offset, value).load(R0, SIO + 0x10).say_register(R0)
    chip, said = chip_with(main.stop())
    run_until_idle(chip)
    assert said == bytes((0b1100, 0b1111, 0b0111, 0b0010))


def test_atomic_aliases_and_narrow_writes() -> None:
    scratch = WATCHDOG + 0x0C
    main = program().store(scratch, 0xF0).store(scratch + SET, 0x0F).store(scratch + CLEAR, 0x81)
    main.load(R0, scratch).say_register(R0).constant(R1, scratch + 4).op(a.opcode_movs(R0, 0x5A))
    main.op(a.opcode_strb(R0, R1, 0), a.opcode_ldrb(R2, R1, 3)).say_register(R2).stop()
    chip, said = chip_with(main)
    run_until_idle(chip)
    assert said == b"\x7e\x5a"


def test_what_is_not_emulated_says_so() -> None:
    chip, _ = chip_with(program().load(R0, 0x40068000).stop())
    with pytest.raises(NotImplementedError, match="nothing at 0x40068000"):
        chip.run(50 * MS)
