# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A stable symbolic link to a changing pseudo-terminal, like udev's /dev/serial/by-id for USB."""

import contextlib
import errno
import os
import secrets
from pathlib import Path


class PortLink:
    """A symbolic link at `path`. FileExistsError: another kind of file exists there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._target = ""
        # A link left by a killed process is replaced.
        if os.path.lexists(path) and not (path.is_symlink() and (not path.exists() or path.is_char_device())):
            raise FileExistsError(errno.EEXIST, "the path exists and is not a link to a port", str(path))

    def point_to(self, target: str) -> None:
        """Point the link to `target`, atomically."""
        new = self.path.with_name(f".ndks-{secrets.token_hex(8)}")  # short, because `path` may have the longest name
        new.symlink_to(target)
        try:
            new.replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink()
            raise
        self._target = target

    def remove(self) -> None:
        """Remove the link unless another process has changed it."""
        with contextlib.suppress(OSError):
            if str(self.path.readlink()) == self._target:
                self.path.unlink()
