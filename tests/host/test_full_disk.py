# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A disk that is full: the key is not used up, nothing half-written stays, and a stream goes on when there is room."""

import errno
import os
import subprocess
from pathlib import Path

import pytest
from host.conftest import Call
from host.running import Finished, assert_refused, command_line, environment, run
from support.emulate_process import PATIENCE

import ndks
from ndks import download

BITS = 8 * 100_000


def next_index(port: str) -> int:
    with ndks.open(port) as unit:
        return unit.next_index()[1]


def key(port: str) -> bytes:
    with ndks.open(port) as unit:
        return unit.key(1, BITS).data


def assert_disk_full(finished: Finished) -> None:
    assert_refused(finished, "FILE", 1)
    assert os.strerror(errno.ENOSPC) in finished.stderr
    assert "free some space" in finished.advice


def fill(disk: Path, leave: int) -> Path:
    """Fill a disk up to some bytes; removing the file that is returned makes room again."""
    free = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - leave))
    return ballast


def test_key_into_a_full_disk(alice: str, small_disk: Path) -> None:
    ballast = fill(small_disk, leave=40_000)
    command = ("key", "--unit", alice, "--bits", BITS, "--format", "raw", "-o", small_disk / "key")
    assert_disk_full(run(*command))
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]
    assert next_index(alice) == 1
    ballast.unlink()
    assert run(*command).status == 0
    assert (small_disk / "key").read_bytes() == key(alice)
    assert next_index(alice) == 2


def test_forced_key_into_a_full_disk_leaves_the_old_file(alice: str, small_disk: Path) -> None:
    (small_disk / "key").write_text("old")
    fill(small_disk, leave=40_000)
    assert_disk_full(run("key", "--unit", alice, "--bits", BITS, "-o", small_disk / "key", "--force"))
    assert (small_disk / "key").read_text() == "old"


def test_stream_into_a_full_disk_goes_on_when_there_is_room(alice: str, small_disk: Path) -> None:
    target = small_disk / "out.key"
    ballast = fill(small_disk, leave=60_000)
    command = ("stream", "--unit", alice, "--bits", BITS, "-o", target, "--verbose")
    finished = run(*command)
    assert_disk_full(finished)
    received = download.part_of(target).stat().st_size
    assert 40_000 < received < 60_000
    assert next_index(alice) == 1
    assert_disk_full(run(*command))  # still full: nothing is lost by trying
    ballast.unlink()
    resumed = run(*command)
    assert resumed.status == 0
    assert resumed.stderr.count("> KEY_CHUNK ") == -(-BITS // 8 // 1024) - received // 1024
    assert target.read_bytes() == key(alice)
    assert next_index(alice) == 2


def test_stream_into_a_disk_without_room_for_the_plan(alice: str, small_disk: Path) -> None:
    fill(small_disk, leave=0)
    assert_disk_full(run("stream", "--unit", alice, "--bits", BITS, "-o", small_disk / "out.key"))
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_generate_into_a_full_disk(small_disk: Path) -> None:
    fill(small_disk, leave=40_000)
    finished = run("generate", "--p1", "0.52", "--p2", "25", "--bits", BITS, "-o", small_disk / "key")
    assert_disk_full(finished)
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_network_file_on_a_full_disk_gives_no_lane_away(
    network: ndks.Network, small_disk: Path, tmp_path: Path
) -> None:
    path = small_disk / "office.ndksnet"
    network.save(path)
    before = path.read_bytes()
    fill(small_disk, leave=0)
    assert_refused(run("provision", path, "--unit", f"emulator:{tmp_path / 'alice'}"), "FILE", 1)
    assert path.read_bytes() == before
    with ndks.open(f"emulator:{tmp_path / 'alice'}", create=True) as unit:
        assert unit.hello.state == "blank"


@pytest.mark.parametrize("unbuffered", ["", "1"])  # as containers set it: then a write may take a part only
@pytest.mark.parametrize("options", [["key", "--format", "raw"], ["key", "--json"], ["stream", "-o", "-"]])
def test_stdout_into_a_full_disk(alice: str, options: list[str], unbuffered: str, small_disk: Path) -> None:
    fill(small_disk, leave=40_000)
    command = command_line(*options, "--unit", alice, "--bits", BITS)
    assert_disk_full(run_into(small_disk / "key", command, PYTHONUNBUFFERED=unbuffered))
    assert next_index(alice) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("options", [["key"], ["key", "--json"], ["stream", "--bits", "8", "-o", "-"]])
def test_stdout_into_a_full_device(alice: str, options: list[str]) -> None:
    assert_disk_full(run_into(Path("/dev/full"), command_line(*options, "--unit", alice)))
    assert next_index(alice) == 1


def run_into(file: Path, command: list[str], **extra: str) -> Finished:
    """Run a command with its stdout redirected."""
    with file.open("wb") as stdout:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": stdout, "stderr": subprocess.PIPE}
        done = subprocess.run(command, env=environment(extra), timeout=PATIENCE, check=False, **pipes)
    return Finished(done.returncode, b"", done.stderr.decode())


@pytest.mark.parametrize("command", [["key"], ["stream", "--bits", "8"]])
def test_disk_that_is_full_only_when_it_is_synchronised(
    command: list[str], alice: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As network drives do it; needs no root, unlike the disks above.
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = tmp_path / "out.key"
    with monkeypatch.context() as full:
        full.setattr("ndks.files.os.fsync", refuse)
        assert_disk_full(call(*command, "--unit", alice, "-o", target))
    assert not target.exists()
    assert next_index(alice) == 1
    assert call(*command, "--unit", alice, "-o", target).status == 0
    assert next_index(alice) == 2
