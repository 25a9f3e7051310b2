# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An emulated flash sector follows the rules of NOR flash and of CircuitPython."""

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndks_emulator.power import Power
from ndks_emulator.sector import PAGE, Sector
from ndks_emulator.stores import DriveFile, OpenFile

SIZE = 1024
BLANK = b"\xff" * SIZE
WRITES = st.lists(st.tuples(st.integers(0, SIZE - 1), st.binary(max_size=2 * PAGE)), max_size=8)


class RecordingSector(Sector):
    """A sector that records its operations: "erase", or the offset of a programmed page."""

    def __init__(self, path: Path | None = None) -> None:
        self.done: list[str | int] = []
        super().__init__(Power(), OpenFile(path, SIZE) if path else None, SIZE)

    def _erase(self) -> None:
        self.done.append("erase")
        super()._erase()

    def _program(self, page: int, data: bytes) -> None:
        self.done.append(page)
        super()._program(page, data)


def in_file(path: Path) -> Sector:
    return Sector(Power(), OpenFile(path, SIZE), SIZE)


def test_new_sector_is_blank(tmp_path: Path) -> None:
    sector = in_file(tmp_path / "nvm.bin")
    assert sector.read(0, SIZE) == BLANK
    assert (tmp_path / "nvm.bin").read_bytes() == BLANK
    sector.close()


def test_programming_only_clears_bits(tmp_path: Path) -> None:
    sector = in_file(tmp_path / "nvm.bin")
    sector._program(0, b"\xf0" * PAGE)
    sector._program(0, b"\x3c" * PAGE)
    assert sector.read(0, PAGE) == b"\x30" * PAGE
    sector.close()
    assert (tmp_path / "nvm.bin").read_bytes() == b"\x30" * PAGE + BLANK[PAGE:]


def test_writing_onto_blank_bytes_programs_their_pages_and_no_other() -> None:
    sector = RecordingSector()
    sector.write(PAGE - 1, b"\x01\x02")
    sector.write(PAGE + 1, b"\x03")
    assert sector.done == [0, PAGE, PAGE]
    assert sector.erases == 0


def test_writing_onto_other_bytes_erases_even_when_nothing_changes() -> None:
    sector = RecordingSector()
    sector.write(3, b"\x55")
    sector.done.clear()
    sector.write(3, b"\x55")
    assert sector.done == ["erase", *range(0, SIZE, PAGE)]
    assert sector.erases == 1


def test_overwriting_erases_even_what_is_blank() -> None:
    sector = RecordingSector()
    sector.overwrite(bytearray(b"state"))
    assert sector.done == ["erase", *range(0, SIZE, PAGE)]
    assert sector.content == b"state" + BLANK[5:]


def test_overwriting_keeps_what_lies_behind_and_the_callers_data() -> None:
    sector, data = Sector(Power(), size=SIZE), bytearray(b"new")
    sector.write(0, b"state")
    sector.overwrite(data)
    assert sector.read(0, 6) == b"newte\xff"
    assert data == b"new"


@given(writes=WRITES)
def test_content_is_what_was_written_and_survives_reopening(writes: list[tuple[int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "nvm.bin"
        sector, model = RecordingSector(path), bytearray(BLANK)
        for offset, data in writes:
            fitting = data[: SIZE - offset]
            sector.done.clear()
            sector.write(offset, fitting)
            was_blank = set(model[offset : offset + len(fitting)]) <= {0xFF}
            assert ("erase" in sector.done) is not was_blank
            model[offset : offset + len(fitting)] = fitting
            assert sector.read(0, SIZE) == sector.content == model
        sector.close()
        reopened = in_file(path)
        assert reopened.read(0, SIZE) == model
        reopened.close()


@pytest.mark.parametrize(("offset", "size"), [(-1, 1), (-1, 0), (SIZE, 1), (SIZE - 1, 2), (0, SIZE + 1), (SIZE + 1, 0)])
def test_writing_outside_raises_and_changes_nothing(tmp_path: Path, offset: int, size: int) -> None:
    sector = in_file(tmp_path / "nvm.bin")
    sector.write(0, b"state")
    before = sector.read(0, SIZE)
    with pytest.raises(ValueError, match="outside"):
        sector.write(offset, bytes(size))
    assert sector.read(0, SIZE) == before
    sector.close()
    assert (tmp_path / "nvm.bin").read_bytes() == before


@pytest.mark.parametrize("size", [1, SIZE - 1, SIZE + 1])
def test_file_of_another_size_is_refused_and_not_erased(tmp_path: Path, size: int) -> None:
    # A truncated state file must not turn a member into a blank unit silently.
    path = tmp_path / "nvm.bin"
    content = bytes(itertools.islice(itertools.cycle(b"state"), size))
    path.write_bytes(content)
    with pytest.raises(OSError, match="size must be"):
        in_file(path)
    assert path.read_bytes() == content


def test_file_on_the_drive_may_be_missing_replaced_or_too_short(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.bin"
    sector = Sector(Power(), DriveFile(path), SIZE)
    with pytest.raises(FileNotFoundError):
        sector.read(0, 1)
    with pytest.raises(FileNotFoundError):
        sector.overwrite(b"state")
    path.write_bytes(b"short")
    assert sector.read(0, SIZE) == b"short"
    path.write_bytes(b"other")
    sector.overwrite(b"state" * 100)
    assert path.read_bytes() == sector.read(0, SIZE) == (b"state" * 100).ljust(SIZE, b"\xff")
