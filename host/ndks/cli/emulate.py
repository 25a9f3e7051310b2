# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command emulate: an emulated unit on a port that other programs can open."""

import argparse
import contextlib
import os
import socket
from pathlib import Path
from typing import Any

from ndks.driver import running
from ndks.exceptions import NoUnit, UnitBusy, UsageError, reason
from ndks.line.emulated import need_parent
from ndks.line.transport import EMULATOR
from ndks.paths import is_there

from .arguments import add_path, file_path, need, whole
from .output import Output, is_stdout_open, need_stdout, note
from .parser import Parser, set_up


def add_emulate(parser: Parser) -> None:
    set_up(parser, _EXAMPLES, emulate)
    argument: Any = parser.add_argument(
        "directory", metavar="DIR", type=_directory, help="the directory of its state; created if missing"
    )
    argument.completes = "DIRECTORY"
    line = parser.add_mutually_exclusive_group()
    line.add_argument("--pty", action="store_true", help="on a pseudo-terminal, whose path is printed (default)")
    line.add_argument("--tcp", metavar="PORT", type=whole, help="on a TCP port of 127.0.0.1; 0 chooses a free one")
    add_path(parser, "--link", metavar="PATH", help="keep a symbolic link to the current pseudo-terminal at PATH")
    add_path(parser, "--control", metavar="SOCKET", help="open a Unix socket for commands: case, power, cable and line")


_EXAMPLES = """\
  ndks emulate alice                 prints a path like /dev/pts/5
  ndks key --unit /dev/pts/5         ... which is a unit like any other
  ndks emulate bob --tcp 7000        ndks key --unit socket://127.0.0.1:7000

commands to a running unit on a socket, one a line; each is answered by one line:
  ndks emulate alice --link alice.port --control alice.ctl
  ndks stream --unit alice.port --bits 1000000000 -o long.key       and meanwhile:
  echo case open | socat - UNIX-CONNECT:alice.ctl                   ok; case close closes it
  echo power off | socat - UNIX-CONNECT:alice.ctl                   ok; power on starts the unit again
  echo power cut 3 | socat - UNIX-CONNECT:alice.ctl                 the power fails after 3 more flash steps
  echo cable out | socat - UNIX-CONNECT:alice.ctl                   ok; cable in is answered by the port
  echo line drop | socat - UNIX-CONNECT:alice.ctl                   the host disconnects, the power stays
  echo status | socat - UNIX-CONNECT:alice.ctl                      {"case": "closed", "power": "on", ...}
  echo help | socat - UNIX-CONNECT:alice.ctl
without socat:
  python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("alice.ctl"); s.send(b"status\\n"); \\
      print(s.makefile().readline())'
A new pseudo-terminal replaces one that was hung up; --link follows it, and its path is printed on stderr."""


def _directory(text: str) -> Path:
    return file_path(text.removeprefix(EMULATOR))  # accepts emulator:DIR as well


def emulate(args: argparse.Namespace, out: Output) -> int:
    import ndks_emulator
    from ndks.keys.generator import VectorGenerator  # here, because NumPy is slow to import

    need(
        args.tcp is None or args.link is None,
        "--link and --tcp exclude each other: a link leads to a pseudo-terminal",
        "omit one of them",
    )
    if not args.tcp and not args.link:  # the user knows the port otherwise
        need_stdout()
    need_parent(args.directory)
    is_new = not is_there(args.directory / "uid")
    try:
        with ndks_emulator.UnitDirectory(args.directory, create=True) as directory, contextlib.ExitStack() as stack:
            line = _open_line(args.tcp, args.link)
            stack.callback(line.close)
            serial_number = directory.uid.hex().upper()
            notice = running.Notice(serial_number, args.directory)
            stack.callback(notice.remove)
            unit = ndks_emulator.RunningUnit(directory, line, VectorGenerator, lambda port: _announce(port, notice))
            control = _open_control(args.control, unit, stack) if args.control else {}
            notice.write(line.address)
            kind = "new blank unit" if is_new else "unit"
            note(f"{kind} {serial_number} in {args.directory}; Ctrl-C unplugs it")
            values = {"port": line.address, "pid": os.getpid(), "serial_number": serial_number}
            if is_stdout_open():
                out.result({**values, **control}, line.address)
            unit.serve()
    except ndks_emulator.DirectoryInUse as error:
        raise UnitBusy(str(error), "stop that process, or use its port") from None
    except ndks_emulator.DirectoryError as error:
        raise NoUnit(str(error), "name another directory; ndks makes a new unit in an empty directory") from None
    except (SystemExit, KeyboardInterrupt):  # ended by a signal
        note("unplugged")
    return 0


def _open_line(tcp: int | None, link: Path | None) -> Any:
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
