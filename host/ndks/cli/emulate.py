# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""emulate: run a unit on this PC, for any program to open as a serial port."""

import argparse
import os
import signal
from pathlib import Path
from typing import Any

import shtab

from ndks.exceptions import NoUnit, UnitBusy, UsageError
from ndks.transport import EMULATOR

from .arguments import add_command
from .output import Output, note


def add_commands(subparsers: Any) -> None:
    parser = add_command(subparsers, "emulate", "run an emulated unit until stopped", _EXAMPLES, emulate)
    argument: Any = parser.add_argument(
        "directory", metavar="DIR", type=_directory, help="where its state lies; made when missing"
    )
    argument.complete = shtab.DIRECTORY
    line = parser.add_mutually_exclusive_group()
    line.add_argument("--pty", action="store_true", help="on a pseudo-terminal, whose path is printed (default)")
    line.add_argument("--tcp", metavar="PORT", type=int, help="on a TCP port of 127.0.0.1; 0 takes a free one")


_EXAMPLES = """\
  ndks emulate alice                 prints a path like /dev/pts/5
  ndks key --unit /dev/pts/5         ... which is a unit like any other
  ndks emulate bob --tcp 7000        ndks key --unit socket://127.0.0.1:7000"""


def _directory(text: str) -> Path:
    return Path(text.removeprefix(EMULATOR))  # the name of the port will do as well


def emulate(args: argparse.Namespace, out: Output) -> int:
    import ndks_emulator
    from ndks.generator import Generator  # and NumPy, which takes a while

    signal.signal(signal.SIGTERM, _stop)
    try:
        with ndks_emulator.UnitDirectory(args.directory, create=True) as directory:
            line, port = _open_line(args.tcp)
            note(f"unit {directory.uid.hex().upper()} from {args.directory}; Ctrl-C unplugs it")
            out.result({"port": port, "pid": os.getpid(), "serial_number": directory.uid.hex().upper()}, port)
            try:
                ndks_emulator.serve(directory, line, Generator)
            finally:
                line.close()
    except ndks_emulator.DirectoryInUse as error:
        raise UnitBusy(str(error), "stop that process, or use its port") from None
    except ndks_emulator.DirectoryError as error:
        raise NoUnit(str(error), "name another directory; ndks makes a new unit in an empty one") from None
    except SystemExit:  # asked to end by SIGTERM
        note("unplugged")
    return 0


def _open_line(tcp: int | None) -> tuple[Any, str]:
    from ndks_emulator import PtyLine, TcpLine

    if tcp is not None:
        try:
            line = TcpLine(tcp)
        except (OSError, OverflowError) as error:
            why = os.strerror(error.errno or 0) if isinstance(error, OSError) else "there is no such port"
            raise UsageError(f"TCP port {tcp} cannot be used: {why}", "choose another, or 0 for a free one") from None
        return line, f"socket://127.0.0.1:{line.port}"
    try:
        line = PtyLine()
    except ImportError:
        raise UsageError("this system has no pseudo-terminals", "use --tcp PORT") from None
    return line, line.path


def _stop(*_: object) -> None:
    raise SystemExit
