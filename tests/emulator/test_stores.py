# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files on faulty disks: written data count, and no other user gets access to them."""

import errno
import fcntl
import os
from pathlib import Path

import pytest
from host.refusing import refuse, refuse_fsync

import ndks
from ndks_emulator import DirectoryError, DirectoryInUse, UnitDirectory
from ndks_emulator import stores as unit_stores
from ndks_emulator.port_link import PortLink

LONGEST = 255  # maximum size of a file name in bytes


@pytest.fixture(autouse=True)
def nothing_was_said() -> None:
    unit_stores._warn.cache_clear()


@pytest.mark.parametrize(
    ("number", "warned"),
    [(errno.EINVAL, False), (errno.EOPNOTSUPP, False), (errno.ENOSYS, False), (errno.EIO, True), (errno.ENOSPC, True)],
)
def test_flash_on_a_disk_that_is_not_synced(
    number: int,
    warned: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A record in flash is valid without fsync: the same key is never issued twice."""
    port = f"emulator:{tmp_path / 'alice'}"
    with ndks.open(port, create=True) as unit:
        unit.bind(unit.provision(ndks.Network.new("office"), 1))
    with monkeypatch.context() as patch:
        refuse_fsync(patch, number, lambda _: True)
        with ndks.open(port) as unit:
            keys = [unit.next_key(256) for _ in range(3)]
            patch.undo()  # writes to the laptop's own files work again
    assert [key.index for key in keys] == [1, 2, 3]
    with ndks.open(port) as unit:
        assert unit.next_index()[1] == 4
    said = [record for record in caplog.records if record.name == "ndks_emulator.stores"]
    assert ["may not survive a power cut" in record.getMessage() for record in said] == [True] * warned


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_locks(*_: object) -> None:
        raise refuse(number)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", refuse_locks)
        with pytest.raises(DirectoryError, match=f"cannot be locked: {os.strerror(number)}") as refused:
            UnitDirectory(tmp_path / "alice", create=True)
        assert "None" not in str(refused.value)
        assert not isinstance(refused.value, DirectoryInUse)
    UnitDirectory(tmp_path / "alice", create=True).close()


def test_an_owner_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    with UnitDirectory(tmp_path / "alice", create=True) as directory:
        for change in (lambda path: path.write_bytes(b"\xff\xfe"), replace_by_a_directory):
            change(directory.path / "owner")
            with pytest.raises(DirectoryInUse, match="unknown"):
                UnitDirectory(tmp_path / "alice", create=True)


def replace_by_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("name", ["n" * (LONGEST + 1), "with\0nothing", "loop"])
@pytest.mark.parametrize("create", [True, False])
def test_names_that_no_directory_can_have(name: str, create: bool, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DirectoryError):
        UnitDirectory(tmp_path / name, create=create)


@pytest.mark.parametrize("name", ["owner.new", ".gitignore.new"])
def test_a_planted_link_leads_nowhere(name: str, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    UnitDirectory(tmp_path / "alice", create=True).close()
    (tmp_path / "alice" / name).symlink_to(precious)
    UnitDirectory(tmp_path / "alice", create=True).close()
    assert precious.read_bytes() == b"precious"
    assert not (tmp_path / "alice" / name).is_symlink()


def test_a_refused_process_writes_nothing(tmp_path: Path) -> None:
    with UnitDirectory(tmp_path / "alice", create=True) as directory:
        before = {path.name: path.stat().st_ino for path in directory.path.iterdir()}
        with pytest.raises(DirectoryInUse):
            UnitDirectory(tmp_path / "alice", create=True)
        assert {path.name: path.stat().st_ino for path in directory.path.iterdir()} == before


@pytest.mark.parametrize("size", [240, 250, LONGEST])
def test_a_link_with_a_long_name(size: int, tmp_path: Path) -> None:
    link = PortLink(tmp_path / ("n" * size))
    for target in ("/dev/null", "/dev/zero"):
        link.point_to(target)
        assert str(link.path.readlink()) == target
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_that_cannot_be_put_in_its_place_leaves_nothing(tmp_path: Path) -> None:
    link = PortLink(tmp_path / "alice.port")
    (tmp_path / "alice.port").mkdir()  # it appears between check and use
    with pytest.raises(OSError, match="directory"):
        link.point_to("/dev/null")
    assert [path.name for path in tmp_path.iterdir()] == ["alice.port"]
