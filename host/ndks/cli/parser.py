# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Parsers of commands."""

import argparse
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NoReturn

from ndks.exceptions import UsageError

from .arguments import file_path
from .output import encoded, write_stdout
from .suggestions import did_you_mean, explain_unknown, value_like_option

Handler = Callable[[argparse.Namespace, Any], int | None]
_RAW = argparse.RawDescriptionHelpFormatter
_SUPPRESS = argparse.SUPPRESS  # an omitted option keeps the value given before the command


class Parser(argparse.ArgumentParser):
    """A parser with the error format of this program, and without abbreviated options."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)
        self._words: list[str] = []
        self.usual = ""  # of a group: the command that is meant where the first word names none ...
        self.usual_options: Collection[str] = ()  # ... and these tell it from another command that is mistyped

    def error(self, message: str) -> NoReturn:
        """Raise a UsageError that names the help of this command."""
        if message.startswith("the following arguments are required") and (unknown := self._unknown_options()):
            message = explain_unknown(unknown, self._option_string_actions)  # such as -x.txt where FILE is missing
        if message.endswith("expected one argument"):
            message = f"{message}{value_like_option(self._words, self._option_string_actions)}"
        raise UsageError(message, f"see {self.prog} --help")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Parse, and refuse unknown words here, where the options of the command are known."""
        args = self._with_usual(list(args or ()))
        self._words = args
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(explain_unknown(unknown, self._option_string_actions))
        return namespace, unknown

    def _with_usual(self, words: list[str]) -> list[str]:
        commands = subparsers_of(self)
        if not self.usual or not words or words[0] in ("-h", "--help") or set(words) & set(commands):
            return words
        named = next((word for word in words if not word.startswith("-")), "")
        is_usual = any(word.partition("=")[0] in self.usual_options for word in words)
        return words if did_you_mean(named, commands) and not is_usual else [self.usual, *words]

    def _unknown_options(self) -> list[str]:
        words = itertools.takewhile(lambda word: word != "--", self._words)
        known = tuple(self._option_string_actions)
        return [word for word in words if re.match("-[^0-9]", word) and not word.startswith(known)]

    def refuse_command(self, name: str) -> NoReturn:
        """Refuse an unknown command. UsageError."""
        group = f" in {self.prog}" if " " in self.prog else ""
        self.error(f"there is no command {name!r}{group}; {_instead(name, subparsers_of(self))}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.nargs == argparse.PARSER and value not in (action.choices or ()):
            self.refuse_command(value)
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(action, f"{value!r} is not a choice; {_instead(str(value), action.choices)}")

    def _print_message(self, message: str, file: Any = None) -> None:  # noqa: ARG002 (always stdout)
        """Print help or version as a result."""
        write_stdout(encoded(message))


def make_parser(prog: str, description: str, examples: str) -> Parser:
    """Return the top parser."""
    return Parser(prog=prog, description=description, epilog=examples, formatter_class=_RAW)


def add_parser(subparsers: Any, name: str, help_line: str) -> Parser:
    """Add a subcommand or a group of subcommands."""
    description = f"{help_line[0].upper()}{help_line[1:]}."
    return subparsers.add_parser(name, help=help_line, description=description, formatter_class=_RAW)


def set_up(parser: Parser, examples: str, handler: Handler) -> None:
    """Give a subcommand its examples, its handler and the options of every command."""
    show_examples(parser, examples)
    add_common(parser)
    parser.set_defaults(handler=handler, named=parser, resume_advice="the same command starts again from the beginning")


def add_group(parser: Parser) -> Any:
    """Make a parser a group of commands, and return the action to which they are added."""
    add_common(parser)
    parser.set_defaults(handler=None, named=parser)
    return parser.add_subparsers(metavar="COMMAND")


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command; they may also stand before the command."""
    parser.add_argument("--json", action="store_true", default=_SUPPRESS, help="print the result as one JSON object")
    parser.add_argument(
        "--verbose",
        action="store_true",
        default=_SUPPRESS,
        help="log requests and answers on stderr, without secrets",
    )
    parser.add_argument(
        "--log-file", metavar="FILE", type=file_path, default=_SUPPRESS, help="append the same log with times to FILE"
    )


def _instead(word: str, choices: Iterable[Any]) -> str:
    names = [str(choice) for choice in choices]
    return did_you_mean(word, names) or f"choose from {', '.join(names)}"


def subparsers_of(parser: argparse.ArgumentParser) -> dict[str, Parser]:
    """Return the parsers of a group by name; empty for a command that is not a group."""
    groups = [action for action in parser._actions if action.nargs == argparse.PARSER]
    return dict(groups[0].choices or {}) if groups else {}  # type: ignore[arg-type]


def count_leading(parser: Parser, words: Sequence[str]) -> int:
    """Return the number of words before the command: options and their values."""
    count = 0
    while count < len(words) and words[count].startswith("-"):
        name, has_value, _ = words[count].partition("=")
        action = parser._option_string_actions.get(name)
        if action is None:
            parser.error(explain_unknown([words[count]], parser._option_string_actions))
        count += 1 if has_value or action.nargs == 0 else 2
    return min(count, len(words))


def show_examples(parser: Parser, *examples: str) -> None:
    parser.epilog = "\n".join(("examples:", *examples))


def add_command(subparsers: Any, name: str, help_line: str, examples: str, handler: Handler) -> Parser:
    """Add a subcommand to a group."""
    parser = add_parser(subparsers, name, help_line)
    set_up(parser, examples, handler)
    return parser
