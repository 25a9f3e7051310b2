# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Rules of `ndks.folders.rules`: what is packed, and how. Streams without a unit, but for what needs one."""

import errno
import io
import os
import socket
import struct
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from host.folding import entry, folder, noted, odd, packed, refused, root, seen_in, umask, unpacked
from support.emulate_process import PATIENCE

import ndks
from ndks.exceptions import FileError, UsageError
from ndks.folders import names, rules, walk

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("folder",)

MOST_MEMORY = 60_000  # KB

PACK_AND_READ = """
import sys
from pathlib import Path
from ndks.folders.pack import PackedFolder
from ndks.folders.read import FolderStream
from ndks.folders.listing import Listing
from ndks.folders.rules import Notes
stream, reader = PackedFolder(Path(sys.argv[1]), Notes(), lambda a, b: None), FolderStream(Listing())
while data := stream.read(1 << 17):
    reader.write(data)
reader.finish()
peak = next(line for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))
print(reader.files, peak.split()[1])
"""


def test_every_rule_has_its_test_and_its_line() -> None:
    text = (Path(__file__).parents[2] / "docs" / "folders.md").read_text()
    tests = "".join(module.read_text() for module in Path(__file__).parent.glob("test_folder_rules*.py"))
    for rule in rules.all_rules():
        assert f"def test_{rule.test}(" in tests, rule.thing
        assert f"| {rule.thing} |" in text
    assert {*rules.LEFT_OUT, *rules.KEPT_IN_PART} == {
        value for name, value in vars(rules).items() if name.isupper() and isinstance(value, str)
    }


@pytest.mark.parametrize("piece", [1, 511, 1 << 20])
def test_there_and_back(folder: Path, tmp_path: Path, piece: int) -> None:
    with umask(0o077):  # modes are kept all the same
        assert seen_in(unpacked(packed(folder), tmp_path / "place", piece)) == seen_in(folder)
    os.utime(folder, ns=(0, -(10**9) - 1))  # before 1970
    long = folder / ("ü" * 100) / ("x" * 255)
    long.parent.mkdir()
    long.write_bytes(b"x")
    (folder / "line\nfeed").touch()
    assert seen_in(unpacked(packed(folder), tmp_path / "again", 1 << 20)) == seen_in(folder)


def test_any_tar_reads_it(folder: Path, tmp_path: Path) -> None:
    stream = packed(folder)
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        assert {os.path.normpath(name) for name in tar.getnames()} == seen_in(folder).keys()
    (tmp_path / "tar").mkdir()
    subprocess.run(["tar", "xp", "-C", tmp_path / "tar"], input=stream, check=True, timeout=PATIENCE)
    assert seen_in(tmp_path / "tar") == seen_in(folder)


def test_odd_things(folder: Path, tmp_path: Path) -> None:
    (folder / "to a folder").symlink_to(tmp_path)
    (folder / "to nothing").symlink_to("nothing")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket is short
        server.bind("socket")
        os.chdir(here)
    assert noted(folder) == {"link": ["to a folder", "to nothing"], "fifo": ["pipe"], "socket": ["socket"]}
    assert not {"pipe", "socket", "to nothing"} & seen_in(unpacked(packed(folder), tmp_path / "out")).keys()
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.CONTTYPE, b"L", b"g"):
        assert "neither a file nor a folder" in refused(
            root() + odd("x", kind, "/etc/passwd" * (kind in b"12")), tmp_path
        )
        (tmp_path / "place").rmdir()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may make devices")
def test_devices(folder: Path) -> None:
    os.mknod(folder / "null", 0o600 | 0o020000, os.makedev(1, 3))
    assert noted(folder) == {"device": ["null"]}


def test_nested_mount(small_disk: Path) -> None:
    (small_disk / "inside").touch()
    (small_disk.parent / "beside").touch()
    assert noted(small_disk.parent) == {"mount": ["disk"]}


