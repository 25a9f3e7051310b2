# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Transports to a unit, chosen by the name of the port.

/dev/ttyACM0, COM3, a pty      a serial port
socket://127.0.0.1:PORT        a unit behind TCP, such as `ndks emulate DIR --tcp PORT`
emulator:DIR                   an emulated unit in this process
unix:PATH                      a socket of a service, which holds the unit for many programs
"""

import contextlib
import errno
import os
import re
import select
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import serial

from .. import times
from ..exceptions import NdksError, NoUnit, PortPermission, UnitBusy, UnitRemoved, UnitTimeout, UsageError, reason
from ..paths import is_there
from ..retry import retry
from ..shipped import udev_advice

# pyserial raises TypeError for a closed port.
_GONE: tuple[type[Exception], ...] = (serial.SerialException, OSError, TypeError)
with contextlib.suppress(ImportError):  # Windows has no termios
    import termios

    _GONE += (termios.error,)  # pyright: ignore[reportConstantRedefinition]

_READS_FILES = sys.platform == "linux"  # ports are files, read without pyserial; nobody has tried it on macOS
_MUCH = 4096
_BAUD = 115200  # has no effect on USB, except 1200, which reboots the board into its bootloader
EMULATOR = "emulator:"
SERVICE = "unix:"
_SOCKET = "socket://"
_ADDRESS = re.compile(r"(?:[a-z]+:/*)?((?:[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5})/?")  # HOST:PORT after any URL scheme


MakeGenerator = Callable[[str, str, int], Any]


class Transport(Protocol):
    """A byte stream to and from one unit."""

    unplugs: bool  # whether `close` cuts the power of the unit

    def write(self, data: bytes) -> None:
        """Send all of `data`. UnitRemoved, UnitTimeout."""
        ...

    def read(self) -> bytes:
        """Return received bytes, or b"" after a short wait. UnitRemoved."""
        ...

    def close(self) -> None: ...


def open_transport(
    port: str,
    timeout: float,
    *,
    create: bool = False,
    make_generator: MakeGenerator | None = None,
    patience: float = times.PORT_IN_USE,
) -> Transport:
    """Open a port exclusively; `create` makes a missing emulated unit.

    `make_generator` takes p1, p2 and d and returns the generator of an emulated unit in this process. `patience` is the
    longest wait for a port that another program holds. NoUnit, UnitBusy, PortPermission, UsageError.
    """
    for scheme, opener in SCHEMES.items():
        if port.startswith(scheme):
            return opener(port.removeprefix(scheme), create, make_generator)
    return SerialTransport(port, timeout, patience)


def is_url(port: str) -> bool:
    """Return whether pyserial opens a port by its URL, such as socket://: the unit may be on another machine."""
    return "://" in port and not port.startswith(tuple(SCHEMES))


def is_port(name: str) -> bool:
    """Return whether a name is a port's; any other name is a serial number."""
    looks_so = name.startswith(tuple(SCHEMES)) or "/" in name or name.upper().startswith("COM") or meant_address(name)
    return bool(looks_so) or os.path.lexists(name)  # including a link to a removed port


def _open_emulated(name: str, create: bool, make_generator: MakeGenerator | None) -> Transport:
    from .emulated import EmulatorTransport  # here, because most users have a board

    if not name:
        raise UsageError(f"{EMULATOR} lacks the name of a directory", f"name it, such as {EMULATOR}alice")
    return EmulatorTransport(Path(name), create=create, make_generator=make_generator)


def _open_service(name: str, create: bool, make_generator: MakeGenerator | None) -> Transport:  # noqa: ARG001 (not here)
    from .unix_socket import UnixTransport  # here, because it uses this module

    return UnixTransport(Path(name))


SCHEMES = {EMULATOR: _open_emulated, SERVICE: _open_service}  # transports that pyserial does not open


class SerialTransport:
    """A serial port, or another stream that pyserial opens by URL."""

    unplugs = False

    def __init__(self, port: str, timeout: float, patience: float = times.PORT_IN_USE) -> None:
        self._port = port
        self._heard = False
        self._serial: Any = _open_serial(port, timeout, min(patience, timeout))  # pyserial chooses the class by URL
        is_file = _READS_FILES and isinstance(self._serial, serial.Serial)
        self.descriptor: int | None = self._serial.fileno() if is_file else None  # tells when `read` returns at once

    def write(self, data: bytes) -> None:
        try:
            written = self._write_some(data)
            if written < len(data):
                self._serial.write(data[written:])
        except serial.SerialTimeoutException:
            raise UnitTimeout(f"{self._port} takes no more data", _REPLUG) from None
        except _GONE:
            raise self._hung_up() from None

    def read(self) -> bytes:
        try:
            if self.descriptor is not None:
                return self._read_file(self.descriptor)
            first = self._serial.read(1)
            self._heard = self._heard or bool(first)
            return first + self._read_rest() if first else first
        except _GONE:
            raise self._hung_up() from None

    @property
    def has_news(self) -> bool:
        """Whether `read` returns at once: bytes have come, or the unit has gone. Not on Windows."""
        try:
            return bool(select.select([self._serial], [], [], 0)[0])
        except (*_GONE, ValueError):  # ValueError: closed
            return True

    def close(self) -> None:
        _close(self._serial)

    def _write_some(self, data: bytes) -> int:
        """Write what the system takes at once, and return how much: usually all of it, in one system call."""
        try:
            return os.write(self.descriptor, data) if self.descriptor is not None else 0
        except BlockingIOError:
            return 0

    def _read_file(self, descriptor: int) -> bytes:
        """Return the received bytes, or b"" after a moment: pyserial takes five system calls where one does."""
        data = os.read(descriptor, _MUCH)  # b"" if there are none, as pyserial sets the port (VMIN 0), or it is gone
        if not data and select.select([descriptor], [], [], times.READ_SLICE)[0]:
            data = os.read(descriptor, _MUCH)
            if not data:
                raise self._hung_up()
        return data

    def _hung_up(self) -> NdksError:
        closed_at_once = self._port.startswith(_SOCKET) and not self._heard
        return _turned_away(self._port) if closed_at_once else _removed(self._port)

    def _read_rest(self) -> bytes:
        """Return the other received bytes without waiting."""
        if isinstance(self._serial, serial.Serial):
            return self._serial.read(self._serial.in_waiting)
        # pyserial does not know how many bytes of a socket have arrived.
        self._serial.timeout = 0
        rest = self._serial.read(_MUCH)
        self._serial.timeout = times.READ_SLICE
        return rest


