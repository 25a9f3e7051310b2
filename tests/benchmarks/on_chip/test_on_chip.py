# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of what the bench reads from a chip's RAM and of what it writes, without an image."""

import datetime
import struct
from pathlib import Path

import pytest

from benchmarks.on_chip.heap import RAM_BASE, Heap, read_heap
from benchmarks.on_chip.report import Report, Stage, Version, soak_text
from benchmarks.on_chip.rows import ROWS, Row, kind_of
from benchmarks.on_chip.stacks import python_stack
from benchmarks.on_chip.symbols import Symbols
from benchmarks.pages import write_into

SIZE = 4096
BLOCKS = 64  # of an area
FREE, HEAD, TAIL = 0, 1, 2


def put_area(ram: bytearray, at: int, kinds: list[int], following: int = 0, gap: int = 0) -> int:
    """Write an area of the heap, its record first; return the address of its record.

    Between the record and the tables are `gap` bytes: none, except of the first area.
    """
    kinds = kinds + [HEAD] * (BLOCKS - len(kinds))
    table = bytes(kinds[i] | kinds[i + 1] << 2 | kinds[i + 2] << 4 | kinds[i + 3] << 6 for i in range(0, BLOCKS, 4))
    tables = at + 36 + gap
    first, start = RAM_BASE + tables, RAM_BASE + tables + 64
    ram[at : at + 28] = struct.pack(
        "<7I", following, first, len(table), first + len(table) + 1, start - 9, start, start + 16 * BLOCKS
    )
    ram[tables : tables + len(table)] = table
    return RAM_BASE + at


def test_free_blocks_are_counted() -> None:
    ram = bytearray(SIZE)
    put_area(ram, 40, [HEAD, TAIL, FREE, FREE, FREE, HEAD, FREE, HEAD], gap=8)
    assert read_heap(ram) == Heap(total=1024, free=64, largest=48, holes=2)


def test_a_hole_does_not_go_on_in_the_next_area() -> None:
    ram = bytearray(SIZE)
    second = put_area(ram, 2000, [FREE, FREE, HEAD])
    put_area(ram, 3000, [FREE])  # was given back
    put_area(ram, 40, [HEAD] * (BLOCKS - 1) + [FREE], second, gap=8)
    assert read_heap(ram) == Heap(total=2048, free=48, largest=32, holes=2)


@pytest.mark.parametrize("heaps", [0, 2])
def test_ram_with_no_heap_or_with_two_is_refused(heaps: int) -> None:
    ram = bytearray(SIZE)
    for number in range(heaps):
        put_area(ram, 40 + 2000 * number, [FREE], gap=8)
    with pytest.raises(ValueError, match=f"{heaps} heaps"):
        read_heap(ram)


def test_the_python_stack_is_found_by_its_start() -> None:
    start = RAM_BASE + 0x100
    context = struct.pack("<6I", 7, start, 5, start, start + 2048, start + 300)
    assert python_stack(context, start) == (start + 2048, start + 300)
    with pytest.raises(ValueError, match="no Python stack"):
        python_stack(context, start + 4)


def test_an_image_without_elf_has_no_symbols(tmp_path: Path) -> None:
    assert not Symbols(tmp_path / "image.elf")


def test_a_cell_shows_the_figures_that_are_there() -> None:
    row = Row("a time", "ms", ("first", "second"), 1, "8")
    assert row.cell({"first": 1.26, "second": 3.0, "other": 5}) == "1.3 / 3.0 ms"
    assert row.cell({"second": 3.0}) == "- / 3.0 ms"
    assert row.cell({}) == ""
    assert row.aim == "8 ms"


def report(figures: dict[str, float]) -> Report:
    versions = Version("before", "aaaaaaa", {"first start, 3": 5.0}), Version("now", "bbbbbbb", figures)
    return Report(datetime.date(2026, 1, 2), "CircuitPython 10", versions)


def test_rows_without_figures_are_named_below_the_table() -> None:
    text = report({"first start, 3": 3.0, "later start, 3": 2.0}).as_text()
    assert text.startswith(
        "Run on 2026-01-02 with CircuitPython 10.\n\n|  | target | before (aaaaaaa) | now (bbbbbbb) |"
    )
    assert "| power-on to HELLO, first / later start | 3 / 2 s | 5.00 / - s | 3.00 / 2.00 s |" in text
    assert "Left out, because the image has no .elf file beside it: free heap" in text
    assert len([line for line in text.splitlines() if line.startswith("|")]) == 3


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        ("Cipher", "AES"),
        ("common_hal_aesio_aes_rekey", "AES"),
        ("mbedtls_internal_sha256_process", "SHA-256"),
        ("mpz_mul_inpl.part.0", "integers"),
        ("gc_mark_subtree", "heap"),
        ("mp_execute_bytecode", "the rest"),
        ("(no symbol)", "the rest"),
    ],
)
def test_functions_have_kinds(function: str, kind: str) -> None:
    assert kind_of(function) == kind


def test_each_figure_is_in_one_row() -> None:
    names = [name for row in ROWS for name in row.names]
    assert len(names) == len(set(names))


def test_a_report_replaces_the_one_on_its_page(tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    page.write_text("a\n<!-- chip-bench -->\nold\n<!-- end -->\nb\n<!-- chip-soak -->\nsoak\n<!-- end -->\n", "utf-8")
    write_into(page, "chip-bench", "new\n")
    assert page.read_text("utf-8") == (
        "a\n<!-- chip-bench -->\nnew\n<!-- end -->\nb\n<!-- chip-soak -->\nsoak\n<!-- end -->\n"
    )
    with pytest.raises(ValueError, match="no place for other"):
        write_into(page, "other", "new\n")


def test_stages_of_a_long_run_are_rows() -> None:
    assert "| 1000 | 30000 | 24000 | 12 | 2 INTERNAL |" in soak_text([Stage(1000, 30000, 24000, 12, "2 INTERNAL")])
