# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""From reset through the boot ROM to a program in flash."""

from pathlib import Path

from emulated_chip.chips import MS, UID, chip_with, program, run_until, run_until_idle
from emulated_chip.thumb import FLASH, R0, R1, R2, Program, boot_sector, flash_with, uf2
from rp2040py.utils import assembler as a

from ndks_chip import Chip, read_uf2


def test_a_uf2_of_a_few_hundred_bytes_boots_and_prints(tmp_path: Path) -> None:
    image = tmp_path / "hello.uf2"
    image.write_bytes(uf2(boot_sector(program().say(b"Hello").stop().assemble())))
    assert len(image.read_bytes()) == 512
    chip = Chip(flash_with(read_uf2(image)), uid=UID)
    said = bytearray()
    chip.on_uart(said.append)
    run_until_idle(chip)
    assert said == b"Hello"


def test_code_in_flash_runs() -> None:
    there = Program(FLASH + 256).say(b"in flash").stop()
    chip, said = chip_with(program().constant(R0, there.base + 1).op(a.opcode_bx(R0)), there.assemble())
    run_until_idle(chip)
    assert said == b"in flash"


def test_flash_repeats_behind_its_end() -> None:
    chip, said = chip_with(program().load(R0, FLASH + 2 * (2 << 20) + 256).say_register(R0).stop(), b"!")
    run_until_idle(chip)
    assert said == b"!"


def test_code_that_has_changed_runs_as_it_is_now() -> None:
    """No decoded code outlives a write to it, in RAM as in flash."""
    code = program().label("again").label("changed").op(a.opcode_movs(R1, ord("a"))).say_register(R1)
    code.op(a.opcode_cmp_imm(R1, ord("b"))).branch("end", 0)
    code.constant(R0, code.address("changed") - 1).constant(R2, a.opcode_movs(R1, ord("b")))
    code.op(a.opcode_strh(R2, R0, 0)).branch("again").label("end").stop()
    chip, said = chip_with(code)
    run_until_idle(chip)
    assert said == b"ab"


def test_without_an_image_the_boot_rom_waits_on_usb() -> None:
    chip = Chip(flash_with(b""), uid=UID)
    run_until(chip, lambda: chip.is_in_boot_rom)
    assert not chip.console.is_ready
    assert not chip.data.is_ready


def test_bootsel_keeps_the_image_from_starting() -> None:
    chip, said = chip_with(program().say(b"Hello").stop())
    run_until_idle(chip)
    chip.set_bootsel(True)
    chip.reset()
    run_until(chip, lambda: chip.is_in_boot_rom)
    chip.set_bootsel(False)
    chip.reset()
    assert not chip.is_in_boot_rom
    run_until_idle(chip)
    assert said == b"HelloHello"


def test_ram_survives_a_reset_but_not_a_power_cycle() -> None:
    where = 0x20001000
    code = program().load(R0, where).say_register(R0).store(where, ord("x")).stop()
    chip, said = chip_with(code)
    run_until_idle(chip)
    chip.reset()
    run_until_idle(chip)
    chip.power_cycle()
    run_until_idle(chip)
    assert said == b"\0x\0"


def test_time_and_busy_cycles() -> None:
    chip, _ = chip_with(program().stop())
    run_until_idle(chip)
    busy, before = chip.busy_cycles, chip.nanoseconds
    assert chip.run(1000 * MS)
    assert chip.nanoseconds == before + 1000 * MS
    assert chip.busy_cycles == busy
    assert 1000 < busy < before / 8


def test_stop_ends_a_run_early() -> None:
    chip, _ = chip_with(program().say(b"x").stop())
    chip.on_uart(lambda _: chip.stop())
    chip.run(1000 * MS)
    assert chip.nanoseconds < 10 * MS
