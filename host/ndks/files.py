# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files that are whole or not there at all, never overwritten unasked; those with secrets have mode 0600."""

import contextlib
import errno
import logging
import os
import secrets
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
_OTHERS = 0o077  # may neither read nor write
_SMALL = 1 << 20  # bytes
_PIECE = 1 << 14
_USUAL = 0o666  # less the umask
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_DESCRIPTORS = Path("/proc/self/fd")
# Of file systems that have no such operation, and lose nothing by it: CIFS, FUSE and others.
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
_NO_DIRECTORY_SYNC = _NO_SYNC | {errno.EACCES, errno.EPERM, errno.EBADF, errno.EISDIR}  # nor may every one be read
# Of systems on which a file without a name gets none: no /proc, no hard links, a rule against it.
_NO_NAME = _NO_SYNC | {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EXDEV, errno.ELOOP, errno.EMLINK}


class Source(Protocol):
    """What can be read: a file, a pipe."""

    def read(self, size: int, /) -> bytes | None: ...


class Sink(Protocol):
    """What can be written to, in whole pieces."""

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> None: ...


def refuse_existing(path: Path, force: bool) -> None:
    """Raise FileError when `path` exists and may not be overwritten, or can be no file's."""
    refuse_long_name(path)
    if not path.parent.is_dir():
        raise FileError(f"there is no directory {path.parent}", "make it first, or name another")
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is no regular file", "name another, or use - for stdout")
    if path.exists() and not force:
        raise _exists(path)


@contextlib.contextmanager
def whole_file(path: Path, *, private: bool, overwrite: bool = True, beside: Path | None = None) -> Generator[BinaryIO]:
    """Write a file that is whole and on the disk at the end, or leave what was there before. FileError, OSError.

    Without `overwrite`, FileError for a file that is there at the end, also one that came meanwhile. Where the system
    can do that (Linux), the file has no name until it is whole: not even a killed process leaves a part of it behind.
    What is in its place counts as written: what goes wrong after that is no error, but a warning in the log. When root
    writes, the file belongs to the owner of the one that it replaces, or else of `beside`.
    """
    target = follow(path)  # a link is followed, not replaced
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
    """Write a file of mode 0600, as `whole_file` does."""
    return whole_file(path, private=True, overwrite=overwrite, beside=beside)


def write_private(path: Path, data: bytes, *, overwrite: bool = True, beside: Path | None = None) -> None:
    """Write all of a file at once, as `private_file` does."""
    with private_file(path, overwrite=overwrite, beside=beside) as file:
        file.write(data)


@contextlib.contextmanager
def storing(target: Path | str | Sink, *, overwrite: bool = True) -> Generator[Sink]:
    """Keep what is written from everybody until the end, and then store it at `target`; nothing if that fails.

    FileError for a path; what an open file raises is not changed.
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
    """Open the file at a path; what is no path is taken as an open one. FileError."""
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
    """Write a file that is no secret: a path whole or not at all (FileError), anything else as it comes."""
    if isinstance(target, (str, Path)):
        with file_errors(), whole_file(Path(target), private=False, overwrite=overwrite) as file:
            yield file
    else:
        yield target
        target.flush()


def read_small(path: Path) -> bytes:
    """Return what is in a file of a megabyte at the most. FileError for one that is larger or has no end, OSError."""
    content = bytearray()
    with path.open("rb") as file:
        while len(content) <= _SMALL and (more := file.read(_PIECE)):  # no more memory than it needs
            content += more
    if len(content) > _SMALL:
        raise FileError(f"{path} is too large for what it should be", "check the name")
    return bytes(content)


def read_private(path: Path) -> bytes:
    """Return what is in a small file that only its owner may read or write. FileError for another, OSError."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise FileError(f"{path} is no regular file", "move it away, or restore it from a copy")
    if os.name == "posix" and mode & _OTHERS:
        raise FileError(f"others may read or write {path}", f"chmod 600 {path}")
    return read_small(path)


def replace_durably(source: Path, target: Path) -> None:
    """Rename a file, and return when the new name is on the disk; the owner of the one that it replaces stays."""
    with contextlib.suppress(OSError), source.open("rb") as file:
        keep_owner(file.fileno(), target)
    source.replace(target)
    sync_directory(target.parent, f"{target} is complete")


@contextlib.contextmanager
def where_supported() -> Generator[None]:
    """Pass over fsync where the file system has no such operation."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def sync_directory(path: Path, done: str) -> None:
    """Return when the names in a directory are on the disk; what was `done` there is done: at worst, the log warns."""
    if os.name != "posix":  # elsewhere directories cannot be opened
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
    """Remove a file that is of no use any more; what was `done` is done: at worst, the log warns."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("%s; only %s could not be removed: %s", done, path, reason(error))


def refuse_append_only(directory: Path) -> None:
    """Raise FileError where no name can be taken away again: a secret under a name in passing would stay."""
    name = _passing_name(directory)
    with _about(directory):
        os.close(os.open(name, _NEW, _PRIVATE))
    try:
        name.unlink(missing_ok=True)
    except OSError as error:
        what = f"in {directory} no file can be renamed or removed: {reason(error)}"
        raise FileError(what, "name a file elsewhere; lsattr -d shows whether the directory is append-only") from None


class _Draft:
    """A file that is being written, without a name where the system can do that, elsewhere with one in passing."""

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
        """Give a file that was written its own name. FileError, OSError; what fails after that is no failure."""
        with _about(self.path):
            self._settle()
            if not self._is_named and self._name(overwrite=overwrite):
                self._is_placed = True
                self._close()
                return
            self.file.close()
            self._rename(overwrite=overwrite)

    def discard(self) -> None:
        """Leave nothing of it behind but what has its own name."""
        with contextlib.suppress(OSError):
            self.file.close()
        try:
            self._passing.unlink(missing_ok=True)
        except OSError:
            if not self._is_placed:
                with contextlib.suppress(OSError):
                    os.truncate(self._passing, 0)  # a name that stays leads to nothing

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
        """Give a file without a name its own; False when it has one in passing now, and is still to be renamed."""
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
        """Name a file that has no name; False where the system does not do that."""
        try:
            descriptor = self.file.fileno()
            # With a descriptor, Python has the link followed.
            os.link(_DESCRIPTORS / str(descriptor), name, src_dir_fd=descriptor)
        except OSError as error:
            if error.errno not in _NO_NAME:
                raise
            return False
        return True

    def _copy(self) -> None:
        """Write it once more, with a name in passing."""
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
        """Link its own name as well, which replaces nothing; False on file systems without links."""
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
        """Close a file that is in its place."""
        try:
            self.file.close()
        except OSError as error:
            _log.warning("%s is complete, and may not survive a power cut: %s", self.path, reason(error))


@contextlib.contextmanager
def _about(path: Path) -> Generator[None]:
    """Let errors name the file that is written, not the name that it has in passing."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def _passing_name(directory: Path) -> Path:
    return directory / f".ndks-{secrets.token_hex(8)}"


def _exists(path: Path) -> FileError:
    return FileError(f"{path} exists", "name another file, or repeat with --force to overwrite it")


def _open_unnamed(directory: Path, mode: int) -> int | None:
    """Open a new file that has no name yet; None where that cannot be."""
    if hasattr(os, "O_TMPFILE") and _DESCRIPTORS.is_dir():
        with contextlib.suppress(OSError):  # not every file system can
            return os.open(directory, os.O_TMPFILE | os.O_RDWR, mode)
    return None
