# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command join: requests to become a member of a network, and what becomes of them."""

import argparse

import ndks
from ndks.exceptions import UsageError
from ndks.laptop.fingerprint import Characteristics, characteristics
from ndks.network import opening
from ndks.network.commitments import commit, new_key
from ndks.network.join_request import SUFFIX
from ndks.whole_file import refuse_taken

from .arguments import add_path, add_unit, new_path
from .joining import add_accept, add_approve, add_inspect
from .output import Output
from .parser import Parser, add_command, add_group, show_examples
from .typed_words import tell_words

_REQUEST_EXAMPLES = f"""\
  ndks join request -o alice{SUFFIX}                   makes the unit's earlier requests void
  ndks join request --network office --label alice -o alice{SUFFIX}"""


def add_join(parser: Parser) -> None:
    show_examples(parser, _REQUEST_EXAMPLES)
    kinds = add_group(parser)
    request_help = "make a key in a blank unit, and a file that asks for a package sealed to it"
    parser = add_command(kinds, "request", request_help, _REQUEST_EXAMPLES, request)
    parser.add_argument("--network", metavar="NAME", default="", help="the network's name (default: any)")
    parser.add_argument("--label", default="", help="a name for this unit, for the network file")
    parser.add_argument(
        "--plain",
        action="store_true",
        help="commit to nothing, as ndks 0.6 did: a network without administrators needs no more",
    )
    add_path(parser, "-o", "--output", metavar="REQUEST", required=True, help="the file to write, which must be new")
    add_unit(parser)
    add_inspect(kinds)
    add_approve(kinds)
    add_accept(kinds)


def request(args: argparse.Namespace, out: Output) -> None:
    path, key, (known, gap) = new_path(args), new_key(), _characteristics(args)
    opening_path = path.with_name(f"{path.name}{opening.SUFFIX}")
    for taken in (path,) if args.plain else (path, opening_path):
        refuse_taken(taken)
    commitments = None if args.plain else commit(key, known)
    with ndks.open(args.unit, args.timeout, create=True) as unit:
        made = unit.join_request(network=args.network, label=args.label, commitments=commitments)
    values = {"serial_number": made.serial_number, "file": str(path), "words": made.words}
    text = f"{path} asks for a package for unit {made.serial_number}; earlier requests of the unit are void"
    if not args.plain:
        opening.Opening.of(made, key, known).save(opening_path)
        values |= {"opening": str(opening_path)}
        text += f"\n{opening_path} tells of this laptop and its network: for the authority only, when it asks{gap}"
    made.save(path)
    out.done(values, f"{text}\n{tell_words(made.words, 'the administrator')}")


def _characteristics(args: argparse.Namespace) -> tuple[Characteristics, str]:
    """Return what a request commits to, the laptop and its network; and a word on what is missing."""
    if args.plain:
        return (), ""
    try:
        return characteristics(with_network=True), ""
    except UsageError as error:
        return characteristics(), f" (not of the network: {error})"
