# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command network upgrade: an administrator's file is made from a network file."""

import argparse
import secrets
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from ndks.network import administrator_file
from ndks.network.administration import ROOT_SIZE, Administration
from ndks.network.administrator import Administrator
from ndks.network.administrator_file import SUFFIX
from ndks.network.locked_file import locked_file
from ndks.network.network_file import SUFFIX as NETWORK_SUFFIX
from ndks.network.network_file import Network
from ndks.whole_file import refuse_taken

from . import admitted_units
from .admitted_units import described
from .arguments import add_path, need
from .authority import add_authority, authority_of
from .confirmation import add_yes, confirm
from .output import Output
from .parser import add_command
from .publication import values_of

_EXAMPLES = f"""\
  ndks network upgrade office{NETWORK_SUFFIX}           makes office{SUFFIX}"""


def add_upgrade(kinds: Any) -> None:
    text = "make an administrator's file from a network file, whose units then join anew, one by one"
    parser = add_command(kinds, "upgrade", text, _EXAMPLES, upgrade)
    add_path(parser, "network", completes="NETWORK", metavar="NETWORK", help=f"the network file, NAME{NETWORK_SUFFIX}")
    add_authority(parser)
    add_path(parser, "-o", "--output", metavar="FILE", help=f"default: NAME{SUFFIX}")
    add_yes(parser)


def upgrade(args: argparse.Namespace, out: Output) -> None:
    network, authority = Network.load(args.network), authority_of(args.authority)
    need(
        network.gives_lanes,
        f"{args.network} was upgraded, or all of its lanes are taken",
        "use its administrator's file",
    )
    path: Path = args.output or args.network.with_name(f"{network.name}{SUFFIX}")
    state = _begun(path, network, authority)
    confirm(
        args,
        f"{path} will be the file of administrator 0 of network {network.name}. Its {len(network.members)} units go on "
        f"as before, until each is erased and joins anew, on a new lane; {args.network} admits no unit any more.",
    )
    with locked_file(args.network) as locked:
        need(Network.load(locked) == network, f"{args.network} was changed meanwhile: nothing was done", "repeat")
        state = state or _upgraded(path, network, authority)
        # Last, as only this file knows the next lane: what is interrupted before goes on with the same command.
        network.closed().save(locked, overwrite=True)
    values = values_of(path, state)
    units = [admitted_units.values_of(member) for member in state.members]
    lines = [f"{path} is the file of administrator 0 of network {network.name}. For each of its units:"]
    lines += ["  ndks zeroize, ndks join request; here: ndks join approve; there: ndks join accept"]
    lines += [f"  {described(member)}" for member in state.members]
    lines += [f"after the last one: ndks network refresh {shlex.quote(str(path))}"]
    out.done(values | {"units": units}, "\n".join(lines))


def _begun(path: Path, network: Network, authority: str) -> Administration | None:
    """Return what an interrupted upgrade has written; None: nothing. FileError: the file is another one."""
    if path.is_file():
        state = administrator_file.load(path)
        if (state.network, state.authority, state.number) == (network, authority, 0):
            return state
    refuse_taken(path)
    return None


def _upgraded(path: Path, network: Network, authority: str) -> Administration:
    """Write the file of administrator 0 of an earlier network, with a generation for its units."""
    state = replace(Administration.founded(network, secrets.token_bytes(ROOT_SIZE)), authority=authority)
    administrator = Administrator(state, lambda made: administrator_file.save(made, path))
    if network.members:
        administrator.issue()
    else:
        administrator_file.save(state, path)
    return administrator.state
