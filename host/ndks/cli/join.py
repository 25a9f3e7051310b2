# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command join: requests to become a member of a network."""

import argparse

import ndks
from ndks.files import refuse_taken
from ndks.network.join_request import SUFFIX

from .arguments import add_path, add_unit, new_path
from .output import Output
from .parser import Parser, add_command, add_group, show_examples

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
    add_path(parser, "-o", "--output", metavar="REQUEST", required=True, help="the file to write, which must be new")
    add_unit(parser)


def request(args: argparse.Namespace, out: Output) -> None:
    refuse_taken(new_path(args))
    with ndks.open(args.unit, args.timeout, create=True) as unit:
        made = unit.join_request(network=args.network, label=args.label)
    made.save(args.output)
    values = {"serial_number": made.serial_number, "file": str(args.output), "words": made.words}
    text = f"{args.output} asks for a package for unit {made.serial_number}; earlier requests of the unit are void"
    out.done(values, f"{text}\n{tell_words(made.words, 'the administrator')}")


def tell_words(words: str, whom: str) -> str:
    """Return the line with which a result ends whose file is to be compared."""
    return f"send it to {whom}, who will ask by voice for these words:\n{words}"
