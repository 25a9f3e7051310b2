# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command network."""

import argparse
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ndks.exceptions import FileError
from ndks.network import administrator_file, any_file
from ndks.network.administration import ROOT_SIZE, Administration
from ndks.network.administrator_file import SUFFIX as ADMINISTRATOR_SUFFIX
from ndks.network.admission import replace_network
from ndks.network.generation import AdmittedMember
from ndks.network.network_file import SUFFIX, Network
from ndks.whole_file import refuse_existing, refuse_taken
from ndks_protocol import commands
from ndks_protocol.generator import F1, F2

from . import admitted_units, network_status
from .administration import add_administration
from .arguments import DIGITS, add_operators, add_parameters, add_path, add_unit, need
from .authority import add_authority, authority_of
from .output import Output, operator_rows, warn_of_suite
from .parser import Parser, add_command, add_group, show_examples
from .publication import members
from .roles import add_renew


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
    parser.add_argument(
        "--administered",
        action="store_true",
        help=f"make NAME{ADMINISTRATOR_SUFFIX}: an administrator admits units and revokes them",
    )
    add_authority(parser)

    status_help = "show what the agent knows: unit, generation, messages, gaps, members, carriers"
    parser = add_command(kinds, "status", status_help, network_status.EXAMPLES, network_status.show_status)
    add_unit(parser, "the only one with an agent")

    show_help = "show a network file, or an administrator's, without its secrets"
    parser = add_command(kinds, "show", show_help, _SHOW_EXAMPLES, show_network)
    parser.add_argument("--parameters", action="store_true", help="also show p1 and p2, which are secret too")
    add_path(
        parser, "network", completes="NETWORK", metavar="NETWORK", help=f"NAME{SUFFIX}, or NAME{ADMINISTRATOR_SUFFIX}"
    )
    add_administration(kinds)
    add_renew(kinds)


_NEW_EXAMPLES = """\
  ndks network new office
  ndks network new office --administered                            office.ndksadmin, for generations and roles
  ndks network new office --administered --authority chief.pub      who signs each agreement
  ndks network new lecture --suite paper --p1 0.52 --p2 25
  ndks network new office --f1 hyperbolic --f2 cosine_square"""
_SHOW_EXAMPLES = """\
  ndks network show office.ndksnet
  ndks network show office.ndksnet --parameters    p1 and p2 too
  ndks network show office.ndksadmin               who is in, since when, and who agreed"""


def new_network(args: argparse.Namespace, out: Output) -> None:
    if args.administered:
        _new_administered(args, out)
        return
    need(args.authority is None, "--authority is for an administered network", "add --administered")
    path, name = _path_and_name(args, SUFFIX)
    _refuse_members(path, args)
    refuse_existing(path, args.force)
    network = _network(args, name)
    kept = _save(network, path, overwrite=args.force)
    values = {"network": network.name, "network_id": network.network_id, "cipher": network.cipher, "file": str(path)}
    text = f"{path} holds network {network.name}, suite {network.suite}. Anyone who reads it can compute every key."
    values |= {"kept_as": str(kept)} if kept else {}
    text += f"\n{kept} is the network that was in {path}." if kept else ""
    out.done({**values, "suite": network.suite, **warn_of_suite(network.suite)}, text)


def _new_administered(args: argparse.Namespace, out: Output) -> None:
    need(not args.force, "an administrator's file is never overwritten: nobody could change its network any more")
    path, name = _path_and_name(args, ADMINISTRATOR_SUFFIX)
    refuse_taken(path)
    state = _founded(_network(args, name), path, authority_of(args.authority))
    values = {"network": name, "network_id": state.network.network_id, "cipher": state.network.cipher}
    text = (
        f"{path} is the file of administrator 0 of network {name}. Anyone who reads it can compute every key, admit "
        f"and revoke; without it, nobody can. Keep a copy elsewhere, which is used only when this file is lost."
    )
    values |= {"file": str(path), "administrator": 0, "authority": state.authority, "suite": state.network.suite}
    out.done(values | warn_of_suite(state.network.suite), text)


def _founded(network: Network, path: Path, authority: str) -> Administration:
    """Write the file of administrator 0 of a new network, and return what it has. FileError, also if it exists."""
    state = Administration(network, secrets.token_bytes(ROOT_SIZE), authority=authority)
    administrator_file.save(state, path)
    return state


def _path_and_name(args: argparse.Namespace, suffix: str) -> tuple[Path, str]:
    """Return where the file goes, and the network's name: NAME may be that of the file."""
    name = Path(args.name).name.removesuffix(suffix) if args.name.endswith(suffix) else args.name
    return args.output or Path(f"{args.name.removesuffix(suffix)}{suffix}"), name


def _network(args: argparse.Namespace, name: str) -> Network:
    return Network.new(
        name,
        p1=args.p1,
        p2=args.p2,
        digits=DIGITS if args.digits is None else args.digits,
        suite=args.suite,
        cipher=args.cipher,
        f1=args.f1 or F1[0],
        f2=args.f2 or F2[0],
    )


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
    known = any_file.load(args.network)
    if isinstance(known, Network):
        _show_network(args, out, known)
    else:
        _show_administration(args, out, known)


def _show_administration(args: argparse.Namespace, out: Output, state: Administration) -> None:
    network, (digits, f1, f2) = state.network, state.operators
    shown = {"p1": network.p1, "p2": network.p2} if args.parameters else {}
    values = {"network": network.name, "network_id": network.network_id, "suite": network.suite}
    values |= {"cipher": network.cipher, **shown, "digits": digits, "f1": F1[f1], "f2": F2[f2]}
    values |= {"administrator": state.number, "authority": state.authority, "revocations": state.revocations}
    values |= {"generation": state.g if state.g >= 0 else None}
    generation = f"generation {state.g}" if state.g >= 0 else "no generation yet: ndks join approve makes the first"
    counts = f"{members(len(state.present))}, {len(state.revoked)} revoked; it may revoke {state.revocations} more"
    rows = [
        ("network", f"{network.name}, administrator {state.number}, {generation}"),
        ("suite", f"{network.suite}, cipher {network.cipher}, d = {digits}"),
        *operator_rows(F1[f1], F2[f2]),
        *((name, value) for name, value in shown.items()),
        ("authority", state.authority or "none: an administrator alone admits"),
        ("units", counts),
        *((f"lane {member.lane}", _of_member(member)) for member in state.members),
    ]
    text = "\n".join(f"{name:12}{value}" for name, value in rows)
    values |= {"members": [_member_values(member) for member in state.members]}
    out.result(values | warn_of_suite(network.suite), text)


def _of_member(member: AdmittedMember) -> str:
    since = f"from generation {member.joined}" if member.joined >= 0 else "from the next generation"
    admission = member.admission
    agreed = f"; {admission.who} agreed, {admission.when}: {admission.why}" if admission.who else ""
    return f"unit {member.serial_number}  {member.state.name.lower()}, {since}  {admission.label}".rstrip() + agreed


def _member_values(member: AdmittedMember) -> dict[str, Any]:
    admission = member.admission
    values = admitted_units.values_of(member) | {"joined": member.joined if member.joined >= 0 else None}
    return values | {"request": admission.request, "who": admission.who, "when": admission.when, "why": admission.why}


def _show_network(args: argparse.Namespace, out: Output, network: Network) -> None:
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
