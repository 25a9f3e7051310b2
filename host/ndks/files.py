# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files that are whole or not there at all, never overwritten unasked; those with secrets have mode 0600."""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, Protocol

from .exceptions import FileError

_PRIVATE = 0o600
_OTHERS = 0o077  # may neither read nor write
_USUAL = 0o666  # less the umask
_DESCRIPTORS = Path("/proc/self/fd")


class Source(Protocol):
    """What can be read: a file, a pipe."""

    def read(self, size: int, /) -> bytes | None: ...


class Sink(Protocol):
    """What can be written to, in whole pieces."""

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> None: ...


def refuse_existing(path: Path, force: bool) -> None:
    """Raise FileError when `path` exists and may not be overwritten."""
    if not path.parent.is_dir():
        raise FileError(f"there is no directory {path.parent}", "make it first, or name another")
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is no regular file", "name another, or use - for stdout")
    if path.exists() and not force:
        raise _exists(path)


@contextlib.contextmanager
def whole_file(path: Path, *, private: bool, overwrite: bool = True) -> Generator[BinaryIO]:
    """Write a file that is whole and on the disk at the end, or leave what was there before. OSError.

    Without `overwrite`, FileError for a file that is there at the end, also one that came meanwhile. Where the system
    can do that (Linux), the file has no name until it is whole: not even a killed process leaves a part of it behind.
    """
    path = path.resolve()  # a link is followed, not replaced
    temporary = path.with_name(f".ndks-{secrets.token_hex(8)}")
    mode = _PRIVATE if private else _USUAL
    descriptor = _open_unnamed(path.parent, mode)
    named = descriptor is None
    if descriptor is None:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if not named:
                named = _give_name(file.fileno(), path, temporary, overwrite=overwrite)
        if named:
            _rename(temporary, path, overwrite=overwrite)
        sync_directory(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def private_file(path: Path, *, overwrite: bool = True) -> contextlib.AbstractContextManager[BinaryIO]:
    """Write a file of mode 0600, as `whole_file` does."""
    return whole_file(path, private=True, overwrite=overwrite)


def write_private(path: Path, data: bytes, *, overwrite: bool = True) -> None:
    """Write all of a file at once, as `private_file` does."""
    with private_file(path, overwrite=overwrite) as file:
        file.write(data)


@contextlib.contextmanager
def storing(target: Path | str | Sink, *, overwrite: bool = True) -> Generator[Sink]:
    """Keep what is written from everybody until the end, and then store it at `target`; nothing if that fails."""
    if isinstance(target, (str, Path)):
        with private_file(Path(target), overwrite=overwrite) as file:
            yield file
        return
    with tempfile.TemporaryFile() as verified:  # mode 0600
        yield verified
        verified.seek(0)
        shutil.copyfileobj(verified, target)
        target.flush()


@contextlib.contextmanager
def reading(source: Path | str | Source) -> Generator[Source]:
    """Open the file at a path; what is no path is taken as an open one."""
    if isinstance(source, (str, Path)):
        with Path(source).open("rb") as file:
            yield file
    else:
        yield source


@contextlib.contextmanager
def writing(target: Path | str | Sink, *, overwrite: bool = True) -> Generator[Sink]:
    """Write a file that is no secret: a path whole or not at all, anything else as it comes."""
    if isinstance(target, (str, Path)):
        with whole_file(Path(target), private=False, overwrite=overwrite) as file:
            yield file
    else:
        yield target
        target.flush()


def read_private(path: Path) -> bytes:
    """Return what is in a file that only its owner may read or write. FileError for another, OSError."""
    if os.name == "posix" and path.stat().st_mode & _OTHERS:
        raise FileError(f"others may read or write {path}", f"chmod 600 {path}")
    return path.read_bytes()


def replace_durably(source: Path, target: Path) -> None:
    """Rename a file, and return when the new name is on the disk."""
    source.replace(target)
    sync_directory(target.parent)


def sync_directory(path: Path) -> None:
    """Return when the names in a directory are on the disk."""
    if os.name == "posix":  # elsewhere directories cannot be opened
        directory = os.open(path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _exists(path: Path) -> FileError:
    return FileError(f"{path} exists", "name another file, or repeat with --force to overwrite it")


def _rename(temporary: Path, path: Path, *, overwrite: bool) -> None:
    if not overwrite:
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise _exists(path) from None
        except OSError:  # no links on this file system
            if path.exists():
                raise _exists(path) from None
        else:
            temporary.unlink()
            return
    temporary.replace(path)


def _give_name(descriptor: int, path: Path, temporary: Path, *, overwrite: bool) -> bool:
    """Name a file that has no name yet `path`, or `temporary` where there is a file of that name; tell whether so."""
    source = _DESCRIPTORS / str(descriptor)
    try:
        os.link(source, path, src_dir_fd=descriptor)  # with a descriptor, Python has the link followed
    except FileExistsError:
        if not overwrite:
            raise _exists(path) from None
        os.link(source, temporary, src_dir_fd=descriptor)
        return True
    return False


def _open_unnamed(directory: Path, mode: int) -> int | None:
    """Open a new file that has no name yet; None where that cannot be."""
    if hasattr(os, "O_TMPFILE") and _DESCRIPTORS.is_dir():
        with contextlib.suppress(OSError):  # not every file system can
            return os.open(directory, os.O_TMPFILE | os.O_RDWR, mode)
    return None
