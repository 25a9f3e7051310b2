# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files of ndks that belong to another user, as after sudo: what is wrong, and how to take them back."""

import os
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path

from .exceptions import FileError


def open_own(path: str, flags: int) -> int:
    """Open a file that says what was verified, for `open`. OSError; ValueError unless it belongs to this user.

    Nor may it be a link, by which others give it a name. Modes do not count: some file systems have none.
    """
    descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    status = os.fstat(descriptor)
    is_own = os.name != "posix" or (status.st_uid == os.geteuid() and status.st_nlink == 1)
    if stat.S_ISREG(status.st_mode) and is_own:
        return descriptor
    os.close(descriptor)
    raise ValueError


def refuse_foreign(paths: Iterable[Path]) -> None:
    """Raise a FileError that names all of these paths that belong to another user, and that this user may not use."""
    foreign = [path for path in paths if is_foreign(path) and not _may_use(path)]
    if foreign:
        raise foreign_error(*foreign)


def is_foreign(path: Path) -> bool:
    """Return whether a path belongs to another user; False if it cannot be seen. Root may use everything."""
    try:
        return hasattr(os, "geteuid") and os.geteuid() not in (0, path.stat().st_uid)
    except (OSError, ValueError):  # ValueError: no file can have this name
        return False


def foreign_error(*paths: Path) -> FileError:
    """Return the error of paths that belong to another user."""
    names = shlex.join(map(str, paths))
    recursive = "-R " if any(path.is_dir() for path in paths) else ""
    return FileError(f"{names} belongs to {_owner(paths[0])}", f"sudo chown {recursive}{_this_user()} {names}")


def _may_use(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0))


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:  # a number without a name
        return f"user {path.stat().st_uid}"


def _this_user() -> str:
    import pwd  # not on Windows

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
