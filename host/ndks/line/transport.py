# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Ways to reach a unit, chosen by the name of the port.

/dev/ttyACM0, COM3, a pty      a serial port
socket://127.0.0.1:PORT        a unit behind TCP, such as `ndks emulate DIR --tcp PORT`
emulator:DIR                   an emulated unit in this process
"""

import contextlib
import errno
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import serial

from .. import times
from ..exceptions import NdksError, NoUnit, PortPermission, UnitBusy, UnitRemoved, UnitTimeout, UsageError, reason
from ..paths import is_there
from ..retry import retry
from ..shipped import udev_advice

# TypeError: pyserial, of a port that is closed.
_GONE: tuple[type[Exception], ...] = (serial.SerialException, OSError, TypeError)
with contextlib.suppress(ImportError):  # Windows has no termios
    import termios

    _GONE += (termios.error,)  # pyright: ignore[reportConstantRedefinition]

_MUCH = 4096
_BAUD = 115200  # of no meaning on USB, but never 1200: that reboots the board into its bootloader
EMULATOR = "emulator:"
_SOCKET = "socket://"
_ADDRESS = re.compile(r"(?:[a-z]+:/*)?((?:[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5})/?")  # HOST:PORT, and what one puts before


MakeGenerator = Callable[[str, str, int], Any]


class Transport(Protocol):
    """Bytes to and from one unit."""

    unplugs: bool  # whether the unit has power only as long as this is open

    def write(self, data: bytes) -> None:
        """Send all of `data`. UnitRemoved, UnitTimeout."""
        ...

    def read(self) -> bytes:
        """Return what has arrived, b"" when nothing did for a moment. UnitRemoved."""
        ...

    def close(self) -> None: ...


def open_transport(
    port: str, timeout: float, *, create: bool = False, make_generator: MakeGenerator | None = None
) -> Transport:
    """Open a port for this process alone; `create` makes an emulated unit that is missing.

    An emulated unit in this process computes its key bits with what `make_generator` makes of p1, p2 and d.

    NoUnit, UnitBusy, PortPermission, UsageError.
    """
    if port.startswith(EMULATOR):
        from .emulated import EmulatorTransport  # most users have a board

        return EmulatorTransport(Path(port.removeprefix(EMULATOR)), create=create, make_generator=make_generator)
    return SerialTransport(port, timeout)


class SerialTransport:
    """A serial port, or anything else that pyserial opens by URL."""

    unplugs = False

    def __init__(self, port: str, timeout: float) -> None:
        self._port = port
        self._heard = False
        self._serial: Any = _open_serial(port, timeout)  # of a class that pyserial chooses by URL

    def write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException:
            raise UnitTimeout(f"{self._port} takes no more data", _REPLUG) from None
        except _GONE:
            raise self._hung_up() from None

    def read(self) -> bytes:
        try:
            first = self._serial.read(1)
            self._heard = self._heard or bool(first)
            return first + self._read_rest() if first else first
        except _GONE:
            raise self._hung_up() from None

    def close(self) -> None:
        with contextlib.suppress(*_GONE):  # nothing is asked of it any more
            self._serial.close()

    def _hung_up(self) -> NdksError:
        if self._port.startswith(_SOCKET) and not self._heard:
            # An emulated unit behind TCP turns away a second host.
            return UnitBusy(f"{self._port} hung up at once: another program has it", "close that program and repeat")
        return _removed(self._port)

    def _read_rest(self) -> bytes:
        """Return what else has arrived, without waiting."""
        if isinstance(self._serial, serial.Serial):
            return self._serial.read(self._serial.in_waiting)
        # Of a socket, pyserial only knows whether there is something, not how much.
        self._serial.timeout = 0
        rest = self._serial.read(_MUCH)
        self._serial.timeout = times.READ_SLICE
        return rest


_PORTS = "name one like /dev/ttyACM0, COM3, socket://127.0.0.1:7000, emulator:DIR"
_REPLUG = "unplug the unit, plug it in again and repeat the command"


def _removed(port: str) -> UnitRemoved:
    return UnitRemoved(f"the unit at {port} was removed", "plug it in and repeat the command; nothing was lost")


def meant_address(name: str) -> str:
    """Return the socket:// that somebody left out of a name like 127.0.0.1:7000, "" of any other name."""
    found = _ADDRESS.fullmatch(name)
    return f"{_SOCKET}{found[1]}" if found and not name.startswith(_SOCKET) else ""


def _no_port(port: str) -> UsageError:
    address = meant_address(port)
    return UsageError(f"{port} is no port", f"did you mean {address}?" if address else _PORTS)


def _open_serial(port: str, timeout: float) -> serial.Serial:
    longest = min(times.PORT_IN_USE, timeout)
    return retry(lambda: _open_once(port, timeout), lambda error: isinstance(error, UnitBusy), longest)


def _open_once(port: str, timeout: float) -> serial.Serial:
    try:
        opened = serial.serial_for_url(
            port, baudrate=_BAUD, timeout=times.READ_SLICE, write_timeout=timeout, exclusive=True, do_not_open=True
        )
    except Exception:  # of whatever kind: each kind of URL has code of its own in pyserial
        raise _no_port(port) from None
    try:
        opened.open()
        opened.reset_input_buffer()
    except (serial.SerialException, OSError) as error:
        raise _refusal(port, error) from None
    except _GONE:
        raise _removed(port) from None
    except Exception:  # a zero byte in its name, and whatever pyserial's protocols raise for names like theirs
        raise _no_port(port) from None
    return opened


def _refusal(port: str, error: OSError) -> NdksError:
    """Say why a port could not be opened. pyserial gives an errno on POSIX, on Windows only a text."""
    number = error.errno
    text = str(error).lower()
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text or "permissionerror(13" in text:
        return UnitBusy(f"{port} is in use by another program", "close that program (or wait for it) and repeat")
    if number in (errno.EACCES, errno.EPERM):
        return PortPermission(
            f"you may not open {port}",
            f"{udev_advice()}; or sudo usermod -aG dialout $USER, and log in again",
        )
    if number is None and "could not open port" not in text:
        return _no_port(port)
    if os.path.exists(port) and not os.path.isdir(port):  # noqa: PTH110, PTH112 (which pass over names that are too long)
        return NoUnit(
            f"{port} is there, but no unit at it: {reason(error)}", "plug the unit in; ndks list shows what is there"
        )
    return _nothing_there(port)


def _nothing_there(port: str) -> NoUnit:
    if port.startswith(_SOCKET):
        return NoUnit(f"nobody listens at {port}", "start an emulated unit there: ndks emulate DIR --tcp PORT")
    if is_there(Path(port)) and Path(port).is_dir():
        return NoUnit(f"{port} is a directory", f"name an emulated unit in it as --unit {EMULATOR}{port}")
    if os.path.islink(port):  # noqa: PTH114
        what = f"{port} is a link that leads to nothing: the emulator behind it has ended, or the unit was unplugged"
        return NoUnit(what, f"start it again, ndks emulate DIR --link {port}, or plug the unit in")
    if address := meant_address(port):
        return NoUnit(f"there is no port {port}", f"did you mean {address}?")
    return NoUnit(f"there is no port {port}", "plug the unit in; ndks list shows what is there")
