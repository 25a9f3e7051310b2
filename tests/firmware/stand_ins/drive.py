# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The CIRCUITPY drive, in a directory."""

import errno
import os
from pathlib import Path
from typing import BinaryIO

from ndks_protocol.flash import SNAPSHOT_FILES, SNAPSHOT_SIZE


class Drive:
    """What `open`, `os.stat`, `os.sync` and `storage.getmount` reach on the board; new, as `ndks deploy` leaves it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.readonly = True  # to code on the board, until boot.py hides it from USB
        self.syncs = 0
        for path in self.snapshots:
            path.write_bytes(b"\xff" * SNAPSHOT_SIZE)

    @property
    def snapshots(self) -> list[Path]:
        return [self.directory / name for name in SNAPSHOT_FILES]

    @property
    def content(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.directory.iterdir()}

    def open(self, path: str, mode: str) -> BinaryIO:
        if mode not in ("rb", "r+b"):
            raise ValueError("the snapshot files are only read, or overwritten in place")
        if self.readonly and mode != "rb":
            raise OSError(errno.EROFS, path)
        return self._locate(path).open(mode)  # pyright: ignore[reportReturnType]

    def stat(self, path: str) -> os.stat_result:
        return self._locate(path).stat()

    def sync(self) -> None:
        self.syncs += 1

    def _locate(self, path: str) -> Path:
        assert path.startswith("/"), "on the board, relative paths depend on what ran before"
        return self.directory / path[1:]
