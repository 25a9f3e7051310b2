# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The one table of what commands answer with --json: their fields, and what each name means.

`ndks help COMMAND --json` gives it to programs, docs/command.md is made from it, and a test compares it with the
answers of all commands. One name is one thing, in all answers. Each module has the answers of a group of commands, and
what the names mean that only they use; `shared` has the names of several groups.
"""

import re
from collections.abc import Iterator
from typing import Any

from . import agents, gateways, laboratory, messages, networks, program, shared, units

Fields = dict[str, Any]  # name: the fields inside it; of each object in a list, when the name ends with []

GROUPS = units, networks, agents, messages, gateways, laboratory, program

# Fields of an object follow its name in parentheses. `?`: not always there; `*`: others, as the case may be.
ANSWERS = {form: text for group in GROUPS for form, text in group.ANSWERS.items()}
ERROR = f"error{shared.PROBLEM}"  # in place of any answer

# What a name means in all answers; `inside.name` where it means something else inside that object.
MEANINGS = {name: text for part in (shared, *GROUPS) for name, text in part.MEANINGS.items()}


def fields_of(text: str) -> Fields:
    """Return a row of the table as nested names."""
    return _read(iter(re.findall(r"[^\s()]+|[()]", text)))


def _read(words: Iterator[str]) -> Fields:
    found: Fields = {}
    last = ""
    for word in words:
        if word == ")":
            break
        if word == "(":
            found[last] = _read(words)
        else:
            last = word
            found[last] = {}
    return found


def answers_of(command: str) -> dict[str, Fields]:
    """Return the fields of a command's answers, by the form of the command that gives them."""
    return {form: fields_of(text) for form, text in ANSWERS.items() if f"{form} ".startswith(f"{command} ")}


def bare(name: str) -> str:
    """Return a name without its marks."""
    return name.rstrip("?").removesuffix("[]")
