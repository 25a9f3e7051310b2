# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The directory that an emulated unit lives in: its uid, nvm sector and snapshot files, for one process at a time."""

import os
import secrets
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from ndks_unit.board import NVM_SIZE, SNAPSHOT_SIZE, SNAPSHOT_SLOTS

from .nvm import Nvm

UID_SIZE = 8


class DirectoryError(Exception):
    """The directory holds no emulated unit and cannot become one."""


class DirectoryInUse(DirectoryError):
    """Another process runs the unit in this directory."""


class UnitDirectory:
    """An emulated unit's state, made blank when the directory is missing or empty, and locked until `close`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        existing = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []
        if existing and "uid" not in existing:
            raise DirectoryError(f"{path} is not empty and holds no emulated unit")
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = self._take_lock()
        try:
            self.uid = self._load_uid()
            self._make_snapshots()
            self.nvm = Nvm(path / "nvm.bin", NVM_SIZE)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.nvm.close()
        self._lock.release()

    def snapshot_path(self, slot: int) -> Path:
        return self.path / f"ndks_state_{slot}.bin"

    def _take_lock(self) -> FileLock:
        owner = self.path / "owner"
        lock = FileLock(self.path / "lock", timeout=0, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            process = owner.read_text().strip() if owner.exists() else "unknown"
            raise DirectoryInUse(f"the unit in {self.path} is run by another process (pid {process})") from None
        owner.write_text(f"{os.getpid()}\n")
        return lock

    def _load_uid(self) -> bytes:
        file = self.path / "uid"
        if not file.exists():
            file.write_text(secrets.token_hex(UID_SIZE) + "\n")
        try:
            uid = bytes.fromhex(file.read_text().strip())
        except ValueError:
            uid = b""
        if len(uid) != UID_SIZE:
            raise DirectoryError(f"{file} is damaged: it must hold 16 hexadecimal digits")
        return uid

    def _make_snapshots(self) -> None:
        for slot in range(SNAPSHOT_SLOTS):
            path = self.snapshot_path(slot)
            if not path.exists():
                path.touch(mode=0o600)
                path.write_bytes(b"\xff" * SNAPSHOT_SIZE)
