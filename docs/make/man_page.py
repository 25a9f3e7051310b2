# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Make the manual page docs/ndks.1 from the parser of the command `ndks`; the wheel carries it to share/man/man1.

python docs/make/man_page.py            write it
python docs/make/man_page.py --check    say whether it is up to date

It is not made while a wheel is built: for that each `pip install` would first have to bring all of this project's
dependencies into the environment of the build.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import ndks
from ndks.cli import build_parser
from ndks.cli.exit_statuses import EXIT_STATUSES

PAGE = Path(__file__).parents[2] / "docs" / "ndks.1"
_LICENSE = r""".\" SPDX-FileCopyrightText: 2026 The NDKS project
.\" SPDX-License-Identifier: MIT
.\" Made by docs/make/man_page.py"""

OF_ALL = ("help", "json", "verbose", "log_file")  # options of every command


def man_page() -> str:
    parser = build_parser()
    lines = [
        _LICENSE,
        f'.TH NDKS 1 "" "ndks {ndks.__version__}" "User Commands"',
        r".SH NAME",
        r"ndks \- share keys with NDKS units",
        ".SH SYNOPSIS",
        r"\fBndks\fR [\fIOPTION\fR ...] \fICOMMAND\fR ...",
        ".SH DESCRIPTION",
        escaped(parser.description or ""),
        ".SH OPTIONS",
        "In front of the command or after it. The unit and its time\\-out are for the commands that name them below.",
        *(line for action in parser._actions if action.option_strings for line in entry(parser, action)),
        ".SH COMMANDS",
        *(line for command in subcommands(parser) for line in section(command)),
        ".SH EXIT STATUS",
        *(line for number, meaning in EXIT_STATUSES.items() for line in (".TP", str(number), escaped(meaning))),
        ".SH NOTES",
        *preformatted((parser.epilog or "").partition("\nexit status:")[0]),
    ]
    return "\n".join(lines) + "\n"


def subcommands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the parsers of all commands, those of groups such as `ndks network` by their members."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from subcommands(command) if is_group(command) else [command]


def is_group(parser: argparse.ArgumentParser) -> bool:
    return any(isinstance(action, argparse._SubParsersAction) for action in parser._actions)


def section(command: argparse.ArgumentParser) -> Iterator[str]:
    actions = [action for action in command._actions if action.dest not in OF_ALL]
    arguments = [action for action in actions if not action.option_strings]
    yield f".SS {escaped(' '.join([command.prog.split(' [')[0], *map(name_of, arguments), '[OPTION ...]']))}"
    yield escaped(command.description or "")
    for action in [*arguments, *(action for action in actions if action.option_strings)]:
        yield from entry(command, action)
    yield from preformatted(command.epilog or "")


def entry(command: argparse.ArgumentParser, action: argparse.Action) -> tuple[str, str, str]:
    text = command._get_formatter()._expand_help(action) if action.help else ""
    return ".TP", rf"\fB{escaped(name_of(action))}\fR", escaped(text)


def name_of(action: argparse.Action) -> str:
    """Return an argument as it is typed."""
    value = str(action.metavar or "|".join(map(str, action.choices or ())) or action.dest.upper())
    value = value if action.nargs != 0 else ""
    return " ".join(filter(None, [", ".join(action.option_strings), value]))


def preformatted(text: str) -> list[str]:
    return [".PP", ".nf", *map(escaped, text.rstrip("\n").split("\n")), ".fi"] if text else []


def escaped(text: str) -> str:
    """Return a text with nothing in it that roff would take for its own."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    return rf"\&{text}" if text.startswith(".") else text


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true")
    if not options.parse_args().check:
        PAGE.write_text(man_page(), encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != man_page():
        print(f"docs/{PAGE.name} is stale: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
