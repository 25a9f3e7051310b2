# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Full disks and blocked outputs: no partial file remains, and no key or message is used up."""

import errno
import os
import random
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from host.asking import first_key, next_index
from host.conftest import Call
from host.running import Finished, assert_refused, command_line, environment, run
from support.emulate_process import PATIENCE
from unit.other_member import open_offline

import ndks
from ndks.driver import streams as download

BITS = 8 * 100_000
FILM = random.Random(1).randbytes(100_000)


def assert_disk_full(finished: Finished) -> None:
    assert_refused(finished, "FILE", 1)
    assert os.strerror(errno.ENOSPC) in finished.stderr
    assert "free some space" in finished.advice


def fill(disk: Path, allow_jump: int) -> Path:
    """Fill a disk except for some bytes; removing the returned file frees the space."""
    free = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - allow_jump))
    return ballast


def test_key_into_a_full_disk(alice: str, small_disk: Path) -> None:
    ballast = fill(small_disk, allow_jump=40_000)
    command = ("key", "--unit", alice, "--bits", BITS, "--format", "raw", "-o", small_disk / "key")
    assert_disk_full(run(*command))
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]
    assert next_index(alice) == 1
    ballast.unlink()
    assert run(*command).status == 0
    assert (small_disk / "key").read_bytes() == first_key(alice, BITS)
    assert next_index(alice) == 2


def test_forced_key_into_a_full_disk_leaves_the_old_file(alice: str, small_disk: Path) -> None:
    (small_disk / "key").write_text("old")
    fill(small_disk, allow_jump=40_000)
    assert_disk_full(run("key", "--unit", alice, "--bits", BITS, "-o", small_disk / "key", "--force"))
    assert (small_disk / "key").read_text() == "old"


def test_stream_into_a_full_disk_goes_on_when_there_is_room(alice: str, small_disk: Path) -> None:
    target = small_disk / "out.key"
    ballast = fill(small_disk, allow_jump=60_000)
    command = ("stream", "--unit", alice, "--bits", BITS, "-o", target, "--verbose")
    finished = run(*command)
    assert_disk_full(finished)
    received = download.part_of(target).stat().st_size
    assert 40_000 < received < 60_000
    assert next_index(alice) == 1
    assert_disk_full(run(*command))  # the disk is still full: trying again loses nothing
    ballast.unlink()
    resumed = run(*command)
    assert resumed.status == 0
    assert resumed.stderr.count("> KEY_CHUNK ") == -(-BITS // 8 // 1024) - received // 1024
    assert target.read_bytes() == first_key(alice, BITS)
    assert next_index(alice) == 2


def test_stream_into_a_disk_without_room_for_the_plan(alice: str, small_disk: Path) -> None:
    fill(small_disk, allow_jump=0)
    assert_disk_full(run("stream", "--unit", alice, "--bits", BITS, "-o", small_disk / "out.key"))
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_generate_into_a_full_disk(small_disk: Path) -> None:
    fill(small_disk, allow_jump=40_000)
    finished = run("generate", "--p1", "0.52", "--p2", "25", "--bits", BITS, "-o", small_disk / "key")
    assert_disk_full(finished)
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_network_file_on_a_full_disk_gives_no_lane_away(
    network: ndks.Network, small_disk: Path, tmp_path: Path
) -> None:
    path = small_disk / "office.ndksnet"
    network.save(path)
    before = path.read_bytes()
    fill(small_disk, allow_jump=0)
    assert_refused(run("provision", path, "--unit", f"emulator:{tmp_path / 'alice'}"), "FILE", 1)
    assert path.read_bytes() == before
    with ndks.open(f"emulator:{tmp_path / 'alice'}", create=True) as unit:
        assert unit.hello.state == "blank"


@pytest.mark.parametrize("unbuffered", ["", "1"])  # as containers set it: a write may then be partial
@pytest.mark.parametrize("options", [["key", "--format", "raw"], ["key", "--json"], ["stream", "-o", "-"]])
def test_stdout_into_a_full_disk(alice: str, options: list[str], unbuffered: str, small_disk: Path) -> None:
    fill(small_disk, allow_jump=40_000)
    command = command_line(*options, "--unit", alice, "--bits", BITS)
    assert_disk_full(run_into(small_disk / "key", command, PYTHONUNBUFFERED=unbuffered))
    assert next_index(alice) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("options", [["key"], ["key", "--json"], ["stream", "--bits", "8", "-o", "-"]])
def test_stdout_into_a_full_device(alice: str, options: list[str]) -> None:
    assert_disk_full(run_into(Path("/dev/full"), command_line(*options, "--unit", alice)))
    assert next_index(alice) == 1


def run_into(file: Path, command: list[str], **extra: str) -> Finished:
    """Run a command with its stdout redirected to a file."""
    with file.open("wb") as stdout:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": stdout, "stderr": subprocess.PIPE}
        done = subprocess.run(command, env=environment(extra), timeout=PATIENCE, check=False, **pipes)
    return Finished(done.returncode, b"", done.stderr.decode())


@pytest.fixture
def capsule(alice: str, tmp_path: Path) -> Path:
    """Return a capsule of a film that does not fit on the disk."""
    with ndks.open(alice) as unit:
        (tmp_path / "film.ndks").write_bytes(unit.seal(FILM, cipher="aes"))
    return tmp_path / "film.ndks"


@pytest.mark.parametrize("mode", ["a", "b"])
def test_encrypting_into_a_full_disk(
    mode: str, alice: str, network: ndks.Network, small_disk: Path, tmp_path: Path
) -> None:
    (tmp_path / "film").write_bytes(FILM)
    ballast = fill(small_disk, allow_jump=40_000)
    command = ("encrypt", tmp_path / "film", "--cipher", "aes", "--mode", mode, "--unit", alice)
    assert_disk_full(run(*command, "-o", small_disk / "film.ndks"))
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]
    ballast.unlink()
    assert run(*command, "-o", small_disk / "film.ndks").status == 0
    assert open_offline(network, (small_disk / "film.ndks").read_bytes()) == FILM


