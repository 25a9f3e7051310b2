# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""completion: completions of commands and options for a shell."""

import argparse
from typing import Any

import shtab

from .arguments import add_command
from .output import Output


def add_commands(subparsers: Any) -> None:
    parser = add_command(subparsers, "completion", "print completions for a shell", _EXAMPLES, completion)
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)


_EXAMPLES = """\
  source <(ndks completion bash)       in bash, for this session or in ~/.bashrc
  ndks completion zsh > ~/.zfunc/_ndks"""


def completion(args: argparse.Namespace, out: Output) -> None:
    from . import build_parser  # which needs this module

    script = shtab.complete(build_parser(), args.shell)
    out.result({"shell": args.shell, "script": script}, script)
