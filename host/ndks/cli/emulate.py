# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command emulate: an emulated unit on a port that other programs can open."""

import argparse
import math
from functools import partial
from pathlib import Path
from typing import Any

from ndks.board.chips import is_chip
from ndks.exceptions import NoUnit, UnitBusy
from ndks.line.emulated import need_parent
from ndks.line.transport import EMULATOR
from ndks.paths import is_there

from .arguments import add_path, bounded, file_path, need, quoted, whole
from .emulated_lines import check_line, serve
from .output import Output, note
from .parser import Parser, set_up

_MOST_UNITS = 32  # each has a thread


def add_emulate(parser: Parser) -> None:
    set_up(parser, _EXAMPLES, emulate)
    argument: Any = parser.add_argument(
        "directory", metavar="DIR", nargs="?", type=_directory, help="the directory of its state; created if missing"
    )
    argument.completes = "DIRECTORY"
    line = parser.add_mutually_exclusive_group()
    line.add_argument("--pty", action="store_true", help="on a pseudo-terminal, whose path is printed (default)")
    line.add_argument("--tcp", metavar="PORT", type=whole, help="on a TCP port of 127.0.0.1; 0 chooses a free one")
    add_path(parser, "--link", metavar="PATH", help="keep a symbolic link to the current pseudo-terminal at PATH")
    add_path(parser, "--control", metavar="SOCKET", help="open a Unix socket for commands: case, power, cable and line")
    add_path(
        parser,
        "--chip",
        metavar="IMAGE",
        help="emulate the chip of a board, with CircuitPython from this .uf2 file; later runs may omit it",
    )
    add_path(parser, "--console", metavar="PATH", help="of a chip: keep a symbolic link to its console at PATH")
    parser.add_argument(
        "--speed",
        metavar="X",
        type=_speed,
        help="of a chip: times faster than real, or max, as fast as this computer can (default: 1)",
    )
    parser.add_argument(
        "--units",
        metavar="N",
        type=_count,
        help="in place of DIR: this many units of a new network, bound to this laptop, until this command ends",
    )
    parser.add_argument("--network", metavar="NAME", help="with --units: the name of that network")


_EXAMPLES = """\
  ndks emulate alice                 prints a path like /dev/pts/5
  ndks key --unit /dev/pts/5         ... which is a unit like any other
  ndks emulate bob --tcp 7000        ndks key --unit socket://127.0.0.1:7000
  ndks emulate carol --chip firmware.uf2       an emulated Raspberry Pi Pico; docs/chip.md is about it
  ndks emulate --units 3 --network office      three members of a new network; prints their ports as JSON

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


def _count(text: str) -> int:
    return bounded(text, 1, _MOST_UNITS, f"must be 1 to {_MOST_UNITS}")


def _speed(text: str) -> float:
    if text == "max":
        return math.inf
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 1000:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is neither max nor a number from 0.01 to 1000")
    return speed


def _directory(text: str) -> Path:
    return file_path(text.removeprefix(EMULATOR))  # accepts emulator:DIR as well


def emulate(args: argparse.Namespace, out: Output) -> int:
    try:
        if args.units:
            _refuse_for_units(args)
            from .emulate_units import emulate_units

            emulate_units(args, out)
            return 0
        need(args.directory is not None, "a directory is missing", "name DIR, or use --units N --network NAME")
        need(args.network is None, "--network has no meaning without --units", "add --units N")
        if args.chip or is_chip(args.directory):
            from .emulate_chip import emulate_chip

            emulate_chip(args, out)
        else:
            need(not (args.speed or args.console), "--speed and --console are options of a chip", "add --chip IMAGE")
            emulate_unit(args, out)
    except (SystemExit, KeyboardInterrupt):  # ended by a signal
        note("unplugged")
    return 0


def _refuse_for_units(args: argparse.Namespace) -> None:
    """Raise UsageError for what excludes --units."""
    others = (args.directory, args.tcp, args.link, args.control, args.chip, args.console, args.speed)
    what = "--units makes directories and pseudo-terminals of its own, and emulates no chip"
    need(all(other is None for other in others), what, "leave out the other options, and DIR")
    need(args.network is not None, "--units makes a new network, whose name is missing", "add --network NAME")


def emulate_unit(args: argparse.Namespace, out: Output) -> None:
    import ndks_emulator
    from ndks.keys.generator import VectorGenerator  # here, because NumPy is slow to import

    check_line(args)
    need_parent(args.directory)
    what = "unit" if is_there(args.directory / "uid") else "new blank unit"
    try:
        with ndks_emulator.UnitDirectory(args.directory, create=True) as directory:
            serve(args, out, directory, what, partial(ndks_emulator.RunningUnit, directory, VectorGenerator))
    except ndks_emulator.DirectoryInUse as error:
        raise UnitBusy(str(error), "stop that process, or use its port") from None
    except ndks_emulator.DirectoryError as error:
        raise NoUnit(str(error), "name another directory; ndks makes a new unit in an empty directory") from None
