# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Audit: one JSON line for each request that was authenticated. It has ids of keys, but never a key."""

import datetime
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from ndks.exceptions import reason
from ndks.system_errors import file_errors

_log = logging.getLogger(__name__)

_MODE = 0o600
_HOW = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class AuditLog:
    """The file of audit lines; None: there is none. `failures` counts lines that could not be written."""

    def __init__(self, file: Path | None) -> None:
        self.failures = 0
        self._file = file
        self._descriptor = -1
        self.open_again()

    def open_again(self) -> None:
        """Open the file by its name, as after a rotation. FileError; then the former file stays in use."""
        if not self._file:
            return
        with file_errors():
            fresh = os.open(self._file, _HOW, _MODE)
        self.close()
        self._descriptor = fresh

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def note(self, client: str, action: str, other: str, status: int, ids: Sequence[str], why: str) -> None:
        """Append a line: who did what, with whom, the HTTP status, the ids of keys, and why it was refused."""
        if self._descriptor < 0:
            return
        values = {
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            "client": client,
            "action": action,
            "other": other,
            "status": status,
            "key_ids": ids,
            **({"why": why} if why else {}),
        }
        try:
            os.write(self._descriptor, f"{json.dumps(values)}\n".encode())
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        if not self.failures:
            _log.warning("the audit log %s cannot be written: %s; the server goes on", self._file, reason(error))
        self.failures += 1
