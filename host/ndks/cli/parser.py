# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Parsers of commands."""

import argparse
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from ndks.exceptions import UsageError

from .output import encoded, report, write_stdout

Handler = Callable[[argparse.Namespace, Any], int | None]
_RAW = argparse.RawDescriptionHelpFormatter


class Parser(argparse.ArgumentParser):
    """A parser with the error format of this program, and without abbreviated options."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        report(UsageError.code, message, f"{self.prog} --help")
        sys.exit(UsageError.exit_status)

    def _print_message(self, message: str, file: Any = None) -> None:  # noqa: ARG002 (always stdout)
        """Print help or version as a result."""
        write_stdout(encoded(message))


def make_parser(prog: str, description: str, examples: str) -> argparse.ArgumentParser:
    """Return the top parser."""
    return Parser(prog=prog, description=description, epilog=examples, formatter_class=_RAW)


def add_parser(subparsers: Any, name: str, help_line: str) -> Parser:
    """Add a subcommand or a group of subcommands."""
    description = f"{help_line[0].upper()}{help_line[1:]}."
    return subparsers.add_parser(name, help=help_line, description=description, formatter_class=_RAW)


def set_up(parser: Parser, examples: str, handler: Handler) -> None:
    """Give a subcommand its examples, its handler and the options of every command."""
    show_examples(parser, examples)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.add_argument(
        "--verbose", action="store_true", help="log the requests and answers on stderr, without secrets"
    )
    parser.set_defaults(handler=handler, resume_advice="the same command starts again from the beginning")


def show_examples(parser: Parser, *examples: str) -> None:
    parser.epilog = "\n".join(("examples:", *examples))


def add_command(subparsers: Any, name: str, help_line: str, examples: str, handler: Handler) -> Parser:
    """Add a subcommand to a group."""
    parser = add_parser(subparsers, name, help_line)
    set_up(parser, examples, handler)
    return parser
