# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A name that stays while the pseudo-terminal behind it changes, as udev's /dev/serial/by-id does for USB."""

import contextlib
import errno
import os
import secrets
from pathlib import Path


class PortLink:
    """A symbolic link at `path`. FileExistsError when something else is there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._target = ""
        # One that a killed process has left is taken over.
        if os.path.lexists(path) and not (path.is_symlink() and (not path.exists() or path.is_char_device())):
            raise FileExistsError(errno.EEXIST, "something else is there", str(path))

    def lead_to(self, target: str) -> None:
        """Let it lead there, from one moment to the next."""
        new = self.path.with_name(f".ndks-{secrets.token_hex(8)}")  # however long the other name is
        new.symlink_to(target)
        try:
            new.replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink()
            raise
        self._target = target

    def remove(self) -> None:
        """Remove it, unless somebody else has changed it meanwhile."""
        with contextlib.suppress(OSError):
            if str(self.path.readlink()) == self._target:
                self.path.unlink()
