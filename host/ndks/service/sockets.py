# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The sockets of a service: made here, or passed by systemd, which then keeps them when the service ends."""

import contextlib
import fcntl
import grp
import os
import socket
import stat
from collections.abc import Generator
from pathlib import Path

from ..exceptions import FileError, UnitBusy, UsageError
from ..line.services import SOCKETS, SYSTEM, directories
from ..system_errors import file_errors
from .scopes import SCOPES

_FIRST_PASSED = 3  # the first descriptor that systemd passes
_BACKLOG = 64
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def passed() -> dict[str, socket.socket]:
    """Return the sockets by scope that systemd has passed to this process (sd_listen_fds). UsageError."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return {}
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    is_each_known = len(set(names) & set(SCOPES)) == len(names)
    if not is_each_known or str(len(names)) != os.environ.get("LISTEN_FDS"):
        raise UsageError(
            f"systemd has passed sockets whose names are not one scope each: {', '.join(names)}",
            f"set FileDescriptorName= of each socket unit to another one of {', '.join(SCOPES)}",
        )
    return {name: socket.socket(fileno=_FIRST_PASSED + number) for number, name in enumerate(names)}


@contextlib.contextmanager
def made(serial_number: str) -> Generator[dict[str, socket.socket]]:
    """Make the sockets by scope for a unit, and remove them at the end. UnitBusy, UsageError, FileError."""
    directory = _parent() / serial_number
    is_shared = directory.parent == SYSTEM
    for each in (directory.parent, directory):
        _make_directory(each, 0o755 if is_shared else 0o700)
    with _lock(directory):
        try:
            with file_errors():
                sockets = {name: _made(directory / name, _group(name) if is_shared else None) for name in SCOPES}
            yield sockets
        finally:
            for name in SCOPES:
                (directory / name).unlink(missing_ok=True)


def _parent() -> Path:
    parent = directories()[0]
    if parent == SYSTEM and os.geteuid() != 0:
        raise UsageError(
            f"{SOCKETS} is not set, so there is no place for the sockets",
            "log in as this user, or set it to a directory that only this user may use",
        )
    return parent


def _make_directory(path: Path, mode: int) -> None:
    """Make a directory if there is none. FileError, also where others could put sockets and links in place of ours."""
    with file_errors():
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode)
            path.chmod(mode)  # whatever the umask
        found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE:
        raise FileError(
            f"{path} is not a directory of this user alone, so others could take the place of the service",
            f"remove it, or set {SOCKETS} to a directory that only this user may use",
        )


@contextlib.contextmanager
def _lock(directory: Path) -> Generator[None]:
    with file_errors():
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise UnitBusy(
            f"another ndks service serves unit {directory.name}", "use that one: ndks service status"
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def _made(path: Path, group: int | None) -> socket.socket:
    path.unlink(missing_ok=True)  # of a service that was killed: the lock is ours
    listener = socket.socket(socket.AF_UNIX)
    try:
        os.fchmod(listener.fileno(), 0o600)  # Linux gives the file this mode; the umask would be that of all threads
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise FileError(f"{path} cannot be a socket: {error}", f"name a shorter directory in {SOCKETS}") from None
    if group is not None:
        os.chown(path, -1, group)
        path.chmod(0o660)
    listener.listen(_BACKLOG)
    return listener


def _group(scope: str) -> int | None:
    """Return the group that may use a scope on this computer, if there is one."""
    with contextlib.suppress(KeyError):
        return grp.getgrnam(f"ndks-{scope}").gr_gid
    return None
