# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Words that are typed at the terminal: a code, or what somebody has said by voice."""

import argparse

from ndks.network.joining_file import JoiningFile
from ndks.word_list import SPOKEN

from . import stdin
from .arguments import need
from .output import note


def typed_words(count: int) -> str:
    """Return typed lines until they contain all words, which may be on several lines."""
    typed = ""
    while (given := len(typed.split())) < count:
        if typed:
            note(f"{given} of {count} words; go on, or Ctrl-D to stop")
        if not (line := stdin.read_line()):
            break
        typed += line
    return typed


def add_words(parser: argparse.ArgumentParser, whose: str) -> None:
    """Add --words."""
    parser.add_argument("--words", metavar="WORDS", help=f"{whose}, in quotes, instead of asking for them")


def compare_words(file: JoiningFile, given: str | None, maker: str) -> None:
    """Compare the six words of a file with those of --words, or with what the user types.

    The user is not shown the right ones: he has to hear them. UsageError, also without a terminal; WordsDiffer.
    """
    if given is None:
        what = f"stdin is not a terminal, so nobody can be asked for the words of the {file.WHAT}"
        need(stdin.is_terminal(), what, f'ask {maker} for them by voice, and repeat with --words "SIX WORDS"')
        note(f"ask {maker} by voice for the {SPOKEN} words of the {file.WHAT}; type them, and press Enter:")
        given = typed_words(SPOKEN)
    file.check_words(given)


def tell_words(words: str, whom: str) -> str:
    """Return the end of a result whose file is to be compared."""
    return f"send it to {whom}, who will ask by voice for these words:\n{words}"