@pytest.mark.parametrize("mode", ["a", "b"])
@pytest.mark.parametrize("old", [None, b"old"])
def test_decrypting_into_a_full_disk(mode: str, old: bytes | None, bob: str, capsule: Path, small_disk: Path) -> None:
    target = small_disk / "film"
    if old:
        target.write_bytes(old)
    ballast = fill(small_disk, allow_jump=40_000)
    command = ("decrypt", capsule, "--mode", mode, "--unit", bob, "-o", target, "--force")
    assert_disk_full(run(*command))
    assert (target.read_bytes() if target.exists() else None) == old
    ballast.unlink()
    assert {path.name for path in small_disk.iterdir()} == ({"film"} if old else set())
    assert run(*command).status == 0
    assert target.read_bytes() == FILM


def test_decrypting_offline_into_a_full_disk(network_file: Path, capsule: Path, small_disk: Path) -> None:
    fill(small_disk, allow_jump=40_000)
    assert_disk_full(run("decrypt", capsule, "--network", network_file, "-o", small_disk / "film"))
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_decrypting_to_stdout_without_room_for_what_is_not_verified_yet(
    bob: str, capsule: Path, small_disk: Path
) -> None:
    fill(small_disk, allow_jump=40_000)
    assert_disk_full(run("decrypt", capsule, "--unit", bob, "-o", "-", TMPDIR=str(small_disk)))
    assert run("decrypt", capsule, "--unit", bob, "-o", "-").output == FILM


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_message_into_a_full_device(command: str, unbuffered: str, bob: str, capsule: Path) -> None:
    to_stdout = command_line(command, capsule, "-o", "-", "--unit", bob)
    assert_disk_full(run_into(Path("/dev/full"), to_stdout, PYTHONUNBUFFERED=unbuffered))
    assert run("decrypt", capsule, "--unit", bob, "-o", "-").output == FILM


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_message_into_a_closed_stdout(command: str, bob: str, capsule: Path) -> None:
    shell = ["sh", "-c", '"$@" >&-', "sh", *command_line(command, capsule, "-o", "-", "--unit", bob)]
    done = subprocess.run(shell, capture_output=True, env=environment(), timeout=PATIENCE, check=False)
    assert_refused(Finished(done.returncode, done.stdout, done.stderr.decode()), "FILE", 1)
    assert run("decrypt", capsule, "--unit", bob, "-o", "-").output == FILM


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_message_to_a_reader_that_leaves(command: str, bob: str, capsule: Path) -> None:
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment()}
    to_stdout = command_line(command, capsule, "-o", "-", "--unit", bob)
    # A pipe holds less than the film: the command still has data when the reader leaves.
    with subprocess.Popen(to_stdout, bufsize=0, pipesize=4096, **pipes) as process:
        assert process.stdout
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr
        stderr = process.stderr.read().decode()
        status = process.wait(PATIENCE)
    assert_refused(Finished(status, b"", stderr), "FILE", 1)
    assert "the reader of stdout has closed it" in stderr
    assert run("decrypt", capsule, "--unit", bob, "-o", "-").output == FILM


@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
@pytest.mark.parametrize("mode", ["a", "b"])
def test_message_on_a_disk_that_is_full_only_when_it_is_synchronised(
    command: str, mode: str, bob: str, capsule: Path, call: Call, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        # Only for files of the host: the emulated unit can write.
        full.setattr("ndks.whole_file.os", SimpleNamespace(**vars(os) | {"fsync": refuse}))
        assert_disk_full(call(command, capsule, "--unit", bob, "-o", desk / "out", "--mode", mode))
    assert list(desk.iterdir()) == []
    assert call("decrypt", capsule, "--unit", bob, "-o", "-", "--mode", mode).output == FILM


@pytest.mark.parametrize("command", [["key"], ["stream", "--bits", "8"]])
def test_disk_that_is_full_only_when_it_is_synchronised(
    command: list[str], alice: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on network drives; needs no root, unlike the disks above.
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = tmp_path / "out.key"
    with monkeypatch.context() as full:
        full.setattr("ndks.whole_file.os.fsync", refuse)
        assert_disk_full(call(*command, "--unit", alice, "-o", target))
    assert not target.exists()
    assert next_index(alice) == 1
    assert call(*command, "--unit", alice, "-o", target).status == 0
    assert next_index(alice) == 2
