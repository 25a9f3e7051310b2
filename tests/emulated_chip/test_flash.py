# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Programming and erasing flash with the functions of the boot ROM (RP2040 datasheet, 2.8.3), as CircuitPython does."""

import pytest
from emulated_chip.chips import MS, UID, chip_with, program, run_until, run_until_idle
from emulated_chip.thumb import R0, R1, R2, R3, R4, R5, RAM, WATCHDOG, Program, flash_with
from rp2040py.utils import assembler as a

from ndks_chip import Chip
from ndks_chip.flash import Flash

ROM_TABLE, ROM_LOOKUP = 0x14, 0x18  # halfword pointers: the table of functions, and the function that searches it
CODE, DATA = RAM + 0x1000, RAM + 0x2000
TARGET = 0x180000


def rom_call(code: Program, name: bytes, *arguments: int) -> Program:
    """Call a function of the boot ROM by its two letters; uses all low registers."""
    code.op(a.opcode_movs(R4, ROM_TABLE), a.opcode_ldrh(R0, R4, 0), a.opcode_movs(R4, ROM_LOOKUP))
    code.op(a.opcode_ldrh(R3, R4, 0)).constant(R1, int.from_bytes(name, "little")).call(R3)
    code.op(a.opcode_mov(R5, R0))
    for register, argument in enumerate(arguments):
        code.constant(register, argument)
    return code.call(R5)


def with_flash_commands(code: Program, *calls: tuple[bytes, tuple[int, ...]]) -> Program:
    rom_call(code, b"IF")  # connect_internal_flash
    rom_call(code, b"EX")  # flash_exit_xip
    for name, arguments in calls:
        rom_call(code, name, *arguments)
    rom_call(code, b"FC")  # flash_flush_cache
    return rom_call(code, b"CX")  # flash_enter_cmd_xip


def run_commands(*calls: tuple[bytes, tuple[int, ...]]) -> tuple[Chip, bytearray, list[tuple[int, int]], bytearray]:
    changes: list[tuple[int, int]] = []
    chip, said = chip_with(
        program().constant(R0, CODE | 1).op(a.opcode_bx(R0)), on_flash=lambda *at: changes.append(at)
    )
    chip.write(CODE, with_flash_commands(Program(CODE), *calls).say(b"done").stop().assemble())
    chip.write(DATA, bytes(range(256)) * 2)
    run_until_idle(chip, 500)
    assert said == b"done"
    flash = chip._mcu.flash
    return chip, said, changes, flash


def test_the_boot_rom_programs_pages() -> None:
    chip, _, changes, flash = run_commands((b"RP", (TARGET, DATA, 512)))
    assert changes == [(TARGET, 256), (TARGET + 256, 256)]
    assert flash[TARGET : TARGET + 512] == bytes(range(256)) * 2
    assert chip.read(0x10000000 + TARGET, 4) == bytes(range(4))


def test_the_boot_rom_erases_sectors_and_blocks() -> None:
    erase = (b"RE", (TARGET, 0x10000 + 0x2000, 0x10000, 0xD8))
    _, _, changes, flash = run_commands((b"RP", (TARGET, DATA, 256)), erase)
    assert changes == [(TARGET, 256), (TARGET, 0x10000), (TARGET + 0x10000, 4096), (TARGET + 0x11000, 4096)]
    assert flash[TARGET : TARGET + 0x12000] == b"\xff" * 0x12000


def test_the_chip_starts_from_what_it_programmed() -> None:
    """Flash is changed in place: another chip with the same flash sees it."""
    _, _, _, flash = run_commands((b"RP", (TARGET, DATA, 256)))
    code = program().load(R0, 0x10000000 + TARGET + 4).say_register(R0).stop()
    flash[:256] = flash_with(b"")[:256]
    other, said = chip_with(code)
    other._mcu.flash[TARGET : TARGET + 256] = flash[TARGET : TARGET + 256]
    run_until_idle(other)
    assert said == b"\x04"


def test_reset_to_usb_boot() -> None:
    """What CircuitPython calls when a port is closed at 1200 baud."""
    chip, _ = chip_with(program().constant(R0, CODE | 1).op(a.opcode_bx(R0)))
    chip.write(CODE, rom_call(Program(CODE), b"UB", 0, 0).stop().assemble())
    run_until(chip, lambda: chip.is_in_boot_rom)
    assert chip.resets == 1
    chip.reset()
    assert not chip.is_in_boot_rom


def commands(flash: Flash, *bytes_out: int) -> bytes:
    flash.select()
    answer = bytes(flash.exchange(byte) for byte in bytes_out)
    flash.deselect()
    return answer


def test_unique_and_jedec_id() -> None:
    flash = Flash(flash_with(b""), UID, None)
    assert commands(flash, 0x4B, *[0] * 12)[5:] == UID
    assert commands(flash, 0x9F, 0, 0, 0)[1:] == bytes((0xEF, 0x40, 0x15))


def test_programming_clears_bits_only_and_needs_write_enable() -> None:
    memory = flash_with(b"\xf0")
    flash = Flash(memory, UID, None)
    commands(flash, 0x02, 0, 0, 0, 0x3C)
    assert memory[0] == 0xF0
    commands(flash, 0x06)
    assert commands(flash, 0x05, 0)[1] == 0x02
    commands(flash, 0x02, 0, 0, 0, 0x3C)
    assert memory[0] == 0x30
    assert commands(flash, 0x05, 0)[1] == 0
    commands(flash, 0x06)
    commands(flash, 0x04)
    commands(flash, 0x20, 0, 0, 0)
    assert memory[0] == 0x30


def test_a_page_wraps() -> None:
    memory = flash_with(b"")
    flash = Flash(memory, UID, None)
    commands(flash, 0x06)
    commands(flash, 0x02, 0, 1, 0xFF, 1, 2)
    assert (memory[0x1FF], memory[0x100], memory[0x200]) == (1, 2, 0xFF)


def test_reading_by_command() -> None:
    flash = Flash(flash_with(b"abcdef"), UID, None)
    assert commands(flash, 0x03, 0, 0, 2, 0, 0)[4:] == b"cd"


@pytest.mark.parametrize(("size", "uid"), [(1 << 20, UID), (2 << 20, UID[:7])])
def test_wrong_sizes(size: int, uid: bytes) -> None:
    with pytest.raises(ValueError, match="bytes, not"):
        Flash(bytearray(size), uid, None)


def test_a_watchdog_reset_while_a_command_is_sent() -> None:
    """The command is lost, and the chip starts again."""
    chip, said = chip_with(program().say(b"a").store(WATCHDOG + 0x00, 1 << 31).op(a.opcode_movs(R2, 0)).stop())
    chip._mcu.ssi.write_uint32(0x08, 1)
    chip.run(MS)
    assert said.startswith(b"aa")
