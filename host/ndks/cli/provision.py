# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Command provision: a unit becomes a member of a network, from its file or by a package."""

import argparse
import contextlib
from collections.abc import Generator, Sequence
from typing import Any

import ndks
from ndks.driver.joining import Joined, JoinedByPackage
from ndks.exceptions import NdksError, UsageError
from ndks.network import any_file
from ndks.network.administrator_file import SUFFIX as ADMINISTRATOR_SUFFIX
from ndks.network.admission import admit_by_request, refuse_request
from ndks.network.join_package import SUFFIX as PACKAGE_SUFFIX
from ndks.network.join_package import JoinPackage
from ndks.network.join_request import SUFFIX as REQUEST_SUFFIX
from ndks.network.join_request import JoinRequest, load_request
from ndks.network.joining_file import starts_as, version_in
from ndks.network.member_package import MemberPackage
from ndks.network.network_file import SUFFIX, Member, Network
from ndks.whole_file import refuse_taken

from .arguments import add_path, add_unit, need, new_path
from .bindings import bound_text, bound_values
from .confirmation import add_yes
from .output import Output, need_stdout, note, warn_of_suite
from .parser import Parser, set_up
from .provision_member import provision_member
from .typed_words import add_words, compare_words, tell_words

_EXAMPLES = f"""\
  ndks provision office.ndksnet --label alice              shows the 24 words that ndks bind asks for
  ndks provision office.ndksnet --bind                     for a unit that stays at this laptop
  ndks provision office.ndksnet --unit emulator:bob --bind
  ndks provision office.ndksadmin --bind                   of an administered network, from generation to generation
  ndks provision office.ndksnet --for bob{REQUEST_SUFFIX} -o bob{PACKAGE_SUFFIX}    answers ndks join request
  ndks provision bob{PACKAGE_SUFFIX} --bind                 there; asks for the six words of the package"""
_HOW_TO_BIND = "at its laptop, run ndks bind and type these words, which are shown only this once"


def add_provision(parser: Parser) -> None:
    set_up(parser, _EXAMPLES, provision)
    add_path(
        parser,
        "network",
        completes="MEMBERSHIP",
        metavar="NETWORK",
        help=f"the network file, NAME{SUFFIX}, the administrator's, NAME{ADMINISTRATOR_SUFFIX}, or a package that was "
        f"made for this unit, NAME{PACKAGE_SUFFIX}",
    )
    parser.add_argument("--bind", action="store_true", help="bind it to this laptop, without a transport code")
    parser.add_argument("--label", default="", help="a name for this unit in the network file")
    add_path(
        parser, "--for", dest="request", metavar="REQUEST", help="write a package for the unit of this request instead"
    )
    add_path(parser, "-o", "--output", metavar="PACKAGE", help="the package to write, which must be new")
    parser.add_argument(
        "--again", action="store_true", help="admit the unit of REQUEST on a new lane although it has one already"
    )
    add_words(parser, "the six words of REQUEST, or of the package that is used")
    add_yes(parser)
    add_unit(parser)


def provision(args: argparse.Namespace, out: Output) -> None:
    if args.request:
        _refuse_options(args, "--for", bind="--bind", unit="--unit")
        need(args.output is not None, "--for writes a package, but -o is missing", f"-o NAME{PACKAGE_SUFFIX}")
        _write_package(args, out)
        return
    _refuse_options(args, "without --for", output="-o", again="--again")
    if not args.bind:
        need_stdout()  # for the transport code
    need(
        not args.yes or any_file.is_administrators(args.network), "--yes is for an administrator's file", "leave it out"
    )
    if version_in(args.network, MemberPackage.MARK) == MemberPackage.VERSION:
        what = f"{args.network} is a package for a member of a network with administrators"
        raise UsageError(what, f"ndks join accept {args.network}")
    if starts_as(args.network, JoinPackage.MARK):
        _refuse_options(args, "with a package", label="--label")
        _use_package(args, out)
    elif any_file.is_administrators(args.network):
        need(args.words is None, "--words are those of a request or a package, and this is neither", "leave them out")
        provision_member(args, out)
    else:
        _refuse_request_file(args)
        need(args.words is None, "--words are those of a request or a package, and this is neither", "leave them out")
        _use_network(args, out)


