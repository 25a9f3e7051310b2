# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Confirmation of what cannot be undone: a command says what it will do to whom, and asks."""

import argparse

from ndks.exceptions import Declined

from . import stdin
from .arguments import need, quoted
from .output import note

_NO = ("", "n", "no")
_UNCHANGED = "nothing was changed"


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Add --yes."""
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def confirm(args: argparse.Namespace, what: str, unchanged: str = _UNCHANGED) -> None:
    """Say what will be done, and ask unless --yes was given. Declined; UsageError without a terminal.

    `unchanged` is what is said after no.
    """
    if args.yes:
        note(what)
    else:
        ask(what, unchanged)


def ask(what: str, unchanged: str = _UNCHANGED) -> None:
    """Ask for confirmation. Declined; UsageError without a terminal."""
    if not stdin.is_terminal():
        note(what)
    need(stdin.is_terminal(), "stdin is not a terminal, so nobody can confirm", "repeat with --yes")
    note(f"{what} Type yes, and press Enter:")
    answer = stdin.read_line().strip()
    if answer.lower() in _NO:
        raise Declined(unchanged)
    if answer.lower() != "yes":
        raise Declined(f"{quoted(answer)} is not yes: {unchanged}", "type yes in full, or add --yes")
