# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""UF2, the format of images for boot loaders (https://github.com/microsoft/uf2)."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

RP2040_FAMILY = 0xE48BFF56
_OTHER_FAMILIES = {
    0xE48BFF59: "RP2350 (Pico 2)",
    0xE48BFF5A: "RP2350 in RISC-V mode (Pico 2)",
    0xE48BFF57: "absolute addresses (RP2350)",
    0xE48BFF58: "RP2350 data",
    0xBFDD4EEE: "ESP32-S2",
    0xC47E5767: "ESP32-S3",
    0x1C5F21B0: "ESP32",
    0x55114460: "SAMD51",
    0x68ED2B88: "SAMD21",
    0xADA52840: "nRF52840",
}
_MAGIC_START = (0x0A324655, 0x9E5D5157)
_MAGIC_END = 0x0AB16F30
_NOT_FOR_FLASH, _HAS_FAMILY = 0x00000001, 0x00002000
_BLOCK, _DATA_AT, _PAYLOAD = 512, 32, 256
_FLASH_BASE = 0x10000000
DRIVE_OFFSET = 0x100000  # CircuitPython's drive on a Pico; its firmware and nvm are below


class BadImage(ValueError):
    """The file is not an image for this chip; the text says why."""


class _Block(NamedTuple):
    address: int
    number: int
    total: int
    payload: bytes


def read_uf2(path: Path | str, *, limit: int = DRIVE_OFFSET) -> bytes:
    """Return the bytes of flash from its start to the end of the image, with 0xFF where the image has none.

    `limit` is the number of bytes that the image may take. Raises BadImage, or OSError.
    """
    path = Path(path)
    blocks = list(_blocks(path.name, path.read_bytes()))
    _check_numbers(path.name, blocks)
    image = bytearray(b"\xff" * max(block.address - _FLASH_BASE + _PAYLOAD for block in blocks))
    if len(image) > limit:
        raise BadImage(f"{path.name} needs {len(image)} bytes of flash; there are {limit} below the drive")
    for block in blocks:
        start = block.address - _FLASH_BASE
        image[start : start + _PAYLOAD] = block.payload
    return bytes(image)


def _blocks(name: str, data: bytes) -> Iterator[_Block]:
    if not data:
        raise BadImage(f"{name} is empty")
    if struct.unpack_from("<2I", data.ljust(8, b"\0")) != _MAGIC_START:
        raise BadImage(f"{name} is not a UF2 file")
    if len(data) % _BLOCK:
        raise BadImage(f"{name} is truncated: {len(data)} bytes are not whole blocks of {_BLOCK}")
    for at in range(0, len(data), _BLOCK):
        if block := _parse(name, data[at : at + _BLOCK], at // _BLOCK):
            yield block


def _parse(name: str, data: bytes, index: int) -> _Block | None:
    first, second, flags, address, size, number, total, family = struct.unpack_from("<8I", data)
    if (first, second) != _MAGIC_START or struct.unpack_from("<I", data, _BLOCK - 4)[0] != _MAGIC_END:
        raise BadImage(f"{name} is damaged: block {index} has no UF2 magic")
    if flags & _NOT_FOR_FLASH:
        return None
    _check_family(name, family if flags & _HAS_FAMILY else None)
    if size != _PAYLOAD or address % _PAYLOAD:
        raise BadImage(f"{name} is damaged: block {index} has {size} bytes for address 0x{address:08x}")
    if not _FLASH_BASE <= address < _FLASH_BASE + (16 << 20):
        raise BadImage(f"{name} is no image for flash: block {index} is for address 0x{address:08x}")
    return _Block(address, number, total, data[_DATA_AT : _DATA_AT + size])


def _check_family(name: str, family: int | None) -> None:
    if family != RP2040_FAMILY:
        other = "no chip" if family is None else _OTHER_FAMILIES.get(family, f"family 0x{family:08x}")
        raise BadImage(f"{name} is for {other}, not for RP2040 (Raspberry Pi Pico)")


def _check_numbers(name: str, blocks: list[_Block]) -> None:
    if not blocks:
        raise BadImage(f"{name} has no block for flash")
    total = blocks[0].total
    missing = set(range(total)) - {block.number for block in blocks}
    if missing:
        raise BadImage(f"{name} is incomplete: {len(missing)} of {total} blocks are missing")
    if any(block.total != total or block.number >= total for block in blocks):
        raise BadImage(f"{name} is damaged: its blocks disagree about their number")
