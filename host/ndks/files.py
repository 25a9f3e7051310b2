# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files and streams: small files are read with care, and what is written is whole or not there."""

import contextlib
import io
import os
import shlex
import shutil
import stat
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, Protocol

from .exceptions import FileError, reason
from .system_errors import file_errors
from .whole_file import private_file, whole_file

_OTHERS = 0o077  # the permissions of group and others
_SMALL = 1 << 20  # bytes
_PIECE = 1 << 14  # bytes


class Source(Protocol):
    """A readable stream: a file or a pipe."""

    def read(self, size: int, /) -> bytes | None: ...


class Sink(Protocol):
    """A writable stream: `write` takes all of its data."""

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> None: ...


def read_some(source: Source, size: int) -> bytes | None:
    """Return what has arrived, at most `size` bytes; b"" at the end; None if there is nothing yet. OSError.

    The usual open file waits in `read` until it has all of `size`, so that a slow pipe would hold up what is there.
    """
    if type(source) is io.BufferedReader:  # its subclasses may do more in `read`
        return source.read1(size) or source.read(size)  # read1 returns b"" too if there is nothing yet
    return source.read(size)


@contextlib.contextmanager
def reading(source: Path | str | Source) -> Generator[Source]:
    """Open a path for reading (FileError); an open stream is used as it is."""
    if isinstance(source, (str, Path)):
        with _opened(Path(source)) as file:
            yield file
    else:
        yield source


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise no_such_file(path) from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason(error)}", "check the path and its permissions") from None


def no_such_file(path: Path) -> FileError:
    return FileError(f"there is no {path}", "check the name")


@contextlib.contextmanager
def writing(target: Path | str | Sink, *, overwrite: bool = True) -> Generator[Sink]:
    """Write data that is not secret: to a path atomically (FileError), to an open stream at once."""
    if isinstance(target, (str, Path)):
        with file_errors(), whole_file(Path(target), private=False, overwrite=overwrite) as file:
            yield file
    else:
        yield target
        target.flush()


@contextlib.contextmanager
def storing(target: Path | str | Sink, *, overwrite: bool = True) -> Generator[Sink]:
    """Buffer all writes privately and store them at `target` when the block ends; store nothing if it fails.

    FileError for a path; exceptions of an open stream are not changed.
    """
    if isinstance(target, (str, Path)):
        with file_errors(), private_file(Path(target), overwrite=overwrite) as file:
            yield file
        return
    with tempfile.TemporaryFile() as verified:  # mode 0600
        yield verified
        verified.seek(0)
        shutil.copyfileobj(verified, target)
        target.flush()


def read_small(path: Path, most: int = _SMALL) -> bytes:
    """Return the content of a file of at most so many bytes. FileError for a larger or endless file; OSError."""
    content = bytearray()
    with path.open("rb") as file:
        while len(content) <= most and (more := file.read(_PIECE)):  # read(most) would allocate as much
            content += more
    if len(content) > most:
        raise FileError(f"{path} is too large for a file of its kind", "check the name")
    return bytes(content)


def read_private(path: Path) -> bytes:
    """Return the content of a small file. FileError unless only its owner may read and write it; OSError."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise FileError(f"{path} is not a regular file", "move it away, or restore it from a copy")
    refuse_public(path)
    return read_small(path)


def refuse_public(*paths: Path) -> None:
    """Raise a FileError that names all of these files that users other than the owner may access. OSError."""
    public = [str(path) for path in paths if os.name == "posix" and _is_public(path.stat().st_mode)]
    if public:
        raise FileError(f"others may read or write {', '.join(public)}", f"chmod 600 {shlex.join(public)}")


def _is_public(mode: int) -> bool:
    return stat.S_ISREG(mode) and bool(mode & _OTHERS)  # a pipe has only one reader
