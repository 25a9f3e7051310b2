# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The command `ndks`. Its contract is PROTOCOL.md section 9."""

import argparse
import os
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
    streams,
    units,
)
from .log import show_log
from .output import Output, need_stdout, report
from .signals import end_on_signals
from .system_errors import file_error
from .unexpected import report_unexpected

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
130 interrupted, 143 ended by SIGTERM, 129 by SIGHUP.
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
    args = argparse.Namespace(verbose=False, resume_advice="the same command begins anew")
    try:
        _open_descriptors()
        streams.prepare()
        end_on_signals()
        return _run(build_parser().parse_args(argv, args))
    except NdksError as error:
        report(error.code, str(error), error.advice)
        return error.exit_status
    except KeyboardInterrupt:
        report("INTERRUPTED", "stopped as you asked", args.resume_advice)
        return _INTERRUPTED
    except OSError as error:
        refused = file_error(error)
        report(refused.code, str(refused), refused.advice)
        return refused.exit_status
    except Exception as error:  # the last border: whatever it is, users get one line, and no traceback unasked
        report_unexpected(error, verbose=args.verbose)
        return _FAILED


def _open_descriptors() -> None:
    """Make sure that descriptors 0, 1 and 2 are there: else the next file that is opened is one of them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number, which is this one


def _run(args: argparse.Namespace) -> int:
    show_log(verbose=args.verbose)
    if args.json:
        need_stdout()
    return args.handler(args, Output(as_json=args.json)) or 0
