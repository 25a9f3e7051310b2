# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""completion: completions of commands, options, units and files for a shell."""

import argparse
import os
from pathlib import Path
from typing import Any

import shtab

from ndks.driver.running import running_units
from ndks.exceptions import FileError, reason
from ndks.files import whole_file
from ndks.line.discovery import candidates
from ndks.line.transport import EMULATOR
from ndks.network.network_file import SUFFIX

from .arguments import need
from .output import Output
from .parser import Parser, set_up

# What follows --unit is asked for when it is completed; no shell waits for it when it starts.
_PREAMBLE = {
    "bash": f"""\
_ndks_units() {{ compgen -W "$(ndks completion --units 2>/dev/null)" -- "$1"; }}
_ndks_networks() {{ compgen -d -- "$1"; compgen -f -X '!*{SUFFIX}' -- "$1"; }}
""",
    "zsh": """\
_ndks_units() { local -a units; units=(${(f)"$(ndks completion --units 2>/dev/null)"}); compadd -a units }
""",
}
_COMPLETERS: dict[str, Any] = {
    "FILE": shtab.FILE,
    "DIRECTORY": shtab.DIRECTORY,
    "UNIT": {"bash": "_ndks_units", "zsh": "_ndks_units", "tcsh": "`ndks completion --units`"},
    "NETWORK": {"bash": "_ndks_networks", "zsh": f"_files -g '*{SUFFIX}'", "tcsh": f"f:*{SUFFIX}"},
}
# Where a shell looks for the completions of a command when it is first completed, below the user's home
_PLACES = {
    "bash": (("XDG_DATA_HOME", ".local/share"), "bash-completion/completions/ndks"),
    "zsh": (("ZDOTDIR", ""), ".zfunc/_ndks"),
}
_HOW = {
    "bash": "shells that start from now on complete ndks (with Debian's package bash-completion)",
    "zsh": "add to .zshrc, in front of compinit: fpath+=(${ZDOTDIR:-$HOME}/.zfunc)",
}


def add_completion(parser: Parser) -> None:
    set_up(parser, _EXAMPLES, completion)
    parser.add_argument("shell", nargs="?", choices=shtab.SUPPORTED_SHELLS, help="which shell")
    parser.add_argument("--install", action="store_true", help="put it where the shell looks for it, for this user")
    parser.add_argument("--units", action="store_true", help="print what --unit may be: units there are here")


_EXAMPLES = """\
  ndks completion bash --install       once; it costs no shell any time when it starts
  ndks completion zsh --install
  ndks completion tcsh                 prints it"""


def completion(args: argparse.Namespace, out: Output) -> None:
    if args.units:
        units = _units()
        out.result({"ports": units}, "\n".join(units))
        return
    need(args.shell is not None, "a shell is missing", f"name one of {', '.join(shtab.SUPPORTED_SHELLS)}")
    script = _script(args.shell)
    if args.install:
        path = _installed(args.shell, script)
        out.done({"shell": args.shell, "file": str(path)}, f"{path} is written; {_HOW[args.shell]}")
    else:
        out.result({"shell": args.shell, "script": script}, script)


def _script(shell: str) -> str:
    from . import build_parser  # which needs this module

    parser = build_parser()
    _name_completers(parser)
    preamble: Any = _PREAMBLE  # one for each shell, which its type does not know
    return shtab.complete(parser, shell, preamble=preamble)


def _name_completers(parser: Any) -> None:
    """Say in shtab's way how the arguments of all commands are completed."""
    for action in parser._actions:
        if kind := getattr(action, "completes", ""):
            action.complete = _COMPLETERS[kind]
        if action.nargs == argparse.PARSER:
            for command in action.choices.values():
                _name_completers(command)


def _installed(shell: str, script: str) -> Path:
    need(shell in _PLACES, f"there is no place where every {shell} looks", f"ndks completion {shell} prints it")
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
    """Return ports of units, of emulated units that run, and names of emulated units that lie here."""
    here = [f"{EMULATOR}{path.parent.name}" for path in sorted(Path.cwd().glob("*/nvm.bin"))]
    return [*(board.port for board in candidates()), *(unit.port for unit in running_units()), *here]
