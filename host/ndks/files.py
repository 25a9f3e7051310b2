# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Atomic file writes: a file is complete or absent, never overwritten unasked; files with secrets have mode 0600."""

import contextlib
import errno
import io
import logging
import os
import secrets
import shlex
import shutil
import stat
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, Protocol

from .exceptions import FileError, reason
from .paths import follow, keep_owner, refuse_long_name
from .system_errors import file_errors

_log = logging.getLogger(__name__)

_PRIVATE = 0o600
_OTHERS = 0o077  # the permissions of group and others
_SMALL = 1 << 20  # bytes
_PIECE = 1 << 14  # bytes
_USUAL = 0o666  # the umask is subtracted
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_DESCRIPTORS = Path("/proc/self/fd")
# Errors of fsync on file systems that do not support it, such as CIFS and FUSE.
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
_NO_DIRECTORY_SYNC = _NO_SYNC | {errno.EACCES, errno.EPERM, errno.EBADF, errno.EISDIR}  # some cannot be opened
# Errors of systems that cannot link an unnamed file: no /proc, no hard links, or a security policy.
_NO_NAME = _NO_SYNC | {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EXDEV, errno.ELOOP, errno.EMLINK}


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
    if type(source) is io.BufferedReader:  # its heirs may do more in `read`
        return source.read1(size) or source.read(size)  # read1 returns b"" too if there is nothing yet
    return source.read(size)


def refuse_existing(path: Path, force: bool, option: str = "-o") -> None:
    """Raise FileError when `path` exists and may not be overwritten, or when no file can be created there.

    `option` is that of the command for this path.
    """
    _refuse_without_place(path)
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is not a regular file", "name another, or use - for stdout")
    if path.exists() and not force:
        raise _exists(path, option)


@contextlib.contextmanager
def whole_file(path: Path, *, private: bool, overwrite: bool = True, beside: Path | None = None) -> Generator[BinaryIO]:
    """Write a file atomically: at the end it is complete and on the disk, or the former one is unchanged.

    Without `overwrite`, raise FileError when the file exists at the end, even if it appeared in the meantime. On Linux
    the file has no name until it is complete, so a killed process leaves no part of it behind. A failure after the file
    has its name is only logged. A file written by root gets the owner of the file that it replaces, or else of
    `beside`. FileError, OSError.
    """
    target = follow(path)  # a symbolic link is not replaced
    owners = (*([target] if overwrite else []), *([beside] if beside else []))
    draft = _Draft(target, _PRIVATE if private else _USUAL, owners)
    try:
        yield draft.file
        draft.place(overwrite=overwrite)
    except BaseException:
        draft.discard()
        raise
    sync_directory(target.parent, f"{path} is complete")


def private_file(
    path: Path, *, overwrite: bool = True, beside: Path | None = None
) -> contextlib.AbstractContextManager[BinaryIO]:
    """Write a file of mode 0600 atomically; see `whole_file`."""
    return whole_file(path, private=True, overwrite=overwrite, beside=beside)


def write_private(path: Path, data: bytes, *, overwrite: bool = True, beside: Path | None = None) -> None:
    """Write `data` to a file of mode 0600 atomically."""
    with private_file(path, overwrite=overwrite, beside=beside) as file:
        file.write(data)


def write_new(path: Path, data: bytes) -> None:
    """Write `data` to a new file of mode 0600 atomically. FileError if the path exists; OSError."""
    refuse_taken(path)
    try:
        write_private(path, data, overwrite=False)
    except FileError:
        refuse_taken(path)  # by now, with the advice of a file that is never overwritten
        raise


def refuse_taken(path: Path) -> None:
    """Raise FileError when `path` exists, or when no file can be created there."""
    _refuse_without_place(path)
    if os.path.lexists(path):
        raise FileError(f"{path} exists, and is not overwritten", "name another file, -o OTHER, or move this one away")


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


def replace_durably(source: Path, target: Path) -> None:
    """Rename a file and return when the new name is on the disk. The owner of the replaced file stays."""
    with contextlib.suppress(OSError), source.open("rb") as file:
        keep_owner(file.fileno(), target)
    source.replace(target)
    sync_directory(target.parent, f"{target} is complete")


@contextlib.contextmanager
def where_supported() -> Generator[None]:
    """Ignore the errors of fsync on file systems that do not support it."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def sync_directory(path: Path, done: str) -> None:
    """Write the names in a directory to the disk. A failure is only logged, after the text `done`."""
    if os.name != "posix":  # other systems cannot open directories
        return
    try:
        directory = os.open(path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:
            _log.warning("%s, and may not survive a power cut: %s", done, reason(error))


def remove_done(path: Path, done: str) -> None:
    """Remove a file that is no longer needed. A failure is only logged, after the text `done`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("%s; only %s could not be removed: %s", done, path, reason(error))


