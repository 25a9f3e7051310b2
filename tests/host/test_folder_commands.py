# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Folders whose commands fail: what is said, that nothing half stays, and that the same command goes on."""

import errno
import os
import signal
import subprocess
from pathlib import Path

import pytest
from host.conftest import Call
from host.folding import make_folder, seen_in, tiny_volumes
from host.running import Finished, assert_refused, run, run_signalled
from host.test_full_disk import assert_disk_full, fill
from support.emulate_process import PATIENCE

from ndks.driver.folder_plans import PackingPlan, UnpackingPlan, load
from ndks.folders import walk

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("tiny_volumes",)

LARGE = 200_000_000  # bytes: of three volumes, so that there is enough to do behind the first one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos")


def names_in(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()}


def test_full_disk(folder: Path, alice: str, bob: str, small_disk: Path, tiny_volumes: None, call: Call) -> None:
    (folder / "big").write_bytes(bytes(100_000))
    capsule, out = small_disk / "x.ndks", small_disk / "out"
    ways = {
        capsule: ("encrypt", folder, "-o", capsule, "--unit", alice),
        out: ("decrypt", capsule, "-o", out, "--unit", bob),
    }
    for target, command in ways.items():
        ballast = fill(small_disk, 60_000)
        assert_disk_full(call(*command))
        assert not target.exists()
        ballast.unlink()
        done = call(*command)
        assert done.status == 0, done.stderr
    assert names_in(small_disk) == {"x.ndks", "out"}
    assert seen_in(out) == seen_in(folder)


def test_target_that_cannot_be_written(
    folder: Path, alice: str, bob: str, tmp_path: Path, small_disk: Path, call: Call
) -> None:
    assert call("encrypt", folder, "-o", tmp_path / "x.ndks", "--unit", alice).status == 0
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True, timeout=PATIENCE)
    for command in (
        ("encrypt", folder, "-o", small_disk / "x.ndks", "--unit", alice),
        ("decrypt", tmp_path / "x.ndks", "-o", small_disk / "out", "--unit", bob),
    ):
        done = call(*command)
        assert_refused(done, "FILE", 1)
        assert os.strerror(errno.EROFS) in done.stderr
    assert call("decrypt", tmp_path / "x.ndks", "-o", tmp_path / "out", "--unit", bob).status == 0


def test_file_that_cannot_be_read(
    folder: Path, alice: str, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = walk.open_inside

    def closed_to_me(name: str, directory: int, *, is_folder: bool) -> int:
        if name == "8.bin":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(name, directory, is_folder=is_folder)

    command = ("encrypt", folder, "-o", tmp_path / "x.ndks", "--unit", alice)
    with monkeypatch.context() as patched:
        patched.setattr(walk, "open_inside", closed_to_me)
        done = call(*command)
    assert_refused(done, "FILE", 1)
    assert "8.bin in the folder cannot be read: Permission denied" in done.stderr
    assert done.advice == "make it readable, or move it away, and repeat"
    assert not [*tmp_path.glob("x.ndks*")]
    assert call(*command).status == 0


def test_interrupted(folder: Path, alice: str, bob: str, tmp_path: Path) -> None:
    """By Ctrl-C in the second volume, each way."""
    (folder / "film").touch()
    os.truncate(folder / "film", LARGE)
    capsule, out = tmp_path / "x.ndks", tmp_path / "out"

    def interrupted(request: str, number: int, command: tuple[object, ...]) -> Finished:
        done = run_signalled(signal.SIGINT, request, *command, requests=number)
        assert done.status == 130
        assert "stopped by Ctrl-C" in done.stderr
        return done

    command = ("encrypt", folder, "-o", capsule, "--unit", alice)
    done = interrupted("SEAL_KEYS", 2, command)
    assert "goes on" in done.advice
    packing = load(capsule, PackingPlan)
    assert packing
    assert 1 <= packing.volumes < 3
    assert names_in(tmp_path) >= {"x.ndks.part", "x.ndks.part.json"}
    assert not capsule.exists()
    assert run(*command).status == 0
    command = ("decrypt", capsule, "-o", out, "--unit", bob)
    done = interrupted("OPEN_KEYS", 3, command)  # the first one told that it is a folder
    assert "goes on" in done.advice
    unpacking = load(out, UnpackingPlan)
    assert unpacking
    assert 1 <= len(unpacking.headers) < 3
    assert not out.exists()
    assert run(*command).status == 0
    assert seen_in(out) == seen_in(folder)
    assert not [*tmp_path.glob("*.part*")]
