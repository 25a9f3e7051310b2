# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Folders for tests, and their streams without a unit."""

import contextlib
import os
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ndks.driver.folder_plans import PackingPlan, UnpackingPlan, load
from ndks.driver.unit import Unit
from ndks.exceptions import FolderError
from ndks.folders import volumes
from ndks.folders.entries import Entry, head_of, padding
from ndks.folders.pack import PackedFolder, Progress
from ndks.folders.read import FolderStream
from ndks.folders.rules import Notes
from ndks.folders.unpack import FolderWriter

SMALL_TEXT = 1 << 18  # bytes of the text of a volume; the command reads as much before it knows what it is
TINY_TEXT = 1 << 14
Seen = dict[str, tuple[int, int, bytes | None]]


@pytest.fixture
def small_volumes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volumes, "TEXT_SIZE", SMALL_TEXT)


@pytest.fixture
def tiny_volumes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volumes, "TEXT_SIZE", TINY_TEXT)


def make_folder(path: Path, files: int = 12, size: int = 5000, seed: int = 1) -> Path:
    """Make a folder with files of random content, some of them in folders, some empty."""
    draw = random.Random(seed)
    path.mkdir()
    for number in range(files):
        place = path / f"part {number % 3}" if number % 4 else path
        place.mkdir(exist_ok=True)
        file = place / f"{number}.bin"
        file.write_bytes(draw.randbytes(number * size // files))
        file.chmod(draw.choice([0o600, 0o644, 0o750]))
        os.utime(file, ns=(0, draw.randrange(1 << 61)))
    (path / "empty").mkdir(mode=0o700)
    os.utime(path / "empty", ns=(0, 10**18 + 1))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "folder")


def seen_in(folder: Path) -> Seen:
    """Return mode, time and content of all that is in a folder, and of itself."""
    found: Seen = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
        found[str(path.relative_to(folder))] = status.st_mode, status.st_mtime_ns, content
    return found


def nobody(_size: int, _files: int) -> None:
    pass


def packed(folder: Path, notes: Notes | None = None, progress: Progress = nobody) -> bytes:
    """Return the stream of a folder."""
    with contextlib.closing(PackedFolder(folder, notes or Notes(), progress)) as stream:
        return b"".join(iter(lambda: stream.read(3000), b""))


def noted(folder: Path, progress: Progress = nobody) -> dict[str, list[str]]:
    notes = Notes()
    packed(folder, notes, progress)
    return notes.names


def unpacked(stream: bytes, place: Path, piece: int = 1 << 20) -> Path:
    """Unpack a stream in pieces of this size; return the folder."""
    place.mkdir()
    with contextlib.closing(FolderWriter(place)) as writer:
        sink = FolderStream(writer)
        for start in range(0, len(stream), piece):
            sink.write(stream[start : start + piece])
        sink.finish()
    return place


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


def entry(path: str, *, is_folder: bool = False, size: int = 0, mode: int = 0o755, time: int = 0) -> bytes:
    """Return the head of an entry, and zeros as its content."""
    return head_of(Entry(path, is_folder, mode, time, size)) + bytes(size + padding(size))


def root() -> bytes:
    return entry(".", is_folder=True)


@contextlib.contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    yield
    os.umask(before)


class Cut(Exception):
    """The interruption."""


@contextlib.contextmanager
def cut_at(monkeypatch: pytest.MonkeyPatch, name: str, call: int) -> Iterator[None]:
    """Interrupt this call, counted from 1, of a method of units."""
    calls, method = 0, getattr(Unit, name)

    def counted(unit: Unit, *args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call:
            raise Cut
        return method(unit, *args, **kwargs)

    with monkeypatch.context() as patched, contextlib.suppress(Cut):
        patched.setattr(Unit, name, counted)
        yield
    assert calls == call


def volumes_done(target: Path, verb: str) -> int:
    if verb == "encrypt":
        packing = load(target, PackingPlan)
        return packing.volumes if packing else 0
    unpacking = load(target, UnpackingPlan)
    return len(unpacking.headers) if unpacking else 0
