# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The command `ndks`. Its contract is PROTOCOL.md section 9."""

import argparse
import errno
import os
import signal
from collections.abc import Sequence

import ndks
from ndks.exceptions import NdksError

from . import (
    arguments,
    bindings,
    capsules,
    completion,
    demo,
    emulate,
    faraday,
    generate,
    homologate,
    keys,
    networks,
    units,
)
from .log import show_log
from .output import Output, abandon_stdout, report

_INTERRUPTED = 130
_FAILED = 1

# Each adds its subcommands, in the order of --help.
_MODULES = (units, networks, bindings, keys, capsules, generate, emulate, demo, faraday, homologate, completion)

_DESCRIPTION = "Share keys with NDKS units: boxes that answer with the same key for the same index, with no channel."
_EXAMPLES = """\
a first try, without a board:
  ndks network new office                                make office.ndksnet
  ndks provision office.ndksnet --bind --unit emulator:alice    make two emulated units, members of it
  ndks provision office.ndksnet --bind --unit emulator:bob
  ndks key --unit emulator:alice                                the same key ...
  ndks key --unit emulator:bob                                  ... twice
  ndks encrypt letter.txt --unit emulator:alice                 a message ...
  ndks decrypt letter.txt.ndks --unit emulator:bob -o -         ... arrives

environment: NDKS_UNIT is used where --unit is not given; NDKS_HOME is where this laptop's bindings lie. Exit status:
0 ok, 1 failed, 2 usage, 3 no unit or several, 4 device error, 5 authentication, 6 time-out or unit removed,
130 interrupted.
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; shell completions are made from it."""
    parser = arguments.make_parser("ndks", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("--version", action="version", version=f"ndks {ndks.__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in _MODULES:
        module.add_commands(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = build_parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _end)  # temporary files are removed on the way out
    show_log(verbose=args.verbose)
    try:
        return args.handler(args, Output(as_json=args.json)) or 0
    except NdksError as error:
        report(error.code, str(error), error.advice)
        return error.exit_status
    except KeyboardInterrupt:
        report("INTERRUPTED", "stopped as you asked", args.resume_advice)
        return _INTERRUPTED
    except BrokenPipeError:
        abandon_stdout()
        report("FILE", "nobody reads the output any more", "read all of it, or use -o FILE")
        return _FAILED
    except OSError as error:
        abandon_stdout()
        report("FILE", _os_error_text(error), _os_error_advice(error))
        return _FAILED


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _os_error_text(error: OSError) -> str:
    what = os.strerror(error.errno) if error.errno else str(error)
    return f"{what}: {error.filename}" if error.filename else what


def _os_error_advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space and repeat the command"
    return "check the path and its permissions"
