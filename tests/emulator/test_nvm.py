# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The emulated nvm sector follows the rules of NOR flash, and of CircuitPython on top of it."""

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ndks_emulator.nvm import PAGE, Nvm

SIZE = 1024
BLANK = b"\xff" * SIZE
WRITES = st.lists(st.tuples(st.integers(0, SIZE - 1), st.binary(max_size=2 * PAGE)), max_size=8)


class RecordingNvm(Nvm):
    """Remembers what it did to the flash: "erase", or the offset of a page that it programmed."""

    def __init__(self, path: Path) -> None:
        self.done: list[str | int] = []
        super().__init__(path, SIZE)

    def _erase(self) -> None:
        self.done.append("erase")
        super()._erase()

    def _program(self, page: int, data: bytes) -> None:
        self.done.append(page)
        super()._program(page, data)


class PowerCutNvm(Nvm):
    """Loses its power after the erase, before anything is programmed again."""

    def _program(self, page: int, data: bytes) -> None:
        raise KeyboardInterrupt


def test_new_sector_is_blank(tmp_path: Path) -> None:
    nvm = Nvm(tmp_path / "nvm.bin", SIZE)
    assert nvm.read(0, SIZE) == BLANK
    assert (tmp_path / "nvm.bin").read_bytes() == BLANK
    nvm.close()


def test_programming_only_clears_bits(tmp_path: Path) -> None:
    nvm = Nvm(tmp_path / "nvm.bin", SIZE)
    nvm._program(0, b"\xf0" * PAGE)
    nvm._program(0, b"\x3c" * PAGE)
    assert nvm.read(0, PAGE) == b"\x30" * PAGE
    nvm.close()
    assert (tmp_path / "nvm.bin").read_bytes() == b"\x30" * PAGE + BLANK[PAGE:]


def test_writing_onto_blank_bytes_programs_their_pages_and_no_other(tmp_path: Path) -> None:
    nvm = RecordingNvm(tmp_path / "nvm.bin")
    nvm.write(PAGE - 1, b"\x01\x02")
    nvm.write(PAGE + 1, b"\x03")
    nvm.close()
    assert nvm.done == [0, PAGE, PAGE]


def test_writing_onto_other_bytes_erases_even_when_nothing_changes(tmp_path: Path) -> None:
    nvm = RecordingNvm(tmp_path / "nvm.bin")
    nvm.write(3, b"\x55")
    nvm.done.clear()
    nvm.write(3, b"\x55")
    nvm.close()
    assert nvm.done == ["erase", *range(0, SIZE, PAGE)]


def test_power_cut_after_the_erase_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "nvm.bin"
    nvm = Nvm(path, SIZE)
    nvm.write(0, b"state")
    nvm.close()
    cut = PowerCutNvm(path, SIZE)
    with pytest.raises(KeyboardInterrupt):
        cut.write(0, b"other")
    cut.close()
    assert path.read_bytes() == BLANK


@given(writes=WRITES)
def test_content_is_what_was_written_and_survives_reopening(writes: list[tuple[int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "nvm.bin"
        nvm, model = RecordingNvm(path), bytearray(BLANK)
        for offset, data in writes:
            fitting = data[: SIZE - offset]
            nvm.done.clear()
            nvm.write(offset, fitting)
            was_blank = set(model[offset : offset + len(fitting)]) <= {0xFF}
            assert ("erase" in nvm.done) is not was_blank
            model[offset : offset + len(fitting)] = fitting
            assert nvm.read(0, SIZE) == model
        nvm.close()
        reopened = Nvm(path, SIZE)
        assert reopened.read(0, SIZE) == model
        reopened.close()


@pytest.mark.parametrize(("offset", "size"), [(-1, 1), (-1, 0), (SIZE, 1), (SIZE - 1, 2), (0, SIZE + 1), (SIZE + 1, 0)])
def test_writing_outside_raises_and_changes_nothing(tmp_path: Path, offset: int, size: int) -> None:
    nvm = Nvm(tmp_path / "nvm.bin", SIZE)
    nvm.write(0, b"state")
    before = nvm.read(0, SIZE)
    with pytest.raises(ValueError, match="outside"):
        nvm.write(offset, bytes(size))
    assert nvm.read(0, SIZE) == before
    nvm.close()
    assert (tmp_path / "nvm.bin").read_bytes() == before


@pytest.mark.parametrize("size", [1, SIZE - 1, SIZE + 1])
def test_file_of_another_size_is_refused_and_not_erased(tmp_path: Path, size: int) -> None:
    # A state file that was cut short must not turn a member into a blank unit without a word.
    path = tmp_path / "nvm.bin"
    content = bytes(itertools.islice(itertools.cycle(b"state"), size))
    path.write_bytes(content)
    with pytest.raises((ValueError, OSError)):
        Nvm(path, SIZE).close()
    assert path.read_bytes() == content
