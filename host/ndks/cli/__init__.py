# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The command `ndks`; docs/command.md is its contract."""

import argparse
import importlib
import os
import sys
from collections.abc import Collection, Sequence
from typing import Any

import ndks
from ndks.exceptions import NdksError, UsageError
from ndks.system_errors import file_error
from ndks.times import DEFAULT_TIMEOUT

from . import streams
from .arguments import add_unit_options
from .exit_statuses import EXIT_STATUSES, INTERRUPTED
from .output import Output, need_stdout
from .parser import Parser, add_group, add_parser, count_leading, make_parser
from .signals import end_on_signals

# In the order of --help: the module and the help line of each command. A module is imported when its command is run;
# its function add_NAME adds the arguments and the handler of the command to a parser.
COMMANDS = {
    "list": ("units", "list the attached units"),
    "info": ("units", "show the state of a unit"),
    "eject": ("units", "prepare a unit to be unplugged"),
    "deploy": ("boards", "copy the firmware to the CIRCUITPY drive of a board"),
    "traceback": ("boards", "show a board's traceback with the names of the source"),
    "network": ("networks", "make and show networks, and change who is in them"),
    "provision": ("provision", "make a blank unit a member of a network, here or by a package for a unit elsewhere"),
    "join": ("join", "ask for a membership, inspect and approve requests, and accept what was approved"),
    "bind": ("bindings", "bind a unit to this laptop"),
    "trust": ("bindings", "tell a unit which laptop another unit is bound to"),
    "zeroize": ("bindings", "erase a unit"),
    "key": ("keys", "get a key from a unit"),
    "stream": ("keys", "write a key of any length to a file"),
    "encrypt": ("capsules", "seal a file in a capsule for the network"),
    "decrypt": ("capsules", "open a capsule"),
    "inspect": ("inspection", "show what an outsider or a member sees of a capsule"),
    "symbols": ("symbols", "seal and open texts of 0, 1 and nothing, and lines on which they arrive in time"),
    "generate": (
        "generate",
        "compute the exact key bits of the paper's generator, without a unit",
    ),
    "service": ("services", "let many programs use one unit, until stopped"),
    "serve": ("serving", "give keys to other programs by ETSI GS QKD 014 and SKIP, until stopped"),
    "psk": ("psk", "give other programs pre-shared keys, in step with the other site, until stopped"),
    "agent": ("agents", "keep a unit in its network, and its messages on their way, until stopped"),
    "send": ("agents", "send a message to all members of the network"),
    "receive": ("agents", "get the messages that have arrived"),
    "check": ("check", "compare the key of a message with its sender or receiver, by telephone"),
    "confine": ("confine", "find the unit whose keys differ from those of the others, or blame the channel"),
    "role": ("roles", "set how a unit takes part in leading its network"),
    "tunnel": ("tunnels", "carry connections between two gateways, encrypted with keys of their units, until stopped"),
    "emulate": ("emulate", "run an emulated unit until stopped"),
    "demo": ("demo", "show how two units share keys with no channel, and then exchange messages"),
    "faraday": ("faraday", "share keys with no channel: two laptops in cages, compared by an expert"),
    "homologate": ("homologate", "test and attack two or more blank units, and give a verdict"),
    "doctor": ("doctor", "print a diagnosis of this computer for a bug report"),
    "completion": ("completion", "print or install the completion script for a shell"),
    "help": ("help", "show the help of a command"),
    "version": ("help", "show the versions of ndks, the protocol and Python"),
}

_DESCRIPTION = "Share keys with NDKS units: boxes that compute the same key for the same key index, with no channel."
_EPILOG = """\
a first try, without a board:
  ndks network new office                                make office.ndksnet
  ndks provision office.ndksnet --bind --unit emulator:alice    make two emulated units, members of it
  ndks provision office.ndksnet --bind --unit emulator:bob
  ndks key --unit emulator:alice                                the same key ...
  ndks key --unit emulator:bob                                  ... twice
  echo hello > letter.txt
  ndks encrypt letter.txt --unit emulator:alice                 a message ...
  ndks decrypt letter.txt.ndks --unit emulator:bob -o -         ... arrives

environment:
  NDKS_UNIT    the unit, where --unit is missing
  NDKS_HOME    directory of this laptop's bindings

exit status:
"""


def exit_statuses() -> str:
    """Return a line for each exit status."""
    return "".join(f"  {number:<4} {meaning}\n" for number, meaning in EXIT_STATUSES.items())


def build_parser(loaded: Collection[str] = tuple(COMMANDS)) -> Parser:
    """Return the parser of all commands; those not `loaded` have only a name and a help line."""
    parser, subparsers = _top_parser()
    for name, (module, help_line) in COMMANDS.items():
        command = add_parser(subparsers, name, help_line)
        if name in loaded:
            getattr(importlib.import_module(f".{module}", __name__), f"add_{name}")(command)
    return parser


def _top_parser() -> tuple[Parser, Any]:
    """Return a parser of the options before a command, and the action to which commands are added."""
    parser = make_parser("ndks", _DESCRIPTION, _EPILOG + exit_statuses())
    parser.add_argument("-V", "--version", action="version", version=f"ndks {ndks.__version__}")
    subparsers = add_group(parser)
    add_unit_options(parser, "$NDKS_UNIT, or the only one")
    parser.set_defaults(json=False, verbose=False, log_file=None, unit=None, timeout=DEFAULT_TIMEOUT, takes_unit=False)
    return parser, subparsers


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = argparse.Namespace(verbose=False, resume_advice="the same command starts again from the beginning")
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
        return out.failed("INTERRUPTED", "stopped by Ctrl-C", args.resume_advice, INTERRUPTED)
    except OSError as error:
        refused = file_error(error)
        return out.failed(refused.code, str(refused), refused.advice, refused.exit_status)
    except Exception as error:  # users get one line, and a traceback only with --verbose
        from .unexpected import report_unexpected

        return report_unexpected(error, out, verbose=args.verbose)


def _parsed(words: list[str], args: argparse.Namespace) -> argparse.Namespace:
    """Parse the arguments, and load only the module of the named command. UsageError."""
    leading = count_leading(_top_parser()[0], words)
    args = build_parser(words[leading : leading + 1]).parse_args(words, args)
    if not args.takes_unit and (args.unit or args.timeout != DEFAULT_TIMEOUT) and args.handler:
        args.named.error("this command takes no --unit or --timeout before its name")
    return args


def _open_descriptors() -> None:
    """Open the closed ones of the descriptors 0, 1 and 2, so that no other file gets their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest free number, which is `number`


def _run(args: argparse.Namespace, out: Output) -> int:
    from .log import show_log

    if not args.handler:  # a group of commands, or nothing at all
        sys.stderr.write(args.named.format_help())
        if args.json:
            return out.failed(
                UsageError.code, "a command is missing", f"see {args.named.prog} --help", UsageError.exit_status
            )
        return UsageError.exit_status
    show_log(verbose=args.verbose, file=args.log_file)
    out.as_json, out.unit = args.json, args.unit
    if args.json:
        need_stdout()
    return args.handler(args, out) or 0
