# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command network."""

import argparse
from dataclasses import asdict
from pathlib import Path

from ndks.exceptions import FileError
from ndks.files import refuse_existing
from ndks.network.admission import replace_network
from ndks.network.network_file import SUFFIX, Network
from ndks_protocol import commands
from ndks_protocol.generator import F1, F2

from .agents import STATUS_EXAMPLES, show_status
from .arguments import DIGITS, add_operators, add_parameters, add_path, add_unit
from .output import Output, operator_rows, warn_of_suite
from .parser import Parser, add_command, add_group, show_examples


def add_network(parser: Parser) -> None:
    show_examples(parser, _NEW_EXAMPLES, _SHOW_EXAMPLES)
    kinds = add_group(parser)
    new_help = "make a network file, with the secret and parameters that its units share"
    parser = add_command(kinds, "new", new_help, _NEW_EXAMPLES, new_network)
    parser.add_argument("name", metavar="NAME", help="the network's name, 1 to 32 bytes")
    add_parameters(parser, "(default: random, 40 decimals)")
    add_operators(parser)
    parser.add_argument(
        "--suite", choices=commands.SUITES, default="hybrid", help="default: hybrid; paper is for study"
    )
    parser.add_argument("--cipher", choices=commands.CIPHERS, default="vernam", help="for messages (default: vernam)")
    add_path(parser, "-o", "--output", metavar="FILE", help=f"default: NAME{SUFFIX}")
    parser.add_argument("--force", action="store_true", help="overwrite FILE; a network with units is kept as FILE.old")

    status_help = "show what the agent knows: unit, generation, messages, gaps, carriers"
    parser = add_command(kinds, "status", status_help, STATUS_EXAMPLES, show_status)
    add_unit(parser, "the only one with an agent")

    show_help = "show a network file without its secret and parameters"
    parser = add_command(kinds, "show", show_help, _SHOW_EXAMPLES, show_network)
    parser.add_argument("--parameters", action="store_true", help="also show p1 and p2, which are secret too")
    add_path(parser, "network", completes="NETWORK", metavar="NETWORK", help=f"the network file, NAME{SUFFIX}")


_NEW_EXAMPLES = """\
  ndks network new office
  ndks network new lecture --suite paper --p1 0.52 --p2 25
  ndks network new office --f1 hyperbolic --f2 cosine_square"""
_SHOW_EXAMPLES = """\
  ndks network show office.ndksnet
  ndks network show office.ndksnet --parameters    p1 and p2 too"""


def new_network(args: argparse.Namespace, out: Output) -> None:
    name = Path(args.name).name.removesuffix(SUFFIX) if args.name.endswith(SUFFIX) else args.name
    path: Path = args.output or Path(f"{args.name.removesuffix(SUFFIX)}{SUFFIX}")
    _refuse_members(path, args)
    refuse_existing(path, args.force)
    network = Network.new(
        name,
        p1=args.p1,
        p2=args.p2,
        digits=DIGITS if args.digits is None else args.digits,
        suite=args.suite,
        cipher=args.cipher,
        f1=args.f1 or F1[0],
        f2=args.f2 or F2[0],
    )
    kept = _save(network, path, overwrite=args.force)
    values = {"network": network.name, "network_id": network.network_id, "cipher": network.cipher, "file": str(path)}
    text = f"{path} holds network {network.name}, suite {network.suite}. Anyone who reads it can compute every key."
    values |= {"kept_as": str(kept)} if kept else {}
    text += f"\n{kept} is the network that was in {path}." if kept else ""
    out.done({**values, "suite": network.suite, **warn_of_suite(network.suite)}, text)


def _refuse_members(path: Path, args: argparse.Namespace) -> None:
    """Raise FileError if a network with units would be replaced, unless the user insists."""
    units = 0 if args.force else Network.units_in(path)
    if units:
        size, whom = (f"{units} units", "them") if units > 1 else ("1 unit", "it")
        what = f"{path} is a network with {size}; a new one cannot talk to {whom}"
        raise FileError(what, "give the new one another name: ndks network new NAME")


def _save(network: Network, path: Path, *, overwrite: bool) -> Path | None:
    """Write a network file; return where the network is kept that was in it, if that has units."""
    if overwrite and path.exists():
        return replace_network(path, network)
    network.save(path, overwrite=overwrite)
    return None


def show_network(args: argparse.Namespace, out: Output) -> None:
    network = Network.load(args.network)
    hidden = {"secret"} if args.parameters else {"secret", "p1", "p2"}
    values = {name: value for name, value in asdict(network).items() if name not in hidden}
    values["network"] = values.pop("name")
    rows = [
        ("network", f"{network.name}, id {network.network_id}, epoch {network.epoch}"),
        ("suite", f"{network.suite}, cipher {network.cipher}, d = {network.digits}"),
        *operator_rows(network.f1, network.f2),
        *([("p1", network.p1), ("p2", network.p2)] if args.parameters else []),
        *(
            (f"lane {member.lane}", f"unit {member.serial_number}  {member.label}".rstrip())
            for member in network.members
        ),
        ("next lane", str(network.next_lane)),
    ]
    text = "\n".join(f"{name:12}{value}" for name, value in rows)
    out.result({**values, "network_id": network.network_id, **warn_of_suite(network.suite)}, text)
