# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands network and provision."""

import argparse
import contextlib
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ndks
from ndks.driver.unit import Unit
from ndks.files import refuse_existing
from ndks.laptop.bindings import BindingStore
from ndks.laptop.words import to_words
from ndks.network.network_file import SUFFIX, Network, admit_unit, note_binding
from ndks_protocol import commands
from ndks_protocol.generator import F1, F2

from .arguments import DIGITS, add_operators, add_parameters, add_path, add_unit
from .bindings import bound_text, bound_values
from .output import Output, need_stdout, note, operator_rows, warn_of_suite
from .parser import Parser, add_command, add_group, set_up, show_examples


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
    parser.add_argument("--force", action="store_true", help="overwrite FILE, whose secret is then lost")

    show_help = "show a network file without its secret and parameters"
    parser = add_command(kinds, "show", show_help, _SHOW_EXAMPLES, show_network)
    parser.add_argument("--parameters", action="store_true", help="also show p1 and p2, which are secret too")
    add_path(parser, "network", completes="NETWORK", metavar="NETWORK", help=f"the network file, NAME{SUFFIX}")


def add_provision(parser: Parser) -> None:
    set_up(parser, _PROVISION_EXAMPLES, provision)
    add_path(parser, "network", completes="NETWORK", metavar="NETWORK", help=f"the network file, NAME{SUFFIX}")
    parser.add_argument("--bind", action="store_true", help="bind it to this laptop, without a transport code")
    parser.add_argument("--label", default="", help="a name for this unit in the network file")
    add_unit(parser)


_NEW_EXAMPLES = """\
  ndks network new office
  ndks network new lecture --suite paper --p1 0.52 --p2 25
  ndks network new office --f1 hyperbolic --f2 cosine_square"""
_SHOW_EXAMPLES = """\
  ndks network show office.ndksnet
  ndks network show office.ndksnet --parameters    p1 and p2 too"""
_PROVISION_EXAMPLES = """\
  ndks provision office.ndksnet --label alice              shows the 24 words that ndks bind asks for
  ndks provision office.ndksnet --bind                     for a unit that stays at this laptop
  ndks provision office.ndksnet --unit emulator:bob --bind"""


def new_network(args: argparse.Namespace, out: Output) -> None:
    path: Path = args.output or Path(f"{args.name}{SUFFIX}")
    refuse_existing(path, args.force)
    network = Network.new(
        args.name,
        p1=args.p1,
        p2=args.p2,
        digits=DIGITS if args.digits is None else args.digits,
        suite=args.suite,
        cipher=args.cipher,
        f1=args.f1 or F1[0],
        f2=args.f2 or F2[0],
    )
    network.save(path, overwrite=args.force)
    values = {"network": network.name, "network_id": network.network_id, "cipher": network.cipher, "file": str(path)}
    text = f"{path} holds network {network.name}, suite {network.suite}. Anyone who reads it can compute every key."
    out.done({**values, "suite": network.suite, **warn_of_suite(network.suite)}, text)


def show_network(args: argparse.Namespace, out: Output) -> None:
    network = Network.load(args.network)
    hidden = {"secret"} if args.parameters else {"secret", "p1", "p2"}
    values = {name: value for name, value in asdict(network).items() if name not in hidden}
    rows = [
        ("network", f"{network.name}, id {network.network_id}, epoch {network.epoch}"),
        ("suite", f"{network.suite}, cipher {network.cipher}, d = {network.digits}"),
        *operator_rows(network.f1, network.f2),
        *([("p1", network.p1), ("p2", network.p2)] if args.parameters else []),
        *((f"lane {member.lane}", f"unit {member.uid}  {member.label}".rstrip()) for member in network.members),
        ("next lane", str(network.next_lane)),
    ]
    text = "\n".join(f"{name:12}{value}" for name, value in rows)
    out.result({**values, "network_id": network.network_id, **warn_of_suite(network.suite)}, text)


def provision(args: argparse.Namespace, out: Output) -> None:
    if not args.bind:
        need_stdout()  # for the transport code
    Network.load(args.network)  # reports a damaged file before the search for a unit
    with ndks.open(args.unit, args.timeout, create=True) as unit:
        # The file is written before the unit gets its lane, so that no lane is given twice.
        unit.check_blank()
        if args.bind:
            BindingStore().prepare()  # a failure after provisioning would leave a unit whose code nobody has
        serial_number = unit.hello.serial_number
        network, lane = admit_unit(args.network, serial_number, args.label)
        code = unit.provision(network, lane)
        bound = _bind(unit, code) if args.bind else None
    values = {"network": network.name, "network_id": network.network_id, "unit": serial_number, "lane": lane}
    text = f"unit {serial_number} is a member of network {network.name}, lane {lane}"
    values |= {"suite": network.suite, **warn_of_suite(network.suite)}
    if bound:
        try:
            note_binding(args.network, lane, bound["binding_id"])
        finally:
            out.done(values | bound, f"{text}\n{bound_text(bound, network.members)}")
    else:
        words = to_words(code)
        how = "at its laptop, run ndks bind and type these words, which are shown only this once"
        with _code_kept(words):
            out.result(values | {"transport_code": words}, f"{text}\n{how}:\n{words}")


def _bind(unit: Unit, code: bytes) -> dict[str, Any]:
    with _code_kept(to_words(code)):
        return bound_values(unit, unit.bind(code))


@contextlib.contextmanager
def _code_kept(words: str) -> Generator[None]:
    """Print the transport code on stderr if the block fails, because it exists nowhere else."""
    try:
        yield
    except BaseException:
        note(f"the unit is a member, and may still be bound to its transport code: {words}")
        raise
