# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Each rule of `ndks.folders.rules`: the test that it names. Streams without a unit, but for what needs one."""

import contextlib
import errno
import io
import os
import socket
import struct
import subprocess
import sys
import tarfile
import time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from host.folding import entry, make_folder, noted, packed, root, seen_in, tiny_volumes, umask, unpacked
from host.refusing import append_only
from host.test_full_disk import fill
from support.emulate_process import PATIENCE

import ndks
from ndks.driver.folder_volumes import capsule_size
from ndks.exceptions import FileError, FolderError, UsageError
from ndks.folders import names, read, removal, rules, unpack, walk
from ndks.folders.entries import END, MOST_RECORDS, Entry, entry_of, head_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("tiny_volumes",)

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "folder")


def refused(stream: bytes, tmp_path: Path) -> str:
    """Return why a stream is refused; nothing outside its place was made."""
    before = seen_in(tmp_path).keys()
    with pytest.raises(FolderError) as raised:
        unpacked(stream, tmp_path / "place")
    assert {name for name in seen_in(tmp_path).keys() - before if not name.startswith("place")} == set()
    return str(raised.value)


def odd(path: str, kind: bytes, link: str = "") -> bytes:
    info = tarfile.TarInfo(path)
    info.type, info.linkname = kind, link
    return info.tobuf(tarfile.PAX_FORMAT)


def test_every_rule_has_its_test_and_its_line() -> None:
    text = (Path(__file__).parents[2] / "docs" / "folders.md").read_text()
    for rule in rules.all_rules():
        assert f"test_{rule.test}" in globals(), rule.thing
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


def test_a_folder_on_which_something_is_mounted_meanwhile(
    folder: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (small_disk / "inside").touch()
    opened = walk.open_inside

    def mount_first(name: str, directory: int, *, is_folder: bool) -> int:
        return os.open(small_disk, os.O_RDONLY) if name == "empty" else opened(name, directory, is_folder=is_folder)

    monkeypatch.setattr(walk, "open_inside", mount_first)
    assert noted(folder) == {"mount": ["empty"]}


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


def test_vanishing(folder: Path, tmp_path: Path) -> None:
    def remove_later(_size: int, files: int) -> None:
        if files and (folder / "8.bin").exists():
            (folder / "8.bin").unlink()
            (folder / "part 2" / "11.bin").unlink()

    seen = noted(folder, remove_later)
    assert seen == {"vanished": ["8.bin"], "changed": ["part 2"]}  # the other one was gone before its folder was read


def test_moving(folder: Path) -> None:
    moved, count = folder / "part 2" / "11.bin", 0

    def move_later(_size: int, files: int) -> None:
        nonlocal count
        count += files
        if count == 6 and moved.exists():  # three files, and the three of part 0
            moved.rename(folder / "part 0" / "11.bin")

    assert noted(folder, move_later) == {"changed": ["part 2"]}


def test_moving_as_soon_as_the_walk_has_begun(tmp_path: Path) -> None:
    """File systems take times from a clock that is some milliseconds late."""
    for number in range(5):
        source, notes = tmp_path / str(number), rules.Notes()
        for name in "abc":
            (source / name).mkdir(parents=True)
        (source / "c" / "file").touch()
        time.sleep(0.01)  # so that it is older than the last tick
        walking = walk.Walk(source, notes)
        for found in walking:
            if found.path == "b":
                (source / "c" / "file").rename(source / "a" / "file")
        walking.close()
        assert notes.names == {"changed": ["c"]}


def test_changing(folder: Path) -> None:
    (folder / "log").write_bytes(bytes(300_000))

    def append(size: int, _files: int) -> None:
        if size > 100_000:
            with (folder / "log").open("ab") as log:
                log.write(b"more")

    assert noted(folder, append) == {"changed": ["log"]}

    def shorten(size: int, _files: int) -> None:
        if size > 100_000:
            os.truncate(folder / "log", 1000)

    with pytest.raises(FileError, match="log in the folder became shorter"):
        packed(folder, progress=shorten)


def test_a_link_in_the_place_of_a_file_is_not_followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "swapped").write_bytes(b"x")
    opened = walk.open_inside

    def swap_first(name: str, directory: int, *, is_folder: bool) -> int:
        if name == "swapped":
            (folder / "swapped").unlink()
            (folder / "swapped").symlink_to("/etc/passwd")
        return opened(name, directory, is_folder=is_folder)

    monkeypatch.setattr(walk, "open_inside", swap_first)
    assert noted(folder) == {"vanished": ["swapped"]}


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


def test_not_utf8(folder: Path, tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).touch()
    except OSError:
        pytest.skip("this file system refuses the name itself")
    with pytest.raises(FileError, match="not UTF-8"):
        packed(folder)
    head = bytearray(entry("x"))
    head[0] = 0xFF
    head[148:156] = b"        "
    head[148:155] = b"%06o\0" % sum(head)
    assert "damaged" in refused(root() + head, tmp_path)


def test_deep(tmp_path: Path) -> None:
    place = top = tmp_path / "deep"
    for _ in range(rules.MOST_LEVELS):
        place.mkdir()
        place /= "d"
    place.touch()
    out = unpacked(packed(top), tmp_path / "out")
    assert len(seen_in(out)) == rules.MOST_LEVELS + 1
    place.unlink()
    place.mkdir()
    with pytest.raises(FileError, match="deep"):
        packed(top)
    stream = root() + b"".join(entry("/".join("d" * n), is_folder=True) for n in range(1, rules.MOST_LEVELS + 2))
    assert "too deep" in refused(stream, tmp_path)


