# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the directory of an emulated unit: locking, permissions, content, and errors."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.emulate_process import PATIENCE, emulated

from ndks_emulator import DirectoryError, DirectoryInUse, UnitDirectory
from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_FILES, SNAPSHOT_SIZE

NOBODY = 65534


def test_new_directory_is_private_and_holds_a_blank_unit(tmp_path: Path) -> None:
    path = tmp_path / "alice"
    with UnitDirectory(path, create=True) as directory:
        assert path.stat().st_mode & 0o777 == 0o700
        assert directory.nvm.read(0, NVM_SIZE) == b"\xff" * NVM_SIZE
        assert [file.read_bytes() for file in directory.snapshots] == [b"\xff" * SNAPSHOT_SIZE] * len(SNAPSHOT_FILES)


def test_parents_of_a_directory_are_not_made(tmp_path: Path) -> None:
    with pytest.raises(DirectoryError, match="No such file"):
        UnitDirectory(tmp_path / "deep" / "alice", create=True)
    assert not (tmp_path / "deep").exists()


def test_all_files_are_private(tmp_path: Path) -> None:
    UnitDirectory(tmp_path / "alice", create=True).close()
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in (tmp_path / "alice").iterdir()}
    assert set(modes.values()) == {"0o600"}, modes


def test_empty_directory_becomes_a_unit_and_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with UnitDirectory(tmp_path, create=True) as directory:
        assert len(directory.uid) == 8
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_uid_stays_and_differs_from_others(tmp_path: Path) -> None:
    uids = []
    for name in ("alice", "alice", "bob"):
        with UnitDirectory(tmp_path / name, create=True) as directory:
            uids.append(directory.uid)
    assert uids[0] == uids[1] != uids[2]


def test_state_survives_closing(tmp_path: Path) -> None:
    with UnitDirectory(tmp_path / "alice", create=True) as directory:
        directory.nvm.write(100, b"state")
        directory.snapshots[1].write_bytes(bytes(SNAPSHOT_SIZE))
    with UnitDirectory(tmp_path / "alice", create=True) as directory:
        assert directory.nvm.read(100, 5) == b"state"
        assert directory.snapshots[1].read_bytes() == bytes(SNAPSHOT_SIZE)


def test_second_process_is_refused_by_name_and_pid(tmp_path: Path) -> None:
    path = tmp_path / "alice"
    with emulated(path) as owner:
        with pytest.raises(DirectoryInUse) as refused:
            UnitDirectory(path, create=True)
        assert str(path) in str(refused.value)
        assert f"(pid {owner.process.pid})" in str(refused.value)
        assert owner.process.poll() is None


def test_second_user_in_one_process_is_refused(tmp_path: Path) -> None:
    with UnitDirectory(tmp_path / "alice", create=True):
        with pytest.raises(DirectoryInUse, match=f"pid {os.getpid()}"):
            UnitDirectory(tmp_path / "alice", create=True)
        (tmp_path / "alice" / "owner").unlink()
        with pytest.raises(DirectoryInUse, match="unknown"):
            UnitDirectory(tmp_path / "alice", create=True)


def test_lock_of_a_killed_owner_is_no_obstacle(tmp_path: Path) -> None:
    with emulated(tmp_path / "alice") as owner:
        assert owner.end(signal.SIGKILL) == -signal.SIGKILL
        with UnitDirectory(tmp_path / "alice", create=True) as directory:
            assert (directory.path / "owner").read_text() == f"{os.getpid()}\n"


def test_directory_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "letter.txt").write_text("dear Bob")
    with pytest.raises(DirectoryError, match="has no emulated unit"):
        UnitDirectory(tmp_path, create=True)
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("content", [b"", b"no hex at all", b"00" * 7, b"00" * 9, b"\xff\xfe\x00"])
def test_damaged_uid_is_refused_until_it_is_repaired(tmp_path: Path, content: bytes) -> None:
    with UnitDirectory(tmp_path, create=True) as directory:
        uid = directory.uid
    (tmp_path / "uid").write_bytes(content)
    with pytest.raises(DirectoryError, match="16 hexadecimal digits"):
        UnitDirectory(tmp_path, create=True)
    assert (tmp_path / "uid").read_bytes() == content
    (tmp_path / "uid").write_text(uid.hex())
    with UnitDirectory(tmp_path, create=True) as directory:  # the failed attempt has released the lock
        assert directory.uid == uid


def test_state_of_another_size_is_refused_and_not_erased(tmp_path: Path) -> None:
    UnitDirectory(tmp_path, create=True).close()
    (tmp_path / "nvm.bin").write_bytes(b"cut short")
    with pytest.raises(DirectoryError, match=r"nvm\.bin"):
        UnitDirectory(tmp_path, create=True).close()
    assert (tmp_path / "nvm.bin").read_bytes() == b"cut short"


def test_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for path in (file, file / "below"):
        with pytest.raises(DirectoryError, match="cannot hold an emulated unit"):
            UnitDirectory(path, create=True)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")
def test_place_where_no_directory_can_be_made_is_refused() -> None:
    with pytest.raises(DirectoryError, match="cannot hold an emulated unit"):
        UnitDirectory(Path("/proc/ndks/alice"), create=True)


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX knows them")
def test_directory_without_permission_is_refused() -> None:
    # Root can write everywhere, so a child process drops its privileges after its imports.
    script = f"""
import os, pathlib
from ndks_emulator import DirectoryError, UnitDirectory
if os.geteuid() == 0:
    os.seteuid({NOBODY})
try:
    UnitDirectory(pathlib.Path("/ndks-test"), create=True)
except DirectoryError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.startswith("/ndks-test cannot hold an emulated unit: ")


def warnings_of_start(path: Path, caplog: pytest.LogCaptureFixture) -> int:
    caplog.clear()
    UnitDirectory(path, create=False).close()
    return sum("copied" in record.getMessage() for record in caplog.records)


def test_a_copy_is_warned_of_once_and_starts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    UnitDirectory(tmp_path / "alice", create=True).close()
    assert warnings_of_start(tmp_path / "alice", caplog) == 0
    shutil.copytree(tmp_path / "alice", tmp_path / "alice2")
    assert [warnings_of_start(tmp_path / "alice2", caplog) for _ in range(3)] == [1, 0, 0]
    assert warnings_of_start(tmp_path / "alice", caplog) == 0
    (tmp_path / "alice").rename(tmp_path / "elsewhere")
    assert warnings_of_start(tmp_path / "elsewhere", caplog) == 0, "the same directory under another name"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"1 2"])
def test_a_damaged_place_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes) -> None:
    UnitDirectory(tmp_path / "alice", create=True).close()
    (tmp_path / "alice" / "place").write_bytes(content)
    assert [warnings_of_start(tmp_path / "alice", caplog) for _ in range(2)] == [1, 0]


def test_a_unit_of_an_earlier_version_has_no_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    UnitDirectory(tmp_path / "alice", create=True).close()
    (tmp_path / "alice" / "place").unlink()
    assert warnings_of_start(tmp_path / "alice", caplog) == 0
    assert (tmp_path / "alice" / "place").exists()
