# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Rules of `ndks.folders.rules`: what others do in a folder while it is packed or unpacked."""

import contextlib
import os
import time
from pathlib import Path

import pytest
from host.folding import entry, folder, noted, packed, root, seen_in

from ndks.exceptions import FileError
from ndks.folders import read, rules, unpack, walk

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("folder",)


def test_a_folder_on_which_something_is_mounted_meanwhile(
    folder: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (small_disk / "inside").touch()
    opened = walk.open_inside

    def mount_first(name: str, directory: int, *, is_folder: bool) -> int:
        return os.open(small_disk, os.O_RDONLY) if name == "empty" else opened(name, directory, is_folder=is_folder)

    monkeypatch.setattr(walk, "open_inside", mount_first)
    assert noted(folder) == {"mount": ["empty"]}


def test_vanishing(folder: Path, tmp_path: Path) -> None:
    def remove_later(_size: int, files: int) -> None:
        if files and (folder / "8.bin").exists():
            (folder / "8.bin").unlink()
            (folder / "part 2" / "11.bin").unlink()

    seen = noted(folder, remove_later)
    assert seen == {"vanished": ["8.bin"], "changed": ["part 2"]}  # the other one was gone before its folder was read


def test_moving(folder: Path) -> None:
    moved, count = folder / "part 2" / "11.bin", 0

    def move_later(_size: int, files: int) -> None:
        nonlocal count
        count += files
        if count == 6 and moved.exists():  # three files, and the three of part 0
            moved.rename(folder / "part 0" / "11.bin")

    assert noted(folder, move_later) == {"changed": ["part 2"]}


def test_moving_as_soon_as_the_walk_has_begun(tmp_path: Path) -> None:
    """File systems take times from a clock that is some milliseconds late."""
    for number in range(5):
        source, notes = tmp_path / str(number), rules.Notes()
        for name in "abc":
            (source / name).mkdir(parents=True)
        (source / "c" / "file").touch()
        time.sleep(0.01)  # so that it is older than the last tick
        walking = walk.Walk(source, notes)
        for found in walking:
            if found.path == "b":
                (source / "c" / "file").rename(source / "a" / "file")
        walking.close()
        assert notes.names == {"changed": ["c"]}


def test_changing(folder: Path) -> None:
    (folder / "log").write_bytes(bytes(300_000))

    def append(size: int, _files: int) -> None:
        if size > 100_000:
            with (folder / "log").open("ab") as log:
                log.write(b"more")

    assert noted(folder, append) == {"changed": ["log"]}

    def shorten(size: int, _files: int) -> None:
        if size > 100_000:
            os.truncate(folder / "log", 1000)

    with pytest.raises(FileError, match="log in the folder became shorter"):
        packed(folder, progress=shorten)


def test_a_link_in_the_place_of_a_file_is_not_followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "swapped").write_bytes(b"x")
    opened = walk.open_inside

    def swap_first(name: str, directory: int, *, is_folder: bool) -> int:
        if name == "swapped":
            (folder / "swapped").unlink()
            (folder / "swapped").symlink_to("/etc/passwd")
        return opened(name, directory, is_folder=is_folder)

    monkeypatch.setattr(walk, "open_inside", swap_first)
    assert noted(folder) == {"vanished": ["swapped"]}


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_link_that_appears_among_what_is_unpacked_is_not_followed(tmp_path: Path, is_folder: bool) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "place").mkdir()
    with contextlib.closing(unpack.FolderWriter(tmp_path / "place")) as writer:
        stream = read.FolderStream(writer)
        stream.write(root())
        (tmp_path / "place" / "x").symlink_to(outside if is_folder else outside / "x")
        with pytest.raises(FileError, match="takes x for another name"):
            stream.write(entry("x", is_folder=is_folder, size=0 if is_folder else 1))
    assert seen_in(outside).keys() == {"."}
