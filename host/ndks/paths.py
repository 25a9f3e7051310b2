# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Paths without links, and owners of new files."""

import contextlib
import errno
import os
import stat
from pathlib import Path

from .exceptions import FileError

_PRIVATE_DIRECTORY = 0o700


def at_home(text: str) -> str:
    """Expand ~ or ~user at the start of a path, which shells do only at the start of a word."""
    return os.path.expanduser(text)  # noqa: PTH111 (no error for an unknown user)


def real_path(path: Path) -> Path:
    """Return a path with all links resolved, except loops: `Path.resolve` raises RuntimeError for them up to 3.12."""
    return Path(os.path.realpath(path))


def follow(path: Path) -> Path:
    """Return the target of a path, whether it exists or not. FileError for a loop of links."""
    led = real_path(path)
    if led.is_symlink():
        raise FileError(f"{path} is a link that leads back to itself", "name another file")
    return led


def is_there(path: Path) -> bool:
    """Return whether a path exists; False for a path that cannot be read or that no file can have."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def refuse_long_name(path: Path) -> None:
    """Raise FileError for a name that is longer than its file system allows."""
    try:
        path.lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise FileError(f"the name is too long for a file: {path}", "name a shorter one") from None


def keep_owner(descriptor: int, *models: Path) -> None:
    """Give a new file the owner of the first of the `models` that exists.

    So a user keeps the file when root writes it. Only root may give files away; any other user keeps the new file.
    """
    with contextlib.suppress(OSError):
        model = next(filter(is_there, models), None)
        if model and hasattr(os, "fchown"):
            found = model.stat()
            os.fchown(descriptor, found.st_uid, found.st_gid)


def inherit_owner(new: Path, model: Path) -> None:
    """Give what root has just made the owner of `model`, unless another user may have put it there."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(new, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            found = os.fstat(descriptor)
            if found.st_uid == 0 and (stat.S_ISDIR(found.st_mode) or found.st_nlink == 1):
                keep_owner(descriptor, model)
        finally:
            os.close(descriptor)


def make_private_directory(path: Path) -> None:
    """Make a directory and its missing parents, of mode 0700; each gets the owner of its parent. OSError."""
    if path.is_dir():
        return
    make_private_directory(path.parent)
    path.mkdir(mode=_PRIVATE_DIRECTORY, exist_ok=True)
    inherit_owner(path, path.parent)