def test_files_on_an_overlay(small_disk: Path, tmp_path: Path) -> None:
    """Their devices are those of the layers, which are on other file systems than the folders."""
    lower, upper, work, merged = tmp_path / "lower", small_disk / "upper", small_disk / "work", tmp_path / "merged"
    for place in (lower, upper, work, merged, lower / "inside"):
        place.mkdir()
    (lower / "inside" / "old").write_text("old")
    options = f"lowerdir={lower},upperdir={upper},workdir={work},xino=off"
    mount = ["mount", "-t", "overlay", "-o", options, "ndks-test", str(merged)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this system mounts no overlays")
    try:
        (merged / "new").write_text("new")
        assert (merged / "new").stat().st_dev != (merged / "inside" / "old").stat().st_dev
        assert noted(merged) == {}
        assert seen_in(unpacked(packed(merged), tmp_path / "out")) == seen_in(merged)
    finally:
        subprocess.run(["umount", "--lazy", merged], check=True)


def test_far_times(small_disk: Path, tmp_path: Path) -> None:
    """Seconds have twelve digits in the stream; a file system that keeps fewer keeps what it can."""
    (small_disk / "far").touch()
    os.utime(small_disk / "far", (0, 10**12 - 1))
    if (small_disk / "far").stat().st_mtime_ns != (10**12 - 1) * 10**9:
        pytest.skip("this file system has no such times")
    unpacked(packed(small_disk), tmp_path / "out")
    os.utime(small_disk / "far", (0, 10**12))
    with pytest.raises(FileError, match="far in the folder has a time that is too far away"):
        packed(small_disk)


def test_hard_links(folder: Path, tmp_path: Path) -> None:
    os.link(folder / "8.bin", folder / "linked")
    assert noted(folder) == {"hard_link": ["8.bin", "linked"]}
    out = unpacked(packed(folder), tmp_path / "place")
    assert (out / "linked").stat().st_nlink == 1
    assert (out / "linked").read_bytes() == (folder / "8.bin").read_bytes()


def test_sparse(folder: Path, tmp_path: Path) -> None:
    os.truncate(folder / "8.bin", 1 << 20)
    if (folder / "8.bin").stat().st_blocks * 512 >= 1 << 20:
        pytest.skip("this file system has no holes")
    assert noted(folder) == {"sparse": ["8.bin"]}
    assert seen_in(unpacked(packed(folder), tmp_path / "out")) == seen_in(folder)
    refused(root() + odd("x", tarfile.GNUTYPE_SPARSE), tmp_path)


def test_attributes(folder: Path) -> None:
    try:
        os.setxattr(folder / "8.bin", "user.author", b"me")
    except (OSError, AttributeError):
        pytest.skip("this file system has no extended attributes")
    os.setxattr(folder / "empty", "user.author", b"me")
    assert noted(folder) == {"attributes": ["8.bin", "empty"]}


def test_capabilities_of_a_program_are_attributes(folder: Path) -> None:
    try:  # version 2 of vfs_cap_data: CAP_NET_RAW, permitted and effective
        os.setxattr(folder / "8.bin", "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
    except (OSError, AttributeError):
        pytest.skip("only root may give capabilities, and not on every file system")
    assert noted(folder) == {"attributes": ["8.bin"]}


def test_special_modes(folder: Path, tmp_path: Path) -> None:
    (folder / "8.bin").chmod(0o4755)
    (folder / "empty").chmod(0o1777)
    assert noted(folder) == {"special_mode": ["8.bin", "empty"]}
    out = unpacked(packed(folder), tmp_path / "out")
    assert (out / "8.bin").stat().st_mode & 0o7777 == 0o755
    assert "mode" in refused(root() + entry("x", mode=0o4755), tmp_path)


def test_unreadable(folder: Path, alice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = walk.open_inside

    def closed_to_me(name: str, directory: int, *, is_folder: bool) -> int:
        if name == "8.bin":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(name, directory, is_folder=is_folder)

    with ndks.open(alice) as unit:
        monkeypatch.setattr(walk, "open_inside", closed_to_me)
        with pytest.raises(FileError, match=r"8.bin in the folder cannot be read"):
            unit.encrypt_folder(folder, tmp_path / "out.ndks")
        assert [path.name for path in tmp_path.glob("out*")] == []
        monkeypatch.setattr(walk, "open_inside", opened)
        unit.encrypt_folder(folder, tmp_path / "out.ndks")


def test_inside(folder: Path, alice: str) -> None:
    with ndks.open(alice) as unit, pytest.raises(FileError, match="lies in the folder"):
        unit.encrypt_folder(folder, folder / "part 1" / "out.ndks")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell how much memory was used")
@pytest.mark.timeout(900)
def test_many_files(tmp_path: Path) -> None:
    """More than are sorted in memory; a million with NDKS_TEST_FULL=1."""
    count = 1_000_000 if os.environ.get("NDKS_TEST_FULL") else 25_000
    many = tmp_path / "many"
    many.mkdir()
    directory = os.open(many, os.O_RDONLY)
    for number in range(count):
        os.close(os.open(f"{number:x}", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=directory))
    assert count > names.FEW
    done = subprocess.run([sys.executable, "-c", PACK_AND_READ, many], capture_output=True, text=True, check=True)
    os.close(directory)
    files, memory = map(int, done.stdout.split())
    assert files == count
    assert memory < MOST_MEMORY


def test_names_sorted_on_the_disk_are_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Readme", "README", "a:b", "ü", "\U0001f600", "\ufffd"):
        (folder / name).touch()
    in_memory, said = packed(folder), noted(folder)
    monkeypatch.setattr(names, "FEW", 2)
    assert (packed(folder), noted(folder)) == (in_memory, said)


def test_other_systems(folder: Path, alice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "supports_dir_fd", set[Any]())
    with ndks.open(alice) as unit:
        with pytest.raises(UsageError, match="descriptors"):
            unit.encrypt_folder(folder, tmp_path / "out.ndks")
        with pytest.raises(UsageError, match="descriptors"):
            unit.decrypt_folder(io.BytesIO(bytes(100)), tmp_path / "out")