_PORTS = "name a port like /dev/ttyACM0, COM3, socket://127.0.0.1:7000, emulator:DIR"
_REPLUG = "unplug the unit, plug it in again and repeat the command"


def _removed(port: str) -> UnitRemoved:
    return UnitRemoved(f"the unit at {port} was removed", "plug it in and repeat the command; nothing was lost")


def _turned_away(port: str) -> UnitBusy:
    """Return the error for a connection that was closed at once: an emulated unit behind TCP refuses a second host."""
    what = f"{port} closed the connection at once: another program uses the unit"
    return UnitBusy(what, "close that program and repeat")


def meant_address(name: str) -> str:
    """Return the socket:// URL of a name like 127.0.0.1:7000, or "" for any other name."""
    found = _ADDRESS.fullmatch(name)
    return f"{_SOCKET}{found[1]}" if found and not name.startswith(_SOCKET) else ""


def _no_port(port: str) -> UsageError:
    address = meant_address(port)
    return UsageError(f"{port} is not a port", f"did you mean {address}?" if address else _PORTS)


def _open_serial(port: str, timeout: float, longest: float) -> serial.Serial:
    return retry(lambda: _open_once(port, timeout), lambda error: isinstance(error, UnitBusy), longest)


def _open_once(port: str, timeout: float) -> serial.Serial:
    try:
        opened = serial.serial_for_url(
            port, baudrate=_BAUD, timeout=times.READ_SLICE, write_timeout=timeout, exclusive=True, do_not_open=True
        )
    except Exception:  # the URL handlers of pyserial raise many types
        raise _no_port(port) from None
    try:
        opened.open()
        opened.reset_input_buffer()
    except Exception as error:
        with contextlib.suppress(Exception):  # what was not opened may not close
            _close(opened)
        raise _not_opened(port, error) from None
    return opened


def _close(port: Any) -> None:
    left_open = getattr(port, "_socket", None)  # pyserial leaves it open when the other end has gone
    with contextlib.suppress(*_GONE):
        port.close()
    if left_open:
        left_open.close()


def _not_opened(port: str, error: Exception) -> NdksError:
    if isinstance(error, OSError):  # so is pyserial's
        return _refusal(port, error)
    # Otherwise there was a zero byte in the name; the URL handlers of pyserial raise many types.
    return _removed(port) if isinstance(error, _GONE) else _no_port(port)


def _refusal(port: str, error: OSError) -> NdksError:
    """Return the error for a port that cannot be opened. pyserial gives an errno on POSIX, only a text on Windows."""
    number = error.errno
    text = str(error).lower()
    if port.startswith(_SOCKET) and isinstance(
        error.__context__, (ConnectionResetError, BrokenPipeError)
    ):  # pyserial tells of it in its text only
        return _turned_away(port)
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text or "permissionerror(13" in text:
        return UnitBusy(f"{port} is in use by another program", "close that program (or wait for it) and repeat")
    if number in (errno.EACCES, errno.EPERM):
        return PortPermission(
            f"you may not open {port}",
            f"{udev_advice()}; or sudo usermod -aG dialout $USER, and log in again",
        )
    if number is None and "could not open port" not in text:
        return _no_port(port)
    if os.path.exists(port) and not os.path.isdir(port):  # noqa: PTH110, PTH112 (pathlib raises for long names)
        return NoUnit(
            f"{port} exists, but no unit is attached to it: {reason(error)}",
            "plug the unit in; ndks list shows all units",
        )
    return _nothing_there(port)


def _no_listener(port: str) -> NdksError:
    """Return what is wrong with the address of a socket, or else that nothing listens there."""
    example = f"such as {_SOCKET}127.0.0.1:7000"
    try:
        address = urlsplit(port)
        if not address.hostname or address.port is None:
            raise ValueError
    except ValueError:
        return UsageError(f"{port} must name a host and a TCP port", f"name both, {example}")
    try:
        socket.getaddrinfo(address.hostname, None)
    except (OSError, UnicodeError):
        return UsageError(f"there is no host {address.hostname}", f"name one that exists, {example}")
    return NoUnit(f"nothing listens at {port}", "start an emulated unit there: ndks emulate DIR --tcp PORT")


def _nothing_there(port: str) -> NdksError:
    if port.startswith(_SOCKET):
        return _no_listener(port)
    if is_there(Path(port)) and Path(port).is_dir():
        return NoUnit(f"{port} is a directory", f"to use an emulated unit in it: --unit {EMULATOR}{port}")
    if os.path.islink(port):  # noqa: PTH114
        what = f"{port} is a broken link: its emulator has ended, or the unit was unplugged"
        return NoUnit(what, f"start it again, ndks emulate DIR --link {port}, or plug the unit in")
    if address := meant_address(port):
        return NoUnit(f"there is no port {port}", f"did you mean {address}?")
    return NoUnit(f"there is no port {port}", "plug the unit in; ndks list shows all units")
