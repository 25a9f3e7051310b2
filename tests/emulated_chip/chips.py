# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Chips that run a small program."""

from collections.abc import Callable

from emulated_chip.thumb import BOOT_RAM, Program, boot_sector, flash_with

from ndks_chip import Chip

UID = bytes.fromhex("e660112233445566")
MS = 1_000_000


def program() -> Program:
    """Return a program to start with: the boot ROM copies it to RAM."""
    return Program(BOOT_RAM)


def chip_with(
    program: Program,
    rest: bytes = b"",
    entropy: Callable[[int], int] | None = None,
    on_flash: Callable[[int, int], None] | None = None,
) -> tuple[Chip, bytearray]:
    """Return a chip and what it will say. `rest` follows the first 256 bytes of flash."""
    flash = flash_with(boot_sector(program.assemble()) + rest)
    chip = Chip(flash, uid=UID, entropy=entropy, on_flash=on_flash)
    said = bytearray()
    chip.on_uart(said.append)
    return chip, said


def run_until_idle(chip: Chip, milliseconds: int = 50) -> None:
    for _ in range(milliseconds):
        if chip.run(MS):
            return
    raise TimeoutError(f"the chip is busy at 0x{chip.registers[15]:08x}")


def run_until(chip: Chip, condition: Callable[[], bool], milliseconds: int = 1000) -> None:
    for _ in range(milliseconds):
        if condition():
            return
        chip.run(MS)
    raise TimeoutError(f"not within {milliseconds} ms; the chip is at 0x{chip.registers[15]:08x}")
