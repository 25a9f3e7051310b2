# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The command `ndks`; docs/command.md is its contract."""

import argparse
import importlib
import os
import sys
from collections.abc import Collection, Sequence

import ndks
from ndks.exceptions import NdksError

from . import streams
from .output import Output, need_stdout, report
from .parser import add_parser, make_parser
from .signals import end_on_signals
from .system_errors import file_error

_INTERRUPTED = 130
_FAILED = 1

# In the order of --help: the module and the help line of each command. A module is imported when its command is run;
# its function add_NAME adds the arguments and the handler of the command to a parser.
COMMANDS = {
    "list": ("units", "list the attached units"),
    "info": ("units", "show the state of a unit"),
    "eject": ("units", "prepare a unit to be unplugged"),
    "deploy": ("units", "copy the firmware to the CIRCUITPY drive of a board"),
    "network": ("networks", "make or show a network file"),
    "provision": ("networks", "make a blank unit a member of a network"),
    "bind": ("bindings", "bind a unit to this laptop"),
    "trust": ("bindings", "tell a unit which laptop another unit is bound to"),
    "zeroize": ("bindings", "erase a unit"),
    "key": ("keys", "get a key from a unit"),
    "stream": ("keys", "write a key of any length to a file"),
    "encrypt": ("capsules", "seal a file in a capsule for the network"),
    "decrypt": ("capsules", "open a capsule"),
    "inspect": ("inspection", "show what an outsider or a member sees of a capsule"),
    "generate": (
        "generate",
        "compute the exact key bits of the paper's generator, without a unit",
    ),
    "emulate": ("emulate", "run an emulated unit until stopped"),
    "demo": ("demo", "show how two units share keys with no channel, and then exchange messages"),
    "faraday": ("faraday", "share keys with no channel: two laptops in cages, compared by an expert"),
    "homologate": ("homologate", "test and attack two blank units, and give a verdict"),
    "completion": ("completion", "print the completion script for a shell"),
}

_DESCRIPTION = "Share keys with NDKS units: boxes that compute the same key for the same key index, with no channel."
_EXAMPLES = """\
a first try, without a board:
  ndks network new office                                make office.ndksnet
  ndks provision office.ndksnet --bind --unit emulator:alice    make two emulated units, members of it
  ndks provision office.ndksnet --bind --unit emulator:bob
  ndks key --unit emulator:alice                                the same key ...
  ndks key --unit emulator:bob                                  ... twice
  ndks encrypt letter.txt --unit emulator:alice                 a message ...
  ndks decrypt letter.txt.ndks --unit emulator:bob -o -         ... arrives

environment: NDKS_UNIT replaces a missing --unit; NDKS_HOME is the directory of this laptop's bindings. Exit status:
0 ok, 1 failed, 2 usage, 3 no unit or several, 4 device error, 5 authentication, 6 time-out or unit removed,
130 interrupted, 143 ended by SIGTERM, 129 by SIGHUP.
"""


def build_parser(loaded: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return the parser of all commands; those not `loaded` have only a name and a help line."""
    parser = make_parser("ndks", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("--version", action="version", version=f"ndks {ndks.__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, help_line) in COMMANDS.items():
        command = add_parser(subparsers, name, help_line)
        if name in loaded:
            getattr(importlib.import_module(f".{module}", __name__), f"add_{name}")(command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = argparse.Namespace(verbose=False, resume_advice="the same command starts again from the beginning")
    try:
        _open_descriptors()
        streams.prepare()
        end_on_signals()
        words = sys.argv[1:] if argv is None else argv
        named = [word for word in words if not word.startswith("-")][:1]  # no option before the command has a value
        return _run(build_parser(named).parse_args(words, args))
    except NdksError as error:
        report(error.code, str(error), error.advice)
        return error.exit_status
    except KeyboardInterrupt:
        report("INTERRUPTED", "stopped by Ctrl-C", args.resume_advice)
        return _INTERRUPTED
    except OSError as error:
        refused = file_error(error)
        report(refused.code, str(refused), refused.advice)
        return refused.exit_status
    except Exception as error:  # users get one line, and a traceback only with --verbose
        from .unexpected import report_unexpected

        report_unexpected(error, verbose=args.verbose)
        return _FAILED


def _open_descriptors() -> None:
    """Open the closed ones of the descriptors 0, 1 and 2, so that no other file gets their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest free number, which is `number`


def _run(args: argparse.Namespace) -> int:
    from .log import show_log

    show_log(verbose=args.verbose)
    if args.json:
        need_stdout()
    return args.handler(args, Output(as_json=args.json)) or 0
