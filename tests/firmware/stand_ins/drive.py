# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Model of the CIRCUITPY drive, in a directory."""

import errno
import os
from pathlib import Path

from ndks_protocol.flash import SNAPSHOT_AT, SNAPSHOT_FILE_SIZE, SNAPSHOT_FILES, SNAPSHOT_SIZE


class DriveFile:
    """An open file. Closing or flushing it would write to the directory, and a power cut could destroy all files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0
        path.stat()  # raises OSError if it is missing

    def seek(self, position: int) -> None:
        self._position = position

    def read(self, size: int) -> bytes:
        data = self._path.read_bytes()[self._position :][:size]
        self._position += len(data)
        return data

    def write(self, data: bytes) -> None:
        raise OSError(errno.EACCES, "not opened for writing")


class WritableFile(DriveFile):
    """A file opened to be overwritten in place."""

    def write(self, data: bytes) -> None:
        content = self._path.read_bytes()
        end = self._position + len(data)
        assert end <= len(content), "a file that grows gets another place in the directory"
        self._path.write_bytes(content[: self._position] + data + content[end:])
        self._position = end


class Drive:
    """The drive behind `open`, `os.stat`, `os.sync` and `storage.getmount`, as `ndks deploy` leaves it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.readonly = True  # read-only for code on the board until boot.py disables the USB drive
        self.syncs = 0
        for path in self.snapshots:
            path.write_bytes(b"\xff" * SNAPSHOT_FILE_SIZE)

    @property
    def snapshots(self) -> list[Path]:
        return [self.directory / name for name in SNAPSHOT_FILES]

    @property
    def images(self) -> list[bytes]:
        """Return the snapshots, and check that the bytes around them are unchanged."""
        for path in self.snapshots:
            content = path.read_bytes()
            around = content[:SNAPSHOT_AT] + content[SNAPSHOT_AT + SNAPSHOT_SIZE :]
            assert around.strip(b"\xff") == b""
        return [path.read_bytes()[SNAPSHOT_AT:][:SNAPSHOT_SIZE] for path in self.snapshots]

    @property
    def content(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.directory.iterdir()}

    def open(self, path: str, mode: str) -> DriveFile:
        if mode not in ("rb", "r+b"):
            raise ValueError("the snapshot files are only read, or overwritten in place")
        if self.readonly and mode != "rb":
            raise OSError(errno.EROFS, path)
        return (DriveFile if mode == "rb" else WritableFile)(self._locate(path))

    def stat(self, path: str) -> os.stat_result:
        return self._locate(path).stat()

    def sync(self) -> None:
        self.syncs += 1

    def _locate(self, path: str) -> Path:
        assert path.startswith("/"), "on the board, relative paths depend on what ran before"
        return self.directory / path[1:]
