# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Rules of `ndks.folders.rules`: file systems that cannot hold all, and targets that cannot be written."""

import contextlib
import errno
import io
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from host.folding import folder, noted, packed, seen_in, tiny_volumes, unpacked
from host.refusing import append_only
from host.test_full_disk import fill
from support.emulate_process import PATIENCE

import ndks
from ndks.driver.folder_volumes import capsule_size
from ndks.exceptions import FileError
from ndks.folders import read, removal, unpack

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("folder", "tiny_volumes")


@pytest.mark.parametrize(
    "name", ["CON", "aux.txt", "nul .txt", "COM\u00b9", "conin$", "a:b", "dot.", "back\\slash", "quest?", "space "]
)
def test_foreign_names(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (folder / name).touch()
    assert noted(folder) == {"foreign_name": [name]}
    assert name in seen_in(unpacked(packed(folder), tmp_path / "out"))

    def refusing(path: Any, flags: int, *mode: int, **where: Any) -> int:
        if path == name:
            raise OSError(errno.EINVAL, "Invalid argument")
        return os.open(path, flags, *mode, **where)

    monkeypatch.setattr(unpack, "os", SimpleNamespace(**{**vars(os), "open": refusing}))
    with pytest.raises(OSError, match="Invalid argument"):
        unpacked(packed(folder), tmp_path / "other")


def test_case(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Readme", "README", "\u00e9", "e\u0301"):
        (folder / name).touch()
    if len({"Readme", "README"} & {path.name for path in folder.iterdir()}) < 2:
        pytest.skip("this file system takes upper and lower case for the same")
    assert noted(folder) == {"same_name": ["Readme", "\u00e9"]}
    assert seen_in(unpacked(packed(folder), tmp_path / "out")) == seen_in(folder)

    def blind(path: Any, flags: int, *mode: int, **where: Any) -> int:
        return os.open(path.lower() if isinstance(path, str) else path, flags, *mode, **where)

    monkeypatch.setattr(unpack, "os", SimpleNamespace(**{**vars(os), "open": blind}))
    with pytest.raises(FileError, match="takes Readme for another name beside it"):
        unpacked(packed(folder), tmp_path / "blind")


def test_modes_of_the_target(
    folder: Path, alice: str, bob: str, tmp_path: Path, tiny_volumes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on FAT. Also what was noted before an interruption is reported at the end."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(unpack, "os", SimpleNamespace(**{**vars(os), "fchmod": refuse}))
    monkeypatch.setattr(removal, "os", SimpleNamespace(**{**vars(os), "chmod": refuse}))
    with ndks.open(alice) as unit:
        unit.encrypt_folder(folder, tmp_path / "out.ndks")
    data = (tmp_path / "out.ndks").read_bytes()
    with ndks.open(bob) as unit:
        with pytest.raises(FileError, match="volume 3 is missing"):
            unit.decrypt_folder(io.BytesIO(data[: 2 * capsule_size()]), tmp_path / "out")
        notes = unit.decrypt_folder(io.BytesIO(data), tmp_path / "out").notes
    others = [name for name, (mode, *_) in seen_in(folder).items() if mode & 0o777 not in (0o600, 0o700)]
    assert notes.counts == {"mode": len(others)}
    assert {*notes.names["mode"]} < {*others}
    assert {values[1:] for values in seen_in(tmp_path / "out").values()} == {
        values[1:] for values in seen_in(folder).values()
    }


def test_modes_of_a_folder_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may lie where an unfinished one was; that its mode cannot be changed is no property of the file system."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    mine = os.geteuid()
    monkeypatch.setattr(removal, "os", SimpleNamespace(**{**vars(os), "chmod": refuse}))
    os.close(removal.open_again(tmp_path))
    monkeypatch.setattr(removal.os, "geteuid", lambda: mine + 1)
    with pytest.raises(PermissionError):
        removal.open_again(tmp_path)


def test_times_of_the_target(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def even_seconds(descriptor: int, ns: tuple[int, int]) -> None:
        os.utime(descriptor, ns=(0, ns[1] - ns[1] % (2 * 10**9)))

    os.utime(folder / "8.bin", ns=(0, 4 * 10**9))
    monkeypatch.setattr(unpack, "os", SimpleNamespace(**{**vars(os), "utime": even_seconds}))
    (tmp_path / "out").mkdir()
    with contextlib.closing(unpack.FolderWriter(tmp_path / "out")) as writer:
        read.FolderStream(writer).write(packed(folder))
    assert writer.notes.counts == {"time": len(seen_in(folder)) - 1}
    assert {"8.bin"}.isdisjoint(writer.notes.names["time"])


def test_full_disk(folder: Path, alice: str, bob: str, small_disk: Path, tiny_volumes: None) -> None:
    capsule, out = small_disk / "out.ndks", small_disk / "out"
    with ndks.open(alice) as unit:
        ballast = fill(small_disk, 60_000)
        (folder / "big").write_bytes(bytes(100_000))
        with pytest.raises(FileError, match=os.strerror(errno.ENOSPC)):
            unit.encrypt_folder(folder, capsule)
        assert not capsule.exists()
        ballast.unlink()
        unit.encrypt_folder(folder, capsule)
        assert {path.name for path in small_disk.iterdir()} == {"out.ndks"}
    with ndks.open(bob) as unit:
        ballast = fill(small_disk, 60_000)
        with pytest.raises(FileError, match=os.strerror(errno.ENOSPC)):
            unit.decrypt_folder(capsule, out)
        assert not out.exists()
        ballast.unlink()
        unit.decrypt_folder(capsule, out)
    assert {path.name for path in small_disk.iterdir()} == {"out.ndks", "out"}
    assert seen_in(out) == seen_in(folder)


def test_read_only(folder: Path, alice: str, bob: str, tmp_path: Path, small_disk: Path) -> None:
    with ndks.open(alice) as unit, ndks.open(bob) as other:
        unit.encrypt_folder(folder, tmp_path / "out.ndks")
        before = unit.status().message_counter
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True, timeout=PATIENCE)
        with pytest.raises(FileError, match=os.strerror(errno.EROFS)):
            unit.encrypt_folder(folder, small_disk / "out.ndks")
        with pytest.raises(FileError, match=os.strerror(errno.EROFS)):
            other.decrypt_folder(tmp_path / "out.ndks", small_disk / "out")
        assert unit.status().message_counter == before
        other.decrypt_folder(tmp_path / "out.ndks", tmp_path / "out")


def test_append_only(folder: Path, alice: str, bob: str, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    with ndks.open(alice) as unit, ndks.open(bob) as other:
        unit.encrypt_folder(folder, tmp_path / "out.ndks")
        before = unit.status().message_counter
        with append_only(tmp_path / "archive"):
            with pytest.raises(FileError, match="no file can be renamed"):
                unit.encrypt_folder(folder, tmp_path / "archive" / "out.ndks")
            with pytest.raises(FileError, match="no file can be renamed"):
                other.decrypt_folder(tmp_path / "out.ndks", tmp_path / "archive" / "out")
            assert not [*(tmp_path / "archive").glob("out*")]
        assert unit.status().message_counter == before


def test_existing(folder: Path, alice: str, bob: str, tmp_path: Path) -> None:
    capsule = tmp_path / "out.ndks"
    capsule.write_bytes(b"mine")
    with ndks.open(alice) as unit:
        with pytest.raises(FileError, match="exists"):
            unit.encrypt_folder(folder, capsule)
        assert capsule.read_bytes() == b"mine"
        unit.encrypt_folder(folder, capsule, overwrite=True)
    (tmp_path / "file").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "new.part").mkdir()
    with ndks.open(bob) as unit:
        for target in (tmp_path / "file", tmp_path / "other", ".", "..", "/"):
            for restart in (False, True):
                with pytest.raises(FileError, match="exists, and a folder is never overwritten"):
                    unit.decrypt_folder(capsule, target, restart=restart)
        with pytest.raises(FileError, match="ndks did not make it"):
            unit.decrypt_folder(capsule, tmp_path / "new")
        unit.decrypt_folder(capsule, tmp_path / "out")  # nothing was accepted
