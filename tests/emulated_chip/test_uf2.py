# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Images that are read, and those that are refused with what is wrong."""

import struct
from pathlib import Path

import pytest
from emulated_chip.thumb import uf2

from ndks_chip import BadImage, read_uf2

IMAGE = bytes(range(256)) * 3 + b"end"
DRIVE = 0x100000


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def with_word(data: bytes, block: int, word: int, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into("<I", changed, 512 * block + 4 * word, value)
    return bytes(changed)


def test_a_good_image(tmp_path: Path) -> None:
    assert read_uf2(written(tmp_path / "a.uf2", uf2(IMAGE))) == IMAGE.ljust(1024, b"\0")


def test_blocks_may_come_in_any_order_and_leave_gaps(tmp_path: Path) -> None:
    blocks = [uf2(IMAGE)[at : at + 512] for at in range(0, 2048, 512)]
    moved = with_word(b"".join(reversed(blocks)), 0, 3, 0x10000700)
    assert read_uf2(written(tmp_path / "a.uf2", moved)) == (IMAGE[:768].ljust(1792, b"\xff") + b"end".ljust(256, b"\0"))


def test_blocks_that_are_not_for_flash_are_left_out(tmp_path: Path) -> None:
    extra = with_word(with_word(uf2(bytes(256)), 0, 2, 1), 0, 7, 0)
    assert read_uf2(written(tmp_path / "a.uf2", extra + uf2(IMAGE)))[:3] == IMAGE[:3]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "a.uf2 is empty"),
        (b"PK\x03\x04" + bytes(508), "a.uf2 is not a UF2 file"),
        (b"U", "a.uf2 is not a UF2 file"),
        (uf2(IMAGE)[:-1], "a.uf2 is truncated: 2047 bytes are not whole blocks of 512"),
        (uf2(IMAGE)[:1536], "a.uf2 is incomplete: 1 of 4 blocks are missing"),
        (uf2(IMAGE, 0xE48BFF59), "a.uf2 is for RP2350 (Pico 2), not for RP2040 (Raspberry Pi Pico)"),
        (uf2(IMAGE, 0xE48BFF57), "a.uf2 is for absolute addresses (RP2350), not for RP2040 (Raspberry Pi Pico)"),
        (uf2(IMAGE, 0xC47E5767), "a.uf2 is for ESP32-S3, not for RP2040 (Raspberry Pi Pico)"),
        (uf2(IMAGE, 0x12345678), "a.uf2 is for family 0x12345678, not for RP2040 (Raspberry Pi Pico)"),
        (with_word(uf2(IMAGE), 1, 2, 0), "a.uf2 is for no chip, not for RP2040 (Raspberry Pi Pico)"),
        (with_word(uf2(IMAGE), 2, 0, 0), "a.uf2 is damaged: block 2 has no UF2 magic"),
        (with_word(uf2(IMAGE), 2, 127, 0), "a.uf2 is damaged: block 2 has no UF2 magic"),
        (with_word(uf2(IMAGE), 1, 4, 512), "a.uf2 is damaged: block 1 has 512 bytes for address 0x10000100"),
        (with_word(uf2(IMAGE), 1, 3, 0x10000101), "a.uf2 is damaged: block 1 has 256 bytes for address 0x10000101"),
        (with_word(uf2(IMAGE), 0, 3, 0x20000000), "a.uf2 is no image for flash: block 0 is for address 0x20000000"),
        (
            with_word(uf2(IMAGE), 3, 3, 0x10100000),
            "a.uf2 needs 1048832 bytes of flash; there are 1048576 below the drive",
        ),
        (with_word(uf2(IMAGE), 2, 6, 5), "a.uf2 is damaged: its blocks disagree about their number"),
        (with_word(uf2(IMAGE), 0, 2, 1)[:512], "a.uf2 has no block for flash"),
    ],
)
def test_bad_images(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(BadImage) as refused:
        read_uf2(written(tmp_path / "a.uf2", data))
    assert str(refused.value) == reason


def test_the_largest_image(tmp_path: Path) -> None:
    assert len(read_uf2(written(tmp_path / "a.uf2", uf2(bytes(DRIVE))))) == DRIVE
