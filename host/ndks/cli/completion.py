# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command completion: completion scripts for shells."""

import argparse
from typing import Any

import shtab

from .output import Output
from .parser import Parser, set_up


def add_completion(parser: Parser) -> None:
    set_up(parser, _EXAMPLES, completion)
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)


_EXAMPLES = """\
  source <(ndks completion bash)       in bash, for this session or in ~/.bashrc
  ndks completion zsh > ~/.zfunc/_ndks"""


def completion(args: argparse.Namespace, out: Output) -> None:
    from . import build_parser  # here, because it imports this module

    parser = build_parser()
    _complete_paths(parser)
    script = shtab.complete(parser, args.shell)
    out.result({"shell": args.shell, "script": script}, script)


def _complete_paths(parser: Any) -> None:
    """Mark the path arguments of all commands for shtab."""
    for action in parser._actions:
        if kind := getattr(action, "completes", ""):
            action.complete = getattr(shtab, kind)
        if action.nargs == argparse.PARSER:
            for command in action.choices.values():
                _complete_paths(command)
