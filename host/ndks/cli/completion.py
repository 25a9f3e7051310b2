# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command completion: completion scripts for shells."""

import argparse
import os
from pathlib import Path
from typing import Any

import shtab

from ndks.driver.finding import units_here
from ndks.driver.running import running_units
from ndks.exceptions import FileError, reason
from ndks.line.discovery import candidates
from ndks.network.administrator_file import SUFFIX as ADMINISTRATOR_SUFFIX
from ndks.network.join_package import SUFFIX as PACKAGE_SUFFIX
from ndks.network.network_file import SUFFIX
from ndks.whole_file import whole_file

from .arguments import need
from .output import Output
from .parser import Parser, set_up

# The shell asks for units and tunnels when it completes them, not when it starts.
_PREAMBLE = {
    "bash": f"""\
_ndks_units() {{ compgen -W "$(ndks completion --units 2>/dev/null)" -- "$1"; }}
_ndks_tunnels() {{ compgen -W "$(ndks completion --tunnels 2>/dev/null)" -- "$1"; }}
_ndks_administrators() {{ compgen -d -- "$1"; compgen -f -X '!*{ADMINISTRATOR_SUFFIX}' -- "$1"; }}
_ndks_networks() {{ _ndks_administrators "$1"; compgen -f -X '!*{SUFFIX}' -- "$1"; }}
_ndks_memberships() {{ _ndks_networks "$1"; compgen -f -X '!*{PACKAGE_SUFFIX}' -- "$1"; }}
""",
    "zsh": """\
_ndks_units() { local -a units; units=(${(f)"$(ndks completion --units 2>/dev/null)"}); compadd -a units }
_ndks_tunnels() { local -a tunnels; tunnels=(${(f)"$(ndks completion --tunnels 2>/dev/null)"}); compadd -a tunnels }
""",
}
_COMPLETERS: dict[str, Any] = {
    "FILE": shtab.FILE,
    "DIRECTORY": shtab.DIRECTORY,
    "UNIT": {"bash": "_ndks_units", "zsh": "_ndks_units", "tcsh": "`ndks completion --units`"},
    "TUNNEL": {"bash": "_ndks_tunnels", "zsh": "_ndks_tunnels", "tcsh": "`ndks completion --tunnels`"},
    "ADMINISTRATOR": {
        "bash": "_ndks_administrators",
        "zsh": f"_files -g '*{ADMINISTRATOR_SUFFIX}'",
        "tcsh": f"f:*{ADMINISTRATOR_SUFFIX}",
    },
    "NETWORK": {
        "bash": "_ndks_networks",
        "zsh": f"_files -g '*({SUFFIX}|{ADMINISTRATOR_SUFFIX})'",
        "tcsh": f"f:*{{{SUFFIX},{ADMINISTRATOR_SUFFIX}}}",
    },
    "MEMBERSHIP": {
        "bash": "_ndks_memberships",
        "zsh": f"_files -g '*({SUFFIX}|{ADMINISTRATOR_SUFFIX}|{PACKAGE_SUFFIX})'",
        "tcsh": f"f:*{{{SUFFIX},{ADMINISTRATOR_SUFFIX},{PACKAGE_SUFFIX}}}",
    },
}
# Where a shell finds the completion script of a command at its first use
_PLACES = {
    "bash": (("XDG_DATA_HOME", ".local/share"), "bash-completion/completions/ndks"),
    "zsh": (("ZDOTDIR", ""), ".zfunc/_ndks"),
    "fish": (("XDG_CONFIG_HOME", ".config"), "fish/completions/ndks.fish"),
}
_HOW = {
    "bash": "new shells complete ndks (Debian: with the package bash-completion)",
    "zsh": "add this to .zshrc, before compinit: fpath+=(${ZDOTDIR:-$HOME}/.zfunc)",
    "fish": "new shells complete ndks",
}


def add_completion(parser: Parser) -> None:
    set_up(parser, _EXAMPLES, completion)
    parser.add_argument(
        "shell", nargs="?", choices=shtab.SUPPORTED_SHELLS, help="which shell (--install: default $SHELL)"
    )
    parser.add_argument("--install", action="store_true", help="write the completions where your shell finds them")
    parser.add_argument("--units", action="store_true", help="print the units of this computer, for --unit")
    parser.add_argument("--tunnels", action="store_true", help="print the names of this user's tunnels")


_EXAMPLES = """\
  ndks completion bash --install       once; shells start as fast as before
  ndks completion --install            for the shell in $SHELL
  ndks completion tcsh                 prints it"""


def completion(args: argparse.Namespace, out: Output) -> None:
    if args.units:
        units = _units()
        out.result({"unit_names": units}, "\n".join(units))
        return
    if args.tunnels:
        from ndks_gateways.running.places import names

        out.result({"tunnel_names": names()}, "\n".join(names()))
        return
    shell = args.shell or (_own_shell() if args.install else "")
    if not shell:
        shells = ", ".join(shtab.SUPPORTED_SHELLS)
        args.named.error(f"the following arguments are required: shell; choose from {shells}")
    script = _script(shell)
    if args.install:
        path = _installed(shell, script)
        out.done({"shell": shell, "file": str(path)}, f"{path} written; {_HOW[shell]}")
    else:
        out.result({"shell": shell, "script": script}, script)


def _own_shell() -> str:
    """Return the name of this user's shell; "" for one without completion scripts."""
    name = Path(os.environ.get("SHELL") or "").name
    return name if name in shtab.SUPPORTED_SHELLS else ""


def _script(shell: str) -> str:
    from . import build_parser  # here, because it imports this module

    parser = build_parser()
    _name_completers(parser)
    preamble: Any = _PREAMBLE  # one for each shell, which its type does not know
    return shtab.complete(parser, shell, preamble=preamble)


def _name_completers(parser: Any) -> None:
    """Set shtab's completers of the arguments of all commands."""
    for action in parser._actions:
        if kind := getattr(action, "completes", ""):
            action.complete = _COMPLETERS[kind]
        if action.nargs == argparse.PARSER:
            for command in action.choices.values():
                _name_completers(command)


def _installed(shell: str, script: str) -> Path:
    need(shell in _PLACES, f"{shell} has no directory of completion scripts", f"ndks completion {shell} prints it")
    (variable, below_home), name = _PLACES[shell]
    path = Path(os.environ.get(variable) or Path.home() / below_home) / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path, private=False) as file:
            file.write(script.encode())
    except OSError as error:
        raise FileError(f"{path} cannot be written: {reason(error)}") from None
    return path


def _units() -> list[str]:
    """Return the ports of attached and running units, and the names of emulated units in the current directory."""
    return [*(board.port for board in candidates()), *(unit.port for unit in running_units()), *units_here()]