def test_inside(folder: Path, alice: str) -> None:
    with ndks.open(alice) as unit, pytest.raises(FileError, match="lies in the folder"):
        unit.encrypt_folder(folder, folder / "part 1" / "out.ndks")


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", ".", "..", "a//b", "./x", "x/.", "n" * 256, "a\0b"])
def test_traversal(path: str, tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.pax_headers = {"path": path}
    refused(root() + info.tobuf(tarfile.PAX_FORMAT), tmp_path)
    refused(info.tobuf(tarfile.PAX_FORMAT), tmp_path / "place")  # not even as the first entry


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_link_that_appears_among_what_is_unpacked_is_not_followed(tmp_path: Path, is_folder: bool) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "place").mkdir()
    with contextlib.closing(unpack.FolderWriter(tmp_path / "place")) as writer:
        stream = read.FolderStream(writer)
        stream.write(root())
        (tmp_path / "place" / "x").symlink_to(outside if is_folder else outside / "x")
        with pytest.raises(FileError, match="takes x for another name"):
            stream.write(entry("x", is_folder=is_folder, size=0 if is_folder else 1))
    assert seen_in(outside).keys() == {"."}


@pytest.mark.parametrize(
    "entries",
    [
        [entry("b"), entry("a")],
        [entry("a"), entry("a")],
        [entry("a"), entry("a", is_folder=True)],
        [entry("d", is_folder=True), entry("e"), entry("d/x")],
        [entry("d/x")],
        [entry("d"), entry("d/x")],
        [entry("d", is_folder=True), entry("d/b"), entry("d/a")],
        [root()],
    ],
)
def test_order(entries: list[bytes], tmp_path: Path) -> None:
    assert "entry" in refused(root() + b"".join(entries) + END, tmp_path) or entries == [root()]


def test_bombs(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.pax_headers = {"path": "x" * MOST_RECORDS}
    assert "too large" in refused(root() + info.tobuf(tarfile.PAX_FORMAT), tmp_path)
    head = tarfile.TarInfo("x")
    head.size = 10**15  # announced, and not there: nothing is made of it
    (tmp_path / "place").rmdir()
    assert "missing" in refused(root() + head.tobuf(tarfile.PAX_FORMAT), tmp_path)
    assert (tmp_path / "place" / "x").stat().st_size == 0


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        root(),
        END,
        root() + END[:-1],
        root() + END[:-1] + b"x",
        root() + END + b"\0",
        root() + entry("x", size=1)[:-1] + b"x" + END,
        root() + bytes(100) + entry("x") + END,
        entry("x") + END,
    ],
)
def test_a_stream_that_packing_does_not_make_is_refused(stream: bytes, tmp_path: Path) -> None:
    refused(stream, tmp_path)


@pytest.mark.parametrize(
    "records", [{"linkpath": "y"}, {"GNU.sparse.map": "0,1"}, {"mtime": "1e3"}, {"size": "-1"}, {"uid": "1"}]
)
def test_other_records_are_refused(records: dict[str, str], tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.pax_headers = records
    refused(root() + info.tobuf(tarfile.PAX_FORMAT), tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        *({"uid": 1}, {"gname": "root"}, {"mtime": 1, "pax_headers": {"mtime": "1.000000001"}}),
        *({"pax_headers": {"path": "x"}}, {"pax_headers": {"size": "0"}}, {"pax_headers": {"mtime": "-0.000000000"}}),
    ],
)
def test_another_head_of_the_same_entry_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    for name, value in change.items():
        setattr(info, name, value)
    assert "not as packing makes it" in refused(root() + info.tobuf(tarfile.PAX_FORMAT) + END, tmp_path)


@pytest.mark.parametrize("time", [0, 1, -1, -(10**9), 8**11 * 10**9, 8**11 * 10**9 + 1, 10**9 * (8**11 - 1)])
@pytest.mark.parametrize("path", ["x", "x" * 99, "x" * 100, "x" * 101, "ü" * 99, "a/\U0001f600"])
def test_heads_are_those_of_tarfile(time: int, path: str) -> None:
    for size in (0, 8**11 - 1, 8**11, 10**17):
        for is_folder in (False, True)[: 1 if size else 2]:
            info = tarfile.TarInfo(path)
            info.type, info.mode, info.size = tarfile.DIRTYPE if is_folder else tarfile.REGTYPE, 0o640, size
            if time < 0 or time % 10**9:
                info.pax_headers = {"mtime": f"{Decimal(time) / 10**9:.9f}"}
            else:
                info.mtime = time // 10**9
            made = Entry(path, is_folder, 0o640, time, size)
            assert head_of(made) == info.tobuf(tarfile.PAX_FORMAT)
            assert entry_of(head_of(made)) == made


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


def test_other_systems(folder: Path, alice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "supports_dir_fd", set[Any]())
    with ndks.open(alice) as unit:
        with pytest.raises(UsageError, match="descriptors"):
            unit.encrypt_folder(folder, tmp_path / "out.ndks")
        with pytest.raises(UsageError, match="descriptors"):
            unit.decrypt_folder(io.BytesIO(bytes(100)), tmp_path / "out")
