# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands deploy and traceback: the firmware on a board, and what its console prints."""

import argparse

from ndks.board.deploy import check_drive, deploy
from ndks.board.tracebacks import names_in, own_names
from ndks.files import Source
from ndks.printable import printable

from .arguments import add_path
from .message_files import add_source, check_source, open_source
from .output import Output, note
from .parser import Parser, set_up

_MUCH = 1 << 20  # bytes of a console's log

_DEPLOY_EXAMPLES = """\
  ndks deploy /media/$USER/CIRCUITPY
  ndks deploy E:\\
  ndks deploy /media/$USER/CIRCUITPY --source    to see line numbers while you change the firmware"""
_TRACEBACK_EXAMPLES = """\
  ndks traceback console.log
  ndks traceback - --map /media/$USER/CIRCUITPY/lib/ndks_unit/names.json    of another version's firmware"""


def add_deploy(parser: Parser) -> None:
    set_up(parser, _DEPLOY_EXAMPLES, deploy_firmware)
    add_path(parser, "drive", metavar="DRIVE", help="directory of the drive")
    text = "copy the source, which the board compiles at every start: for development"
    parser.add_argument("--source", action="store_true", help=text)


def add_traceback(parser: Parser) -> None:
    set_up(parser, _TRACEBACK_EXAMPLES, show_traceback)
    add_source(parser, "FILE", "what the board's console has printed")
    text = "the map of the firmware on the board: lib/ndks_unit/names.json on its drive (default: of this version)"
    add_path(parser, "--map", metavar="FILE", help=text)


def deploy_firmware(args: argparse.Namespace, out: Output) -> None:
    line = check_drive(args.drive, source=args.source)
    note(f"{args.drive} is a board with {line.partition(';')[0]}")
    files = deploy(args.drive, note, source=args.source)
    text = f"{len(files)} files copied to {args.drive}. Eject it, take the jumper off, and plug the board in again."
    out.done({"drive": str(args.drive), "files": files}, text)


def show_traceback(args: argparse.Namespace, out: Output) -> None:
    check_source(args, "name a file with a traceback")
    names = names_in(args.map) if args.map else own_names()
    with open_source(args) as source:
        lines = [printable(line) for line in names.translated(_read(source)).splitlines()]
    note("the firmware on a board has no line numbers, unless it was deployed with --source")
    out.result({"lines": lines}, "\n".join(lines))


def _read(source: Source) -> str:
    text = b""
    while len(text) < _MUCH and (more := source.read(_MUCH)):
        text += more
    return text.decode(errors="replace")
