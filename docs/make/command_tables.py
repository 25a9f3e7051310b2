# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Make the tables of docs/command.md: commands, exit statuses, error codes, fields of answers in JSON.

python docs/make/command_tables.py            write them
python docs/make/command_tables.py --check    say whether they are up to date
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from man_page import OF_ALL, name_of, subcommands
from marked_tables import table, write_or_check

import ndks
from ndks import exceptions
from ndks.cli import build_parser, fields
from ndks.cli.exit_statuses import EXIT_STATUSES, OWN_CODES
from ndks.refusals import REFUSALS
from ndks_laboratory.faraday.channel import ChannelOpen
from ndks_protocol import errors, service

PAGE = Path(__file__).parents[1] / "command.md"
_IN_TREE = re.compile(r"^[ |`-]+(\w+) +(\d) +(.+)$", re.MULTILINE)


def command_table() -> str:
    parser = build_parser()
    rows = [command_row(command) for command in subcommands(parser)]
    return table(("command", "options", "what it does"), rows)


def command_row(command: argparse.ArgumentParser) -> tuple[str, str, str]:
    actions = [action for action in command._actions if action.dest not in (*OF_ALL, "timeout")]
    words = [command.prog.split(" [")[0].removeprefix("ndks "), *(name_of(a) for a in actions if not a.option_strings)]
    options = [f"`{longest(action)}`" for action in actions if action.option_strings]
    does = (command.description or "").rstrip(".")
    return f"`{escaped(' '.join(words))}`", " ".join(options), escaped(does[:1].lower() + does[1:])


def longest(option: argparse.Action) -> str:
    """Return the option as it is written out; of --x and --no-x, the first."""
    return next(name for name in option.option_strings if name.startswith("--"))


class Failure(NamedTuple):
    """An error code, and what it means."""

    code: str
    exit_status: int
    kind: str
    meaning: str


def host_failures() -> Iterator[Failure]:
    """Yield the codes of the tree in `ndks.exceptions`, which has to be that of the classes, and the command's own."""
    kinds = {"ChannelOpen": ChannelOpen, **vars(exceptions)}
    told = _IN_TREE.findall(exceptions.__doc__ or "")
    if {name for name, _, _ in told} != {kind.__name__ for kind in descendants(ndks.NdksError)}:
        raise AssertionError("the tree of exceptions is not that of the classes")
    for name, exit_status, meaning in told:
        if kinds[name].exit_status != int(exit_status):
            raise AssertionError(f"{name} has another exit status than the tree says")
        if not issubclass(kinds[name], ndks.DeviceError):  # whose codes are those of units
            yield Failure(kinds[name].code, int(exit_status), f"`{name}`", meaning)
    for code, (exit_status, meaning) in OWN_CODES.items():
        yield Failure(code, exit_status, "", meaning)


def descendants(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        if child.__module__.startswith("ndks"):
            yield child
            yield from descendants(child)


def unit_failures() -> Iterator[Failure]:
    for number, code in sorted((errors.TABLE | service.ERRORS).items(), key=lambda each: each[1]):
        error = exceptions.refused(number)
        if isinstance(error, ndks.DeviceError):  # else a host has this code as well
            yield Failure(code, error.exit_status, f"`{type(error).__name__}`", REFUSALS[number].meaning)


def exit_status_table() -> str:
    failures = [*host_failures(), *unit_failures()]
    rows = [
        (str(number), meaning, ", ".join(sorted({each.code for each in failures if each.exit_status == number})))
        for number, meaning in EXIT_STATUSES.items()
    ]
    return table(("exit status", "meaning", "codes"), rows)


def host_code_table() -> str:
    rows = [(each.code, str(each.exit_status), each.kind, escaped(each.meaning)) for each in sorted(host_failures())]
    return table(("code", "exit status", "in Python", "meaning"), rows)


def unit_code_table() -> str:
    advice = {ndks.DeviceError(number).code: refusal.advice for number, refusal in REFUSALS.items()}
    rows = [
        (each.code, str(each.exit_status), escaped(each.meaning), escaped(advice[each.code]))
        for each in unit_failures()
    ]
    return table(("code", "exit status", "meaning", "what helps"), rows)


def answer_table() -> str:
    rows = [(f"`{form}`", told(fields.fields_of(text))) for form, text in fields.ANSWERS.items()]
    return table(("command", "fields"), [*rows, ("any that fails", told(fields.fields_of(fields.ERROR)))])


def told(known: fields.Fields) -> str:
    return ", ".join(f"`{name}` ({told(inside)})" if inside else f"`{name}`" for name, inside in known.items())


def field_table() -> str:
    names = sorted(fields.MEANINGS, key=lambda name: (name.rpartition(".")[2], name))
    rows = [(f"`{name}`", escaped(fields.MEANINGS[name])) for name in names]
    return table(("field", "meaning"), rows)


def escaped(text: str) -> str:
    return text.replace("|", "\\|")


TABLES = {
    "commands": command_table,
    "exit_statuses": exit_status_table,
    "host_codes": host_code_table,
    "unit_codes": unit_code_table,
    "answers": answer_table,
    "fields": field_table,
}

if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, TABLES, __doc__))
