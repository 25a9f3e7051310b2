# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands help and version."""

import argparse
import platform
import sys
from typing import Any

import ndks
from ndks_protocol import MAJOR, MINOR

from . import fields
from .output import Output
from .parser import Parser, set_up, subparsers_of


def add_help(parser: Parser) -> None:
    set_up(parser, _HELP_EXAMPLES, show_help)
    parser.add_argument("named_command", metavar="COMMAND", nargs="*", help="such as key, or network new")


def add_version(parser: Parser) -> None:
    set_up(parser, "  ndks version\n  ndks version --json", show_version)


_HELP_EXAMPLES = """\
  ndks help                 all commands
  ndks help key
  ndks help network new"""


def show_help(args: argparse.Namespace, out: Output) -> None:
    from . import build_parser  # here, because it imports this module

    parser = build_parser(args.named_command[:1])
    for word in args.named_command:
        commands = subparsers_of(parser)
        if word not in commands:
            parser.refuse_command(word)
        parser = commands[word]
    text = parser.format_help().rstrip("\n")
    out.result({"help": text, **_answers(args.named_command)}, text)


def _answers(named_command: list[str]) -> dict[str, Any]:
    """Return what a command answers with --json."""
    answers = fields.answers_of(" ".join(named_command)) if named_command else {}
    return {"answers": answers} if answers else {}


def show_version(_args: argparse.Namespace, out: Output) -> None:
    values = {
        "version": ndks.__version__,
        "protocol": f"{MAJOR}.{MINOR}",
        "python": platform.python_version(),
        "platform": sys.platform,
    }
    system = f"protocol {values['protocol']}, Python {values['python']}, {values['platform']}"
    out.result(values, f"ndks {values['version']} ({system})")
