# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Small programs for the chip: Thumb code with labels and constants, and images of it that the boot ROM accepts."""

import struct
from typing import Self

from rp2040py.utils import assembler as a

R0, R1, R2, R3, R4, R5, R6, R7 = range(8)
EQ, NE, CS, CC = range(4)
UART0, WATCHDOG, TIMER, ROSC, SIO, SYSTEM = 0x40034000, 0x40058000, 0x40054000, 0x40060000, 0xD0000000, 0xE000E000
FLASH, RAM = 0x10000000, 0x20000000
BOOT_RAM = 0x20041F00  # where the boot ROM copies the first 256 bytes of flash, and starts them
_BOOT_CODE, _SECTOR = 252, 256


class Program:
    """Code at `base`. Each method appends an instruction; a branch may name a label that is yet to come."""

    def __init__(self, base: int) -> None:
        self.base = base
        self._code = bytearray()
        self._labels: dict[str, int] = {}
        self._branches: list[tuple[int, int | None, str]] = []
        self._constants: list[tuple[int, int, int]] = []

    def op(self, *halfwords: int) -> Self:
        for halfword in halfwords:
            self._code += struct.pack("<I" if halfword > 0xFFFF else "<H", halfword)
        return self

    def label(self, name: str) -> Self:
        self._labels[name] = len(self._code)
        return self

    def branch(self, name: str, condition: int | None = None) -> Self:
        self._branches.append((len(self._code), condition, name))
        return self.op(0)

    def constant(self, register: int, value: int) -> Self:
        self._constants.append((len(self._code), register, value))
        return self.op(0)

    def store(self, address: int, value: int) -> Self:
        """Store a word; uses r6 and r7."""
        return self.constant(R6, address).constant(R7, value).op(a.opcode_str(R7, R6, 0))

    def load(self, register: int, address: int) -> Self:
        """Load a word; uses r6."""
        return self.constant(R6, address).op(a.opcode_ldr_imm(register, R6, 0))

    def call(self, address_register: int) -> Self:
        return self.op(a.opcode_blx(address_register))

    def say(self, text: bytes) -> Self:
        """Send over UART0; uses r6 and r7."""
        self.constant(R6, UART0)
        for byte in text:
            self.op(a.opcode_movs(R7, byte), a.opcode_str(R7, R6, 0))
        return self

    def say_register(self, register: int) -> Self:
        """Send the lowest byte; uses r6."""
        return self.constant(R6, UART0).op(a.opcode_str(register, R6, 0))

    def stop(self) -> Self:
        """Wait for ever."""
        name = f"stop at {len(self._code)}"
        return self.label(name).op(a.opcode_wfi()).branch(name)

    def address(self, name: str) -> int:
        """Return the address of a label as a branch to a register has it."""
        return self.base + self._labels[name] | 1

    def assemble(self) -> bytes:
        code = bytearray(self._code)
        for at, condition, name in self._branches:
            distance = self._labels[name] - at - 4
            op = a.opcode_b_t2(distance) if condition is None else a.opcode_b_t1(condition, distance & 0x1FE)
            struct.pack_into("<H", code, at, op)
        code += bytes(-(self.base + len(code)) % 4)
        for at, register, value in self._constants:
            offset = self.base + len(code) - (self.base + at + 4 & ~3)
            struct.pack_into("<H", code, at, a.opcode_ldr_lit(register, offset))
            code += struct.pack("<I", value)
        return bytes(code)


def boot_sector(code: bytes) -> bytes:
    """Return the first 256 bytes of flash, with the checksum that the boot ROM demands."""
    assert len(code) <= _BOOT_CODE, f"{len(code)} bytes"
    padded = code.ljust(_BOOT_CODE, b"\0")
    return padded + struct.pack("<I", _crc32(padded))


def flash_with(image: bytes) -> bytearray:
    return bytearray(image.ljust(2 << 20, b"\xff"))


def uf2(image: bytes, family: int = 0xE48BFF56) -> bytes:
    """Return the image as a UF2 file for an RP2040."""
    pages = [image[at : at + _SECTOR].ljust(_SECTOR, b"\0") for at in range(0, len(image), _SECTOR)]
    return b"".join(_block(i, len(pages), page, family) for i, page in enumerate(pages))


def _block(number: int, total: int, page: bytes, family: int) -> bytes:
    words = (0x0A324655, 0x9E5D5157, 0x2000, FLASH + _SECTOR * number, len(page), number, total, family)
    return struct.pack("<8I", *words) + page.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)


def _crc32(data: bytes) -> int:
    """CRC-32/MPEG-2 (RP2040 datasheet, 2.8.1.3.1)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc >> 31 else crc << 1) & 0xFFFFFFFF
    return crc
