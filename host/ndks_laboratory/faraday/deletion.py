# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Deleting a message, and what that means on the disk that it lay on."""

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from ndks.exceptions import FileError, reason
from ndks.files import sync_directory, where_supported
from ndks.paths import real_path

from .computer import Computer, Mount, read, told

_MUCH = 1 << 16
_MEMORY = ("tmpfs", "ramfs")
_ELSEWHERE = ("btrfs", "zfs", "bcachefs", "f2fs", "nilfs2", "overlay", "apfs", "jffs2", "ubifs")
_DONE = "Overwritten with zeros once, and removed."
_COPIES = "Copies that an editor, a backup or swap space has made are not touched."


class Original:
    """The message as a file that is open, so that what is deleted is what was read, whoever renames what meanwhile."""

    def __init__(self, path: Path) -> None:
        """FileError, OSError for what could not be deleted in the end."""
        if path.is_symlink():
            raise FileError(f"{path} is a link", "name the file itself")
        if not path.is_file():
            raise FileError(f"there is no file {path}", "check the name")
        self.path = path
        self._file = path.open("r+b")
        self._found = os.fstat(self._file.fileno())
        if self._found.st_nlink > 1:
            self._file.close()
            raise FileError(f"{path} has other names (hard links)", "remove them, or make a copy and name that")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        return self._file.read(size)

    def delete(self) -> None:
        """Overwrite it with zeros and remove it, on the disk too. FileError if it was changed; OSError."""
        present = os.fstat(self._file.fileno())
        if (present.st_size, present.st_mtime_ns) != (self._found.st_size, self._found.st_mtime_ns):
            raise self._changed()
        if not os.path.samestat(present, self.path.lstat()):
            raise self._changed()
        try:
            self._overwrite(present.st_size)
            if os.name != "posix":
                self._file.close()  # elsewhere no open file is removed
            self.path.unlink()
        except OSError as error:
            what = f"{self.path} is overwritten, at least in part, but not removed: {reason(error)}"
            raise FileError(what, "take it that its disk still holds the text; remove the file") from None
        sync_directory(self.path.parent, f"{self.path} is overwritten and removed")

    def _overwrite(self, size: int) -> None:
        self._file.seek(0)
        for start in range(0, size, _MUCH):
            self._file.write(bytes(min(_MUCH, size - start)))
        self._file.flush()
        with where_supported():
            os.fsync(self._file.fileno())

    def _changed(self) -> FileError:
        what = f"{self.path} was changed after it was encrypted, and not deleted"
        return FileError(what, "see what it holds now, and delete it, or repeat with --force")


def meaning(path: Path, computer: Computer) -> str:
    """Say what deleting this file means, before it is done."""
    mount = _mount_of(path, computer)
    kind = mount.kind.lower() if mount else ""
    return f"{_DONE} {_on(kind, mount.options if mount else '', _is_rotational(path, mount, computer))} {_COPIES}"


def _on(kind: str, options: str, is_rotational: bool | None) -> str:
    if kind in _MEMORY:
        return f"It lay in memory ({kind}), which is gone with its power; not what was swapped out."
    if kind in _ELSEWHERE:
        return f"On {kind}, what changes is written to another place: old blocks may survive there, and in snapshots."
    if is_rotational is False:
        return (
            f"It lay on {kind or 'an unknown file system'} on a disk without turning parts (SSD), which writes what "
            "changes to other cells: until it erases the old ones, whoever takes it apart may read them."
        )
    if "data=journal" in options:
        return f"This {kind} writes data to its journal as well: old blocks may survive there."
    if is_rotational:
        return (
            f"It lay on {kind} on a disk that says it turns, as those of virtual machines may do wrongly: if it does, "
            "its blocks were overwritten."
        )
    return "Nothing tells what kind of disk it lay on: take it that old blocks may survive."


def _mount_of(path: Path, computer: Computer) -> Mount | None:
    real = real_path(path)
    around = [mount for mount in told(computer.mounts) or () if real.is_relative_to(mount.place)]
    return max(reversed(around), key=lambda mount: len(mount.place), default=None)  # of two at one place, the later one


def _is_rotational(path: Path, mount: Mount | None, computer: Computer) -> bool | None:
    if computer.system != "Linux":
        return None
    numbers = [path.stat().st_dev]
    if mount and mount.device.startswith("/dev/"):  # the file's own number may be that of no device, as on btrfs
        with contextlib.suppress(OSError):
            numbers.append(Path(mount.device).stat().st_rdev)
    for number in numbers:
        device = real_path(computer.root / "sys/dev/block" / f"{os.major(number)}:{os.minor(number)}")
        for folder in (device, device.parent):  # that of a partition lies in its disk's
            answer = read(folder / "queue/rotational")
            if answer:
                return answer != "0"
    return None
