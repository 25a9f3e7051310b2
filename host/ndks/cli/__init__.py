# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The command `ndks`. Its contract is PROTOCOL.md section 9."""

import argparse
import importlib
import os
import sys
from collections.abc import Collection, Sequence

import ndks
from ndks.exceptions import NdksError, UsageError
from ndks.system_errors import file_error
from ndks.times import DEFAULT_TIMEOUT

from . import streams
from .arguments import add_unit_options
from .output import Output, need_stdout
from .parser import Parser, add_common, add_group, add_parser, count_leading, make_parser
from .signals import end_on_signals

_INTERRUPTED = 130

# In the order of --help: the module, which is loaded when the command is named, and what the command does. The module
# has a function add_NAME, which gives the command's parser its arguments and its handler.
COMMANDS = {
    "list": ("units", "list the units that are plugged in"),
    "info": ("units", "show what a unit holds and how it is"),
    "eject": ("units", "get a unit ready to be unplugged"),
    "deploy": ("units", "copy the firmware to the CIRCUITPY drive of a board"),
    "network": ("networks", "make a network, or show one"),
    "provision": ("networks", "make a blank unit a member of a network"),
    "bind": ("bindings", "bind a unit to this laptop"),
    "trust": ("bindings", "tell a unit which laptop another one is bound to"),
    "zeroize": ("bindings", "erase a unit, for ever"),
    "key": ("keys", "get a key from a unit"),
    "stream": ("keys", "get a key of any length into a file"),
    "encrypt": ("capsules", "seal a file in a capsule for the network"),
    "decrypt": ("capsules", "open a capsule"),
    "inspect": ("inspection", "show what can be seen of a capsule"),
    "generate": (
        "generate",
        "compute the paper's key bits, by equation 7 or other operators, exactly, without a unit",
    ),
    "emulate": ("emulate", "run an emulated unit until stopped"),
    "demo": ("demo", "show two units share keys with no channel, then send each other messages"),
    "faraday": ("faraday", "share keys with no channel: two laptops in cages, and an expert"),
    "homologate": ("homologate", "test two blank units, attack them, and give a verdict"),
    "completion": ("completion", "print completions for a shell"),
    "help": ("help", "show the help of a command"),
    "version": ("help", "show the versions of ndks, of the protocol and of Python"),
}

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


def build_parser(loaded: Collection[str] = tuple(COMMANDS)) -> Parser:
    """Return the parser of all commands; of those that are not `loaded` it knows the name and the purpose only."""
    parser = make_parser("ndks", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("-V", "--version", action="version", version=f"ndks {ndks.__version__}")
    add_common(parser)
    add_unit_options(parser, "$NDKS_UNIT, or the only one")
    subparsers = add_group(parser)
    parser.set_defaults(json=False, verbose=False, log_file=None, unit=None, timeout=DEFAULT_TIMEOUT, takes_unit=False)
    for name, (module, help_line) in COMMANDS.items():
        command = add_parser(subparsers, name, help_line)
        if name in loaded:
            getattr(importlib.import_module(f".{module}", __name__), f"add_{name}")(command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = argparse.Namespace(verbose=False, resume_advice="the same command begins anew")
    words = list(sys.argv[1:] if argv is None else argv)
    out = Output(as_json="--json" in words)
    try:
        _open_descriptors()
        streams.prepare()
        end_on_signals()
        return _run(_parsed(words, args), out)
    except NdksError as error:
        return out.failed(error.code, str(error), error.advice, error.exit_status)
    except KeyboardInterrupt:
        return out.failed("INTERRUPTED", "stopped as you asked", args.resume_advice, _INTERRUPTED)
    except OSError as error:
        refused = file_error(error)
        return out.failed(refused.code, str(refused), refused.advice, refused.exit_status)
    except Exception as error:  # the last border: whatever it is, users get one line, and no traceback unasked
        from .unexpected import report_unexpected

        return report_unexpected(error, out, verbose=args.verbose)


def _parsed(words: list[str], args: argparse.Namespace) -> argparse.Namespace:
    """Return the arguments; only the module of the command that is named is loaded. UsageError."""
    leading = count_leading(build_parser(()), words)
    args = build_parser(words[leading : leading + 1]).parse_args(words, args)
    if not args.takes_unit and (args.unit or args.timeout != DEFAULT_TIMEOUT) and args.handler:
        args.named.error("--unit and --timeout in front of this command have no use")
    return args


def _open_descriptors() -> None:
    """Make sure that descriptors 0, 1 and 2 are there: else the next file that is opened is one of them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number, which is this one


def _run(args: argparse.Namespace, out: Output) -> int:
    from .log import show_log

    if not args.handler:  # a group of commands, or nothing at all
        sys.stderr.write(args.named.format_help())
        return UsageError.exit_status
    show_log(verbose=args.verbose, file=args.log_file)
    out.as_json = args.json
    if args.json:
        need_stdout()
    return args.handler(args, out) or 0
