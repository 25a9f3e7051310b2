# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Rules of `ndks.folders.rules`: streams that are refused, and that packing makes each stream in one way."""

import os
import tarfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from host.folding import entry, folder, packed, refused, root, seen_in, unpacked

from ndks.exceptions import FileError
from ndks.folders import rules
from ndks.folders.entries import END, MOST_RECORDS, Entry, entry_of, head_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no descriptors of folders")
__all__ = ("folder",)


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


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", ".", "..", "a//b", "./x", "x/.", "n" * 256, "a\0b"])
def test_traversal(path: str, tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.pax_headers = {"path": path}
    refused(root() + info.tobuf(tarfile.PAX_FORMAT), tmp_path)
    refused(info.tobuf(tarfile.PAX_FORMAT), tmp_path / "place")  # not even as the first entry


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