def _refuse_options(args: argparse.Namespace, where: str, **options: str) -> None:
    """Raise UsageError for an option that means nothing in this form of the command."""
    for name, option in options.items():
        need(not getattr(args, name), f"{option} has no meaning {where}", f"leave {option} out")


def _refuse_request_file(args: argparse.Namespace) -> None:
    is_request = starts_as(args.network, JoinRequest.MARK)
    what = f"{args.network} is a request, which an administrator answers with a package"
    need(not is_request, what, f"ndks provision NETWORK --for {args.network} -o NAME{PACKAGE_SUFFIX}")


def _use_network(args: argparse.Namespace, out: Output) -> None:
    Network.load(args.network)  # reports a damaged file before the search for a unit
    with _code_kept() as codes:
        with ndks.open(args.unit, args.timeout, create=True) as unit:
            joined = unit.join(args.network, args.label, bind=args.bind, tell_code=codes.append)
        if joined.binding:
            codes.clear()
        network = joined.network
        values = {"network": network.name, "network_id": network.network_id, "suite": network.suite}
        _tell(out, values | warn_of_suite(network.suite), joined, unit.port, network.members)


def _use_package(args: argparse.Namespace, out: Output) -> None:
    package = JoinPackage.load(args.network)
    with _code_kept() as codes, ndks.open(args.unit, args.timeout) as unit:
        unit.check_blank()
        package.check_unit(unit.hello.serial_number)
        compare_words(package, args.words, "the administrator")
        joined = unit.join_package(package, bind=args.bind, tell_code=codes.append)
        values = {"network": joined.network}
        if joined.binding:
            codes.clear()
            status = unit.status()
            values |= {"network_id": status.network_id, "suite": status.suite, **warn_of_suite(status.suite)}
        _tell(out, values, joined, unit.port)


def _tell(
    out: Output, values: dict[str, Any], joined: Joined | JoinedByPackage, port: str, members: Sequence[Member] = ()
) -> None:
    """Print what became of the unit at `port`: how to bind it, or what others can be told of its binding."""
    text = f"unit {joined.serial_number} is a member of network {values['network']}, lane {joined.lane}"
    values = values | {"serial_number": joined.serial_number, "lane": joined.lane}
    if joined.binding:
        bound = bound_values(joined.serial_number, joined.lane, joined.binding)
        out.done(values | bound, f"{text}\n{bound_text(bound, port, members)}")
    else:
        code = joined.transport_code
        out.result(values | {"transport_code": code}, f"{text}\n{out.advised(_HOW_TO_BIND)}:\n{code}")


def _write_package(args: argparse.Namespace, out: Output) -> None:
    refuse_taken(new_path(args))
    need(
        not any_file.is_administrators(args.network),
        f"{args.network} is an administrator's file, whose requests are approved",
        f"ndks join approve {args.request} --network {args.network} -o NAME{PACKAGE_SUFFIX}",
    )
    network, request = Network.load(args.network), load_request(args.request)
    refuse_request(network, request, again=args.again)
    compare_words(request, args.words, "whoever sent it")
    package = admit_by_request(args.network, request, args.label, again=args.again)
    try:
        package.save(args.output)
    except NdksError as error:
        error.advice += f"; the unit has lane {package.lane} now: repeat with --again"
        raise
    values = {"network": network.name, "network_id": network.network_id, "serial_number": package.serial_number}
    values |= {"lane": package.lane, "file": str(args.output), "words": package.words, "suite": network.suite}
    text = f"{args.output} makes unit {package.serial_number} a member of network {network.name}, lane {package.lane}"
    out.done(values | warn_of_suite(network.suite), f"{text}\n{tell_words(package.words, 'whoever has the unit')}")


@contextlib.contextmanager
def _code_kept() -> Generator[list[str]]:
    """Yield a list; if the block fails, print the transport codes in it on stderr, because they exist nowhere else."""
    codes: list[str] = []
    try:
        yield codes
    except BaseException:
        for words in codes:
            note(f"the unit is, or may be, a member, and may still be bound to its transport code: {words}")
        raise
