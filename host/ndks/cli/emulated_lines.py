# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The line, the control socket and the result of `ndks emulate`, for emulated units and chips."""

import argparse
import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ndks.driver import running
from ndks.exceptions import UnitBusy, UsageError, reason

from .arguments import need
from .output import Output, is_stdout_open, need_stdout, note

if TYPE_CHECKING:
    from ndks_emulator import Line, LockedDirectory, Powered

MakePowered = Callable[["Line", Callable[[str], None]], "Powered"]  # line, announce


def check_line(args: argparse.Namespace) -> None:
    """Refuse options for the line that exclude each other. UsageError."""
    need(
        args.tcp is None or args.link is None,
        "--link and --tcp exclude each other: a link leads to a pseudo-terminal",
        "omit one of them",
    )
    if not args.tcp and not args.link:  # the user knows the port otherwise
        need_stdout()


def serve(
    args: argparse.Namespace, out: Output, directory: "LockedDirectory", what: str, make: MakePowered, **values: str
) -> None:
    """Run what `make` returns on the line of `args`, until a signal ends this process.

    `values` are further values of the result.
    """
    serial_number = directory.uid.hex().upper()
    with contextlib.ExitStack() as stack:
        line = open_line(args.tcp, args.link)
        stack.callback(line.close)
        notice = running.Notice(serial_number, args.directory)
        stack.callback(notice.remove)
        unit = make(line, lambda port: _announce(port, notice))
        control = _open_control(args.control, unit, stack) if args.control else {}
        notice.write(line.address)
        note(f"{what} {serial_number} in {args.directory}; Ctrl-C unplugs it")
        result = {"port": line.address, "pid": os.getpid(), "serial_number": serial_number}
        if is_stdout_open():
            out.result({**result, **values, **control}, line.address)
        unit.serve()


def open_line(tcp: int | None, link: Path | None) -> "Line":
    from ndks_emulator import PortLink, PtyLine, TcpLine

    if tcp is not None:
        try:
            return TcpLine(tcp)
        except (OSError, OverflowError) as error:
            why = reason(error) if isinstance(error, OSError) else "there is no such port"
            raise UsageError(f"TCP port {tcp} cannot be used: {why}", "choose another, or 0 for a free one") from None
    try:
        return PtyLine(PortLink(link) if link else None)
    except ImportError:
        raise UsageError("this system has no pseudo-terminals", "use --tcp PORT") from None
    except OSError as error:
        why = reason(error)
        if link is None:
            raise UsageError(
                f"no pseudo-terminal can be opened: {why}", "end other programs, or use --tcp PORT"
            ) from None
        raise UsageError(f"the link {link} cannot be created: {why}", "name another path") from None


def _open_control(path: Path, unit: Any, stack: contextlib.ExitStack) -> dict[str, str]:
    """Open the control socket and return its field of the result."""
    need(hasattr(socket, "AF_UNIX"), "this system has no Unix sockets", "omit --control")
    from ndks_emulator.control import ControlInUse, ControlSocket

    try:
        stack.enter_context(ControlSocket(path, unit))
    except ControlInUse as error:
        raise UnitBusy(str(error), "name another path, or stop that process") from None
    except OSError as error:
        raise UsageError(f"the socket {path} cannot be created: {reason(error)}", "name another path") from None
    return {"control": str(path)}


def _announce(port: str, notice: running.Notice) -> None:
    notice.write(port)
    note(f"the unit has started again, on {port}")
