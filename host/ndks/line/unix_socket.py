# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Transport to a service, which holds a unit for many programs (PROTOCOL.md section 10)."""

import errno
import socket
from pathlib import Path

from .. import times
from ..exceptions import NdksError, NoUnit, PortPermission, UnitRemoved, UnitTimeout, UsageError, reason
from .transport import SERVICE

_MUCH = 4096
_STATUS = "ndks service status shows the services that run here, and their sockets"


class UnixTransport:
    """A connection to a socket of a service."""

    unplugs = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = _connected(path)
        self._waits(times.READ_SLICE)

    def write(self, data: bytes) -> None:
        try:
            self._waits(times.DEFAULT_TIMEOUT)
            self._socket.sendall(data)
        except TimeoutError:
            raise UnitTimeout(f"the service at {self._path} takes no more data", "read its answers; repeat") from None
        except OSError:
            raise self._hung_up() from None
        self._waits(times.READ_SLICE)

    def read(self) -> bytes:
        try:
            data = self._socket.recv(_MUCH)
        except TimeoutError:
            return b""
        except OSError:
            raise self._hung_up() from None
        if not data:
            raise self._hung_up()
        return data

    def close(self) -> None:
        self._socket.close()

    def _waits(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def _hung_up(self) -> UnitRemoved:
        return UnitRemoved(
            f"the service at {self._path} has ended or has closed this connection",
            f"repeat the command when it runs again; {_STATUS}",
        )


def _connected(path: Path) -> socket.socket:
    if not path.name:
        raise UsageError(f"{SERVICE} lacks the path of a socket", f"name it, such as {SERVICE}/run/ndks/UID/keys")
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError("this system has no Unix sockets for Python", "use the port of the unit")
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(times.PROBE_TIMEOUT)
        connection.connect(str(path))
    except (OSError, ValueError) as error:
        connection.close()
        raise _refusal(path, error) from None
    return connection


def _refusal(path: Path, error: OSError | ValueError) -> NdksError:
    if not isinstance(error, OSError):  # a zero byte in the name
        return UsageError(f"{path!r} is not a path", f"name a socket; {_STATUS}")
    if isinstance(error, TimeoutError) or error.errno == errno.EAGAIN:
        return UnitTimeout(f"the service at {path} takes no connection", f"repeat; {_STATUS}")
    if error.errno in (errno.EACCES, errno.EPERM):
        return PortPermission(
            f"you may not use {path}", f"ask for the group of this socket, and log in again; {_STATUS}"
        )
    if error.errno is None:  # Python's own: the path is too long for a socket
        return UsageError(f"{path}: {error}", f"name a shorter path; {_STATUS}")
    return NoUnit(f"no service listens at {path}: {reason(error)}", f"start it: ndks service --unit PORT; {_STATUS}")
