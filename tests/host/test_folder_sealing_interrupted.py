# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Folders whose sealing is interrupted: nothing half appears, and the same command goes on."""

import contextlib
import copy
import os
from pathlib import Path

import pytest
from host.folding import cut_at, make_folder, nobody, packed, seen_in, small_volumes
from host.interrupting import folder

import ndks
from ndks.driver.folder_plans import PackingPlan, load
from ndks.folders.pack import PackedFolder
from ndks.folders.rules import Notes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("folder", "small_volumes")


def test_sealing_goes_on(
    folder: Path, alice: str, bob: str, tmp_path: Path, small_volumes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.ndks"
    with ndks.open(alice) as unit:
        first = unit.status().message_counter
        for done in range(1, 4):
            with cut_at(monkeypatch, "message_keys", 2):
                unit.encrypt_folder(folder, target)
            plan = load(target, PackingPlan)
            assert plan
            assert plan.volumes == done
            assert not target.exists()
        told: list[int] = []
        sealed = unit.encrypt_folder(folder, target, progress=lambda size, _: told.append(size))
        assert unit.status().message_counter - first == sealed.volumes  # each was sealed once
        assert sum(told) == sealed.bytes
        assert sealed.files == 24
    assert not [*tmp_path.glob("*.part*")]
    with ndks.open(bob) as unit:
        unit.decrypt_folder(target, tmp_path / "out")
    assert seen_in(tmp_path / "out") == seen_in(folder)


@pytest.mark.parametrize("change", ["content", "new file", "mode", "gone"])
def test_a_folder_that_was_changed_is_sealed_anew(
    folder: Path,
    alice: str,
    bob: str,
    tmp_path: Path,
    small_volumes: None,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    target, early = tmp_path / "out.ndks", folder / "12.bin"
    with ndks.open(alice) as unit:
        with cut_at(monkeypatch, "message_keys", 3):
            unit.encrypt_folder(folder, target)
        status = early.stat()
        if change == "content":
            early.write_bytes(bytes(status.st_size))
            os.utime(early, ns=(0, status.st_mtime_ns))
        elif change == "new file":
            (folder / "0.new").touch()
        elif change == "mode":
            early.chmod(0o640)
        else:
            early.unlink()
        unit.encrypt_folder(folder, target)
    with ndks.open(bob) as unit:
        unit.decrypt_folder(target, tmp_path / "out")
    assert seen_in(tmp_path / "out") == seen_in(folder)


def test_a_change_behind_what_is_sealed_goes_in(
    folder: Path, alice: str, bob: str, tmp_path: Path, small_volumes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.ndks"
    with ndks.open(alice) as unit:
        first = unit.status().message_counter
        with cut_at(monkeypatch, "message_keys", 3):
            unit.encrypt_folder(folder, target)
        last = max(folder.glob("part */*"))
        last.write_bytes(b"new")
        sealed = unit.encrypt_folder(folder, target)
        assert unit.status().message_counter - first == sealed.volumes
    with ndks.open(bob) as unit:
        unit.decrypt_folder(target, tmp_path / "out")
    assert seen_in(tmp_path / "out") == seen_in(folder)


def test_another_unit_seals_anew(
    folder: Path, alice: str, bob: str, tmp_path: Path, small_volumes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.ndks"
    with ndks.open(alice) as unit, cut_at(monkeypatch, "message_keys", 3):
        unit.encrypt_folder(folder, target)
    with ndks.open(bob) as unit:
        unit.encrypt_folder(folder, target)
    with ndks.open(alice) as unit:
        assert unit.decrypt_folder(target, tmp_path / "out").lane == 2


def test_a_stream_that_goes_on_anywhere_is_the_same(tmp_path: Path) -> None:
    """Bytes, counts, and what is said: each thing once, wherever the first part ended."""
    folder = make_folder(tmp_path / "folder", files=5, size=1500)
    for place in (folder, folder / "empty", folder / "part 1"):
        for name in ("a:b", "README", "readme"):
            (place / name).write_bytes(b"x")
        (place / "link").symlink_to("x")
    (folder / "part 1" / "~").mkdir(mode=0o1755)
    os.link(folder / "a:b", folder / "~")
    notes, whole = Notes(), packed(folder)

    def opened(notes: Notes, position: int = 0, fingerprint: str = "") -> contextlib.closing[PackedFolder]:
        return contextlib.closing(PackedFolder(folder, notes, nobody, position, fingerprint))

    with opened(notes) as stream:
        assert stream.read(len(whole)) == whole
        counts = stream.files, stream.folders, stream.bytes
    for cut in {*range(0, len(whole), 500), *range(0, len(whole), 512)}:
        with opened(first := Notes()) as begun:
            begun.read(cut)
            fingerprint = begun.fingerprint
        second = copy.deepcopy(first)
        with opened(second, cut, fingerprint if cut else "") as stream:
            assert stream.read(len(whole)) == whole[cut:]
            assert (stream.files, stream.folders, stream.bytes) == counts
        assert second == notes, cut