def refuse_append_only(directory: Path) -> None:
    """Raise FileError for an append-only directory: a secret under a temporary name would stay there."""
    name = _passing_name(directory)
    with _about(directory):
        os.close(os.open(name, _NEW, _PRIVATE))
    try:
        name.unlink(missing_ok=True)
    except OSError as error:
        what = f"in {directory} no file can be renamed or removed: {reason(error)}"
        raise FileError(what, "name a file elsewhere; lsattr -d shows whether the directory is append-only") from None


class _Draft:
    """A file that is being written: unnamed where the system supports that, elsewhere under a temporary name."""

    def __init__(self, path: Path, mode: int, owners: tuple[Path, ...]) -> None:
        self.path = path
        self._mode = mode
        self._owners = owners
        self._passing = _passing_name(path.parent)
        self._is_named = self._is_placed = False
        with _about(path):
            descriptor = _open_unnamed(path.parent, mode)
            self.file = self._open_named() if descriptor is None else os.fdopen(descriptor, "w+b")

    def place(self, *, overwrite: bool) -> None:
        """Give the written file its final name. FileError, OSError; later failures are only logged."""
        with _about(self.path):
            self._settle()
            if not self._is_named and self._name(overwrite=overwrite):
                self._is_placed = True
                self._close()
                return
            self.file.close()
            self._rename(overwrite=overwrite)

    def discard(self) -> None:
        """Remove the temporary file, if there is one."""
        with contextlib.suppress(OSError):
            self.file.close()
        try:
            self._passing.unlink(missing_ok=True)
        except OSError:
            if not self._is_placed:
                with contextlib.suppress(OSError):
                    os.truncate(self._passing, 0)  # the name stays, without the content

    def _open_named(self) -> BinaryIO:
        refuse_append_only(self.path.parent)
        descriptor = os.open(self._passing, _NEW, self._mode)
        self._is_named = True
        return os.fdopen(descriptor, "w+b")

    def _settle(self) -> None:
        self.file.flush()
        keep_owner(self.file.fileno(), *self._owners)
        with where_supported():
            os.fsync(self.file.fileno())

    def _name(self, *, overwrite: bool) -> bool:
        """Link the unnamed file to its final name; return False if it has only a temporary name so far."""
        try:
            if self._link(self.path):
                return True
        except FileExistsError:
            if not overwrite:
                raise _exists(self.path) from None
            refuse_append_only(self.path.parent)
            self._is_named = self._link(self._passing)
        if not self._is_named:
            self._copy()
        return False

    def _link(self, name: Path) -> bool:
        """Link the unnamed file to `name`; return False where the system does not support that."""
        try:
            descriptor = self.file.fileno()
            # With src_dir_fd, Python calls linkat with AT_SYMLINK_FOLLOW.
            os.link(_DESCRIPTORS / str(descriptor), name, src_dir_fd=descriptor)
        except OSError as error:
            if error.errno not in _NO_NAME:
                raise
            return False
        return True

    def _copy(self) -> None:
        """Copy the content to a file under a temporary name."""
        with self.file as unnamed:
            self.file = self._open_named()
            unnamed.seek(0)
            shutil.copyfileobj(unnamed, self.file)
        self._settle()

    def _rename(self, *, overwrite: bool) -> None:
        if overwrite or not self._link_own_name():
            self._passing.replace(self.path)
            self._is_placed = True
            return
        self._is_placed = True
        remove_done(self._passing, f"{self.path} is complete")

    def _link_own_name(self) -> bool:
        """Link the file to its final name, without replacing another; return False on file systems without links."""
        try:
            os.link(self._passing, self.path)
        except FileExistsError:
            raise _exists(self.path) from None
        except OSError:
            if self.path.exists():
                raise _exists(self.path) from None
            return False
        return True

    def _close(self) -> None:
        """Close the file after it got its final name."""
        try:
            self.file.close()
        except OSError as error:
            _log.warning("%s is complete, and may not survive a power cut: %s", self.path, reason(error))


@contextlib.contextmanager
def _about(path: Path) -> Generator[None]:
    """Make errors name the target file, not the temporary one."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def _passing_name(directory: Path) -> Path:
    return directory / f".ndks-{secrets.token_hex(8)}"


def _refuse_without_place(path: Path) -> None:
    refuse_long_name(path)
    if not path.parent.is_dir():
        raise FileError(f"there is no directory {path.parent}", "create it, or name another")


def _exists(path: Path, option: str = "-o") -> FileError:
    return FileError(f"{path} exists", f"name another file, {option} OTHER, or repeat with --force to overwrite it")


def _open_unnamed(directory: Path, mode: int) -> int | None:
    """Open an unnamed file; return None where the system does not support that."""
    if hasattr(os, "O_TMPFILE") and _DESCRIPTORS.is_dir():
        with contextlib.suppress(OSError):  # not every file system supports it
            return os.open(directory, os.O_TMPFILE | os.O_RDWR, mode)
    return None
