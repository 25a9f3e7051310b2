# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The sockets of a service: made here, or passed by systemd, which then keeps them when the service ends."""

import contextlib
import fcntl
import grp
import os
import socket
from collections.abc import Generator
from pathlib import Path

from ..exceptions import FileError, UnitBusy, UsageError
from ..line.services import SYSTEM, directories
from ..system_errors import file_errors
from .scopes import SCOPES

_FIRST_PASSED = 3  # the first descriptor that systemd passes
_BACKLOG = 64


def passed() -> dict[str, socket.socket]:
    """Return the sockets by scope that systemd has passed to this process (sd_listen_fds). UsageError."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return {}
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    unknown = [name for name in names if name not in SCOPES]
    if unknown or len(names) != int(os.environ.get("LISTEN_FDS", "0")):
        raise UsageError(
            f"systemd has passed sockets with other names than scopes: {', '.join(names)}",
            f"set FileDescriptorName= of each socket unit to one of {', '.join(SCOPES)}",
        )
    return {name: socket.socket(fileno=_FIRST_PASSED + number) for number, name in enumerate(names)}


@contextlib.contextmanager
def made(serial_number: str) -> Generator[dict[str, socket.socket]]:
    """Make the sockets by scope for a unit, and remove them at the end. UnitBusy, UsageError, FileError."""
    directory = _parent() / serial_number
    is_shared = directory.parent == SYSTEM
    with file_errors():
        directory.mkdir(mode=0o755 if is_shared else 0o700, parents=True, exist_ok=True)
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
            "XDG_RUNTIME_DIR is not set, so there is no place for the sockets",
            "log in as this user, or set it to a directory that only this user may use",
        )
    return parent


@contextlib.contextmanager
def _lock(directory: Path) -> Generator[None]:
    with file_errors():
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise FileError(f"{path} cannot be a socket: {error}", "name a shorter directory in XDG_RUNTIME_DIR") from None
    finally:
        os.umask(mask)
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
