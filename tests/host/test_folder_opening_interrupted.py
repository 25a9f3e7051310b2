# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Folders whose opening is interrupted: nothing is accepted before all stands, and the same command goes on."""

import contextlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from host.folding import cut_at, entry, seen_in, small_volumes
from host.interrupting import capsule, folder

import ndks
from ndks.driver.folder_plans import UnpackingPlan, load, part_of, plan_of
from ndks.driver.folder_volumes import capsule_size
from ndks.exceptions import FileError
from ndks.folders.entries import END
from ndks.folders.read import FolderStream
from ndks.folders.removal import open_again, remove_folder
from ndks.folders.unpack import FolderWriter

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("capsule", "folder", "small_volumes")


def test_opening_goes_on(capsule: Path, folder: Path, bob: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = capsule.with_name("out")
    with ndks.open(bob) as unit:
        for done in range(1, 4):
            with cut_at(monkeypatch, "open_message_keys", 2):
                unit.decrypt_folder(capsule, target)
            plan = load(target, UnpackingPlan)
            assert plan
            assert len(plan.headers) == done
            assert not target.exists()
        (part_of(target) / "part 2" / "~ later").mkdir(parents=True, exist_ok=True)  # of a volume that was cut off
        (part_of(target) / "part 2" / "~ later" / "x").touch()
        opened = unit.decrypt_folder(capsule, target)
    assert opened.files == 24
    assert seen_in(target) == seen_in(folder)
    assert not [*target.parent.glob("*.part*")]


@pytest.mark.parametrize("call", [1, 2, 4])
def test_acceptance_goes_on(capsule: Path, folder: Path, bob: str, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    target = capsule.with_name("out")
    with ndks.open(bob) as unit:
        with cut_at(monkeypatch, "accept", call):
            unit.decrypt_folder(capsule, target)
        assert seen_in(target) == seen_in(folder)  # it stands
        assert unit.decrypt_folder(capsule, target).files == 24
        assert not plan_of(target).exists()
        with pytest.raises(ndks.DeviceError):
            unit.decrypt_folder(capsule, target.with_name("other"))


def test_nothing_is_accepted_before_the_folder_stands(
    capsule: Path, folder: Path, bob: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ndks.open(bob) as unit:
        with cut_at(monkeypatch, "open_message_keys", 3):
            unit.decrypt_folder(capsule, capsule.with_name("out"))
        unit.decrypt_folder(capsule, capsule.with_name("other"))
        assert seen_in(capsule.with_name("other")) == seen_in(folder)


def test_an_unfinished_folder_that_was_altered(
    capsule: Path, folder: Path, bob: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = capsule.with_name("out")
    with ndks.open(bob) as unit:
        with cut_at(monkeypatch, "open_message_keys", 3):
            unit.decrypt_folder(capsule, target)
        shutil.rmtree(part_of(target) / "part 1", ignore_errors=True)
        for path in part_of(target).rglob("*.bin"):
            path.unlink()
        with pytest.raises(FileError, match="altered"):
            unit.decrypt_folder(capsule, target)
        unit.decrypt_folder(capsule, target, restart=True)
    assert seen_in(target) == seen_in(folder)


@contextlib.contextmanager
def as_user(user: int) -> Iterator[None]:
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may act as another user")
def test_folders_and_files_that_keep_their_owner_out_go_on() -> None:
    """What got its mode in a volume that was cut off is opened again, and removed, by a user whom modes bind."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        os.chown(name, 65534, 65534)
        stack.enter_context(as_user(65534))
        place = Path(name) / "out"
        place.mkdir(0o700)
        parts = [
            *(entry(".", is_folder=True, mode=0), entry("a", is_folder=True, mode=0)),
            *(entry("a/b", size=1000, mode=0), entry("c", is_folder=True, mode=0o555), entry("c/d", mode=0o444), END),
        ]
        data, cut = b"".join(parts), sum(map(len, parts[:2])) + 512 + 100  # in a/b
        with contextlib.closing(FolderWriter(place)) as writer:
            stream = FolderStream(writer)
            stream.write(data[:cut])
            states = json.loads(json.dumps([stream.state(), writer.state()]))
            stream.write(data[cut:])
        assert place.stat().st_mode & 0o777 == 0
        os.close(open_again(place))
        with contextlib.closing(FolderWriter(place)) as writer:
            stream = FolderStream(writer)
            stream.go_on(states[0])
            writer.go_on(states[1], states[0]["last"])
            assert {path.name for path in place.iterdir()} == {"a"}
            stream.write(data[cut:])
            stream.finish()
        stack.close()
        assert {name: mode & 0o777 for name, (mode, _, _) in seen_in(place).items()} == {
            ".": 0,
            "a": 0,
            "a/b": 0,
            "c": 0o555,
            "c/d": 0o444,
        }
        with as_user(65534):
            remove_folder(place)
        assert not place.exists()


def test_what_was_unpacked_is_not_read_again(capsule: Path, bob: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ndks.open(bob) as unit:
        with cut_at(monkeypatch, "open_message_keys", 4):
            unit.decrypt_folder(capsule, capsule.with_name("out"))
        read = 0

        class Counted(io.FileIO):
            def readinto(self, buffer: Any, /) -> int | None:
                nonlocal read
                taken = super().readinto(buffer)
                read += taken or 0
                return taken

        with io.BufferedReader(Counted(str(capsule))) as source:
            unit.decrypt_folder(source, capsule.with_name("out"))
    assert read < capsule.stat().st_size - 2 * capsule_size()


def test_acceptance_behind_later_messages(
    capsule: Path, folder: Path, alice: str, bob: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Volumes that left the window of the receiver before they were accepted are as good as accepted."""
    target = capsule.with_name("out")
    with ndks.open(bob) as unit, ndks.open(alice) as sender:
        with cut_at(monkeypatch, "accept", 2):
            unit.decrypt_folder(capsule, target)
        later = [sender.seal(b"later", mode="a", cipher="aes") for _ in range(300)]
        unit.unseal(later[-1])
        assert unit.decrypt_folder(capsule, target).files == 24
        assert not plan_of(target).exists()
        with pytest.raises(ndks.DeviceError):
            unit.decrypt_folder(capsule, target.with_name("other"))
