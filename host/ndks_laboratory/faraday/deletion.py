# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Deletion of a message, and the traces that it leaves on the disk."""

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from ndks.exceptions import FileError, reason
from ndks.on_disk import sync_directory, where_supported
from ndks.paths import real_path

from .computer import Computer, Mount, read, told

_MUCH = 1 << 16
_MEMORY = ("tmpfs", "ramfs")
_ELSEWHERE = ("btrfs", "zfs", "bcachefs", "f2fs", "nilfs2", "overlay", "apfs", "jffs2", "ubifs")
_DONE = "Overwritten with zeros once, and removed."
_COPIES = "Copies in editors, backups or swap space remain."


class Original:
    """The message as an open file, so that the file that was read is deleted even if files are renamed meanwhile."""

    def __init__(self, path: Path) -> None:
        """Open the message. FileError, OSError if it could not be deleted later."""
        if path.is_symlink():
            raise FileError(f"{path} is a link", "name the file itself")
        if not path.is_file():
            raise FileError(f"there is no file {path}", "check the name")
        self.path = path
        self._file = path.open("r+b")
        self._found = os.fstat(self._file.fileno())
        if self._found.st_nlink > 1:
            self._file.close()
            raise FileError(f"{path} has other names (hard links)", "remove them, or name a copy")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        return self._file.read(size)

    def delete(self) -> None:
        """Overwrite the file with zeros and remove it, on the disk as well. FileError if it was changed; OSError."""
        present = os.fstat(self._file.fileno())
        if (present.st_size, present.st_mtime_ns) != (self._found.st_size, self._found.st_mtime_ns):
            raise self._changed()
        if not os.path.samestat(present, self.path.lstat()):
            raise self._changed()
        try:
            self._overwrite(present.st_size)
            if os.name != "posix":
                self._file.close()  # other systems do not remove open files
            self.path.unlink()
        except OSError as error:
            what = f"{self.path} was overwritten, at least in part, but not removed: {reason(error)}"
            raise FileError(what, "assume that the disk still contains the text; remove the file") from None
        sync_directory(self.path.parent, f"{self.path} is overwritten and removed")

    def _overwrite(self, size: int) -> None:
        self._file.seek(0)
        for start in range(0, size, _MUCH):
            self._file.write(bytes(min(_MUCH, size - start)))
        self._file.flush()
        with where_supported():
            os.fsync(self._file.fileno())

    def _changed(self) -> FileError:
        what = f"{self.path} was changed after it was encrypted, and was not deleted"
        return FileError(what, "check its content, and delete it, or repeat with --force")


def meaning(path: Path, computer: Computer) -> str:
    """Return a text on the traces that deletion of a file leaves; called before the deletion."""
    mount = _mount_of(path, computer)
    kind = mount.kind.lower() if mount else ""
    return f"{_DONE} {_on(kind, mount.options if mount else '', _is_rotational(path, mount, computer))} {_COPIES}"


def _on(kind: str, options: str, is_rotational: bool | None) -> str:
    if kind in _MEMORY:
        return f"It was in memory ({kind}), which a power-off erases, except what was swapped out."
    if kind in _ELSEWHERE:
        return f"{kind} writes changes to new blocks: old blocks may survive, also in snapshots."
    if is_rotational is False:
        return (
            f"It was on {kind or 'an unknown file system'} on an SSD, which writes changes to other cells: until it "
            "erases the old cells, they can be read from its chips."
        )
    if "data=journal" in options:
        return f"This {kind} writes data to its journal as well: old blocks may survive there."
    if is_rotational:
        return (
            f"It was on {kind} on a disk that reports to be rotational. If that is true, its blocks were overwritten; "
            "in a virtual machine it may be false."
        )
    return "The kind of its disk is unknown: old blocks may survive."


def _mount_of(path: Path, computer: Computer) -> Mount | None:
    real = real_path(path)
    around = [mount for mount in told(computer.mounts) or () if real.is_relative_to(mount.place)]
    return max(reversed(around), key=lambda mount: len(mount.place), default=None)  # the last of two at one place


def _is_rotational(path: Path, mount: Mount | None, computer: Computer) -> bool | None:
    if computer.system != "Linux":
        return None
    numbers = [path.stat().st_dev]
    if mount and mount.device.startswith("/dev/"):  # on btrfs, the file's own number belongs to no device
        with contextlib.suppress(OSError):
            numbers.append(Path(mount.device).stat().st_rdev)
    for number in numbers:
        device = real_path(computer.root / "sys/dev/block" / f"{os.major(number)}:{os.minor(number)}")
        for folder in (device, device.parent):  # the folder of a partition is inside that of its disk
            answer = read(folder / "queue/rotational")
            if answer:
                return answer != "0"
    return None
