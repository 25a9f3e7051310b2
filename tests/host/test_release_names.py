# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The names that replace the firmware's own: in ROM, used by nothing else, read out of an image."""

import ast
import io
import keyword
import random
import struct
import tokenize

import pytest
import rom_names as rom_names_of

from ndks.board import firmware
from ndks.board.release.hashes import hashed
from ndks.board.release.names import replacements, rom_names
from ndks.board.release.program import parsed


def test_new_names_are_in_rom_and_used_by_nothing_else() -> None:
    program = parsed(
        {name.removeprefix("lib/"): text for name, text in firmware.sources().items() if name.startswith("lib/")}
    )
    names = replacements(program, frozenset())
    assert len(set(names.values())) == len(names) > 500
    assert set(names.values()) <= rom_names()
    assert not any(keyword.iskeyword(name) for name in names.values())
    texts = (ast.unparse(module.tree) for module in program.values())
    tokens = {token.string for text in texts for token in tokenize.generate_tokens(io.StringIO(text).readline)}
    assert not tokens & set(names.values())


def test_list_of_names_in_rom() -> None:
    names = rom_names()
    assert {"AES", "usb_cdc", "in_waiting", "write_timeout", "nvm", "mem_free", "ticks_ms"} <= names
    assert not {"ndks_unit", "seal_begin"} & names


def test_new_names_have_places_of_their_own_in_dicts() -> None:
    text = "\n".join([f"def own_{i}():\n    return len(str(own_{i}))" for i in range(20)])
    program = parsed({"main.py": f"{text}\nclass C:\n    def __init__(self):\n        self.one = self.two = 1"})
    names = replacements(program, frozenset({"main"}))
    places = [hashed(names[f"own_{i}"]) % 23 for i in range(20)]  # 23 names: __name__, __file__, C
    assert len(set(places)) >= 19  # at random, 13


def test_hash_of_names() -> None:
    assert [hashed(name) for name in ("", "a", "AES", "in_waiting")] == [5, 196, 18, 214]  # as in an image


FLASH = 0x10000000


def uf2(content: bytes) -> bytes:
    """Return an image that writes this to flash."""
    blocks = [content[at : at + 256].ljust(256, b"\0") for at in range(0, len(content), 256)]
    return b"".join(
        struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0, FLASH + 256 * i, 256, i, len(blocks), 0) + block.ljust(480, b"\0")
        for i, block in enumerate(blocks)
    )


def table(at: int, names: list[str], previous: int, before: int) -> bytes:
    """Return a table of names for this address, with all that it points to behind it."""
    count = len(names)
    texts = [name.encode() + b"\0" for name in names]
    hashes = at + 24 + 4 * count
    starts = [hashes + 2 * count + sum(map(len, texts[:i])) for i in range(count)]
    head = struct.pack(f"<6I{count}I", previous, before, 10, count, hashes, hashes + count, *starts)
    lengths = bytes(map(len, names))
    made = head + bytes([hashed(name) if name else 0 for name in names]) + lengths + b"".join(texts)
    return made.ljust(-(-len(made) // 4) * 4, b"\0")


def test_names_are_read_out_of_an_image() -> None:
    junk = random.Random(1).randbytes(1000)
    first = table(FLASH + len(junk), ["", "", "__name__", "a b", "print"], 0, 0)
    second_at = FLASH + len(junk) + len(first)
    second = table(second_at, ["AES", "in_waiting"], FLASH + len(junk), 0x80000005)
    image = rom_names_of.Image(uf2(junk + first + second))
    assert list(rom_names_of.names(image)) == ["", "", "__name__", "a b", "print", "AES", "in_waiting"]
    for damaged in (uf2(junk), b"", b"no image", uf2(junk + first[:-8] + b"12345678")):
        with pytest.raises(SystemExit):
            list(rom_names_of.names(rom_names_of.Image(damaged)))
